"""People with their numbers in clear, as an import compares them and an export with a reason writes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store import personnel
from server.store.personnel import Row
from server.store.seal import Sealer
from server.store.tables import agency, expert, officer

TABLES = {"officers": officer, "experts": expert, "agencies": agency}


def rows_by(conn: Connection, layout: str, column: str, values: Collection[Any]) -> list[Row]:
    """Rows of a register by the values of one column."""
    table = TABLES[layout]
    return personnel.rows_where(conn, table, table.c[column].in_(list(values)))


def whole(sealer: Sealer, layout: str, row: Row) -> dict[str, Any]:
    """A row with its numbers in clear."""
    table = TABLES[layout]
    return dict(row) | {field: personnel.clear(sealer, table, row, field) for field in personnel.SEALED if field in row}


def blinds(sealer: Sealer, layout: str, field: str, numbers: Collection[str]) -> dict[str, str]:
    """Blind index of each number -> the number."""
    return {personnel.blind_of(sealer, TABLES[layout], field, number): number for number in numbers}


def revs(conn: Connection, layout: str, ids: Collection[str]) -> dict[str, int]:
    """The revisions of those that are there."""
    table = TABLES[layout]
    found = conn.execute(sa.select(table.c.id, table.c.rev).where(table.c.id.in_(list(ids))))
    return {row.id: row.rev for row in found}


def everybody(conn: Connection, layout: str, unit_id: str | None) -> Iterator[Row]:
    """All rows of a register, or those of one unit, by id."""
    table = TABLES[layout]
    where = () if unit_id is None else (table.c.unit_id == unit_id,)
    return iter(personnel.rows_where(conn, table, *where))
