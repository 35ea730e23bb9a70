"""What the registers of officers and experts share: numbers sealed and masked, a history that nobody edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.domain.instant import stamp
from server.domain.mask import mask_id, mask_phone
from server.domain.officer import Expert, ExpertEntry, Officer, OfficerEntry
from server.errors import Problem
from server.store.seal import Sealer
from server.store.tables import personnel_history

SEALED: Final[dict[str, Callable[[str], str]]] = {"phone": mask_phone, "id_number": mask_id}
"""The sealed fields, and how each is masked."""

Row = Mapping[str, Any]
Entry = OfficerEntry | ExpertEntry
T = TypeVar("T", Officer, Expert)


class Change(msgspec.Struct, frozen=True):
    """One field that changed; of a sealed one both values are None, and the history says only that it changed."""

    field: str
    before: Any = None
    after: Any = None


class Event(msgspec.Struct, frozen=True):
    """One entry of somebody's history."""

    at: str
    by: str
    act: str
    changes: tuple[Change, ...]


def rows_where(conn: Connection, table: sa.Table, *where: sa.ColumnElement[bool], lock: bool = False) -> list[Row]:
    """Rows as they are stored, by id; with `lock` nobody else changes them before this transaction ends."""
    query = sa.select(table).where(*where).order_by(table.c.id)
    return [dict(row) for row in conn.execute(query.with_for_update() if lock else query).mappings()]


def masked(sealer: Sealer, table: sa.Table, row: Row, kind: type[T]) -> T:
    """A row as it leaves the store."""
    values = {field: row[field] for field in kind.__struct_fields__ if field not in SEALED}
    values |= {field: _mask(sealer, table, row, field) for field in SEALED}
    return msgspec.convert(values, kind)


def clear(sealer: Sealer, table: sa.Table, row: Row, field: str) -> str:
    """A sealed field in clear; empty where nothing is stored."""
    return "" if row[field] is None else sealer.open(table.name, field, row["id"], row[field])


def blind_of(sealer: Sealer, table: sa.Table, field: str, text: str) -> str:
    """The blind index of a number in this register."""
    return sealer.blind(f"{table.name}.{field}", text)


def mark_of(row: Row) -> dict[str, Any]:
    """What a digest of a row stands on: its fields, and for the sealed ones their blind indexes."""
    return {name: value for name, value in row.items() if name not in SEALED}


def changes_of(sealer: Sealer, table: sa.Table, row: Row, entry: Entry) -> list[Change]:
    """What an entry would change in a row."""
    found = []
    for field, after in _fields(entry).items():
        if field in SEALED:
            if after is not None and blind_of(sealer, table, field, after) != row[f"{field}_blind"]:
                found.append(Change(field))
        elif row[field] != after:
            found.append(Change(field, row[field], after))
    return found


def insert(
    conn: Connection, sealer: Sealer, table: sa.Table, entries: Mapping[str, Entry], by: str, now: datetime
) -> None:
    """Adds people under the ids that the caller chose."""
    if not entries:
        return
    with taken_is_a_problem():
        conn.execute(
            sa.insert(table),
            [_nothing(table) | _values(sealer, table, id, one, by, now) for id, one in entries.items()],
        )
    note(conn, by, now, "add", {f"{table.name}:{id}": [] for id in entries})


def update(
    conn: Connection, sealer: Sealer, table: sa.Table, entries: Mapping[str, Entry], by: str, now: datetime
) -> dict[str, list[Change]]:
    """Changes people who are there already; says what changed, and leaves alone those of whom nothing does."""
    rows = {row["id"]: row for row in rows_where(conn, table, table.c.id.in_(list(entries)), lock=True)}
    changed = {id: found for id, one in entries.items() if (found := changes_of(sealer, table, rows[id], one))}
    for id in changed:
        values = _values(sealer, table, id, entries[id], by, now) | {"rev": table.c.rev + 1}
        with taken_is_a_problem():
            conn.execute(sa.update(table).where(table.c.id == id).values(values))
    note(conn, by, now, "change", {f"{table.name}:{id}": found for id, found in changed.items()})
    return changed


def leave_on(conn: Connection, table: sa.Table, id: str, day: str | None, by: str, now: datetime) -> None:
    """Sets the first day of no longer being there; None takes it back."""
    before = conn.scalar(sa.select(table.c.left_on).where(table.c.id == id))
    values = {"left_on": day, "entered_by": by, "entered_at": stamp(now), "rev": table.c.rev + 1}
    conn.execute(sa.update(table).where(table.c.id == id).values(values))
    note(conn, by, now, "leave" if day else "return", {f"{table.name}:{id}": [Change("left_on", before, day)]})


def remove(conn: Connection, table: sa.Table, ids: Iterable[str], by: str, now: datetime) -> None:
    """Takes out people of whom nothing else speaks: what undoes their addition; the history stays."""
    gone = list(ids)
    conn.execute(sa.delete(table).where(table.c.id.in_(gone)))
    note(conn, by, now, "remove", {f"{table.name}:{id}": [] for id in gone})


def note(conn: Connection, by: str, now: datetime, act: str, changed: Mapping[str, list[Change]]) -> None:
    """Adds to the history, under names such as `officer:<id>`."""
    rows = [
        {"object": name, "at": stamp(now), "by": by, "act": act, "changes": msgspec.to_builtins(changes)}
        for name, changes in changed.items()
    ]
    if rows:
        conn.execute(sa.insert(personnel_history), rows)


def history_of(conn: Connection, name: str) -> list[Event]:
    """What happened to `officer:<id>` and the like, the newest first."""
    query = sa.select(personnel_history).where(personnel_history.c.object == name)
    rows = conn.execute(query.order_by(personnel_history.c.id.desc())).mappings()
    return [msgspec.convert({key: row[key] for key in Event.__struct_fields__}, Event) for row in rows]


@contextmanager
def taken_is_a_problem() -> Iterator[None]:
    """Turns the database's complaint that a number is there already into a problem that people understand."""
    try:
        yield
    except IntegrityError:
        raise Problem("taken_meanwhile") from None


def _fields(entry: Entry) -> dict[str, Any]:
    """What was entered, as the columns have it."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in msgspec.structs.asdict(entry).items()
    }


def _mask(sealer: Sealer, table: sa.Table, row: Row, field: str) -> str:
    return SEALED[field](clear(sealer, table, row, field))


def _nothing(table: sa.Table) -> dict[str, Any]:
    """Every column of a new row that an entry may not fill: many rows go in by one statement."""
    return {column.name: None for column in table.c if column.nullable}


def _values(sealer: Sealer, table: sa.Table, id: str, entry: Entry, by: str, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"id": id, "entered_by": by, "entered_at": stamp(now)}
    for field, value in _fields(entry).items():
        if field not in SEALED:
            values[field] = value
        elif value is not None:
            values[field] = sealer.seal(table.name, field, id, value)
            values[f"{field}_blind"] = blind_of(sealer, table, field, value)
    return values
