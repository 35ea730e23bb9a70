"""Whether everything that is sealed opens by the keys that are here: what the doctor asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.seal import Sealer, Unreadable
from server.store.tables import crew_match, draw, expert, objection, officer, subject

COLUMNS: Final = (
    officer.c.phone,
    officer.c.id_number,
    expert.c.phone,
    expert.c.id_number,
    subject.c.phone,
    objection.c.name,
    objection.c.phone,
    objection.c.grounds,
    objection.c.wanted,
    draw.c.sealed_secret,
    crew_match.c.sealed_secret,
)


def unreadable(conn: Connection, sealer: Sealer) -> Iterator[str]:
    """A sentence for each sealed field that doesn't open; it names the place and nothing of the content."""
    for column in COLUMNS:
        table = column.table
        rows = conn.execute(sa.select(table.c.id, column).where(column.is_not(None)).order_by(table.c.id))
        for row_id, sealed in rows:
            try:
                sealer.open(table.name, column.name, row_id, bytes(sealed))
            except Unreadable as fault:
                yield str(fault)
