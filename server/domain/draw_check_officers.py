"""The server's own check of a file's officers: matched by lot, or shown as assigned, merged or replaced."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Literal

import msgspec
import rfc8785

from server.domain import crew
from server.domain import draw as lot
from server.domain.draw_sources import Source
from server.domain.drawing import Void

_NUMBER: Final = re.compile(r"[^\t\n\r ]+")
_DOMAINS: Final = re.compile(r"-|[^\t\n\r ,]+(?:,[^\t\n\r ,]+)*")
_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_HALF_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}/(?:am|pm)", re.ASCII)
_LEAST: Final = 2

Say = Callable[[str, str], None]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a file: closed, as all of them."""


class Given(_Part, frozen=True):
    """A contribution as a file has it."""

    k: str
    v: str
    at: str
    by: str
    evidence: str | None


class Visit(_Part, frozen=True, omit_defaults=True):
    """A visit to be matched."""

    s: str
    k: int
    half_day: str
    elig: list[str]
    lead: list[str] | msgspec.UnsetType = msgspec.UNSET


class Direct(_Part, frozen=True):
    """A visit whose officers were appointed, not drawn (R18.4)."""

    s: str
    o: list[str]
    leader: str
    reason: str
    by: str
    at: str


class Merged(_Part, frozen=True):
    """A neighbour's officer in the list."""

    o: str
    office: str
    consent: str
    reason: str
    by: str
    at: str


class LeftOut(_Part, frozen=True):
    """Who could not come instead, and why."""

    o: str
    reason: str


class Lent(_Part, frozen=True):
    """A neighbour's officer who joined after the lot."""

    o: str
    office: str
    consent: str


class Replaced(_Part, frozen=True, rename={"into": "in"}):
    """One officer for another (R20.1)."""

    s: str
    out: str
    into: str
    attempt: int
    kind: str
    reason: str
    by: str
    at: str
    designated: bool
    elig: list[str]
    left_out: list[LeftOut]
    lent: list[Lent] | msgspec.UnsetType = msgspec.UNSET


class Experts(_Part, frozen=True):
    """The experts of a visit (R18.3)."""

    s: str
    o: list[str]
    how: Literal["lot", "appointed"]
    elig: list[str]
    reason: str


class Officers(_Part, frozen=True, kw_only=True):
    """The part of the officers: a lot of its own."""

    alg: Literal["omatch1"]
    attempt: int
    prev: str
    frame: str
    frame_digest: str
    rules: str
    rules_digest: str
    sources: list[Source]
    commit: str
    committed_at: str
    contributions: list[Given]
    secret: str
    seed: str | None
    visits: list[Visit]
    cap: int
    slots: int
    teams: dict[str, list[str]]
    leaders: dict[str, str]
    direct: list[Direct]
    merged: list[Merged]
    replaced: list[Replaced]
    void: Void | None
    experts: list[Experts] | msgspec.UnsetType = msgspec.UNSET


def check_match(part: Officers, task: str, say: Say) -> None:
    """Everything below commitment and seed: list, rules, teams, leaders, and each change afterwards."""
    able = _able(part.frame, say)
    _check_rules(part, task, say)
    _check_visits(part, able, say)
    _check_merged(part, able, say)
    _check_direct(part, able, say)
    if part.seed is None:
        if part.cap or part.teams or part.leaders or part.replaced:
            say("teams", "nothing was matched, and yet there are teams")
        if part.void is None:
            say("officers.seed", "nothing was matched, and it isn't void")
        return
    _check_teams(part, part.seed, len(able), say)
    _check_replaced(part, part.seed, able, say)
    _check_experts(part, part.seed, able, say)


def _able(frame: str, say: Say) -> set[str]:
    """The numbers of those who take part; a wrong line is told."""
    found: set[str] = set()
    before = ""
    lines = frame.split("\n")
    if lines.pop():
        say("officers.frame", "the last line has no end")
    for n, line in enumerate(lines, 1):
        row = line.split("\t")
        if not _is_row(row) or row[0] <= before:
            say("officers.frame", f"line {n} is in another form or order")
            continue
        before = row[0]
        if row[2] == "E":
            found.add(row[0])
    return found


def _is_row(row: Sequence[str]) -> bool:
    if len(row) != 4 or not _NUMBER.fullmatch(row[0]) or not _DOMAINS.fullmatch(row[1]):
        return False
    return row[3] == "-" if row[2] == "E" else row[2] == "X" and _REASON.fullmatch(row[3]) is not None


def _check_rules(part: Officers, task: str, say: Say) -> None:
    try:
        rules = msgspec.json.decode(part.rules)
        wanted = {
            "alg": "omatch1",
            "rounds": crew.ROUNDS * sum(visit.k for visit in part.visits),
            "slots": part.slots,
            "sources": [one.id for one in part.sources],
            "task": task,
            "visits": lot.digest(rfc8785.dumps(msgspec.to_builtins(part.visits)).decode()),
            "year": rules["year"],
        }
        is_right = type(rules["year"]) is int and lot.canonical(wanted) == part.rules
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        is_right = False
    if not is_right:
        say("officers.rules", "they aren't the rules of these visits, slots, sources and this task")


def _check_visits(part: Officers, able: Collection[str], say: Say) -> None:
    codes = [visit.s for visit in part.visits]
    if codes != sorted(set(codes)) or part.slots < 1:
        say("officers", "the visits are out of order, or there are no slots")
    for visit in part.visits:
        lead = [] if visit.lead is msgspec.UNSET else visit.lead
        is_right = visit.k >= _LEAST and _HALF_DAY.fullmatch(visit.half_day) and _is_in_order(visit.elig)
        if not is_right or not set(visit.elig) <= set(able) or not set(lead) <= set(visit.elig):
            say("officers", f"the visit of {visit.s} has less than two places or somebody who isn't on the list")


def _is_in_order(numbers: Sequence[str]) -> bool:
    return list(numbers) == sorted(set(numbers))


def _check_merged(part: Officers, able: Collection[str], say: Say) -> None:
    for one in part.merged:
        if one.o not in able or not (one.office and one.consent and one.reason and one.by):
            say("merged", f"{one.o} isn't on the list, or nobody says whose, on what consent and why")


def _check_direct(part: Officers, able: Collection[str], say: Say) -> None:
    lottery = {visit.s for visit in part.visits}
    for s, n in Counter(one.s for one in part.direct).items():
        if n > 1 or s in lottery:
            say("direct", f"{s} is matched by lot, or there twice")
    for one in part.direct:
        is_crew = _is_in_order(one.o) and len(one.o) >= _LEAST and set(one.o) <= set(able)
        if not is_crew or one.leader not in one.o or not (one.reason and one.by):
            say("direct", f"{one.s} has no two officers of the list, no leader of them, or no reason")


def _check_teams(part: Officers, seed: str, rows: int, say: Say) -> None:
    visits = [_visit(one) for one in part.visits]
    try:
        found = crew.match(seed, visits, rows, part.slots)
    except (crew.NotFeasible, ValueError, IndexError):
        say("teams", "there are no lawful teams for these visits")
        return
    if part.cap != found.cap or part.teams != found.teams:
        say("teams", "the lot gives others")
    if part.leaders != found.leaders:
        say("leaders", "the lot gives others")


def _visit(one: Visit) -> crew.Visit:
    lead = None if one.lead is msgspec.UNSET else tuple(one.lead)
    return crew.Visit(one.s, one.k, one.half_day, tuple(one.elig), lead)


def _check_replaced(part: Officers, seed: str, able: Collection[str], say: Say) -> None:
    teams: dict[str, set[str]] = {s: set(team) for s, team in part.teams.items()}
    teams |= {one.s: set(one.o) for one in part.direct}
    drawn = {visit.s: set(visit.elig) for visit in part.visits}
    left: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for one in part.replaced:
        counts[one.s] += 1
        team = teams.get(one.s, set())
        if one.out not in team or one.into in team or one.attempt != counts[one.s] or not (one.reason and one.by):
            say("replaced", f"of {one.s}: {one.out} wasn't there, or attempt, reason or name is wrong")
        lent = set() if one.lent is msgspec.UNSET else {each.o for each in one.lent}
        gone = left.setdefault(one.s, set())
        if fault := _replacing(one, seed, drawn.get(one.s, set()), lent, team | gone, able):
            say("replaced", f"of {one.s}: {fault}")
        gone.add(one.out)
        team.discard(one.out)
        team.add(one.into)
        teams[one.s] = team


def _replacing(
    one: Replaced, seed: str, elig: set[str], lent: set[str], known: set[str], able: Collection[str]
) -> str | None:
    """What is wrong with who came instead."""
    if not _is_in_order(one.elig) or not set(one.elig) <= elig | lent:
        return "somebody in the lot couldn't have been drawn"
    missing = elig - set(one.elig) - known - {each.o for each in one.left_out}
    if missing:
        return f"{', '.join(sorted(missing))} could come and nobody says why not"
    if one.designated:
        return None if one.into in able or one.into in lent else f"{one.into} isn't on the list"
    wanted = crew.substitute(seed, one.s, one.elig, one.attempt)
    return None if one.into == wanted else f"the next by lot is {wanted}"


def _check_experts(part: Officers, seed: str, able: Collection[str], say: Say) -> None:
    everybody = {*part.teams, *(one.s for one in part.direct)}
    for one in _given(part.experts):
        by_lot = crew.experts(seed, one.s, one.elig, len(one.o))
        if one.s not in everybody or not one.o or not one.reason:
            say("experts", f"{one.s}: no visit of the task, nobody, or no reason")
        elif not set(one.o).isdisjoint(able):
            say("experts", f"{one.s}: an officer of the list can't be an expert")
        elif one.how == "lot" and sorted(one.o) != sorted(by_lot):
            say("experts", f"{one.s}: the lot gives {', '.join(by_lot)}")


def _given(experts: list[Experts] | msgspec.UnsetType) -> Iterable[Experts]:
    return () if experts is msgspec.UNSET else experts
