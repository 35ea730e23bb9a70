"""What the page of a batch shows: counts, faults grouped and row by row, and what would change."""

from __future__ import annotations

from typing import Final

import msgspec

from server.domain.access import ALL, reach
from server.domain.faults import Fault
from server.domain.layout import LAYOUTS, Column, word_of
from server.domain.mask import mask_id, mask_phone
from server.errors import Problem
from server.office.import_reading import unseal
from server.office.libraries import Library
from server.store import imports
from server.store.imports import Batch, RowFault
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection

FAULTS_SHOWN: Final = 100
CHANGES_SHOWN: Final = 50
ROWS_NAMED: Final = 12


class Group(msgspec.Struct, frozen=True):
    """The faults of one code: how many, the first of them, and the first rows that have one."""

    code: str
    n: int
    first: Fault
    rows: tuple[int, ...]


class Change(msgspec.Struct, frozen=True):
    """What one row would change: column, what stands there, what will."""

    row: int
    key: str
    fields: tuple[tuple[str, str, str], ...]


def batch_for(conn: Connection, person: Person, batch_id: str) -> Batch:
    """The batch, for whoever may read it; for all others it isn't there."""
    batch = imports.batch_of(conn, batch_id)
    far = reach(person.roles, "imports.read")
    if batch is None or (far != ALL and batch.unit_id != person.unit_id):
        raise Problem("not_found")
    return batch


def groups_of(conn: Connection, batch: Batch) -> list[Group]:
    """The faults by code, the most frequent first."""
    found = []
    for code, n in sorted(batch.counts.get("codes", {}).items(), key=lambda pair: (-pair[1], pair[0])):
        first = imports.faults_of(conn, batch.id, code=code, limit=1)
        if first:
            rows = imports.first_rows(conn, batch.id, code, ROWS_NAMED)
            found.append(Group(code, n, first[0][1].fault, tuple(dict.fromkeys(rows))))
    return found


def faults_page(conn: Connection, batch: Batch, code: str, after: int) -> tuple[list[RowFault], int | None]:
    """One page of faults, and the number after which the next one goes on."""
    found = imports.faults_of(conn, batch.id, code=code or None, after=after, limit=FAULTS_SHOWN + 1)
    shown = found[:FAULTS_SHOWN]
    return [one for _, one in shown], (shown[-1][0] if len(found) > FAULTS_SHOWN else None)


def changes_page(
    conn: Connection, sealer: Sealer, library: Library, batch: Batch, after: int, limit: int
) -> tuple[list[Change], int | None]:
    """One page of changed rows, field by field; numbers of people are masked."""
    rows = imports.rows_of(conn, batch.id, ("changed",), after=after, limit=limit + 1)
    shown = []
    for row in rows[:limit]:
        content = unseal(sealer, batch.id, row)
        before, now = library.fields(content.before or {}), library.fields(content.entry)
        fields = tuple(
            (column.header, said(column, before[field]), said(column, now[field]))
            for field in row.changed
            for column in (library.layout.column(field),)
        )
        key = library.layout.column(library.layout.key)
        shown.append(Change(row.row, said(key, library.key_of(content.entry)), fields))
    return shown, (rows[limit - 1].row if len(rows) > limit else None)


def said(column: Column, value: str) -> str:
    """A value as people read it: words for codes, masks for numbers of people."""
    if column.personal:
        return mask_id(value) if column.field == "id_number" else mask_phone(value)
    if column.kind == "word":
        return word_of(column, value)
    if column.kind == "words":
        return "、".join(word_of(column, code) for code in value.split(",") if code)
    return value


def header_of_field(batch: Batch, field: str) -> str:
    """The name of a fault's column, as the sheet has it."""
    return next((column.header for column in LAYOUTS[batch.layout].columns if column.field == field), field)
