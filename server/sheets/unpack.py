"""Reads one workbook in a child process of its own: `python -I unpack.py PATH SHEET ROWS COLUMNS MODE`.

It stands alone, with limits on memory and time, since a workbook comes from anywhere. Before anything is unpacked the
package is looked at from outside: how many parts, how large they say they are, what they are. What it finds goes to
standard output, a JSON line each: first `{"sheet": ...}` or `{"fault": ..., "values": {...}}`, then `[row, cells]`.
A cell is text, a number, true or false, or `["d", "2026-01-31"]`.
"""

from __future__ import annotations

import datetime
import json
import math
import resource
import sys
import zipfile
from collections.abc import Iterator
from typing import Any, Final

MEMORY: Final = 1 << 30
CPU_SECONDS: Final = 90
MOST_PARTS: Final = 1000
MOST_UNPACKED: Final = 600 << 20
MOST_RATIO: Final = 200
"""Ours have 20 to 40; a part of one repeated byte has 1,000."""

SMALL: Final = 1 << 20
PROLOG: Final = 1 << 16
_STARTS: Final = ("Sheet", "sheet", "工作表")


class Refused(Exception):
    """The workbook is not read: `code` and `values` of the fault that says why."""

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def inspect(file: Any) -> None:
    """Looks at the package from outside, and raises `Refused` at the first thing that a plain workbook doesn't have."""
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
            _weigh(parts, file)
            for part in parts:
                _name(part.filename)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _prolog(part.filename, package)
            if "xl/workbook.xml" not in package.namelist():
                raise Refused("not_spreadsheet")
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as fault:
        raise Refused("broken_file") from fault


def _weigh(parts: list[zipfile.ZipInfo], file: Any) -> None:
    if len(parts) > MOST_PARTS:
        raise Refused("bomb_parts", n=len(parts), most=MOST_PARTS)
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("encrypted")
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise Refused("bomb_size", n=sum(part.file_size for part in parts) >> 20, most=MOST_UNPACKED >> 20)
    for part in parts:
        if part.file_size > SMALL and part.file_size > MOST_RATIO * max(part.compress_size, 1):
            raise Refused("bomb_ratio", part=part.filename, n=part.file_size // max(part.compress_size, 1))
    end = 0
    for part in sorted(parts, key=lambda part: part.header_offset):
        if part.header_offset < end:  # parts that share their bytes: a small file that unpacks without end
            raise Refused("bomb_overlap", part=part.filename)
        end = part.header_offset + part.compress_size


def _name(name: str) -> None:
    lower = name.lower()
    if lower.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in lower:
        raise Refused("macro_file", part=name)
    if "/externallinks/" in lower or lower.endswith("/connections.xml"):
        raise Refused("external_links", part=name)


def _prolog(name: str, package: zipfile.ZipFile) -> None:
    """A document type stands before the root element: what comes before that is looked at, and mustn't be endless."""
    with package.open(name) as part:
        head = part.read(PROLOG)
    plain = head.replace(b"\0", b"")  # UTF-16 reads the same
    root = next((at for at in _tags(plain)), None)
    if b"<!" in plain[:root] and (b"<!DOCTYPE" in plain[:root].upper() or b"<!ENTITY" in plain[:root].upper()):
        raise Refused("xml_doctype", part=name)
    if root is None and len(head) == PROLOG:
        raise Refused("xml_doctype", part=name)


def _tags(text: bytes) -> Iterator[int]:
    at = text.find(b"<")
    while at >= 0:
        if text[at + 1 : at + 2].isalpha():
            yield at
        at = text.find(b"<", at + 1)


def rows(path: str, sheet: str, most_rows: int, most_columns: int) -> Iterator[tuple[int, list[Any]]]:
    """First row 0 with how many there are, then those that hold anything, by the number that people see at the left."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(path)
        found = book.get_sheet_by_name(_chosen(book.sheet_names, sheet))
    except calamine.PasswordError as fault:
        raise Refused("encrypted") from fault
    except calamine.CalamineError as fault:
        raise Refused("broken_file") from fault
    yield 0, [found.total_height]
    for number, row in enumerate(found.iter_rows(), 1):
        cells = [_cell(value) for value in row]
        while cells and cells[-1] == "":
            cells.pop()
        if len(cells) > most_columns:
            raise Refused("too_many_columns", n=len(cells), most=most_columns)
        if cells:
            most_rows -= 1
            if most_rows < 0:
                raise Refused("too_many_rows", row=number)
            yield number, cells


def _chosen(names: list[str], wanted: str) -> str:
    """The sheet of that name; a workbook of one sheet that nobody named is taken for it."""
    if wanted in names:
        return wanted
    if len(names) == 1 and names[0].startswith(_STARTS):
        return names[0]
    raise Refused("wrong_sheet", sheet=wanted, found="、".join(names[:10]))


def _cell(value: object) -> Any:
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, datetime.datetime):
        return ["d", value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")]
    if isinstance(value, datetime.date):
        return ["d", value.isoformat()]
    return str(value)


def main() -> None:
    """Limits itself, looks, reads, and says what it found."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    path, sheet, most_rows, most_columns, mode = sys.argv[1:]
    say = sys.stdout.write
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")  # type: ignore[union-attr]
    try:
        with open(path, "rb") as file:
            inspect(file)
        for number, cells in rows(path, sheet, int(most_rows), int(most_columns)):
            say(encode([number, cells]) + "\n")
            if mode == "head" and number >= 50:
                break
    except Refused as fault:
        say(encode({"fault": fault.code, "values": fault.values}) + "\n")
    except MemoryError:
        say(encode({"fault": "too_hard", "values": {}}) + "\n")
    say(encode({"end": True}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
