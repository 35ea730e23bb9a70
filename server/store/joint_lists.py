"""The subject lists of joint tasks that other departments lead, kept as they came (R13.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.domain.instant import stamp
from server.errors import Problem
from server.store.tables import joint_list, joint_list_row, subject


class Row(msgspec.Struct, frozen=True):
    """One subject of the lead's list; without `subject_id` it isn't in our library yet."""

    place: int
    code: str
    name: str
    subject_id: str | None
    subject: str | None = None


class JointList(msgspec.Struct, frozen=True):
    """A list as it was received: who drew it, by which document, on which day, and the digest of the file."""

    id: str
    year: int
    line_id: str
    unit_id: str
    lead: str
    document: str
    drawn_on: str
    file_name: str
    sha256: str
    by: str
    at: str
    rows: tuple[Row, ...] = ()


def add_list(conn: Connection, added: JointList, now: datetime) -> None:
    """Keeps a list; the same file again for the same line is `joint_list_known`."""
    values = {name: value for name, value in msgspec.structs.asdict(added).items() if name not in ("rows", "at")}
    try:
        conn.execute(sa.insert(joint_list).values(at=stamp(now), **values))
    except IntegrityError:
        raise Problem("joint_list_known") from None
    rows = [_row(added.id, row) for row in added.rows]
    if rows:
        conn.execute(sa.insert(joint_list_row), rows)


def lists_of(conn: Connection, line_id: str) -> list[JointList]:
    """The lists that came for a line, the latest first, each with its subjects."""
    query = sa.select(joint_list).where(joint_list.c.line_id == line_id).order_by(joint_list.c.at.desc())
    return [JointList(**row, rows=tuple(_rows(conn, row["id"]))) for row in conn.execute(query).mappings()]


def list_of(conn: Connection, list_id: str) -> JointList | None:
    """One list with its subjects."""
    row = conn.execute(sa.select(joint_list).where(joint_list.c.id == list_id)).mappings().one_or_none()
    return None if row is None else JointList(**row, rows=tuple(_rows(conn, list_id)))


def matched(conn: Connection, codes: Sequence[str]) -> dict[str, str]:
    """Code, of either kind, -> id of the subject that has it."""
    found: dict[str, str] = {}
    for column in (subject.c.registration, subject.c.uscc):
        query = sa.select(column.label("code"), subject.c.id).where(column.in_(codes))
        found |= {row.code: row.id for row in conn.execute(query)}
    return found


def _rows(conn: Connection, list_id: str) -> list[Row]:
    """The rows with whoever has their code today: a subject that was added since the import is found too."""
    table = joint_list_row
    has_code = sa.or_(subject.c.uscc == table.c.code, subject.c.registration == table.c.code)
    same = sa.or_(subject.c.id == table.c.subject_id, sa.and_(table.c.subject_id.is_(None), has_code))
    query = (
        sa.select(
            table.c.place, table.c.code, table.c.name, subject.c.id.label("subject_id"), subject.c.name.label("as")
        )
        .outerjoin(subject, same)
        .where(table.c.list_id == list_id)
        .order_by(table.c.place)
    )
    return [Row(*row) for row in conn.execute(query)]


def _row(list_id: str, row: Row) -> dict[str, Any]:
    return {"list_id": list_id, "place": row.place, "code": row.code, "name": row.name, "subject_id": row.subject_id}
