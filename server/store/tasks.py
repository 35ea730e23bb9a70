"""Tasks in the database: set up, approved, dispatched; requests about them; and whether they have ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.domain.task import Task
from server.store.counting import next_of
from server.store.tables import (
    draw,
    selection,
    subject,
    task,
    task_extension,
    task_item,
    task_override,
    visit,
    visit_crew,
    visit_task,
)
from server.store.tables import withdrawal as withdrawal_table


def next_no(conn: Connection, year: int) -> str:
    """The next number of a year, "2026-007": dense."""
    return f"{year}-{next_of(conn, f'task:{year}'):03}"


def add_task(conn: Connection, added: Task) -> None:
    """Adds a task and what it looks at, the drawn item first."""
    conn.execute(sa.insert(task).values(_row(added)))
    _put_items(conn, added)


def add_tasks(conn: Connection, added: Iterable[Task]) -> None:
    """Adds several."""
    for one in added:
        add_task(conn, one)


def put_task(conn: Connection, changed: Task) -> None:
    """Writes a task as it stands now; of a dispatched one the database refuses every change."""
    conn.execute(sa.update(task).where(task.c.id == changed.id).values(_row(changed)))
    conn.execute(sa.delete(task_item).where(task_item.c.task_id == changed.id))
    _put_items(conn, changed)


def put_some(conn: Connection, task_id: str, **values: Any) -> None:
    """Writes some columns: of a dispatched task the head's approval may still come (R15b.3)."""
    conn.execute(sa.update(task).where(task.c.id == task_id).values(**values))


def _put_items(conn: Connection, one: Task) -> None:
    rows = [{"task_id": one.id, "item_id": item, "place": place} for place, item in enumerate(one.items)]
    if rows:
        conn.execute(sa.insert(task_item), rows)


def _row(one: Task) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(one)
    del row["items"]
    return row | {"no": one.no or None}


def task_of(conn: Connection, task_id: str, *, lock: bool = False) -> Task | None:
    """A task; with `lock` no other transaction changes it until this one ends."""
    query = sa.select(task).where(task.c.id == task_id)
    found = _read(conn, query.with_for_update() if lock else query)
    return found[0] if found else None


def task_by_no(conn: Connection, no: str) -> Task | None:
    """The task of a number."""
    found = _read(conn, sa.select(task).where(task.c.no == no))
    return found[0] if found else None


def numbers_of(conn: Connection, ids: Collection[str]) -> dict[str, tuple[str, str | None]]:
    """Task -> its number, and what it is in a joint task."""
    found, asked = dict[str, tuple[str, str | None]](), sorted(set(ids))
    for at in range(0, len(asked), 400):
        query = sa.select(task.c.id, task.c.no, task.c.joint).where(task.c.id.in_(asked[at : at + 400]))
        found |= {id: (no or "", joint) for id, no, joint in conn.execute(query)}
    return found


def tasks(
    conn: Connection, unit_id: str | None, states: Collection[str] = (), *, year: int | None = None
) -> list[Task]:
    """The tasks that a unit set up or carries out, or all of them; the newest first."""
    query = sa.select(task).order_by(task.c.entered_at.desc(), task.c.no.desc(), task.c.id)
    if unit_id is not None:
        query = query.where(sa.or_(task.c.unit_id == unit_id, task.c.executing_unit_id == unit_id))
    if states:
        query = query.where(task.c.state.in_(states))
    if year is not None:
        query = query.where(task.c.window_from <= f"{year}-12-31", task.c.window_to >= f"{year}-01-01")
    return _read(conn, query)


def _read(conn: Connection, query: sa.Select[Any]) -> list[Task]:
    rows = [{str(name): value for name, value in row.items()} for row in conn.execute(query).mappings()]
    items: dict[str, list[str]] = {row["id"]: [] for row in rows}
    its = sa.select(task_item.c.place, task_item.c.item_id, task_item.c.task_id).where(task_item.c.task_id.in_(items))
    for _, item, id in sorted(map(tuple, conn.execute(its))) if rows else ():
        items[id].append(item)
    return [msgspec.convert(row | {"no": row["no"] or "", "items": items[row["id"]]}, Task) for row in rows]


def standing_draws(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """Task -> state of its draw that stands."""
    its = sa.select(draw.c.task_id, draw.c.state).where(draw.c.task_id.in_(list(ids)), draw.c.state != "void")
    return {row.task_id: row.state for row in conn.execute(its)}


# --- where a task's visits stand --------------------------------------------------------------------------------------


def visit_states(conn: Connection, ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Task -> state of a visit -> how many: open, final, void; an open one that goes on for others only isn't its."""
    its = sa.and_(selection.c.task_id == visit_task.c.task_id, selection.c.subject_id == visit.c.subject_id)
    query = (
        sa.select(visit_task.c.task_id, visit.c.state, sa.func.count())
        .join(visit, visit.c.id == visit_task.c.visit_id)
        .outerjoin(selection, its)
        .where(visit_task.c.task_id.in_(list(ids)))
        .where(sa.or_(visit.c.state != "open", selection.c.state.is_(None), selection.c.state == "counted"))
        .group_by(visit_task.c.task_id, visit.c.state)
    )
    found: dict[str, dict[str, int]] = {id: {} for id in ids}
    for id, state, n in conn.execute(query):
        found[id][state] = int(n)
    return found


def crewless(conn: Connection, ids: Collection[str]) -> dict[str, int]:
    """Task -> how many of its open visits have nobody to go there yet."""
    has_crew = sa.exists().where(visit_crew.c.visit_id == visit.c.id, visit_crew.c.role != "removed")
    query = (
        sa.select(visit_task.c.task_id, sa.func.count())
        .join(visit, visit.c.id == visit_task.c.visit_id)
        .where(visit_task.c.task_id.in_(list(ids)), visit.c.state == "open", ~has_crew)
        .group_by(visit_task.c.task_id)
    )
    return dict.fromkeys(ids, 0) | {id: int(n) for id, n in conn.execute(query)}


def still_counts(conn: Connection, visit_id: str) -> bool:
    """Whether some task of a visit still wants its subject inspected."""
    query = (
        sa.select(selection.c.task_id)
        .join(visit_task, visit_task.c.task_id == selection.c.task_id)
        .join(visit, sa.and_(visit.c.id == visit_task.c.visit_id, visit.c.subject_id == selection.c.subject_id))
        .where(visit.c.id == visit_id, selection.c.state == "counted")
    )
    return conn.scalar(query.limit(1)) is not None


def has_ended(conn: Connection, task_id: str) -> bool:
    """Whether a dispatched task has come to its end: every visit of it is final or void."""
    state = conn.scalar(sa.select(task.c.state).where(task.c.id == task_id))
    return state == "dispatched" and conn.scalar(_going().where(visit_task.c.task_id == task_id).limit(1)) is None


def going_on(conn: Connection) -> frozenset[str]:
    """The tasks that some open visit still counts for: what is dispatched and not among them has ended."""
    return frozenset(conn.scalars(_going()))


def _going() -> sa.Select[tuple[str]]:
    """The tasks of the open visits, one a visit; an open one that goes on for others only isn't its."""
    its = sa.and_(selection.c.task_id == visit_task.c.task_id, selection.c.subject_id == visit.c.subject_id)
    return (
        sa.select(visit_task.c.task_id)
        .join(visit, visit.c.id == visit_task.c.visit_id)
        .outerjoin(selection, its)
        .where(visit.c.state == sa.literal_column("'open'"))  # as the index of the open ones says it
        .where(sa.or_(selection.c.state.is_(None), selection.c.state == "counted"))
    )


def is_over(states: Mapping[str, int]) -> bool:
    """Whether visits in these states are all over; a task without any visit has nothing that could be open."""
    return not states.get("open", 0)


class Drawn(msgspec.Struct, frozen=True):
    """One subject of a dispatched task with its visit, and how its selection stands."""

    subject_id: str
    code: str
    name: str
    state: str
    visit_id: str | None
    visit_state: str | None


def drawn_of(conn: Connection, task_id: str) -> list[Drawn]:
    """The subjects of a dispatched task by code; a visit that was merged is the one that goes on."""
    code = sa.func.coalesce(subject.c.uscc, subject.c.registration).label("code")
    its = (
        sa.select(visit.c.id, visit.c.subject_id, visit.c.state)
        .join(visit_task, visit_task.c.visit_id == visit.c.id)
        .where(visit_task.c.task_id == task_id)
        .subquery()
    )
    query = (
        sa.select(subject.c.id, code, subject.c.name, selection.c.state, its.c.id, its.c.state)
        .join(selection, selection.c.subject_id == subject.c.id)
        .outerjoin(its, its.c.subject_id == subject.c.id)
        .where(selection.c.task_id == task_id)
        .order_by(code)
    )
    return [Drawn(*row) for row in conn.execute(query)]


class Frozen(msgspec.Struct, frozen=True):
    """A subject as a visit freezes it, and what an item's scope looks at."""

    code: str
    name: str
    kind: str
    industry: str
    traits: Sequence[str]


def frozen_subjects(conn: Connection, ids: Collection[str]) -> dict[str, Frozen]:
    """Subjects by id, as they are now."""
    code = sa.func.coalesce(subject.c.uscc, subject.c.registration)
    query = sa.select(subject.c.id, code, subject.c.name, subject.c.kind, subject.c.industry, subject.c.traits)
    found: dict[str, Frozen] = {}
    asked = list(ids)
    for start in range(0, len(asked), 500):
        part = query.where(subject.c.id.in_(asked[start : start + 500]))
        found |= {row[0]: Frozen(*row[1:]) for row in conn.execute(part)}
    return found


def set_selection(conn: Connection, task_id: str, subject_id: str, state: str) -> None:
    """How a drawn subject counts from now on: `withdrawn` and `excused` don't (R15a.2)."""
    table = selection
    where = sa.and_(table.c.task_id == task_id, table.c.subject_id == subject_id)
    conn.execute(sa.update(table).where(where).values(state=state))


# --- a longer window --------------------------------------------------------------------------------------------------


class Extension(msgspec.Struct, frozen=True):
    """A window that the head made longer: from which last day to which, and why."""

    task_id: str
    n: int
    was: str
    until: str
    reason: str
    by: str
    at: str


def extensions_of(conn: Connection, task_id: str) -> list[Extension]:
    """How a task's window grew, the first time first."""
    table = task_extension
    query = sa.select(table).where(table.c.task_id == task_id).order_by(table.c.n)
    return [Extension(**row) for row in conn.execute(query).mappings()]


def extend(conn: Connection, added: Extension) -> None:
    """Writes a longer window, and that it was longer from then on; the day by which the task is due stays."""
    conn.execute(sa.insert(task_extension).values(msgspec.structs.asdict(added)))
    conn.execute(sa.update(task).where(task.c.id == added.task_id).values(window_to=added.until))


# --- requests ---------------------------------------------------------------------------------------------------------


class Override(msgspec.Struct, frozen=True):
    """A request to draw fewer than the floor (R6.4): who asked and why, who decided."""

    id: str
    task_id: str
    least: int
    asked: int
    reason: str
    asked_by: str
    asked_at: str
    state: str
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


class Withdrawal(msgspec.Struct, frozen=True):
    """A request to take a drawn subject out after the lock (R17.2)."""

    id: str
    task_id: str
    subject_id: str
    reason: str
    asked_by: str
    asked_at: str
    state: str
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


def add_override(conn: Connection, added: Override) -> None:
    """Notes a request of the principal's."""
    conn.execute(sa.insert(task_override).values(msgspec.structs.asdict(added)))


def overrides_of(conn: Connection, task_id: str) -> list[Override]:
    """The requests about a task, the latest first."""
    table = task_override
    query = sa.select(table).where(table.c.task_id == task_id).order_by(table.c.asked_at.desc(), table.c.id)
    return [Override(**row) for row in conn.execute(query).mappings()]


def override_of(conn: Connection, id: str, *, lock: bool = False) -> Override | None:
    """One request."""
    query = sa.select(task_override).where(task_override.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Override(**row)


def waiting_overrides(conn: Connection) -> list[Override]:
    """The requests that wait for the principal, the oldest first."""
    table = task_override
    query = sa.select(table).where(table.c.state == "asked").order_by(table.c.asked_at, table.c.id)
    return [Override(**row) for row in conn.execute(query).mappings()]


def decide_override(conn: Connection, id: str, state: str, answer: str | None, by: str, now: datetime) -> None:
    """The answer to a request."""
    values = {"state": state, "answer": answer, "decided_by": by, "decided_at": stamp(now)}
    conn.execute(sa.update(task_override).where(task_override.c.id == id).values(**values))


def drop_overrides(conn: Connection, task_id: str, states: Collection[str] = ("asked",)) -> None:
    """Requests in these states are gone; those that nobody has answered are whenever the task changes."""
    table = task_override
    conn.execute(sa.update(table).where(table.c.task_id == task_id, table.c.state.in_(states)).values(state="gone"))


def add_withdrawal(conn: Connection, added: Withdrawal) -> None:
    """Notes a request of the unit head's."""
    conn.execute(sa.insert(withdrawal_table).values(msgspec.structs.asdict(added)))


def withdrawals_of(conn: Connection, task_id: str) -> list[Withdrawal]:
    """The requests to take subjects of a task out, the latest first."""
    table = withdrawal_table
    found = [Withdrawal(**row) for row in conn.execute(sa.select(table).where(table.c.task_id == task_id)).mappings()]
    return sorted(sorted(found, key=lambda one: one.id), key=lambda one: one.asked_at, reverse=True)


def withdrawal_of(conn: Connection, id: str, *, lock: bool = False) -> Withdrawal | None:
    """One request."""
    query = sa.select(withdrawal_table).where(withdrawal_table.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Withdrawal(**row)


def waiting_withdrawals(conn: Connection, unit_id: str | None) -> list[tuple[Withdrawal, str]]:
    """The requests that wait for a unit's head, or for any, each with the task's number; the oldest first."""
    table = withdrawal_table
    query = (
        sa.select(table, task.c.no.label("task_no"))
        .join(task, task.c.id == table.c.task_id)
        .where(table.c.state == "asked")
        .order_by(table.c.asked_at, table.c.id)
    )
    if unit_id is not None:
        query = query.where(sa.func.coalesce(task.c.executing_unit_id, task.c.unit_id) == unit_id)
    found = []
    for row in conn.execute(query).mappings():
        values = dict(row)
        no = values.pop("task_no") or ""
        found.append((Withdrawal(**values), no))
    return found


def decide_withdrawal(conn: Connection, id: str, state: str, answer: str | None, by: str, now: datetime) -> None:
    """The answer to a request."""
    values = {"state": state, "answer": answer, "decided_by": by, "decided_at": stamp(now)}
    conn.execute(sa.update(withdrawal_table).where(withdrawal_table.c.id == id).values(**values))
