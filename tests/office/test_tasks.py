"""The rules of a task before its draw, through the acts that the routes call: what each allows and refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.domain.faults import Invalid
from server.errors import CODES, Problem
from server.office import task_page, tasks
from server.store import draws, tables
from server.store import tasks as store
from server.store.selections import Selection, add_selections
from server.store.session import Database
from tests import planning
from tests.planning import BOTH, CLERK, CLERK2, FIRE, HEAD, HEAD2, LEGAL, MAIN, PRINCIPAL, STORAGE, TODAY
from tests.tasking import Tasking, entered

MEDIUM: dict[str, Any] = {"filter.risks.medium": "yes"}


@pytest.fixture
def bureau(database: Database, tmp_path: Path) -> Tasking:
    return Tasking(database, tmp_path / "keys")


@contextmanager
def refused(code: str, article: str | None, *faults: tuple[str, str]) -> Iterator[None]:
    """What is done here is refused with this code and article, and with these faults of fields."""
    with pytest.raises(Problem) as caught:
        yield
    assert (caught.value.code, CODES[caught.value.code].article) == (code, article)
    if faults:
        assert isinstance(caught.value, Invalid)
        assert {(one.field, one.code) for one in caught.value.faults} == set(faults)


def count(db: Database, table: sa.Table) -> int:
    with db.read() as conn:
        return int(conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


# --- set-up -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R15b.1", "allows")
def test_a_task_that_says_all_is_saved_with_a_number_of_its_year(any_database: Database, tmp_path: Path) -> None:
    bureau = Tasking(any_database, tmp_path / "keys")
    task = bureau.of(bureau.add())
    assert (task.no, task.state, task.n, task.items, task.unit_id) == ("2026-001", "draft", 11, (STORAGE,), MAIN)
    assert (task.population, task.proposed, task.floor) == (212, 11, 11)
    assert bureau.of(bureau.add()).no == "2026-002"


@pytest.mark.rule("R16.2", "allows")
def test_what_the_set_up_counts_is_what_the_freeze_takes(any_database: Database, tmp_path: Path) -> None:
    bureau = Tasking(any_database, tmp_path / "keys")
    first = bureau.approved()
    with any_database.write() as conn:  # once each: with an open draw's reservation they are at the cap
        add_selections(conn, [Selection(first, one, MAIN, "2026-06-01") for one in ("s005", "s007", "s009")])
    bureau.drawn(first)
    id = bureau.approved()
    with any_database.read() as conn:
        counted = tasks.frame_for(conn, CLERK, entered(), bureau.now, None)
    assert counted is not None
    frame = counted[1]
    draw = bureau.commit(id)
    rows = bureau.rows(draw)
    with any_database.read() as conn:
        frozen = draws.frozen_of(conn, draw)
    assert frame.candidates == sum(part == "E" for _, _, part, _ in rows)
    assert frame.left_out == Counter(reason for _, _, part, reason in rows if part == "X")
    assert [one.code for one in frame.twice] == [code for code, *_, reason in rows if reason == "DRAWN_TWICE"]
    assert {one.code: (one.ground, one.document) for one in frame.kept} == frozen.kept
    assert len(frame.twice) > 2 and frame.kept


@pytest.mark.rule("R15b.1", "refuses")
@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"name": None}, "name"),
        ({"item": None}, "item"),
        ({"window_from": None}, "window_from"),
        ({"window_to": None}, "window_to"),
        ({"n": None}, "n"),
        ({"method.site": None}, "methods"),
        ({"draw": None}, "draw"),
        ({"mode": None}, "mode"),
        ({"disclosure": None}, "disclosure"),
        ({"crew_size": "1"}, "crew_size"),
    ],
)
def test_a_task_that_lacks_something_is_not_saved(bureau: Tasking, missing: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        bureau.add(**missing)
    assert (caught.value.code, CODES["task_invalid"].article) == ("task_invalid", "15-2")
    assert field in {one.field for one in caught.value.faults}
    assert count(bureau.db, tables.task) == 2  # the two of the library's earlier draws


@pytest.mark.rule("R2.1", "refuses")
def test_only_items_of_the_released_list_enter_a_task(bureau: Tasking) -> None:
    with refused("item_not_released", "2"):
        bureau.add(item="annex-u")


@pytest.mark.rule("R5.3", "allows")
def test_a_task_freezes_the_version_of_the_list_that_it_used(bureau: Tasking) -> None:
    from server.office.task_facts import items_of
    from server.store import items

    id = bureau.dispatched()
    with bureau.db.write() as conn:
        changed = [planning.an_item(STORAGE, "industry_commerce"), planning.an_item(FIRE, "industry_commerce")]
        later = items.ListVersion(2, "2026-11-24", "2026-11-24T08:00:00.000Z", "legal", "卧应急 2", "调整", "")
        items.keep_version(conn, msgspec.structs.replace(later, sha256=items.digest_of_list(changed)), changed)
    with bureau.db.read() as conn:
        task = bureau.of(id)
        assert task.list_version == 1
        assert [one.scope.traits for one in items_of(conn, task)] == [("hazardous_chemicals",)]
    assert bureau.of(bureau.add(item=FIRE, n=20)).list_version == 2


@pytest.mark.rule("R5.3", "refuses")
def test_the_version_of_a_dispatched_task_stays(bureau: Tasking) -> None:
    id = bureau.dispatched()
    with refused("task_dispatched", "17"):
        bureau.change(id)
    with pytest.raises(sa.exc.IntegrityError, match="never edited"), bureau.db.write() as conn:
        conn.execute(sa.update(tables.task).where(tables.task.c.id == id).values(list_version=None))
    assert bureau.of(id).list_version == 1


def test_the_window_lies_in_the_plans_or_says_why(bureau: Tasking) -> None:
    line = _planned(bureau)
    outside: dict[str, Any] = {"plan_line_id": line, "window_from": "2026-11-25", "window_to": "2026-12-20"}
    with refused("task_invalid", "15-2", ("window_to", "task_outside_plan")):
        bureau.add(**outside)
    task = bureau.of(bureau.add(**outside, reason="企业停产检修，顺延到十二月"))
    assert (task.origin, task.plan_line_id) == ("plan", line)


def _planned(bureau: Tasking, **more: object) -> str:
    """A line of the released plan, its window to the end of November."""
    office = planning.Office(bureau.db)
    office.open()
    lines = [office.add(planning.line(STORAGE, **more)), office.add(planning.line(FIRE, **planning.JOINT))]
    for one in lines:
        office.sign(one)
    office.submit()
    office.none()
    office.consolidate()
    office.approve()
    office.file("upper")
    office.file("market")
    office.release()
    return lines[0]


def test_a_line_of_the_plan_is_proposed_until_a_task_carries_it_out(bureau: Tasking) -> None:
    line = _planned(bureau)

    def proposed() -> set[str]:
        with bureau.db.read() as conn:
            return {one.id for one in task_page.proposals(conn, MAIN, TODAY)}

    assert line in proposed()
    id = bureau.add(plan_line_id=line, window_from="2026-11-24", window_to="2026-11-30")
    assert line not in proposed()
    bureau.cancel(id)
    assert line in proposed()


# --- how many ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R6.4", "refuses")
def test_below_the_floor_a_reason_is_needed_and_the_principal_before_the_head(bureau: Tasking) -> None:
    with refused("task_invalid", "15-2", ("reason", "task_below_floor")):
        bureau.add(n=10)
    id = bureau.add(n=10, reason="两户停产，人手不够")
    with refused("task_floor_undecided", "6"):
        bureau.approve(id)
    with bureau.db.read() as conn:
        (request,) = store.overrides_of(conn, id)
    assert (request.least, request.asked, request.state) == (11, 10, "asked")
    bureau.decide(request.id, answer="refused", reason="按下限抽")
    with refused("task_floor_undecided", "6"):
        bureau.approve(id)


@pytest.mark.rule("R6.4", "allows")
def test_the_principals_approval_and_its_reason_are_kept(bureau: Tasking) -> None:
    id = bureau.add(n=10, reason="两户停产，人手不够")
    with bureau.db.read() as conn:
        (request,) = store.overrides_of(conn, id)
    bureau.decide(request.id)
    with refused("override_decided", "6"):
        bureau.decide(request.id)
    bureau.approve(id)
    assert bureau.of(id).state == "approved"


@pytest.mark.parametrize("change", ["item", "floor"])
def test_the_principals_approval_stands_for_the_item_and_the_floor_of_which_it_was_asked(
    bureau: Tasking, change: str
) -> None:
    taken = sa.update(tables.unit_subject).where(tables.unit_subject.c.subject_id < "s032")
    with bureau.db.write() as conn:
        conn.execute(taken.values(unit_id="industry"))
        conn.execute(sa.update(tables.subject).values(traits=["hazardous_chemicals", "industry_commerce"]))
    lacking: dict[str, Any] = {"n": 8, "reason": "两户停产，人手不够"}
    id = bureau.add(**lacking)
    with bureau.db.read() as conn:
        (request,) = store.overrides_of(conn, id)
    assert request.least == 9  # 5 % of 180
    bureau.decide(request.id)
    bureau.change(id, **lacking, name="改了名称")
    with bureau.db.read() as conn:
        assert [one.state for one in store.overrides_of(conn, id)] == ["approved"]
    if change == "floor":
        with bureau.db.write() as conn:
            conn.execute(taken.values(unit_id=MAIN))
    bureau.change(id, **lacking, item=FIRE if change == "item" else STORAGE)
    with refused("task_floor_undecided", "6"):
        bureau.approve(id)
    with bureau.db.read() as conn:
        assert store.overrides_of(conn, id)[0].state == "asked"


def test_a_campaign_with_its_document_is_bound_by_no_ratio(bureau: Tasking) -> None:
    task = bureau.of(bureau.add(n=3, campaign="省安委办〔2026〕31 号"))
    assert (task.n, task.floor) == (3, 0)


def test_nobody_draws_more_than_there_are(bureau: Tasking) -> None:
    with refused("task_invalid", "15-2", ("n", "task_too_many")):
        bureau.add(n=211)
    assert bureau.of(bureau.add(n=210)).n == 210


def test_a_directed_draw_needs_a_condition_and_counts_by_it(bureau: Tasking) -> None:
    with refused("task_invalid", "15-2", ("filter", "task_no_filter")):
        bureau.add(draw="directed")
    task = bureau.of(bureau.add(draw="directed", **MEDIUM, n=11))
    assert task.filter.risks == ("medium",)
    with refused("task_invalid", "15-2", ("n", "task_too_many")):
        bureau.add(draw="directed", **MEDIUM, n=63)  # 212 - 150 are of medium risk


def test_ratios_round_up_in_each_class(bureau: Tasking) -> None:
    shares: dict[str, Any] = {"share.LOW_B": 500, "share.MEDIUM_B": 1000}
    task = bureau.of(bureau.add(mode="ratio", n=None, **shares))
    assert task.n == 15  # ceil(148 x 5 %) = 8 of low, ceil(62 x 10 %) = 7 of medium risk
    assert task.shares == {"LOW_B": 500, "MEDIUM_B": 1000}


# --- who approves -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("R15b.3", "allows")
def test_the_head_approves_with_number_and_date(bureau: Tasking) -> None:
    task = bureau.of(bureau.approved())
    assert (task.state, task.approval_number, task.approval_on, task.approved_by) == (
        "approved", "宛卧应急检〔2026〕7 号", "2026-11-23", "head",
    )  # fmt: skip


def test_nobody_approves_what_he_entered_and_nobody_twice(bureau: Tasking) -> None:
    id = bureau.add(BOTH)
    with refused("own_entry", CODES["own_entry"].article):
        bureau.approve(id, BOTH)
    with refused("not_found", None):
        bureau.approve(id, HEAD2)
    bureau.approve(id)
    with refused("task_approved_already", "15-2"):
        bureau.approve(id)


@pytest.mark.parametrize(("number", "on"), [("", "2026-11-23"), ("7 号", ""), ("7 号", "2026-11-25")])
def test_an_approval_has_a_number_and_a_day_that_has_come(bureau: Tasking, number: str, on: str) -> None:
    id = bureau.add()
    with refused("task_approval_invalid", "15-2"):
        bureau.approve(id, number=number, on=on)


def test_a_change_takes_the_approval_back(bureau: Tasking) -> None:
    id = bureau.approved()
    bureau.change(id, n=12)
    task = bureau.of(id)
    assert (task.state, task.n, task.approval_number, task.no) == ("draft", 12, None, "2026-001")


@pytest.mark.rule("R16.2", "refuses")
def test_a_task_whose_list_is_committed_is_neither_changed_nor_cancelled(bureau: Tasking) -> None:
    id = bureau.approved()
    draw = bureau.commit(id)
    with refused("task_has_draw", "16"):
        bureau.change(id)
    with refused("task_has_draw", "16"):
        bureau.cancel(id)
    bureau.void(draw)
    bureau.change(id, n=12)


def test_a_task_is_of_the_own_unit_and_its_head_answers(bureau: Tasking) -> None:
    id = bureau.add()
    for call in (bureau.change, bureau.cancel):
        with refused("not_found", None):
            call(id, CLERK2)
    bureau.cancel(id)
    with refused("task_cancelled", "15-2"):
        bureau.approve(id)


def test_the_legal_unit_draws_over_all_units_libraries(bureau: Tasking) -> None:
    with bureau.db.write() as conn:
        conn.execute(sa.insert(tables.unit).values(id="legal", name="法规股", kind="legal_unit"))
        taken = tables.unit_subject
        conn.execute(sa.update(taken).where(taken.c.subject_id < "s100").values(unit_id="industry"))
    of_unit = bureau.of(bureau.add())
    legal = msgspec.structs.replace(LEGAL, unit_id="legal")
    unified = bureau.of(bureau.add(legal))
    assert (of_unit.population, of_unit.unified) == (112, False)
    assert (unified.population, unified.unified, unified.unit_id) == (212, True, "legal")
    with refused("not_found", None):
        bureau.approve(unified.id, HEAD)
    bureau.approve(unified.id, PRINCIPAL)
    for call in (bureau.change, bureau.cancel):
        with refused("other_unit", "3"):
            call(of_unit.id, legal)
    bureau.cancel(unified.id, legal)


def test_every_act_of_a_task_is_told_to_whom_it_concerns(bureau: Tasking) -> None:
    id = bureau.add()

    def codes(who: object) -> list[str]:
        with bureau.db.read() as conn:
            return [one.code for one in task_page.waiting(conn, who, TODAY) if id in one.href]  # type: ignore[arg-type]

    assert (codes(CLERK), codes(HEAD), codes(HEAD2)) == ([], ["approve"], [])
    bureau.approve(id)
    assert (codes(CLERK), codes(HEAD)) == (["draw"], [])
    bureau.drawn(id)
    assert codes(CLERK) == ["dispatch"]
    bureau.dispatch(id)
    assert codes(CLERK) == []
