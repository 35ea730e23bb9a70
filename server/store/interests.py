"""The register of interests (R20.2): pairs of officer and subject that a draw leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.domain.interest import Interest, InterestEntry
from server.store import personnel
from server.store.personnel import Change
from server.store.tables import interest, officer, subject


class Listed(msgspec.Struct, frozen=True):
    """An interest with the names of both sides."""

    interest: Interest
    officer_name: str
    unit_id: str
    subject_name: str
    subject_code: str


def interests_of(conn: Connection, officers: Iterable[str]) -> list[Interest]:
    """The interests of these officers, ended ones included."""
    return [one.interest for one in _listed(conn, interest.c.officer_id.in_(list(officers)))]


def listed_of(conn: Connection, officer_id: str) -> list[Listed]:
    """The interests of one officer, with the subjects' names."""
    return _listed(conn, interest.c.officer_id == officer_id)


def listed(conn: Connection, unit_id: str | None) -> list[Listed]:
    """The register of a unit's officers, or of all, the latest first."""
    return _listed(conn, *(() if unit_id is None else (officer.c.unit_id == unit_id,)))


def interest_of(conn: Connection, interest_id: str) -> Listed | None:
    """One interest."""
    return next(iter(_listed(conn, interest.c.id == interest_id)), None)


def add_interest(conn: Connection, interest_id: str, entry: InterestEntry, by: str, now: datetime) -> None:
    """Adds one; the same pair, kind and first day again is a problem."""
    values = _columns(msgspec.to_builtins(entry)) | {"id": interest_id, "entered_by": by, "entered_at": stamp(now)}
    with personnel.taken_is_a_problem():
        conn.execute(sa.insert(interest).values(values))
    personnel.note(conn, by, now, "add", {f"interest:{interest_id}": []})


def end_interest(conn: Connection, known: Interest, last_day: str, by: str, now: datetime) -> None:
    """Sets the last day of one; it stays in the register."""
    conn.execute(sa.update(interest).where(interest.c.id == known.id).values(to_on=last_day))
    personnel.note(conn, by, now, "end", {f"interest:{known.id}": [Change("until", known.until, last_day)]})


def subject_by_code(conn: Connection, code: str) -> str | None:
    """The id of the subject with this code; an interest may be in any unit's subject."""
    either = sa.or_(subject.c.uscc == code, subject.c.registration == code)
    found: str | None = conn.scalar(sa.select(subject.c.id).where(either))
    return found


def _listed(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Listed]:
    code = sa.func.coalesce(subject.c.uscc, subject.c.registration).label("code")
    query = (
        sa.select(interest, officer.c.name, officer.c.unit_id, subject.c.name.label("subject_name"), code)
        .join(officer, officer.c.id == interest.c.officer_id)
        .join(subject, subject.c.id == interest.c.subject_id)
        .where(*where)
        .order_by(interest.c.from_on.desc(), interest.c.id)
    )
    return [
        Listed(_interest(row), row["name"], row["unit_id"], row["subject_name"], row["code"])
        for row in conn.execute(query).mappings()
    ]


def _interest(row: sa.RowMapping) -> Interest:
    names = {"since": "from_on", "until": "to_on"}
    return Interest(**{field: row[names.get(field, field)] for field in Interest.__struct_fields__})


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {{"since": "from_on", "until": "to_on"}.get(name, name): value for name, value in values.items()}
