"""What the checker sees: altered parts of the public files, exceptions that the log has not, and a whole forgery."""

from __future__ import annotations

import copy
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from server.domain.ledger import EXCEPTIONS, KEPT_BACK, STATES, WAY, Facts, state_of
from server.standalone import check_ledger
from server.store import tables, trail
from tests import databases
from tests.dispatching import database_of
from tests.ledger.scene import STAGES, Drawn, Hand, forged
from tests.running import ROOT, Running
from tests.scene import populate

Json = dict[str, Any]
LEAST = 120


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    data = tmp_path_factory.mktemp("checker") / "data"
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    running = Running(data)
    db = database_of(running)
    populate(db)
    db.close()
    made = Drawn(running.start(), tasks=2, n=11)
    made.taken = {}
    for stage in STAGES:
        made.reach(stage)
        made.taken[stage] = made.take()
    yield made
    made.close()
    running.kill()


def parts(after: Json, before: Json | None = None) -> set[str]:
    return {part for part, _ in check_ledger.check(after, before).faults}


def _tasks(taken: Json) -> Json:
    return next(iter(taken["tasks"].values()))


def _line(taken: Json) -> Json:
    found: Json = _tasks(taken)["lines"][3]
    return found


def _altered(value: Any) -> Any:
    """The same kind of value, and another one."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return ("0" if value[:1] != "0" else "1") + value[1:]
    if isinstance(value, list):
        return value[:-1]
    return {name: _altered(one) if at == 0 else one for at, (name, one) in enumerate(value.items())}


def _alter(find: Callable[[Json], Json], name: str, taken: Json) -> None:
    found = find(taken)
    found[name] = _altered(found[name])


UNSEEN = {("line", "days"), ("line", "reason"), ("task", "name"), ("task", "unit"), ("task", "disclosure"),
          ("task", "window_to"), ("result", "t")}  # fmt: skip
"""What one file can't contradict: words and days that follow from the calendar."""


def alterations(taken: Json) -> Iterator[tuple[str, Callable[[Json], None]]]:
    """Every single field of a line, its opening, its result, its task, a source, a notice, a link and the log."""
    places: dict[str, Callable[[Json], Json]] = {
        "line": _line,
        "opened": lambda it: _line(it)["opened"],
        "published": lambda it: _line(it)["result"],
        "task": lambda it: _tasks(it)["task"],
        "source": lambda it: _tasks(it)["sources"][0],
        "result": lambda it: next(one for one in it["results"] if one["no"] == _line(it)["result"]["no"]),
        "link": lambda it: it["chain"][0],
    }
    for place, find in places.items():
        for name in find(taken):
            if (place, name) not in UNSEEN and find(taken)[name] != []:
                yield f"{place}.{name}", partial(_alter, find, name)
    for at in range(0, len(taken["log"]["entries"]), 3):
        yield f"log.{at}", partial(_drop_entry, at)
        yield f"log.{at} text", partial(_rewrite_entry, at)
    yield "root", partial(_alter_root)
    yield "notice", partial(_alter, lambda it: next(iter(it["notices"].values())), "n")
    yield "size", partial(_alter, lambda it: it["ledger"], "size")
    for name in ("results", "chain", "notices", "tasks", "files"):
        yield name, partial(_drop, name)


def _drop(name: str, taken: Json) -> None:
    found = taken[name]
    found.pop(next(iter(found)) if isinstance(found, dict) else 0)


def _drop_entry(at: int, taken: Json) -> None:
    del taken["log"]["entries"][at]


def _rewrite_entry(at: int, taken: Json) -> None:
    entry = taken["log"]["entries"][at]
    entry[1] = entry[1].replace('"actor":"', '"actor":"x', 1)


def _alter_root(taken: Json) -> None:
    lines = taken["log"]["checkpoint"].split("\n")
    taken["log"]["checkpoint"] = "\n".join([*lines[:2], _altered(lines[2]), *lines[3:]])


def test_whatever_is_altered_in_the_public_files_is_seen(scene: Drawn) -> None:
    taken = scene.taken["published"]
    assert check_ledger.check(taken, scene.taken["reviewed"]).faults == []
    every, unseen = list(alterations(taken)), []
    for name, alter in every:
        again = copy.deepcopy(taken)
        alter(again)
        if not check_ledger.check(again, taken).faults:
            unseen.append(name)
    print(f"alterations seen: {len(every) - len(unseen)} of {len(every)}; not seen: {unseen}")
    assert (unseen, len(every) >= LEAST) == ([], True)


def test_a_result_that_is_not_what_the_log_committed_to_is_seen_without_an_older_file(scene: Drawn) -> None:
    taken = copy.deepcopy(scene.taken["published"])
    its = _line(taken)["result"]["no"]
    next(one for one in taken["results"] if one["no"] == its)["record"] = "1" * 64
    assert parts(taken) == {"result"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_file_of_each_stage_agrees_with_itself_and_with_all_that_came_before(scene: Drawn, stage: str) -> None:
    for older in STAGES[: STAGES.index(stage) + 1]:
        assert check_ledger.check(scene.taken[stage], scene.taken[older]).faults == []
    for newer in STAGES[STAGES.index(stage) + 1 :]:
        assert "backwards" in parts(scene.taken[stage], scene.taken[newer])


def test_nothing_goes_back_but_on_the_ways_that_an_act_opens() -> None:
    ways = {(old, new) for old in STATES for new in STATES if check_ledger.may_follow(_at(old), _at(new))}
    on = {(WAY[at], WAY[to]) for at in range(len(WAY)) for to in range(at, len(WAY))}
    aside = {(old, new) for old in (*WAY[:-1], KEPT_BACK) for new in EXCEPTIONS if new != "left_out"}
    kept = {(old, KEPT_BACK) for old in (*WAY[:-1], KEPT_BACK)} | {(KEPT_BACK, "reviewed"), (KEPT_BACK, "published")}
    assert ways == on | aside | kept | {(one, one) for one in EXCEPTIONS}
    assert all(check_ledger.may_follow(_at(old), _at("synced", 2)) for old in ("final", "reviewed", KEPT_BACK))
    assert not check_ledger.may_follow(_at("published"), _at("synced", 2))


def _at(state: str, round_: int = 1) -> Json:
    return {"state": state, "round": round_}


def test_the_checker_knows_the_states_of_the_house() -> None:
    assert (check_ledger.WAY, check_ledger.KEPT_BACK, check_ledger.EXCEPTIONS) == (WAY, KEPT_BACK, EXCEPTIONS)
    assert state_of(Facts()) == "drawn" and state_of(Facts(visit="open")) == "dispatched"
    assert state_of(Facts(visit="final", approved=True, withheld=True)) == "withheld"
    assert state_of(Facts(visit="open", synced=True, selection="withdrawn")) == "withdrawn"
    assert state_of(Facts(visit="final", published=True, draw_void=True)) == "draw_void"


EXCEPTIONAL: dict[str, tuple[sa.Table, Json, str]] = {
    "withdrawn": (tables.selection, {"state": "withdrawn"}, "task.withdraw"),
    "visit_void": (tables.visit, {"state": "void"}, "op.void"),
    "synced": (tables.visit, {"state": "open", "round": 2}, "op.reopen"),
}
"""State -> what the database says of it, and the act without which nobody believes it."""


def test_an_exception_is_believed_only_with_its_act_in_the_log(start_server: Callable[..., Running]) -> None:
    scene = Drawn(start_server(), tasks=1, n=11)
    for stage in STAGES[:5]:
        scene.reach(stage)
    before = scene.take()
    drawn = sa.select(tables.visit.c.subject_id).order_by(tables.visit.c.id)
    with scene.db.read() as conn:
        subjects = list(conn.scalars(drawn))
    for subject, (state, (table, values, act)) in zip(subjects, EXCEPTIONAL.items(), strict=False):
        with scene.db.write() as conn:
            conn.execute(sa.update(table).where(table.c.subject_id == subject).values(values))
        after = scene.take()
        assert [line["state"] for line in _tasks(after)["lines"]].count(state) == 1
        assert parts(after, before) == parts(after) == {"exception"}
        with scene.db.write() as conn:
            trail.append(conn, [trail.Act(act, "head", "withdrawal:1")], scene.its.tick())
        assert parts(scene.take(), before) == set(), "it is younger than the checkpoint, and may be there"
        scene.log.sign(scene.its.tick())
        assert parts(scene.take(), before) == set()
    scene.close()


def test_who_rewrites_everything_and_signs_it_anew_is_caught_by_whoever_kept_a_file(
    start_server: Callable[..., Running],
) -> None:
    scene = Drawn(start_server(), tasks=1, n=11)
    for stage in STAGES[:3]:
        scene.reach(stage)
    before = scene.take()
    hand = Hand(scene)
    gone = hand.digests[4]
    with hand.deleted([gone], puts_back=False):
        forged(scene, hand, gone)
    after = scene.take()
    assert after["ledger"]["size"] == 10 and check_ledger.check(after).faults == [], "by itself it is without a flaw"
    report = check_ledger.check(after, before)
    assert gone in report.named and {"vanished", "log", "changed"} <= {part for part, _ in report.faults}
    hand.close()
    scene.close()


def test_the_command_keeps_what_it_took_and_says_what_is_gone(scene: Drawn, tmp_path: Path) -> None:
    def run(*given: object, as_a_file: bool = True) -> tuple[int, str]:
        program = [check_ledger.__file__] if as_a_file else ["-m", "server", "check-ledger"]
        command = [sys.executable, *program, *map(str, given)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    kept = tmp_path / "kept"
    assert run(scene.running.url, "--keep", kept, as_a_file=False)[0] == check_ledger.GOOD
    assert "compared with" in run(scene.running.url, "--keep", kept)[1]
    taken = json.loads(gzip.decompress((kept / "taken-0001.json.gz").read_bytes()))
    line = _tasks(taken)["lines"].pop()
    less = tmp_path / "less.json.gz"
    less.write_bytes(gzip.compress(json.dumps(taken).encode()))
    code, said = run("--files", less, kept / "taken-0001.json.gz")
    assert code == check_ledger.FOUND and line["digest"] in said
    less.write_bytes(b"x")
    assert run("--files", less)[0] == run()[0] == run("http://127.0.0.1:9")[0] == check_ledger.CANNOT
