"""The rules of docs/rules.md and the tests that prove them: allowed, refused by code and article, asked over HTTP."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
WAYS = ("allows", "refuses", "http")
RULE = re.compile(r"R\d+[ab]?\.\d+")
INVARIANT = re.compile(r"I\d+")
"""The protocol's own invariants are marked alike; they aren't rules of this list."""

PROVED = ("Scope", "List and libraries", "Trace", "Plan", "Other")
"""The paragraphs whose every rule has a test of each way, but for those that are still to come."""

STILL_TO_COME: dict[str, str] = {}
"""Rule -> why it has no tests yet. A rule that has got them all must leave this list."""


class Listed(NamedTuple):
    """One line of docs/rules.md."""

    id: str
    chinese: str
    english: str
    where: str
    paragraph: str


class Mark(NamedTuple):
    """One marker on one test."""

    id: str
    way: str | None
    module: str
    test: str


@cache
def listed() -> tuple[Listed, ...]:
    """Every rule of the document, in its order."""
    found, paragraph = [], ""
    for line in (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            paragraph = line[3:].partition(" (")[0]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if RULE.fullmatch(cells[0]):
            found.append(Listed(cells[0], cells[1], cells[2], cells[3], paragraph))
    return tuple(found)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the tests by its dotted name, parsed, not run."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(TESTS.rglob("*.py"))
    }


@cache
def marks() -> tuple[Mark, ...]:
    """Every marker of every test."""
    return tuple(
        Mark(id, way, name, function.name)
        for name, module in modules().items()
        for function in functions_of(module).values()
        for decorator in function.decorator_list
        for id, way in rules_in(decorator)
    )


def functions_of(module: ast.Module) -> dict[str, ast.FunctionDef]:
    """Its functions by name, those in classes too."""
    return {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}


def rules_in(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Id and way of every `pytest.mark.rule(...)` in a decorator, those of single parameters included."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "rule":
            words = [word.value for word in call.args if isinstance(word, ast.Constant)]
            yield str(words[0]), str(words[1]) if len(words) > 1 else None


def ways_of() -> dict[str, set[str]]:
    """Rule -> the ways in which it is proved."""
    found: dict[str, set[str]] = defaultdict(set)
    for mark in marks():
        if mark.way is not None:
            found[mark.id].add(mark.way)
    return found


def lacking() -> dict[str, list[str]]:
    """Rule of the proved paragraphs -> the ways that have no test."""
    ways = ways_of()
    rules = [rule.id for rule in listed() if rule.paragraph in PROVED]
    return {id: missing for id in rules if (missing := [way for way in WAYS if way not in ways[id]])}


# --- the list ---------------------------------------------------------------------------------------------------------


def test_every_rule_is_listed_once_with_a_sentence_in_both_languages() -> None:
    ids = [rule.id for rule in listed()]
    assert len(ids) == len(set(ids)) == 83
    for rule in listed():
        assert re.search(r"[\u4e00-\u9fff].*。$", rule.chinese), rule.id
        assert re.search(r"[a-z].*\.$", rule.english), rule.id


def test_every_place_that_a_rule_names_is_there() -> None:
    places = {place for rule in listed() for place in re.findall(r"`([^`]+)`", rule.where)}
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_a_rule_that_names_no_place_says_with_what_it_will_come() -> None:
    parts = {"draw", "crew", "visit", "publication", "archive"}
    for rule in listed():
        coming = re.search(r"to come: (\w+)$", rule.where)
        assert coming is None or coming[1] in parts, rule.id
        assert coming is not None or "`" in rule.where, rule.id


# --- the marks --------------------------------------------------------------------------------------------------------


def test_every_mark_names_a_rule_of_the_list_and_a_way() -> None:
    known = {rule.id for rule in listed()}
    unknown = [mark for mark in marks() if mark.id not in known and not INVARIANT.fullmatch(mark.id)]
    assert unknown == [], "write the rule into docs/rules.md, or mend its id"
    assert [mark for mark in marks() if mark.way not in (None, *WAYS)] == []


def test_every_rule_of_these_paragraphs_is_allowed_refused_and_asked_over_http() -> None:
    open_ = {id: ways for id, ways in lacking().items() if id not in STILL_TO_COME}
    assert open_ == {}, "these rules lack a test of these ways"


def test_a_rule_that_has_all_its_tests_is_no_longer_to_come() -> None:
    assert [id for id in STILL_TO_COME if id not in lacking()] == [], "take them out of STILL_TO_COME"


def test_a_refusal_names_code_and_article() -> None:
    vague = sorted(
        {
            f"{mark.module}::{mark.test}"
            for mark in marks()
            if mark.way == "refuses" and not {"code", "article"} <= said_by(mark.module, mark.test)
        }
    )
    assert vague == [], "a refusal is proved by the Problem's code and its article"


def said_by(module: str, function: str, seen: frozenset[tuple[str, str]] = frozenset()) -> set[str]:
    """The attributes and texts that a test looks at, in its own body and in the helpers of the tests that it calls."""
    tree = modules()[module]
    node = functions_of(tree).get(function)
    if node is None or (module, function) in seen:
        return set()
    told = {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    told |= {str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant)}
    imported = {
        alias.asname or alias.name: (entry.module, alias.name)
        for entry in ast.walk(tree)
        if isinstance(entry, ast.ImportFrom) and entry.module in modules()
        for alias in entry.names
    }
    called = {one.func.id for one in ast.walk(node) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)}
    for name in called:
        told |= said_by(*imported.get(name, (module, name)), seen | {(module, function)})
    return told


def test_how_far_the_rules_are_proved() -> None:
    """Prints the counts and the rules that are still to come (`pytest -s`)."""
    ways = ways_of()
    whole = [rule.id for rule in listed() if set(WAYS) <= ways[rule.id]]
    marked = {mark.id for mark in marks()}
    partly = [rule.id for rule in listed() if rule.id in marked and rule.id not in whole]
    coming = [rule.id for rule in listed() if rule.where.startswith("to come")]
    print(f"\n{len(listed())} rules; {len(whole)} proved in every way, {len(partly)} in some; {len(coming)} to come:")
    print(", ".join(coming))
    assert set(STILL_TO_COME) <= set(coming) | set(partly)
