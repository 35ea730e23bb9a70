"""Dispatch, all or nothing, and what may still change after it: the rules through the acts that the routes call."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.errors import CODES, Problem
from server.office import dispatch, notices
from server.store import notices as notice_store
from server.store import tables, trail
from server.store import tasks as store
from server.store.selections import Selection, add_selections
from server.store.session import Database
from tests import planning
from tests.office.test_tasks import count, refused
from tests.planning import BOTH, CLERK, CLERK2, FIRE, HEAD2, MAIN, OTHER, STORAGE
from tests.pressing import at_once
from tests.tasking import Tasking

UUID7 = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MADE = (tables.visit, tables.visit_task, tables.notice)
"""What a dispatch makes, and nothing else does."""


@pytest.fixture
def bureau(database: Database, tmp_path: Path) -> Tasking:
    return Tasking(database, tmp_path / "keys")


def visits(db: Database) -> list[Any]:
    with db.read() as conn:
        return list(conn.execute(sa.select(tables.visit).order_by(tables.visit.c.subject_uscc)))


def selected(db: Database, task_id: str) -> dict[str, str]:
    with db.read() as conn:
        table = tables.selection
        rows = conn.execute(sa.select(table.c.subject_id, table.c.state).where(table.c.task_id == task_id))
        return {row.subject_id: row.state for row in rows}


# --- what is dispatched -----------------------------------------------------------------------------------------------


@pytest.mark.rule("R17.1", "allows")
def test_lock_visits_selections_and_notice_come_together(any_database: Database, tmp_path: Path) -> None:
    bureau = Tasking(any_database, tmp_path / "keys")
    id = bureau.approved()
    drawn = bureau.draw(bureau.drawn(id))
    no = bureau.dispatch(id)
    made = visits(bureau.db)
    assert [one.subject_uscc for one in made] == sorted(drawn.effective)
    assert all(UUID7.fullmatch(one.id) for one in made)
    assert len({one.nonce for one in made}) == len({one.id for one in made}) == 11
    assert {(one.window_from, one.window_to, one.unit_id) for one in made} == {("2026-12-01", "2026-12-31", MAIN)}
    assert selected(bureau.db, id) == dict.fromkeys((one.subject_id for one in made), "counted")
    with bureau.db.read() as conn:
        kept = notice_store.notice_by_no(conn, no)
        assert store.crewless(conn, [id]) == {id: 11}
        assert not store.has_ended(conn, id)
    assert kept is not None
    assert (kept.notice.n, kept.notice.unit, kept.notice.items) == (11, MAIN, (f"{STORAGE}检查",))
    assert bureau.draw(drawn.id).state == "dispatched"
    assert (bureau.of(id).state, bureau.of(id).executing_unit_id) == ("dispatched", MAIN)


@pytest.mark.rule("R17.1", "allows")
def test_a_notice_names_nobody(bureau: Tasking) -> None:
    bureau.dispatched()
    with bureau.db.read() as conn:
        (kept,) = notice_store.notices(conn)
    for one in visits(bureau.db):
        assert one.subject_name.encode() not in kept.body
        assert one.subject_uscc.encode() not in kept.body


def fails(*_: object, **__: object) -> None:
    raise Problem("not_found")


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (dispatch, "lock_for"),
        (dispatch, "_select"),
        (dispatch, "_open_visits"),
        (notices, "publish"),
        (trail, "append"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_step_that_fails_leaves_nothing(
    bureau: Tasking, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    id = bureau.approved()
    draw = bureau.drawn(id)
    before = count(bureau.db, tables.trail)
    with monkeypatch.context() as patched:
        patched.setattr(module, step, fails)
        with pytest.raises(Problem):
            bureau.dispatch(id)
    assert [count(bureau.db, table) for table in MADE] == [0, 0, 0]
    assert selected(bureau.db, id) == {}
    assert (bureau.of(id).state, bureau.draw(draw).state) == ("approved", "drawn")
    assert count(bureau.db, tables.trail) == before
    bureau.dispatch(id)
    assert [count(bureau.db, table) for table in MADE] == [11, 11, 1]


def test_the_ninth_visit_that_fails_leaves_none(bureau: Tasking) -> None:
    id = bureau.approved()
    bureau.drawn(id)
    good, calls = bureau.field, []

    class Breaks:
        def open_visit(self, *args: Any) -> None:
            calls.append(args)
            if len(calls) == 9:
                raise Problem("not_found")
            good.open_visit(*args)

    bureau.field = Breaks()  # type: ignore[assignment]
    with pytest.raises(Problem):
        bureau.dispatch(id)
    assert [count(bureau.db, table) for table in MADE] == [0, 0, 0]


@pytest.mark.rule("R1.1", "refuses")
@pytest.mark.parametrize("prepare", ["nothing", "committed", "contributed", "void"])
def test_nothing_is_dispatched_without_its_stored_draw(bureau: Tasking, prepare: str) -> None:
    id = bureau.approved()
    if prepare == "committed":
        bureau.commit(id)
    elif prepare == "contributed":
        bureau.contributed(id)
    elif prepare == "void":
        bureau.void(bureau.drawn(id))
    with refused("task_not_drawn", "1"):
        bureau.dispatch(id)
    assert [count(bureau.db, table) for table in MADE] == [0, 0, 0]


@pytest.mark.rule("R1.1", "allows")
def test_the_visits_are_those_of_the_second_attempt_after_a_void(bureau: Tasking) -> None:
    id = bureau.approved()
    bureau.void(bureau.drawn(id))
    again = bureau.draw(bureau.drawn(id))
    bureau.dispatch(id)
    assert [one.subject_uscc for one in visits(bureau.db)] == sorted(again.effective)


@pytest.mark.rule("R15b.3", "refuses")
def test_nothing_is_drawn_or_dispatched_before_the_approval(bureau: Tasking) -> None:
    id = bureau.add()
    with refused("task_not_approved", "15-2"):
        bureau.dispatch(id)
    with refused("task_not_approved", "15-2"):
        bureau.commit(id)


@pytest.mark.rule("R15b.3", "allows")
def test_in_an_incident_the_approval_comes_afterwards(bureau: Tasking) -> None:
    id = bureau.add(incident="11·24 泄漏事故，同类企业先查")
    bureau.drawn(id)
    bureau.dispatch(id)
    assert bureau.of(id).approved_by is None
    bureau.approve(id)
    assert (bureau.of(id).state, bureau.of(id).approval_number) == ("dispatched", "宛卧应急检〔2026〕7 号")


@pytest.mark.rule("R17.1", "refuses")
def test_the_executing_unit_inspects_and_the_list_is_confirmed(bureau: Tasking) -> None:
    id = bureau.approved()
    bureau.drawn(id)
    with refused("task_unit_unfit", "17", ("executing_unit_id", "missing")):
        bureau.dispatch(id, executing_unit_id="nobody")
    with refused("task_unit_unfit", "17", ("confirm", "task_confirm")):
        bureau.dispatch(id, confirm="")
    with refused("not_found", None):
        bureau.dispatch(id, CLERK2)
    bureau.dispatch(id, executing_unit_id=OTHER)
    assert {one.unit_id for one in visits(bureau.db)} == {OTHER}
    with refused("task_dispatched", "17"):
        bureau.dispatch(id)


def test_further_items_are_looked_at_where_they_cover_the_subject(bureau: Tasking) -> None:
    id = bureau.approved(n=60, **{f"more.{FIRE}": "yes"})
    bureau.drawn(id)
    bureau.dispatch(id)
    with bureau.db.read() as conn:
        query = sa.select(tables.visit.c.subject_id, tables.template.c.body)
        query = query.join(tables.template, tables.template.c.sha256 == tables.visit.c.tpl)
        found = {
            row.subject_id: [item["id"] for item in msgspec.json.decode(row.body)["items"]]
            for row in conn.execute(query)
        }
    industrial = {subject for subject in found if subject >= planning.subject_id(192)}
    assert 0 < len(industrial) < 60
    assert all(its == ([STORAGE, FIRE] if id in industrial else [STORAGE]) for id, its in found.items())


# --- the lead's list --------------------------------------------------------------------------------------------------

LIST = "信用代码,名称\n411303000000005,南阳第5号有限公司\n411303000000009,第九号\n"


def _joined(bureau: Tasking, content: str = LIST) -> tuple[str, str]:
    """A released line in which we take part, with the lead's list; the ids of both."""
    office = planning.Office(bureau.db)
    office.open()
    line = office.add(planning.line(STORAGE, joint="participant", partner="卧龙区市场监督管理局"))
    office.sign(line)
    office.submit()
    office.none()
    with bureau.db.write() as conn:
        conn.execute(sa.update(tables.plan_version).values(released_at="2026-11-24T00:00:00.000Z"))
    return line, office.import_list(line, content.encode())


def _participant(line: str, list_id: str) -> dict[str, Any]:
    window = {"window_from": "2026-11-25", "window_to": "2026-11-30"}
    return {
        "plan_line_id": line, "joint": "participant", "partner": "卧龙区市场监督管理局", "joint_list": list_id, **window
    }  # fmt: skip


@pytest.mark.rule("R13.1", "allows")
@pytest.mark.rule("R1.1", "allows")
def test_the_leads_list_becomes_the_visits_without_a_draw_of_ours(bureau: Tasking) -> None:
    id = bureau.approved(**_participant(*_joined(bureau)))
    task = bureau.of(id)
    assert (task.n, task.is_participant) == (2, True)
    with refused("task_drawn_elsewhere", "13"):
        bureau.commit(id)
    bureau.dispatch(id)
    assert [one.subject_uscc for one in visits(bureau.db)] == ["411303000000005", "411303000000009"]
    assert set(selected(bureau.db, id).values()) == {"counted"}


@pytest.mark.rule("R13.1", "refuses")
def test_unknown_subjects_of_the_list_are_named_and_nothing_is_dispatched(bureau: Tasking) -> None:
    strange = "411303000009995"
    id = bureau.approved(**_participant(*_joined(bureau, LIST + f"{strange},不认识的企业\n")))
    with pytest.raises(Problem) as caught:
        bureau.dispatch(id)
    assert (caught.value.code, CODES["task_list_unknown"].article) == ("task_list_unknown", "13")
    assert caught.value.members["codes"] == [strange]
    assert [count(bureau.db, table) for table in MADE] == [0, 0, 0]


@pytest.mark.rule("R13.1", "refuses")
def test_a_participant_without_a_list_is_not_set_up(bureau: Tasking) -> None:
    with refused("task_invalid", "15-2", ("joint_list", "task_no_list")):
        bureau.add(joint="participant", partner="卧龙区市场监督管理局")


# --- after the lock ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("R17.2", "refuses")
def test_the_list_is_fixed_after_the_lock(bureau: Tasking) -> None:
    id = bureau.dispatched()
    for call in (bureau.change, bureau.cancel):
        with refused("task_dispatched", "17"):
            call(id)
    (draw,) = {row.id for row in _draws(bureau.db)}
    with refused("draw_locked", CODES["draw_locked"].article):
        bureau.void(draw)
    with pytest.raises(sa.exc.IntegrityError, match="never edited"), bureau.db.write() as conn:
        conn.execute(sa.update(tables.task).where(tables.task.c.id == id).values(n=10))


def _draws(db: Database) -> list[Any]:
    with db.read() as conn:
        return list(conn.execute(sa.select(tables.draw.c.id)))


@pytest.mark.rule("R17.2", "allows")
def test_with_reason_and_the_heads_approval_a_subject_is_taken_out_visibly(
    any_database: Database, tmp_path: Path
) -> None:
    bureau = Tasking(any_database, tmp_path / "keys")
    id = bureau.dispatched()
    out = visits(bureau.db)[0]
    bureau.withdraw(bureau.ask(id, out.subject_id))
    assert selected(bureau.db, id)[out.subject_id] == "withdrawn"
    assert [one.state for one in visits(bureau.db)] == ["void", *["open"] * 10]
    with bureau.db.read() as conn:
        assert notice_store.taken_out(conn, [id]) == {id: 1}
        (request,) = store.withdrawals_of(conn, id)
    assert (request.reason, request.state, request.decided_by) == ("已搬出本区", "approved", "head")
    with refused("withdrawal_not_possible", "17"):
        bureau.ask(id, out.subject_id)


@pytest.mark.rule("R17.2", "refuses")
def test_nobody_is_taken_out_without_reason_or_by_the_one_who_asked(bureau: Tasking) -> None:
    id = bureau.dispatched()
    subject = visits(bureau.db)[0].subject_id
    with refused("withdrawal_reason_missing", "17"):
        bureau.ask(id, subject, reason=" ")
    request = bureau.ask(id, subject, BOTH)
    with refused("withdrawal_not_possible", "17"):
        bureau.ask(id, subject)
    for who, code in ((BOTH, "own_entry"), (HEAD2, "not_found"), (CLERK, "forbidden")):
        with pytest.raises(Problem) as caught:
            bureau.withdraw(request, who)
        assert caught.value.code == code
    bureau.withdraw(request, answer="refused", reason="核实后仍在经营")
    with refused("withdrawal_decided", "17"):
        bureau.withdraw(request)
    assert selected(bureau.db, id)[subject] == "counted"
    assert visits(bureau.db)[0].state == "open"


@pytest.mark.rule("R17.2", "refuses")
def test_who_was_inspected_since_it_was_asked_is_not_taken_out_any_more(bureau: Tasking) -> None:
    id = bureau.dispatched()
    one = visits(bureau.db)[0]
    request = bureau.ask(id, one.subject_id)
    with bureau.db.write() as conn:
        conn.execute(sa.update(tables.visit).where(tables.visit.c.id == one.id).values(state="final"))
    with refused("withdrawal_not_possible", "17"):
        bureau.withdraw(request)
    assert selected(bureau.db, id)[one.subject_id] == "counted"
    bureau.withdraw(request, answer="refused", reason="已经检查")


def test_a_task_has_ended_when_every_visit_is_over(bureau: Tasking) -> None:
    id = bureau.dispatched()
    for one in visits(bureau.db):
        with bureau.db.read() as conn:
            assert not store.has_ended(conn, id)
        bureau.withdraw(bureau.ask(id, one.subject_id))
    with bureau.db.read() as conn:
        assert store.has_ended(conn, id)


def test_who_was_taken_out_may_be_drawn_again(bureau: Tasking) -> None:
    id = bureau.dispatched(n=210)
    out = next(one for one in visits(bureau.db) if one.subject_id == "s000")
    bureau.withdraw(bureau.ask(id, out.subject_id))
    second = bureau.dispatched(n=210)
    assert "s000" in selected(bureau.db, second)
    assert bureau.of(bureau.add(n=1, reason="其余都到了上限")).n == 1
    with refused("task_invalid", "15-2", ("n", "task_too_many")):
        bureau.add(n=3, reason="其余都到了上限")


# --- nobody for a third time ------------------------------------------------------------------------------------------

FIVE, NINE = "411303000000005", "411303000000009"


def _drawn_before(bureau: Tasking, *subjects: str) -> None:
    """These were drawn for a task of this year, which counts."""
    id = bureau.approved(name="上半年抽查")
    with bureau.db.write() as conn:
        add_selections(conn, [Selection(id, one, MAIN, "2026-06-01") for one in subjects])


def _detail(db: Database, act: str) -> dict[str, Any]:
    """What the trail's latest entry of an act tells."""
    with db.read() as conn:
        query = sa.select(tables.trail.c.detail).where(tables.trail.c.act == act).order_by(tables.trail.c.n.desc())
        found: dict[str, Any] = msgspec.json.decode(conn.scalars(query).first() or b"{}")
    return found


@pytest.mark.rule("R15a.2", "refuses")
@pytest.mark.rule("R13.1", "refuses")
def test_a_leads_list_waits_for_an_open_draw_that_may_take_its_subjects_once_more(
    any_database: Database, tmp_path: Path
) -> None:
    bureau = Tasking(any_database, tmp_path / "keys")
    _drawn_before(bureau, "s005", "s009")
    joined = bureau.approved(**_participant(*_joined(bureau)))
    ours = bureau.approved()
    bureau.drawn(ours)
    with pytest.raises(Problem) as caught:
        bureau.dispatch(joined)
    assert (caught.value.code, caught.value.article, caught.value.members["codes"]) == (
        "task_reserved", "15-1", [FIVE, NINE],
    )  # fmt: skip
    bureau.dispatch(ours)  # an honest draw is never made void by a list that came meanwhile
    taken = {one for one in ("s005", "s009") if one in selected(bureau.db, ours)}
    bureau.dispatch(joined)
    assert selected(bureau.db, joined) == {one: "left_out" if one in taken else "counted" for one in ("s005", "s009")}


@pytest.mark.rule("R15a.2", "allows")
def test_whom_the_lead_drew_a_third_time_is_left_out_visibly_and_the_others_are_inspected(bureau: Tasking) -> None:
    _drawn_before(bureau, "s005", "s009")
    _drawn_before(bureau, "s005")
    joined = bureau.approved(**_participant(*_joined(bureau)))
    bureau.dispatch(joined)
    assert selected(bureau.db, joined) == {"s009": "counted", "s005": "left_out"}
    assert [one.subject_uscc for one in visits(bureau.db)] == [NINE]
    assert bureau.of(joined).n == 1
    assert _detail(bureau.db, "task.dispatch")["left_out"] == [FIVE]
    with bureau.db.read() as conn:
        assert {one.code: one.state for one in store.drawn_of(conn, joined)}[FIVE] == "left_out"


@pytest.mark.rule("R13.1", "refuses")
def test_a_list_of_which_everybody_was_drawn_twice_is_not_dispatched(bureau: Tasking) -> None:
    for _ in range(2):
        _drawn_before(bureau, "s005", "s009")
    joined = bureau.approved(**_participant(*_joined(bureau)))
    with refused("task_all_twice", "15-1"):
        bureau.dispatch(joined)


@pytest.mark.rule("R15a.3", "allows")
def test_a_flagged_subject_of_the_leads_list_stays_with_its_ground(database: Database, tmp_path: Path) -> None:
    bureau = Tasking(database, tmp_path / "keys")
    for _ in range(2):
        _drawn_before(bureau, "s005", "s009")
    joined = bureau.approved(**_participant(*_joined(bureau)))
    with database.write() as conn:
        its = sa.update(tables.subject).where(tables.subject.c.id == "s005")
        conn.execute(its.values(flags=[planning.COMPLAINT]))
    bureau.dispatch(joined)
    assert selected(database, joined) == {"s005": "counted", "s009": "left_out"}
    with database.read() as conn:
        table = tables.selection
        kept = sa.select(table.c.ground, table.c.document).where(table.c.task_id == joined, table.c.state == "counted")
        assert conn.execute(kept).one() == ("complaints", planning.COMPLAINT["document"])


def test_a_list_and_a_freeze_at_once_never_count_a_subject_past_the_cap(any_database: Database, tmp_path: Path) -> None:
    bureau = Tasking(any_database, tmp_path / "keys")
    _drawn_before(bureau, "s005", "s009")
    joined, ours = bureau.approved(**_participant(*_joined(bureau))), bureau.approved()
    said = at_once(lambda: bureau.dispatch(joined), lambda: bureau.commit(ours))
    assert said[1] == "done"
    assert said[0] in ("done", "task_reserved")
    (draw,) = {row.id for row in _draws(bureau.db)}
    reserved = {code for code, _, part, _ in bureau.rows(draw) if part == "E"}
    counted = {"s005", "s009"} if said[0] == "done" else set()
    assert reserved.isdisjoint({FIVE, NINE}) == bool(counted)


# --- one visit for two tasks ------------------------------------------------------------------------------------------


@pytest.mark.rule("R17.2", "allows")
def test_a_subject_that_is_taken_out_of_one_task_is_still_inspected_for_the_other(bureau: Tasking) -> None:
    first = bureau.dispatched()
    kept = visits(bureau.db)[0]
    second = bureau.approved()
    with bureau.db.write() as conn:  # as after a merge
        conn.execute(sa.insert(tables.visit_task).values(visit_id=kept.id, task_id=second))
        add_selections(conn, [Selection(second, kept.subject_id, MAIN, "2026-11-24")])
        conn.execute(sa.update(tables.task).where(tables.task.c.id == second).values(state="dispatched"))
    for one in visits(bureau.db):
        bureau.withdraw(bureau.ask(first, one.subject_id))
    assert {one.id: one.state for one in visits(bureau.db)}[kept.id] == "open"
    with bureau.db.read() as conn:
        assert (store.has_ended(conn, first), store.has_ended(conn, second)) == (True, False)
    bureau.withdraw(bureau.ask(second, kept.subject_id))
    assert {one.state for one in visits(bureau.db)} == {"void"}
