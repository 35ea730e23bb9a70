"""The rows of a file that somebody brought: a workbook through its child, a text in the encoding that it has."""

from __future__ import annotations

import codecs
import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from server.domain.faults import Fault, Invalid
from server.errors import Problem
from server.sheets.quoting import unquoted

CHILD: Final = Path(__file__).with_name("unpack.py")
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 200
BLOCK: Final = 1 << 20
DELIMITERS: Final = (",", "\t", ";")

_OTHERS: Final = (b"%PDF", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\x7fELF", b"MZ")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


class Form(NamedTuple):
    """How a file is written: `xlsx`, or `csv` with its encoding and delimiter."""

    kind: str
    encoding: str = ""
    delimiter: str = ""


class Row(NamedTuple):
    """One row and its number as people see it at the left. A cell: text, number, bool, or ["d", "2026-01-31"]."""

    number: int
    cells: list[Any]


class BadSheet(Invalid):
    """A file that can't be read as a sheet of the layout: every fault at once; nothing of it was kept (R7.1)."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        Problem.__init__(self, "bad_sheet", members={"faults": msgspec.to_builtins(self.faults)}, n=len(self.faults))


def refused(code: str, **values: str | int) -> BadSheet:
    """The refusal of a whole file for one reason."""
    return BadSheet([Fault("file", code, values)])


def form_of(file: BinaryIO) -> Form:
    """What kind of file this is, by its bytes and not by its name; raises `BadSheet` where it is none that we read."""
    file.seek(0)
    head = file.read(8)
    if not head:
        raise refused("empty_file")
    if head.startswith(b"PK"):
        return Form("xlsx")
    if head == _OLE:
        raise refused("encrypted" if _holds(file, _ENCRYPTED) else "old_xls")
    if head.startswith(_OTHERS):
        raise refused("not_spreadsheet")
    encoding = _encoding(file)
    return Form("csv", encoding, _delimiter(file, encoding))


def rows(file: BinaryIO, form: Form, sheet: str, *, head_only: bool = False) -> Iterator[Row]:
    """First a row 0 whose only cell is about how many rows there are, then the rows that hold anything.

    `head_only` is enough for the header. Raises `BadSheet` wherever the file breaks.
    """
    return _of_workbook(file, sheet, head_only) if form.kind == "xlsx" else _of_text(file, form)


def _holds(file: BinaryIO, wanted: bytes) -> bool:
    file.seek(0)
    before = b""
    while block := file.read(BLOCK):
        if wanted in before + block:
            return True
        before = block[-len(wanted) :]
    return False


def _encoding(file: BinaryIO) -> str:
    """UTF-8 where it is that, else GB 18030; anything else is said clearly."""
    file.seek(0)
    head = file.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refused("wrong_encoding", found="UTF-16")
    if b"\0" in head or head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise refused("not_spreadsheet")
    line = _first_bad_line(file, "utf-8")
    if line is None:
        return "utf-8-sig"
    if _first_bad_line(file, "gb18030") is None:
        return "gb18030"
    raise refused("wrong_encoding_at", row=line)


def _first_bad_line(file: BinaryIO, encoding: str) -> int | None:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while True:
        block = file.read(BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as fault:
            return line + bytes(fault.object[: fault.start]).count(b"\n")
        if "\0" in text:
            raise refused("not_spreadsheet")
        line += text.count("\n")
        if not block:
            return None


def _delimiter(file: BinaryIO, encoding: str) -> str:
    """What stands most often in the first lines; a single column has none, and a comma does."""
    file.seek(0)
    lines = file.read(65536).decode(encoding, "ignore").splitlines()[:20]
    counts = {mark: max((line.count(mark) for line in lines), default=0) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: counts[mark])


def _of_text(file: BinaryIO, form: Form) -> Iterator[Row]:
    with os.fdopen(os.dup(file.fileno()), "rb") as own:
        own.seek(0)
        yield Row(0, [sum(block.count(b"\n") for block in iter(lambda: own.read(BLOCK), b""))])
        own.seek(0)
        lines = io.TextIOWrapper(own, encoding=form.encoding, newline="")
        reader = csv.reader(lines, delimiter=form.delimiter)
        number = count = 0
        try:
            for number, cells in enumerate(reader, 1):
                if number == 1 and len(cells) <= 2 and cells[:1] and cells[0].startswith("sep="):
                    continue
                while cells and not cells[-1].strip():
                    cells.pop()
                if not cells:
                    continue
                if len(cells) > MOST_COLUMNS:
                    raise refused("too_many_columns", n=len(cells), most=MOST_COLUMNS)
                count += 1
                if count > MOST_ROWS:
                    raise refused("too_many_rows", most=MOST_ROWS)
                yield Row(number, [unquoted(cell) for cell in cells])
        except csv.Error as fault:
            raise refused("broken_row", row=number + 1) from fault


def _of_workbook(file: BinaryIO, sheet: str, head_only: bool) -> Iterator[Row]:
    fd = file.fileno()
    folder = "/proc/self/fd" if Path("/proc/self/fd").exists() else "/dev/fd"
    command = [sys.executable, "-I", str(CHILD), f"{folder}/{fd}", sheet, str(MOST_ROWS), str(MOST_COLUMNS)]
    file.seek(0)
    child = subprocess.Popen(
        [*command, "head" if head_only else "all"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[fd],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    )
    if child.stdout is None:
        raise RuntimeError("The child was asked for a pipe.")
    ended = False
    try:
        for line in child.stdout:
            said = msgspec.json.decode(line)
            if isinstance(said, list):
                yield Row(*said)
            elif "fault" in said:
                values = said["values"] | ({"most": MOST_ROWS} if said["fault"] == "too_many_rows" else {})
                raise refused(said["fault"], **values)
            else:
                ended = True
        if not ended:
            raise refused("too_hard")
    finally:
        child.kill()
        child.stdout.close()
        child.wait()
