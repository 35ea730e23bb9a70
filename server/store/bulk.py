"""Many rows into one table by one prepared statement: the driver's own executemany, no dictionary for each row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def insert_rows(
    conn: Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, new: bool = True
) -> None:
    """Inserts rows whose values are what the driver takes as it is: text, bytes, whole numbers and None.

    With `new` False a row that is there already stays as it is.
    """
    if rows:
        conn.exec_driver_sql(_statement(table, columns, conn.dialect.name, new), list(rows))


@lru_cache(maxsize=64)
def _statement(table: sa.Table, columns: tuple[str, ...], dialect: str, new: bool) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    names = ", ".join(f'"{name}"' for name in columns)
    unless = "" if new else " ON CONFLICT DO NOTHING"
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join([mark] * len(columns))}){unless}'
