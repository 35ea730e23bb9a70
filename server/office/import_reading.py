"""Reads the file of a batch row by row and says of each what it would do: the dry run (R7.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

import msgspec

from server.domain.faults import Fault, stops
from server.domain.layout import LAYOUTS, Header, Layout, header_of, plain_text, values_of
from server.office.act import new_id
from server.office.libraries import Entry, Known, Library
from server.sheets import reading
from server.sheets.reading import BadSheet, Form, Row
from server.store import imports
from server.store.imports import CHUNK, Batch, BatchRow, RowFault
from server.store.seal import Sealer
from server.store.session import Connection, Database
from server.store.sources import Sources

MOST_FAULTS: Final = 20
"""Of one row; more would only say again that the row is broken."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class GivenUp(Exception):
    """Somebody gave the batch up while it was being read."""


class Content(msgspec.Struct, frozen=True):
    """What a row is to make, and what was there before; sealed in `import_row.sealed`."""

    entry: Entry
    before: Entry | None = None


def seal(sealer: Sealer, batch_id: str, row: int, content: Content) -> bytes:
    """The content as it is stored."""
    return sealer.seal_bytes("import_row", "content", f"{batch_id}:{row}", _encode(content))


def unseal(sealer: Sealer, batch_id: str, row: BatchRow) -> Content:
    """The content of a stored row."""
    if row.sealed is None:
        raise ValueError(f"Row {row.row} of the import '{batch_id}' has no content.")
    decoded = _decode(sealer.open_bytes("import_row", "content", f"{batch_id}:{row.row}", row.sealed))
    return msgspec.convert(decoded, Content)


# --- at the door ------------------------------------------------------------------------------------------------------


def opened(layout: Layout, file: BinaryIO) -> dict[str, Any]:
    """How the file is written and where its columns are; whatever is wrong with it as a file raises `BadSheet`."""
    form = reading.form_of(file)
    head = list(islice(reading.rows(file, form, layout.sheet, head_only=True), 1, 50))
    if not head:
        raise reading.refused("empty_file")
    header, faults = header_of(layout, [(row.number, row.cells) for row in head])
    if header is None:
        raise BadSheet(faults)
    if not any(row.number > header.row for row in head):
        raise reading.refused("no_rows", row=header.row)
    columns = [[at, column.field] for at, column in header.columns]
    return {**form._asdict(), "row": header.row, "columns": columns}


def header_in(batch: Batch) -> Header:
    """The header that `opened` found."""
    layout = LAYOUTS[batch.layout]
    return Header(batch.form["row"], tuple((at, layout.column(field)) for at, field in batch.form["columns"]))


def rows_in(batch: Batch, file: BinaryIO) -> Iterator[Row]:
    """First a row 0 that says about how many there are, then the rows under the header."""
    form = Form(batch.form["kind"], batch.form["encoding"], batch.form["delimiter"])
    rows = reading.rows(file, form, LAYOUTS[batch.layout].sheet)
    return (row for row in rows if row.number == 0 or row.number > batch.form["row"])


def rows_whole(batch: Batch, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Every row of the file as texts, whatever stands above the header included."""
    form = Form(batch.form["kind"], batch.form["encoding"], batch.form["delimiter"])
    for row in reading.rows(file, form, LAYOUTS[batch.layout].sheet):
        if row.number:
            yield row.number, [plain_text(cell) for cell in row.cells]


# --- the dry run ------------------------------------------------------------------------------------------------------


class Judged(msgspec.Struct, frozen=True):
    """What a stretch of rows comes to."""

    rows: list[BatchRow]
    faults: list[RowFault]


class Judge:
    """Judges rows one stretch after another; it remembers the keys that it has seen."""

    def __init__(self, library: Library, header: Header, sealer: Sealer, batch_id: str) -> None:
        self._library, self._header, self._sealer, self._batch_id = library, header, sealer, batch_id
        self._seen: dict[str, int] = {}

    def judge(self, conn: Connection, rows: Sequence[Row]) -> Judged:
        """Every row: new, changed, same, faulty, or there already further up."""
        read = [(row.number, *values_of(self._header, row.cells)) for row in rows]
        keys = [self._library.key(values) for _, values, _ in read]
        known = self._library.known(conn, {key for key in keys if key})
        done = Judged([], [])
        for (number, values, faults), key in zip(read, keys, strict=True):
            first = self._seen.setdefault(key, number) if key else number
            row, said = self._row(number, values, faults, known.get(key), first)
            done.rows.append(row)
            done.faults.extend(RowFault(number, fault) for fault in said[:MOST_FAULTS])
        return done

    def _row(
        self, number: int, values: dict[str, str], faults: list[Fault], known: Known | None, first: int
    ) -> tuple[BatchRow, list[Fault]]:
        before = self._library.fields(known.entry) if known else {}
        entry, more = self._library.check(before | values, known)
        faults = _merged(faults, more, values)
        if first != number:
            faults.append(Fault(self._library.layout.key, "duplicate_in_file", {"row": first}))
            return BatchRow(number, "duplicate", None, (), None), faults
        if entry is None or stops(faults):
            return BatchRow(number, "faulty", None, (), None), faults
        return self._good(number, entry, known, before), faults

    def _good(self, number: int, entry: Entry, known: Known | None, before: dict[str, str]) -> BatchRow:
        if known is None:
            content = Content(entry)
            return BatchRow(number, "new", new_id(), (), seal(self._sealer, self._batch_id, number, content))
        after = self._library.fields(entry)
        changed = tuple(field for field in after if after[field] != before.get(field, ""))
        if not changed:
            return BatchRow(number, "same", known.id, (), None)
        content = Content(entry, known.entry)
        return BatchRow(number, "changed", known.id, changed, seal(self._sealer, self._batch_id, number, content))


def _merged(mine: Sequence[Fault], its: Sequence[Fault], values: Mapping[str, str]) -> list[Fault]:
    """The reading's faults and the check's: a field that could not be read isn't called empty as well."""
    unread = {fault.field for fault in mine if not fault.warning}
    return [*mine, *(_named(fault, values) for fault in its if fault.field not in unread)]


def _named(fault: Fault, values: Mapping[str, str]) -> Fault:
    """A long code whose end is all noughts was a number in a spreadsheet once: that is the fault to tell."""
    text = values.get(fault.field, "").strip()
    if not fault.warning and len(text) >= 17 and text.isdigit() and set(text[15:]) == {"0"}:
        return Fault(fault.field, "digits_lost", {"n": len(text)})
    return fault


def read_batch(db: Database, sources: Sources, sealer: Sealer, library: Library, batch: Batch) -> None:
    """Reads it from its beginning, however far an earlier attempt came; leaves it `checked`."""
    db.run_write(lambda conn: imports.wipe_rows(conn, batch.id))
    judge = Judge(library, header_in(batch), sealer, batch.id)
    kinds: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    with sources.open(batch.id, batch.sha256) as file:
        rows = rows_in(batch, file)
        total = max(next(rows).cells[0] - batch.form["row"], 1)
        db.run_write(lambda conn: imports.set_batch(conn, batch.id, "reading", total=total, done=0))
        while chunk := list(islice(rows, CHUNK)):
            with db.read() as conn:
                judged = judge.judge(conn, chunk)
            first = sum(codes.values()) + 1
            kinds.update(row.kind for row in judged.rows)
            codes.update(one.fault.code for one in judged.faults)
            db.run_write(lambda conn: _store(conn, batch.id, judged, first, kinds, codes))  # noqa: B023  # run at once
    db.run_write(lambda conn: _finish(conn, batch.id, sum(kinds.values())))


def _store(
    conn: Connection, batch_id: str, judged: Judged, first: int, kinds: Counter[str], codes: Counter[str]
) -> None:
    counts = {"kinds": dict(kinds), "codes": dict(codes)}
    if not imports.set_batch(conn, batch_id, "reading", done=sum(kinds.values()), counts=counts):
        raise GivenUp
    imports.add_rows(conn, batch_id, judged.rows)
    imports.add_faults(conn, batch_id, first, judged.faults)


def _finish(conn: Connection, batch_id: str, total: int) -> None:
    imports.set_batch(conn, batch_id, "reading", state="checked", total=total, done=total)
