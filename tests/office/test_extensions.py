"""A window that is over: nothing is dispatched in it, and the head makes it longer in public, so that crews can go."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from server.domain.draw_sources import Source
from server.domain.faults import Invalid
from server.errors import Problem
from server.office import crews, extensions, public_draws
from server.store import draws, tables
from server.store import notices as notice_store
from server.store import tasks as store
from server.store.people import Person
from server.store.selections import Progress, Selection, add_selections, progress
from server.store.session import Database
from tests.crewing import officer_row
from tests.drawing import SEALER, SECRET
from tests.office.test_tasks import refused
from tests.planning import BOTH, CLERK, HEAD, HEAD2, MAIN, STORAGE
from tests.tasking import Tasking

AFTERWARDS = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)
"""The windows of these tasks ended on 31 December."""


@pytest.fixture
def bureau(any_database: Database, tmp_path: Path) -> Tasking:
    return Tasking(any_database, tmp_path / "keys")


def extend(bureau: Tasking, id: str, who: Person = HEAD, **values: str) -> int:
    form = {"until": "2027-01-20", "reason": "证照换发，人手不够"} | values
    n: int = bureau.act(extensions.extend_window, who, id, form, bureau.field)
    return n


def windows(bureau: Tasking) -> set[str]:
    with bureau.db.read() as conn:
        return set(conn.scalars(sa.select(tables.visit.c.window_to)))


@pytest.mark.rule("R15b.1", "refuses")
def test_nothing_is_dispatched_once_the_window_is_over_until_the_head_makes_it_longer(bureau: Tasking) -> None:
    id = bureau.approved()
    with refused("task_not_extended", "15-2"):
        extend(bureau, id)
    bureau.drawn(id)
    bureau.now = AFTERWARDS
    with refused("task_window_over", "15-2"):
        bureau.dispatch(id)
    assert extend(bureau, id) == 0
    bureau.dispatch(id)
    assert windows(bureau) == {"2027-01-20"}


@pytest.mark.rule("R17.1", "allows")
def test_a_longer_window_is_public_with_its_reason_and_what_was_said_before_stays(bureau: Tasking) -> None:
    id = bureau.dispatched()
    due = bureau.of(id).due_on
    assert extend(bureau, id) == 11
    assert windows(bureau) == {"2027-01-20"}
    assert (bureau.of(id).window_to, bureau.of(id).due_on) == ("2027-01-20", due)
    with bureau.db.read() as conn:
        new, old = notice_store.versions_of(conn, bureau.of(id).no)
        assert notice_store.notices(conn) == [new]
        (kept,) = store.extensions_of(conn, id)
    assert (new.version, new.notice.window_to, new.notice.extended_for) == (2, "2027-01-20", "证照换发，人手不够")
    assert (old.version, old.notice.window_to, old.notice.extended_for) == (1, "2026-12-31", None)
    assert (kept.was, kept.until, kept.by) == ("2026-12-31", "2027-01-20", "head")
    extend(bureau, id, until="2027-02-01")
    with bureau.db.read() as conn:
        assert [one.version for one in notice_store.versions_of(conn, bureau.of(id).no)] == [3, 2, 1]


@pytest.mark.rule("R18.1", "allows")
def test_past_the_first_window_crews_are_matched_in_the_longer_one(bureau: Tasking) -> None:
    id = bureau.dispatched()
    with bureau.db.write() as conn:
        rows = [officer_row(n, f"o{n}", unit_id=MAIN, domains=["other"]) for n in range(100, 130)]
        conn.execute(sa.insert(tables.officer), rows)
        visits = list(conn.scalars(sa.select(tables.visit.c.id)))
    bureau.now = AFTERWARDS
    form = {f"half_day:{one}": "2027-01-06/am" for one in visits}
    with pytest.raises(Invalid) as caught:
        bureau.act(crews.plan, CLERK, id, form)
    assert {fault.code for fault in caught.value.faults} == {"crew_half_day"}
    extend(bureau, id)
    bureau.act(crews.plan, CLERK, id, form)
    source = Source("dice/1", "dice", 61, "见证人掷骰", "2027-01-05T02:00:00.000Z")
    assert bureau.act(crews.commit, CLERK, id, [source], SECRET, SEALER)


@pytest.mark.rule("R15b.1", "refuses")
@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"until": "2026-12-31"}, ("until", "task_until_earlier")),
        ({"until": "2026-11-01"}, ("until", "task_until_earlier")),
        ({"until": "2029-01-01"}, ("until", "task_until_late")),
        ({"until": ""}, ("until", "missing")),
        ({"until": "soon"}, ("until", "not_a_day")),
        ({"reason": " "}, ("reason", "missing")),
        ({"reason": "见 13800000000 来电"}, ("reason", "number_in_text")),
    ],
)
def test_a_longer_window_has_a_later_day_and_a_reason_without_anybodys_number(
    database: Database, tmp_path: Path, values: dict[str, str], fault: tuple[str, str]
) -> None:
    bureau = Tasking(database, tmp_path / "keys")
    id = bureau.dispatched(n=11)
    with pytest.raises(Invalid) as caught:
        extend(bureau, id, HEAD, **values)
    assert caught.value.article == "15-2"
    assert fault in [(one.field, one.code) for one in caught.value.faults]


@pytest.mark.rule("R17.1", "refuses")
def test_only_the_units_head_makes_it_longer_and_not_past_the_end(database: Database, tmp_path: Path) -> None:
    bureau = Tasking(database, tmp_path / "keys")
    id = bureau.dispatched()
    for who, code in ((CLERK, "forbidden"), (HEAD2, "not_found")):
        with pytest.raises(Problem) as caught:
            extend(bureau, id, who)
        assert caught.value.code == code
    with database.read() as conn:
        subjects = [one.subject_id for one in store.drawn_of(conn, id)]
    for one in subjects:
        bureau.withdraw(bureau.ask(id, one))
    with refused("task_over", "15-2"):
        extend(bureau, id)


def test_the_database_lets_a_window_only_grow_and_keeps_what_was_said_of_it(bureau: Tasking) -> None:
    id = bureau.dispatched()
    extend(bureau, id)
    changes: list[tuple[Any, str]] = [
        (sa.update(tables.task).where(tables.task.c.id == id).values(window_to="2026-12-30"), "only grows"),
        (sa.update(tables.task_extension).values(reason="x"), "append-only"),
        (sa.delete(tables.task_extension), "append-only"),
        (sa.update(tables.notice).values(version=9), "append-only"),
    ]
    for change, said in changes:
        with pytest.raises(sa.exc.IntegrityError, match=said), bureau.db.write() as conn:
            conn.execute(change)


# --- given up ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R17.2", "refuses")
def test_a_clerk_alone_cannot_let_a_draw_vanish(bureau: Tasking) -> None:
    id = bureau.approved()
    draw = bureau.drawn(id)
    for who in (CLERK, HEAD):
        with pytest.raises(Problem) as caught:
            bureau.cancel(id, who)
        assert caught.value.code == "task_has_draw"
    with pytest.raises(Problem) as caught:
        bureau.void(draw, CLERK)
    assert caught.value.code == "forbidden"
    bureau.void(draw)
    with refused("task_drawn_cancel", "17"):
        bureau.cancel(id)
    with pytest.raises(Invalid):
        bureau.cancel(id, HEAD, reason="见 13800000000 来电")
    bureau.cancel(id, HEAD, reason="见证人没有到场，下月再抽")
    assert (bureau.of(id).state, bureau.of(id).cancelled_by) == ("cancelled", "head")


def test_a_clerk_gives_up_what_was_never_drawn(database: Database, tmp_path: Path) -> None:
    bureau = Tasking(database, tmp_path / "keys")
    id = bureau.approved()
    with pytest.raises(Invalid):
        bureau.cancel(id, BOTH, reason="身份证 411303190001010011 的人来过")
    bureau.cancel(id)
    assert bureau.of(id).state == "cancelled"


@pytest.mark.rule("R15a.2", "allows")
def test_a_draw_that_is_never_dispatched_keeps_its_reservation(database: Database, tmp_path: Path) -> None:
    bureau = Tasking(database, tmp_path / "keys")
    once = bureau.approved()
    with database.write() as conn:
        add_selections(conn, [Selection(once, one, MAIN, "2026-06-01") for one in ("s005", "s009")])
    bureau.drawn(bureau.approved())
    bureau.now = datetime(2026, 12, 30, 2, 0, tzinfo=UTC)
    rows = bureau.rows(bureau.commit(bureau.approved()))
    twice = {code for code, _, _, reason in rows if reason == "DRAWN_TWICE"}
    assert {"411303000000005", "411303000000009"} <= twice


@pytest.mark.rule("R17.2", "allows")
def test_everybody_sees_a_draw_that_was_never_dispatched_and_it_counts_as_drawn_and_not_done(
    bureau: Tasking, tmp_path: Path
) -> None:
    with bureau.db.read() as conn:
        before = progress(conn, 2026).get(STORAGE, Progress())
    id = bureau.approved()
    draw = bureau.drawn(id)
    with bureau.db.read() as conn:
        shown = public_draws.one(conn, draws.draws(conn, None)[0].no)
        days = public_draws.undispatched(conn, [shown], date(2026, 12, 1))
        (rate,) = public_draws.rates(conn)
        after = progress(conn, 2026)[STORAGE]
    assert days == {draw: 5}  # Wednesday to Friday, Monday, Tuesday
    assert (rate.draws, rate.undispatched) == (1, 1)
    assert (after.drawn - before.drawn, after.done, after.draws) == (11, before.done, before.draws)
    bureau.dispatch(id)
    with bureau.db.read() as conn:
        assert public_draws.undispatched(conn, [public_draws.one(conn, shown.no)], date(2026, 12, 1)) == {}
        assert [one.undispatched for one in public_draws.rates(conn)] == [0]
        assert progress(conn, 2026)[STORAGE].drawn == after.drawn
