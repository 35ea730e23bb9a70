"""Batches of import: their rows and faults, written in bulk and read by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.faults import Fault
from server.domain.instant import stamp
from server.store.bulk import insert_rows
from server.store.tables import import_batch, import_fault, import_row, unit

CHUNK: Final = 1000
"""Rows of one transaction: what anybody else has to wait for."""

BUSY: Final = ("reading", "applying", "undoing")
"""States in which the machine is at work; a restart goes on with them."""

_json = msgspec.json.Encoder().encode


class Batch(msgspec.Struct, frozen=True):
    """One file that was brought, and what became of it."""

    id: str
    layout: str
    unit_id: str
    state: str
    filename: str
    source: str
    sha256: str
    size: int
    form: dict[str, Any]
    total: int | None
    done: int
    counts: dict[str, dict[str, int]]
    choices: dict[str, Any] | None
    held: list[dict[str, Any]] | None
    entered_by: str
    entered_at: str
    applied_by: str | None
    applied_at: str | None
    undone_by: str | None
    undone_at: str | None


class BatchRow(msgspec.Struct, frozen=True):
    """What one row is: new, changed, same, faulty or a duplicate; `sealed` holds what it says."""

    row: int
    kind: str
    object_id: str | None
    changed: tuple[str, ...]
    sealed: bytes | None


class RowFault(msgspec.Struct, frozen=True):
    """A fault and the row that has it."""

    row: int
    fault: Fault


def add_batch(conn: Connection, batch: Batch) -> None:
    """Stores a new batch."""
    conn.execute(sa.insert(import_batch).values(**msgspec.structs.asdict(batch)))


def batch_of(conn: Connection, batch_id: str) -> Batch | None:
    """One batch."""
    row = conn.execute(sa.select(import_batch).where(import_batch.c.id == batch_id)).one_or_none()
    return None if row is None else _batch(row)


def batches(conn: Connection, unit_id: str | None, *, after: str | None = None, limit: int = 50) -> list[Batch]:
    """The newest batches of a unit, or of all; `after` is the moment of the last one that was shown."""
    query = sa.select(import_batch).order_by(import_batch.c.entered_at.desc(), import_batch.c.id).limit(limit)
    if unit_id is not None:
        query = query.where(import_batch.c.unit_id == unit_id)
    if after is not None:
        query = query.where(import_batch.c.entered_at < after)
    return [_batch(row) for row in conn.execute(query)]


def batches_at_work(conn: Connection) -> list[str]:
    """The batches that a stopped server left in the middle."""
    query = sa.select(import_batch.c.id).where(import_batch.c.state.in_(BUSY)).order_by(import_batch.c.entered_at)
    return list(conn.scalars(query))


def _batch(row: Any) -> Batch:
    return Batch(**{name: row._mapping[name] for name in Batch.__struct_fields__})


def set_batch(conn: Connection, batch_id: str, was: str, **values: Any) -> bool:
    """Changes a batch that is in state `was`; whether it was."""
    query = sa.update(import_batch).where(import_batch.c.id == batch_id, import_batch.c.state == was)
    return conn.execute(query.values(**values)).rowcount == 1


def wipe_rows(conn: Connection, batch_id: str) -> None:
    """Takes away what was read of a file: it is read again from its beginning, or abandoned."""
    conn.execute(sa.delete(import_fault).where(import_fault.c.batch_id == batch_id))
    conn.execute(sa.delete(import_row).where(import_row.c.batch_id == batch_id))


def add_rows(conn: Connection, batch_id: str, rows: Sequence[BatchRow]) -> None:
    """Stores rows."""
    columns = ("batch_id", "row", "kind", "object_id", "changed", "sealed")
    plain = [
        (batch_id, row.row, row.kind, row.object_id, _json(row.changed).decode() if row.changed else None, row.sealed)
        for row in rows
    ]
    insert_rows(conn, import_row, columns, plain)


def put_row(conn: Connection, batch_id: str, row: BatchRow) -> None:
    """Says anew what a row is."""
    query = sa.update(import_row).where(import_row.c.batch_id == batch_id, import_row.c.row == row.row)
    values = {"kind": row.kind, "object_id": row.object_id, "changed": list(row.changed) or None, "sealed": row.sealed}
    conn.execute(query.values(**values))


def add_faults(conn: Connection, batch_id: str, first: int, faults: Sequence[RowFault]) -> None:
    """Stores faults, numbered from `first`."""
    columns = ("batch_id", "n", "row", "field", "code", "values", "warning")
    insert_rows(
        conn,
        import_fault,
        columns,
        [
            (batch_id, n, one.row, one.fault.field, one.fault.code, _json(one.fault.values).decode(), one.fault.warning)
            for n, one in enumerate(faults, first)
        ],
    )


def rows_of(
    conn: Connection, batch_id: str, kinds: Collection[str], *, after: int = 0, limit: int = CHUNK
) -> list[BatchRow]:
    """The next rows of these kinds, in the order of the file."""
    query = (
        sa.select(import_row)
        .where(import_row.c.batch_id == batch_id, import_row.c.kind.in_(kinds), import_row.c.row > after)
        .order_by(import_row.c.row)
        .limit(limit)
    )
    return [
        BatchRow(row.row, row.kind, row.object_id, tuple(row.changed or ()), row.sealed) for row in conn.execute(query)
    ]


def chunks_of(conn: Connection, batch_id: str, kinds: Collection[str]) -> Iterator[list[BatchRow]]:
    """All rows of these kinds, some hundred at a time."""
    after = 0
    while rows := rows_of(conn, batch_id, kinds, after=after):
        yield rows
        after = rows[-1].row


def faults_of(
    conn: Connection, batch_id: str, *, code: str | None = None, after: int = 0, limit: int = 100
) -> list[tuple[int, RowFault]]:
    """The next faults with their numbers, all or those of one code."""
    query = (
        sa.select(import_fault)
        .where(import_fault.c.batch_id == batch_id, import_fault.c.n > after)
        .order_by(import_fault.c.n)
        .limit(limit)
    )
    if code is not None:
        query = query.where(import_fault.c.code == code)
    return [
        (row.n, RowFault(row.row, Fault(row.field, row.code, row.values, row.warning))) for row in conn.execute(query)
    ]


def faults_of_rows(conn: Connection, batch_id: str, first: int, last: int) -> dict[int, list[Fault]]:
    """The faults of a stretch of rows, by row."""
    query = sa.select(import_fault).where(
        import_fault.c.batch_id == batch_id, import_fault.c.row >= first, import_fault.c.row <= last
    )
    found: dict[int, list[Fault]] = {}
    for row in conn.execute(query.order_by(import_fault.c.n)):
        found.setdefault(row.row, []).append(Fault(row.field, row.code, row.values, row.warning))
    return found


def first_rows(conn: Connection, batch_id: str, code: str, limit: int = 12) -> list[int]:
    """The first rows that have a fault of this code."""
    query = sa.select(import_fault.c.row).where(import_fault.c.batch_id == batch_id, import_fault.c.code == code)
    return list(conn.scalars(query.order_by(import_fault.c.n).limit(limit)))


def units_by_name(conn: Connection) -> Mapping[str, str]:
    """Name of a unit -> its id."""
    return {row.name: row.id for row in conn.execute(sa.select(unit.c.name, unit.c.id))}


def moment_of(now: datetime) -> str:
    """A moment as the tables hold it."""
    return stamp(now)
