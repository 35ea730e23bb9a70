"""The registry of deadlines: reckoned once, and again when a calendar comes that they waited for or rest on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.calendar import Calendar, Due, due_date
from server.domain.instant import stamp
from server.store.calendars import calendar
from server.store.tables import deadline, deadline_change, visit

PUBLICATION_TARGET: Final = "publication_target"
"""Of a visit: by when its result is to be public (R26.1)."""

PUBLICATION_LEGAL: Final = "publication_legal"
"""Of a task: by when the last of its results is to be public; only past it anybody is late (R26.1)."""

_LOCK: Final = 0x5355494A49414E  # of PostgreSQL: who reckons holds it shared, who brings a calendar alone


class Deadline(msgspec.Struct, frozen=True):
    """A deadline of an object ("visit:<id>"): `days` working days after `start_on`, and the calendars it rests on."""

    object: str
    kind: str
    start_on: date
    days: int
    due: Due
    versions: dict[str, int]
    settled_on: date | None = None
    """The day on which what was due was done."""


class Target(msgspec.Struct, frozen=True):
    """A visit's deadline for publication, with what a list shows of the visit."""

    deadline: Deadline
    visit_id: str
    subject_name: str
    unit_id: str


class Change(msgspec.Struct, frozen=True):
    """What a calendar did to a deadline."""

    object: str
    kind: str
    start_on: date
    days: int
    before: Due
    after: Due


def set_deadline(conn: Connection, object: str, kind: str, start: date, days: int, now: datetime) -> Deadline:
    """Reckons a deadline and writes it down; where the object has one of this kind already, the first counts."""
    there = deadlines_of(conn, [object], kind).get(object)
    if there is not None:
        return there
    _hold(conn, alone=False)
    known = calendar(conn)
    made = _reckoned(object, kind, start, days, known)
    conn.execute(
        sa.insert(deadline).values(
            object=object, kind=kind, start_on=start.isoformat(), days=days, set_at=stamp(now), **_columns(made)
        )
    )
    return made


def deadlines_of(conn: Connection, objects: Collection[str], kind: str) -> dict[str, Deadline]:
    """The deadlines of one kind that these objects have."""
    query = sa.select(deadline).where(deadline.c.kind == kind, deadline.c.object.in_(list(objects)))
    return {found.object: found for found in _read(conn, query)}


def settle(conn: Connection, object: str, kind: str, on: date | None) -> None:
    """What was due was done on this day: no list reminds of it any more; None where it is due again."""
    its = sa.and_(deadline.c.object == object, deadline.c.kind == kind)
    conn.execute(sa.update(deadline).where(its).values(settled_on=None if on is None else on.isoformat()))


def provisional(conn: Connection) -> list[Deadline]:
    """Every deadline that waits for a calendar, the earliest start first."""
    query = sa.select(deadline).where(deadline.c.due_on.is_(None))
    return list(_read(conn, query.order_by(deadline.c.start_on, deadline.c.object, deadline.c.kind)))


def targets(conn: Connection, unit_id: str | None, *, waiting: bool, first: int, limit: int) -> list[Target]:
    """The publication targets of a unit's visits, or of all (None): what waits for a calendar first, then by day.

    What is settled comes last.
    """
    query = _targets(sa.select(deadline, visit.c.id, visit.c.subject_name, visit.c.unit_id), unit_id, waiting)
    ordered = query.order_by(
        deadline.c.settled_on.is_not(None),
        deadline.c.due_on.is_not(None),
        deadline.c.due_on,
        deadline.c.start_on,
        visit.c.id,
    )
    return [
        Target(_deadline(row), row["id"], row["subject_name"], row["unit_id"])
        for row in conn.execute(ordered.offset(first).limit(limit)).mappings()
    ]


def count_targets(conn: Connection, unit_id: str | None, *, waiting: bool) -> int:
    """How many `targets` there are."""
    return int(conn.execute(_targets(sa.select(sa.func.count()), unit_id, waiting)).scalar_one())


def subjects_of(conn: Connection, objects: Collection[str], unit_id: str | None) -> dict[str, tuple[str, str]]:
    """Object -> id and subject of its visit, for the visits of a unit, or of all (None)."""
    named = sa.literal("visit:") + visit.c.id
    query = sa.select(named.label("object"), visit.c.id, visit.c.subject_name).where(named.in_(list(objects)))
    if unit_id is not None:
        query = query.where(visit.c.unit_id == unit_id)
    return {row.object: (row.id, row.subject_name) for row in conn.execute(query)}


def _targets(query: sa.Select[Any], unit_id: str | None, waiting: bool) -> sa.Select[Any]:
    query = query.select_from(deadline.join(visit, deadline.c.object == sa.literal("visit:") + visit.c.id))
    query = query.where(deadline.c.kind == PUBLICATION_TARGET)
    if unit_id is not None:
        query = query.where(visit.c.unit_id == unit_id)
    return query.where(deadline.c.due_on.is_(None)) if waiting else query


def hold_calendar(conn: Connection) -> None:
    """Lets nobody reckon until this transaction ends: what it brings is then missed by no deadline."""
    _hold(conn, alone=True)


def recompute(conn: Connection, year: int, version: int) -> list[Change]:
    """Reckons again what waits, and what rests on an older version of this year; keeps and gives what changed.

    To be called after the year's new version is written, under `hold_calendar`.
    """
    known = calendar(conn)
    changes = [change for old in _touched(conn, year) if (change := _again(conn, old, known)) is not None]
    if changes:
        conn.execute(
            sa.insert(deadline_change),
            [
                {
                    "year": year,
                    "version": version,
                    "object": change.object,
                    "kind": change.kind,
                    "before": msgspec.to_builtins(change.before),
                    "after": msgspec.to_builtins(change.after),
                }
                for change in changes
            ],
        )
    return changes


def changes_by(conn: Connection, year: int, version: int) -> list[Change]:
    """What one version of a year changed when it came."""
    query = (
        sa.select(deadline_change, deadline.c.start_on, deadline.c.days)
        .join(
            deadline, sa.and_(deadline.c.object == deadline_change.c.object, deadline.c.kind == deadline_change.c.kind)
        )
        .where(deadline_change.c.year == year, deadline_change.c.version == version)
        .order_by(deadline.c.start_on, deadline_change.c.object, deadline_change.c.kind)
    )
    return [_change(row) for row in conn.execute(query).mappings()]


def _touched(conn: Connection, year: int) -> list[Deadline]:
    """What waits, and what runs through this year."""
    runs_through = sa.and_(deadline.c.start_on <= f"{year}-12-31", deadline.c.due_on >= f"{year}-01-01")
    query = sa.select(deadline).where(sa.or_(deadline.c.due_on.is_(None), runs_through))
    return list(_read(conn, query.order_by(deadline.c.start_on, deadline.c.object, deadline.c.kind)))


def _again(conn: Connection, old: Deadline, known: Calendar) -> Change | None:
    new = _reckoned(old.object, old.kind, old.start_on, old.days, known)
    new = msgspec.structs.replace(new, settled_on=old.settled_on)
    if new == old:
        return None
    its = sa.and_(deadline.c.object == old.object, deadline.c.kind == old.kind)
    conn.execute(sa.update(deadline).where(its).values(_columns(new)))
    return None if new.due == old.due else Change(old.object, old.kind, old.start_on, old.days, old.due, new.due)


def _reckoned(object: str, kind: str, start: date, days: int, known: Calendar) -> Deadline:
    due = due_date(start, days, known)
    last = due.on.year if due.on else (due.missing_year or start.year) - 1
    return Deadline(object, kind, start, days, due, known.versions(start.year, last))


def _columns(made: Deadline) -> dict[str, Any]:
    due_on = None if made.due.on is None else made.due.on.isoformat()
    return {
        "due_on": due_on,
        "known": made.due.known,
        "missing_year": made.due.missing_year,
        "versions": made.versions,
    }


def _read(conn: Connection, query: sa.Select[Any]) -> Iterator[Deadline]:
    yield from (_deadline(row) for row in conn.execute(query).mappings())


def _deadline(row: Any) -> Deadline:
    due = {"on": row["due_on"], "known": row["known"], "missing_year": row["missing_year"]}
    plain = {name: row[name] for name in ("object", "kind", "start_on", "days", "versions", "settled_on")}
    return msgspec.convert(plain | {"due": due}, Deadline)


def _change(row: Any) -> Change:
    return msgspec.convert({str(name): value for name, value in row.items()}, Change)


def _hold(conn: Connection, *, alone: bool) -> None:
    """On SQLite there is one writer anyway."""
    if conn.dialect.name == "postgresql":
        take = sa.func.pg_advisory_xact_lock if alone else sa.func.pg_advisory_xact_lock_shared
        conn.execute(sa.select(take(_LOCK)))
