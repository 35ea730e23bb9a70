"""Statements of the hot paths, handed to the driver as they are: SQLAlchemy's own way costs ten times their work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from server.store.unkeepable import refuse

T = TypeVar("T")
_decode = msgspec.json.Decoder().decode


class Plain:
    """A statement that is compiled once. Parameters come by name; rows are tuples of text, bytes, numbers and JSON."""

    def __init__(self, statement: sa.sql.ClauseElement) -> None:
        self._statement = statement
        self._made: dict[str, _Made] = {}

    def rows(self, conn: Connection, **given: Any) -> list[tuple[Any, ...]]:
        """All rows."""
        made = self._for(conn)
        found: list[tuple[Any, ...]] = _run(conn, lambda raw: raw.execute(made.text, made.given(given)).fetchall())
        return [_decoded(row, made.json_at) for row in found] if made.json_at else found

    def row(self, conn: Connection, **given: Any) -> tuple[Any, ...] | None:
        """The row of a statement that finds one or none."""
        found = self.rows(conn, **given)
        return found[0] if found else None

    def run(self, conn: Connection, **given: Any) -> int:
        """How many rows it changed."""
        made = self._for(conn)
        return _run(conn, lambda raw: int(raw.execute(made.text, made.given(given)).rowcount))

    def _for(self, conn: Connection) -> _Made:
        made = self._made.get(conn.dialect.name)
        if made is None:
            made = self._made[conn.dialect.name] = _made(self._statement, conn.dialect)
        return made


class _Made(msgspec.Struct, frozen=True):
    """The text for one driver, the order or the names of its parameters, and the columns that it gives as JSON text."""

    text: str
    order: tuple[str, ...] | None
    constants: dict[str, Any]
    json_at: tuple[int, ...]

    def given(self, values: dict[str, Any]) -> Any:
        if self.constants:
            values = self.constants | values
        return values if self.order is None else [values[name] for name in self.order]


def _made(statement: sa.sql.ClauseElement, dialect: sa.Dialect) -> _Made:
    compiled: Any = statement.compile(dialect=dialect)
    order = tuple(compiled.positiontup) if compiled.positional else None
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    columns: Any = getattr(statement, "exported_columns", ())
    is_text = dialect.name == "sqlite"  # psycopg gives JSON as what it says
    json_at = tuple(at for at, column in enumerate(columns) if is_text and isinstance(column.type, sa.JSON))
    return _Made(str(compiled), order, constants, json_at)


def _decoded(row: tuple[Any, ...], json_at: tuple[int, ...]) -> tuple[Any, ...]:
    values = list(row)
    for at in json_at:
        values[at] = None if row[at] is None else _decode(row[at])
    return tuple(values)


def insert_rows(
    conn: Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, new: bool = True
) -> int:
    """Inserts rows whose values are what the driver takes as it is: text, bytes, whole numbers and None; how many.

    With `new` False a row that is there already stays as it is.
    """
    if not rows:
        return 0
    text = _insertion(table, columns, conn.dialect.name, new)

    def insert(raw: Any) -> int:
        cursor = raw.cursor()
        cursor.executemany(text, rows)
        return int(cursor.rowcount)

    return _run(conn, insert)


@lru_cache(maxsize=64)
def _insertion(table: sa.Table, columns: tuple[str, ...], dialect: str, new: bool) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    names = ", ".join(f'"{name}"' for name in columns)
    unless = "" if new else " ON CONFLICT DO NOTHING"
    return f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join([mark] * len(columns))}){unless}'


def _run(conn: Connection, work: Callable[[Any], T]) -> T:
    """Runs `work` on the driver's connection, within SQLAlchemy's transaction and with its exceptions."""
    if not conn.in_transaction():
        conn.begin()
    try:
        return work(conn.connection.driver_connection)
    except Exception as error:
        base = conn.dialect.loaded_dbapi.Error
        if not isinstance(error, base):
            refuse(error, None)
            raise
        wrapped = DBAPIError.instance(None, None, error, base, dialect=conn.dialect)
        refuse(error, wrapped)
        raise wrapped from error
