"""The library as a draw freezes it: every subject, live or not, with all that decides where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.bulk import Plain
from server.store.tables import subject, unit_subject


class Listed(msgspec.Struct, frozen=True, gc=False):
    """What a freeze looks at of a subject."""

    id: str
    code: str
    name: str
    kind: str
    industry: str
    region: str
    traits: Sequence[str]
    risk: str
    credit: str
    status: str
    flags: Sequence[dict[str, Any]]


_COLUMNS = (
    subject.c.id,
    sa.func.coalesce(subject.c.uscc, subject.c.registration),
    subject.c.name,
    subject.c.kind,
    subject.c.industry,
    subject.c.region,
    subject.c.traits,
    subject.c.risk,
    subject.c.credit,
    subject.c.status,
    subject.c.flags,
)
_OF_UNIT = Plain(
    sa.select(*_COLUMNS)
    .join(unit_subject, unit_subject.c.subject_id == subject.c.id)
    .where(unit_subject.c.unit_id == sa.bindparam("unit", type_=sa.Text))
)
_OF_ALL = Plain(sa.select(*_COLUMNS).where(subject.c.id.in_(sa.select(unit_subject.c.subject_id))))


def listed(conn: Connection, unit_id: str | None) -> Iterator[Listed]:
    """The subjects of a unit's library, or of all (None)."""
    rows = _OF_ALL.rows(conn) if unit_id is None else _OF_UNIT.rows(conn, unit=unit_id)
    return (Listed(*row) for row in rows)


def flags_of(conn: Connection, ids: Sequence[str]) -> dict[str, Sequence[dict[str, Any]]]:
    """Subject -> its flags, as the library has them now."""
    found: dict[str, Sequence[dict[str, Any]]] = {}
    for start in range(0, len(ids), 500):
        part = sa.select(subject.c.id, subject.c.flags).where(subject.c.id.in_(ids[start : start + 500]))
        found |= {row.id: row.flags for row in conn.execute(part)}
    return found


def status_of(conn: Connection, subject_id: str) -> str | None:
    """Whether a subject is active, suspended or cancelled, as the library has it now."""
    found: str | None = conn.scalar(sa.select(subject.c.status).where(subject.c.id == subject_id))
    return found
