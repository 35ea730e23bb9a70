"""Records: the fold of each journal as far as its head, a cache that can be thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from server.store.tables import media, record


class Kept(msgspec.Struct, frozen=True):
    """One row of the cache."""

    visit_id: str
    head: int
    media_rev: int
    phase: str
    digest: str | None
    view: bytes
    summary: dict[str, Any]


_BY_VISIT = sa.select(*(record.c[name] for name in Kept.__struct_fields__)).where(
    record.c.visit_id == sa.bindparam("visit")
)
_MEDIA_REV = sa.select(sa.func.max(media.c.id)).where(
    sa.or_(media.c.visit_id == sa.bindparam("visit"), media.c.visit_id.is_(None))
)


def kept(conn: Connection, visit_id: str) -> Kept | None:
    """The record as it was folded last."""
    row = conn.execute(_BY_VISIT, {"visit": visit_id}).one_or_none()
    return None if row is None else Kept(*row)


def media_rev(conn: Connection, visit_id: str) -> int:
    """Moves when bytes come that may be this visit's."""
    return conn.scalar(_MEDIA_REV, {"visit": visit_id}) or 0


def keep(conn: Connection, records: Sequence[Kept]) -> None:
    """Keeps records; one that was folded from less gives way."""
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    for kept_ in records:
        values = msgspec.structs.asdict(kept_)
        statement = dialect.insert(record).values(values)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["visit_id"],
                set_={name: value for name, value in values.items() if name != "visit_id"},
                where=record.c.head <= kept_.head,
            )
        )
