"""Who was drawn when, and the population that an item's draw rests on (R15a.2, R6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.item import Item, covers
from server.domain.ratio import Ground, Member, window_start
from server.domain.ruleset import RuleSet
from server.store.bulk import Plain
from server.store.tables import draw, selection, subject, task, task_item, unit, unit_subject, visit, visit_task


class Selection(msgspec.Struct, frozen=True):
    """One subject drawn for one task; `ground` and `document` where it was kept in by exemption."""

    task_id: str
    subject_id: str
    unit_id: str
    locked_on: str
    state: str = "counted"
    ground: str | None = None
    document: str | None = None


class Drawn(msgspec.Struct, frozen=True):
    """One draw of a subject's year, as its page lists it."""

    locked_on: str
    task: str
    unit: str
    state: str
    ground: str | None
    document: str | None


class Progress(msgspec.Struct, frozen=True):
    """What a year has brought for an item: subjects drawn (dispatched or not), visits finished, tasks locked."""

    drawn: int = 0
    done: int = 0
    draws: int = 0


class _Row(msgspec.Struct, frozen=True):
    """What a population looks at of a subject."""

    id: str
    kind: str
    industry: str
    traits: Sequence[str]
    risk: str
    credit: str
    flags: Sequence[dict[str, Any]]


_COLUMNS = (
    subject.c.id,
    subject.c.kind,
    subject.c.industry,
    subject.c.traits,
    subject.c.risk,
    subject.c.credit,
    subject.c.flags,
)
_ACTIVE = sa.select(*_COLUMNS).where(subject.c.status == "active")
_OF_UNIT = Plain(
    _ACTIVE.join(unit_subject, unit_subject.c.subject_id == subject.c.id)
    .where(unit_subject.c.unit_id == sa.bindparam("unit", type_=sa.Text))
    .order_by(subject.c.id)
)
_OF_ALL = Plain(_ACTIVE.where(subject.c.id.in_(sa.select(unit_subject.c.subject_id))).order_by(subject.c.id))
_TIMES = Plain(
    sa.select(selection.c.subject_id, sa.func.count())
    .where(
        selection.c.state == sa.bindparam("state", type_=sa.Text),
        selection.c.locked_on >= sa.bindparam("first", type_=sa.Text),
        selection.c.locked_on <= sa.bindparam("last", type_=sa.Text),
    )
    .group_by(selection.c.subject_id)
)


def add_selections(conn: Connection, selections: Iterable[Selection]) -> None:
    """Notes who was drawn; a subject twice in one task is an IntegrityError."""
    rows = [msgspec.structs.asdict(one) for one in selections]
    if rows:
        conn.execute(sa.insert(selection), rows)


def times_drawn(conn: Connection, first: date, last: date) -> dict[str, int]:
    """How often each subject was drawn from one day to another, by the day of the lock, over all units and joint tasks.

    Who was withdrawn or excused, or whose task was cancelled, isn't counted.
    """
    rows = _TIMES.rows(conn, state="counted", first=first.isoformat(), last=last.isoformat())
    return {id: int(n) for id, n in rows}


def draws_of_subject(conn: Connection, subject_id: str) -> list[Drawn]:
    """Every draw of a subject, the latest first."""
    query = (
        sa.select(
            selection.c.locked_on,
            task.c.name.label("task"),
            unit.c.name.label("unit"),
            selection.c.state,
            selection.c.ground,
            selection.c.document,
        )
        .join(task, task.c.id == selection.c.task_id)
        .join(unit, unit.c.id == selection.c.unit_id)
        .where(selection.c.subject_id == subject_id)
        .order_by(selection.c.locked_on.desc(), task.c.id)
    )
    return [Drawn(**row) for row in conn.execute(query).mappings()]


def population(conn: Connection, item: Item, unit_id: str | None, rules: RuleSet, day: date) -> list[Member]:
    """The live subjects that an item covers, of one unit's library or of all, with the flags in force on the day."""
    return populations(conn, [item], unit_id, rules, day)[item.id]


def populations(
    conn: Connection, items: Sequence[Item], unit_id: str | None, rules: RuleSet, day: date
) -> dict[str, list[Member]]:
    """The population of each item, in one reading of the library."""
    drawn = times_drawn(conn, window_start(day, rules.cap_window), day)
    found: dict[str, list[Member]] = {item.id: [] for item in items}
    for values in _OF_ALL.rows(conn) if unit_id is None else _OF_UNIT.rows(conn, unit=unit_id):
        row = _Row(*values)
        asked = [item.id for item in items if covers(item, row)]
        if asked:
            member = Member(row.id, row.risk, row.credit, grounds(row.flags, day.isoformat()), drawn.get(row.id, 0))
            for id in asked:
                found[id].append(member)
    return found


def grounds(flags: Sequence[dict[str, Any]], day: str) -> tuple[Ground, ...]:
    """The flags of a subject that are in force on a day."""
    return tuple(
        Ground(flag["kind"], flag["document"])
        for flag in flags
        if flag["from"] <= day and (flag.get("to") is None or day <= flag["to"])
    )


def progress(conn: Connection, year: int) -> dict[str, Progress]:
    """What the year has brought, by item."""
    in_year = selection.c.locked_on.between(f"{year}-01-01", f"{year}-12-31")
    drawn = (
        sa.select(
            task_item.c.item_id,
            sa.func.count(sa.distinct(selection.c.subject_id)),
            sa.func.count(sa.distinct(selection.c.task_id)),
        )
        .join(task_item, task_item.c.task_id == selection.c.task_id)
        .where(in_year, selection.c.state == "counted")
        .group_by(task_item.c.item_id)
    )
    done = (
        sa.select(task_item.c.item_id, sa.func.count(sa.distinct(visit.c.subject_id)))
        .join(visit_task, visit_task.c.task_id == task_item.c.task_id)
        .join(visit, visit.c.id == visit_task.c.visit_id)
        .join(
            selection,
            sa.and_(selection.c.task_id == task_item.c.task_id, selection.c.subject_id == visit.c.subject_id),
        )
        .where(in_year, visit.c.state == "final")
        .group_by(task_item.c.item_id)
    )
    finished = {id: int(n) for id, n in conn.execute(done)}
    found = {id: Progress(int(n), finished.get(id, 0), int(tasks)) for id, n, tasks in conn.execute(drawn)}
    for id, n in _undispatched(conn, year).items():
        its = found.get(id, Progress())
        found[id] = msgspec.structs.replace(its, drawn=its.drawn + n)
    return found


def _undispatched(conn: Connection, year: int) -> dict[str, int]:
    """Item -> how many subjects were drawn for it and wait for their dispatch, none of them counted before."""
    query = sa.select(draw.c.task_id, draw.c.winners, draw.c.excused)
    waiting: dict[str, set[str]] = {}
    for row in conn.execute(query.where(draw.c.state == "drawn", draw.c.year == year)):
        codes = {code for codes in row.winners.values() for code in codes} | {one["next"] for one in row.excused}
        for item in conn.scalars(sa.select(task_item.c.item_id).where(task_item.c.task_id == row.task_id)):
            waiting.setdefault(item, set()).update(codes - {one["code"] for one in row.excused} - {None})
    return {item: len(codes - _counted(conn, year, item)) for item, codes in waiting.items()}


def _counted(conn: Connection, year: int, item_id: str) -> set[str]:
    """The codes of those who were drawn and dispatched for an item."""
    query = (
        sa.select(sa.func.coalesce(subject.c.uscc, subject.c.registration))
        .join(selection, selection.c.subject_id == subject.c.id)
        .join(task_item, task_item.c.task_id == selection.c.task_id)
        .where(task_item.c.item_id == item_id, selection.c.state == "counted")
        .where(selection.c.locked_on.between(f"{year}-01-01", f"{year}-12-31"))
    )
    return set(conn.scalars(query))


def joint_tasks(conn: Connection, year: int) -> int:
    """How many joint tasks were locked in a year, led or joined (R13.2)."""
    query = (
        sa.select(sa.func.count(sa.distinct(task.c.id)))
        .join(selection, selection.c.task_id == task.c.id)
        .where(task.c.joint.is_not(None), selection.c.locked_on.between(f"{year}-01-01", f"{year}-12-31"))
    )
    return int(conn.scalar(query) or 0)
