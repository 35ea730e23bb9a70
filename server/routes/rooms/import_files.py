"""What is downloaded beside an import: templates, the list of faults, the file with its faults marked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, BinaryIO, Final
from urllib.parse import quote

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from server.domain.faults import Fault
from server.domain.layout import IGNORED, LAYOUTS
from server.errors import Problem
from server.office import import_page
from server.office.act import permit
from server.office.import_reading import rows_whole
from server.routes.guards import Asked, has_right
from server.routes.pages import words_for
from server.routes.stream import in_thread
from server.sheets.writing import csv_lines, write_template, write_workbook
from server.store import imports
from server.store.imports import Batch
from server.store.sources import BLOCK, anonymous
from server.words import Words

TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


def attachment(file: BinaryIO, name: str, kind: str) -> Stream:
    """A file that was written into memory, as a download under a Chinese name."""
    disposition = f"attachment; filename=\"{kind}.{kind}\"; filename*=UTF-8''{quote(name)}.{kind}"
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store", "Content-Length": str(_size(file))}
    return Stream(_sent(file), media_type=TYPES[kind], headers=headers)


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


async def _sent(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while block := await in_thread(file.read, BLOCK):
            yield block


def written(rows: Iterator[Sequence[str]], kind: str, sheet: str) -> BinaryIO:
    """The rows as a file in memory."""
    file = anonymous()
    if kind == "xlsx":
        write_workbook(file, sheet, rows)
    else:
        for part in csv_lines(rows):
            file.write(part)
    file.flush()
    return file


@get("/templates/{name:str}", guards=[has_right("imports.read")], sync_to_thread=True)
def template(request: Asked, name: FromPath[str]) -> Response[Any]:
    """An empty sheet of a layout: `subjects.xlsx`, `officers.csv` ..."""
    layout_id, _, kind = name.partition(".")
    if layout_id not in LAYOUTS or kind not in TYPES:
        raise Problem("not_found")
    layout = LAYOUTS[layout_id]
    if kind == "csv":
        file = written(iter([[column.header for column in layout.columns]]), kind, layout.sheet)
    else:
        file = anonymous()
        write_template(file, layout)
    return attachment(file, f"{layout.title}-模板", kind)


@get("/{batch_id:str}/faults", guards=[has_right("imports.read")], sync_to_thread=True)
def faults(request: Asked, batch_id: FromPath[str]) -> Response[Any]:
    """All faults as CSV: row, column, what is wrong, what to do."""
    w = words_for(request)
    with request.app.state.db.read() as conn:
        batch = import_page.batch_for(conn, request.user, batch_id)
        file = written(_fault_rows(conn, batch, w), "csv", "")
    return attachment(file, f"{batch.filename}-{w('imports.faults')}", "csv")


def _fault_rows(conn: Any, batch: Batch, w: Words) -> Iterator[Sequence[str]]:
    yield [w(f"imports.{name}") for name in ("row", "column", "what", "cure")]
    after = 0
    while found := imports.faults_of(conn, batch.id, after=after, limit=1000):
        for _, one in found:
            column = import_page.header_of_field(batch, one.fault.field)
            yield [str(one.row), column, what(w, one.fault), cure(w, one.fault)]
        after = found[-1][0]


def what(w: Words, fault: Fault) -> str:
    """What is wrong."""
    return w(f"fault.{fault.code}", **fault.values)


def cure(w: Words, fault: Fault) -> str:
    """What to do about it."""
    return w(f"cure.{fault.code}", **fault.values)


@get("/{batch_id:str}/marked", guards=[has_right("imports.run")], sync_to_thread=True)
def marked(request: Asked, batch_id: FromPath[str]) -> Response[Any]:
    """The file as it was brought with one column more, in which its faults are told: mended it can be brought again."""
    w = words_for(request)
    state = request.app.state
    with state.db.read() as conn:
        batch = import_page.batch_for(conn, request.user, batch_id)
        permit(request.user, "imports.run", batch.unit_id)
        if batch.entered_by != request.user.id:  # it holds numbers of people in clear: whoever brought it has them
            raise Problem("forbidden")
        if batch.state == "abandoned":
            raise Problem("import_not_now", state=batch.state)
        with state["imports"].sources.open(batch.id, batch.sha256) as source:
            kind = batch.form["kind"]
            file = written(_marked_rows(conn, batch, source, w), kind, LAYOUTS[batch.layout].sheet)
    return attachment(file, f"{batch.filename}-{IGNORED[0]}", kind)


def _marked_rows(conn: Any, batch: Batch, source: BinaryIO, w: Words) -> Iterator[Sequence[str]]:
    width, last = max(at for at, _ in batch.form["columns"]) + 1, 0
    found: dict[int, list[Fault]] = {}
    for number, cells in rows_whole(batch, source):
        if number > last:
            last = number + 1000
            found = imports.faults_of_rows(conn, batch.id, number, last)
        if number == batch.form["row"]:
            width = max(width, len(cells))
            yield [*_wide(cells, width), IGNORED[0]]
        elif number < batch.form["row"]:
            yield cells
        else:
            yield [*_wide(cells, width), " ".join(what(w, fault) + cure(w, fault) for fault in found.get(number, []))]


def _wide(cells: Sequence[str], width: int) -> list[str]:
    return [*cells[:width], *([""] * (width - len(cells)))]


handlers = [template, faults, marked]
