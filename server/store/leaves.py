"""Leave of officers, as entered by their unit; what was cancelled stays, marked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.domain.leave import Leave, LeaveEntry
from server.store import personnel
from server.store.tables import leave, officer

_NAMES = {"since": "from_on", "until": "to_on"}


class Listed(msgspec.Struct, frozen=True):
    """A leave with whose it is."""

    leave: Leave
    officer_name: str
    unit_id: str


def leaves_of(conn: Connection, officers: Iterable[str], first: str = "", last: str = "9999-12-31") -> list[Leave]:
    """What holds of these officers' leave and touches the days from `first` to `last`."""
    return [one.leave for one in _listed(conn, leave.c.officer_id.in_(list(officers)), *_touching(first, last))]


def listed(conn: Connection, unit_id: str | None, first: str, last: str) -> list[Listed]:
    """The leave of a unit's officers, or of all, that touches these days."""
    mine = () if unit_id is None else (officer.c.unit_id == unit_id,)
    return _listed(conn, *mine, *_touching(first, last))


def leave_of(conn: Connection, leave_id: str) -> Listed | None:
    """One leave that holds."""
    return next(iter(_listed(conn, leave.c.id == leave_id)), None)


def add_leave(conn: Connection, leave_id: str, entry: LeaveEntry, by: str, now: datetime) -> None:
    """Adds one."""
    values = {_NAMES.get(name, name): value for name, value in msgspec.to_builtins(entry).items()}
    conn.execute(sa.insert(leave).values(values | {"id": leave_id, "entered_by": by, "entered_at": stamp(now)}))
    personnel.note(conn, by, now, "add", {f"leave:{leave_id}": []})


def cancel_leave(conn: Connection, leave_id: str, by: str, now: datetime) -> None:
    """Takes one back."""
    conn.execute(sa.update(leave).where(leave.c.id == leave_id).values(cancelled_by=by, cancelled_at=stamp(now)))
    personnel.note(conn, by, now, "cancel", {f"leave:{leave_id}": []})


def _touching(first: str, last: str) -> tuple[sa.ColumnElement[bool], ...]:
    return leave.c.from_on <= last, leave.c.to_on >= first


def _listed(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Listed]:
    query = (
        sa.select(leave, officer.c.name, officer.c.unit_id)
        .join(officer, officer.c.id == leave.c.officer_id)
        .where(leave.c.cancelled_at.is_(None), *where)
        .order_by(leave.c.from_on, leave.c.id)
    )
    return [Listed(_leave(row), row["name"], row["unit_id"]) for row in conn.execute(query).mappings()]


def _leave(row: sa.RowMapping) -> Leave:
    return Leave(**{field: row[_NAMES.get(field, field)] for field in Leave.__struct_fields__})
