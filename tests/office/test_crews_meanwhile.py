"""What happens to officers between commitment, match and assignment, and two clerks at once; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from server.domain.crew_team import standing
from server.errors import Problem
from server.office import crew_changes, crew_file, crew_page, crew_ways
from server.office import crews as acts
from server.store import crews as store
from server.store import tables
from server.store.crews import Match
from server.store.session import Connection, Database
from tests import crewing
from tests.crewing import CLERK, CODES, HALF_DAYS, HEAD, LATER, SEALER, SECRET, SOURCE, TASK, Scene
from tests.dispatching import ITEM, dispatch
from tests.pressing import at_once

OFFICERS = ("li", "zhang", "wang", "zhao", "sun", "qian")


@pytest.fixture
def its(any_database: Database, tmp_path: Path) -> Scene:
    return Scene(any_database, tmp_path / "keys")


def refused(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as found:
        call()
    return found.value


def replaced(its: Scene, visit: str, out: str, **more: str) -> str:
    form = {"officer_id": out, "kind": "work_conflict", "reason": "另有安排"} | more
    return str(its.do(crew_changes.ask_replacement, visit, form, now=LATER))


def decide(its: Scene, change: str) -> None:
    its.do(crew_changes.decide_replacement, change, True, "", its.field, person=HEAD, now=LATER)


# --- before the crews are sent ----------------------------------------------------------------------------------------


def _leave(conn: Connection, officer: str) -> None:
    conn.execute(
        sa.insert(tables.leave).values(
            id="l1", officer_id=officer, from_on="2026-12-03", to_on="2026-12-03", part="whole", kind="training",
            reason="培训", entered_by="clerk", entered_at="2026-11-24T02:00:00.000Z",
        )
    )  # fmt: skip


def _put(**values: Any) -> Callable[[Connection, str], None]:
    def put(conn: Connection, officer: str) -> None:
        conn.execute(sa.update(tables.officer).where(tables.officer.c.id == officer).values(**values))

    return put


HAPPENS: dict[str, tuple[str, Callable[[Connection, str], None]]] = {
    "left": ("LEFT", _put(left_on="2026-11-24")),
    "went to another unit": ("LEFT", _put(unit_id="industry")),
    "certificate ended": ("EXPIRED", _put(certificate_to="2026-11-23")),
    "certificate will have ended": ("EXPIRES", _put(certificate_to="2026-12-02")),
    "domain taken away": ("DOMAIN", _put(domains=["non_coal_mines"])),
    "interest": ("INTEREST", lambda conn, officer: crewing.keep_away(conn, officer, "s1")),
    "leave": ("LEAVE", _leave),
}


@pytest.mark.rule("R19.1", "refuses")
@pytest.mark.rule("R20.2", "refuses")
@pytest.mark.parametrize("what", HAPPENS)
def test_who_cannot_go_any_more_stops_the_sending_and_is_replaced_first(its: Scene, what: str) -> None:
    match_id = its.matched()
    drawn, visit = its.match(match_id), its.visits[0]
    out = drawn.officers[drawn.leaders[CODES[0]]]
    why, happen = HAPPENS[what]
    its.db.run_write(lambda conn: happen(conn, out))
    problem = refused(lambda: its.do(acts.assign, match_id, its.field, now=LATER))
    assert (problem.code, problem.article, problem.status) == ("crew_unfit_now", "20", 409)
    stopped: Any = problem.members["officers"]
    assert {"visit": visit, "officer": out, "why": why} in stopped
    assert its.crew(visit) == {}
    for one in stopped:
        decide(its, replaced(its, one["visit"], one["officer"]))
    its.do(acts.assign, match_id, its.field, now=LATER)
    assert out not in its.crew(visit)
    assert sorted(its.crew(visit).values()) == ["leader", "member"]
    assert its.match(match_id).teams == drawn.teams
    _stands_in_the_file(its, drawn)


def _stands_in_the_file(its: Scene, drawn: Match) -> None:
    """The crews that the phones have follow from the public file: as drawn, then who came, in order."""
    with its.db.read() as conn:
        part = crew_file.officers_part(conn, TASK)
    assert part is not None
    for visit, code in zip(its.visits, CODES, strict=True):
        team = standing(code, part["teams"][code], part["leaders"][code], part["replaced"])
        crew = its.crew(visit)
        assert {drawn.officers[o] for o in team.officers} == set(crew)
        assert crew[drawn.officers[team.leader]] == "leader"
    for one in part["replaced"]:
        frozen = next(it["elig"] for it in drawn.visits if it["s"] == one["s"])
        judged = {*one["elig"], *(it["o"] for it in one["left_out"]), *drawn.teams[one["s"]]}
        assert set(frozen) <= judged


def test_a_renewed_certificate_with_another_number_changes_nothing(its: Scene) -> None:
    match_id = its.matched()
    drawn = its.match(match_id)
    out = drawn.officers[drawn.leaders[CODES[0]]]
    its.put_officer(out, certificate="4113039999")
    its.do(acts.assign, match_id, its.field, now=LATER)
    assert out in its.crew(its.visits[0])
    decide(its, replaced(its, its.visits[0], out))
    _stands_in_the_file(its, drawn)


def test_the_pages_show_the_team_that_waits_and_who_of_it_cannot_go(its: Scene) -> None:
    match_id = its.matched()
    drawn = its.match(match_id)
    out = drawn.officers[drawn.leaders[CODES[0]]]
    its.put_officer(out, left_on="2026-11-24")
    with its.db.read() as conn:
        board = crew_page.board_of(conn, CLERK, TASK, LATER)
        view = crew_page.visit_of(conn, CLERK, its.visits[0], LATER)
    said = {row.seen.code: [(one.officer_id, one.why) for one in row.unfit] for row in board.rows}
    assert said[CODES[0]] == [(out, "LEFT")]
    assert (view.is_sent, view.seen.leader) == (False, out)
    assert len(view.seen.members) == 2


# --- who is busy ------------------------------------------------------------------------------------------------------


def another_task(its: Scene, half_day: str) -> tuple[str, str]:
    """A second task's only visit, with its crew sent; the visit and the match."""
    with its.db.write() as conn:
        task = dict(conn.execute(sa.select(tables.task).where(tables.task.c.id == TASK)).mappings().one())
        conn.execute(sa.insert(tables.task).values(task | {"id": "t2", "name": "t2"}))
        conn.execute(sa.insert(tables.task_item).values(task_id="t2", item_id=ITEM))
    visit = dispatch(its.db, its.keys, (), crewing.NOW, tasks=["t2"])
    its.do(acts.plan, "t2", {f"half_day:{visit}": half_day})
    match_id = str(its.do(acts.commit, "t2", [SOURCE], SECRET, SEALER))
    its.throw(match_id)
    its.do(acts.match, match_id, SEALER, now=LATER)
    its.do(acts.assign, match_id, its.field, now=LATER)
    return visit, match_id


def test_who_is_in_a_team_that_waits_to_be_sent_is_busy_for_every_other_visit(its: Scene) -> None:
    other, other_match = another_task(its, HALF_DAYS[0])
    match_id = its.matched()
    frozen = its.match(other_match).visits[0]["elig"]
    taken = {o for s in CODES[:2] for o in its.match(match_id).teams[s]}
    assert len(taken) == 4
    with its.db.read() as conn:
        seen, match = store.visit_seen(conn, other), store.match_of(conn, other_match)
        assert seen is not None
        found = crew_changes.feasible_now(conn, match, seen, LATER)
    assert found.elig == []
    assert {one["o"]: one["reason"] for one in found.left_out} == dict.fromkeys(sorted(taken & set(frozen)), "BUSY")
    change = replaced(its, other, next(iter(its.crew(other))))
    assert refused(lambda: decide(its, change)).code == "crew_no_substitute"


@pytest.mark.rule("R18.4", "allows")
def test_who_is_named_for_one_visit_is_in_no_lot_for_that_half_day(any_database: Database, tmp_path: Path) -> None:
    its = Scene(any_database, tmp_path / "keys", officers=4)
    its.plan(**{f"k:{its.visits[0]}": "3"})
    form = {"kind": "direct_assignment", "reason": "人手不够", "visit_id": its.visits[0], "leader": "zhang"}
    way = its.do(crew_ways.ask_way, TASK, form, ("zhang", "wang"))
    its.do(crew_ways.decide_way, way, True, "", person=HEAD)
    match = its.match(its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER))
    by_code = {one["s"]: one for one in match.visits}
    assert [match.officers[o] for o in by_code[CODES[1]]["elig"]] == ["li", "zhao"]
    assert {one["o"]: one["reason"] for one in match.left_out[CODES[1]]} == {"4113031001": "BUSY", "4113031002": "BUSY"}
    assert len(by_code[CODES[2]]["elig"]) == 4  # the afternoon


# --- two clerks at once -----------------------------------------------------------------------------------------------


class Meeting:
    """A field whose first assignment waits till another act is there too, or is kept waiting by the database."""

    def __init__(self, its: Scene) -> None:
        self.its, self.field, self.here = its, its.field, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.field, name)

    def assign(self, *args: Any) -> None:
        self.here += 1
        while self.here == 1 and not self._is_kept_waiting():
            pass
        self.field.assign(*args)

    def _is_kept_waiting(self) -> bool:
        if self.its.db.is_sqlite:  # one writer at a time
            return True
        with self.its.db.read() as conn:
            query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            return conn.scalar(sa.text(query)) is not None


def test_one_officer_who_is_named_for_two_tasks_of_one_half_day_at_once_comes_to_one(its: Scene) -> None:
    with its.db.write() as conn:
        conn.execute(sa.insert(tables.officer).values(crewing.officer_row(9, "zhou")))
    first, _ = another_task(its, HALF_DAYS[0])
    its.assigned()
    second = its.visits[0]
    busy = {one for visit in (first, *its.visits[:2]) for one in its.crew(visit)}
    (free,) = {*OFFICERS, "zhou"} - busy
    wanted = {"wanted_id": free, "why_wanted": "熟悉该工艺"}
    changes = [replaced(its, visit, next(iter(its.crew(visit))), **wanted) for visit in (first, second)]
    its.field = Meeting(its)  # type: ignore[assignment]
    said = at_once(*(lambda change=one: decide(its, change) for one in changes))
    assert sorted(said) == ["crew_substitute_unfit", "done"]
    assert [free in its.crew(first), free in its.crew(second)].count(True) == 1


def test_a_plan_that_is_saved_while_another_clerk_commits_is_committed_or_refused(its: Scene) -> None:
    its.plan()
    moved = {f"half_day:{visit}": day for visit, day in zip(its.visits, ("2026-12-07/am",) * 3, strict=True)}
    plans = [moved, dict.fromkeys(moved, "2026-12-08/pm")]
    said = at_once(
        *(lambda form=form: its.do(acts.plan, TASK, form) for form in plans),
        lambda: its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER),
    )
    assert set(said[:2]) <= {"done", "crew_committed"}
    assert said[2] in ("done", "crew_infeasible")  # three visits of one half-day need all six
    with its.db.read() as conn:
        kept = {one.half_day for one in store.plans_of(conn, its.visits).values()}
        match = store.live_match(conn, TASK)
    assert match is not None
    assert len(kept) in (1, 2)
    assert {one["half_day"] for one in match.visits} == kept
