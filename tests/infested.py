"""A database whose every text that people wrote carries something hostile."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server.store import tables
from server.store.session import Connection

CHINESE: Final = re.compile("[\u4e00-\u9fff]")
KINDS: Final = (sa.String, sa.JSON, sa.LargeBinary)
Around = Callable[[str], str]


def plant(conn: Connection, around: Around, but: Collection[str]) -> int:
    """Puts `around` into every column of SQLite where Chinese stands, tables aside; gives the number of columns."""
    for name in conn.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
        conn.execute(sa.text(f"DROP TRIGGER {name}"))
    return sum(
        _plant_column(conn, table, column, around)
        for table in tables.metadata.sorted_tables
        if table.name not in but
        for column in table.columns
        if isinstance(column.type, KINDS) and not column.primary_key and not column.foreign_keys
    )


def _plant_column(conn: Connection, table: sa.Table, column: sa.Column[Any], around: Around) -> bool:
    keys = list(table.primary_key.columns)
    rows = [(row, infested(row[0], around)) for row in conn.execute(sa.select(column, *keys)).all()]
    rows = [(row, value) for row, value in rows if value != row[0]]
    for row, value in rows:
        here = sa.and_(*(key == given for key, given in zip(keys, row[1:], strict=True)))
        conn.execute(sa.update(table).where(here).values({column: value}))
    return bool(rows)


def infested(value: Any, around: Around) -> Any:
    """Every Chinese text of a value, however deep it lies; in JSON that is kept as bytes too."""
    if isinstance(value, str):
        return around(value) if CHINESE.search(value) else value
    if isinstance(value, list):
        return [infested(one, around) for one in value]
    if isinstance(value, dict):
        return {name: infested(one, around) for name, one in value.items()}
    if isinstance(value, bytes) and value.startswith(b"{"):
        read = msgspec.json.decode(value)
        changed = infested(read, around)
        return value if changed == read else msgspec.json.encode(changed)
    return value
