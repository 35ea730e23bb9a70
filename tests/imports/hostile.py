"""Files that nobody should open: bombs, macros, passwords, wrong encodings, and things that are no sheets at all."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import xlsxwriter

from tests.imports.planted import COLUMNS


def workbook(rows: Sequence[Sequence[object]], sheet: str = "市场主体") -> bytes:
    """A plain workbook; numbers in it are numbers."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            page.write(number, at, cell) if isinstance(cell, (int, float)) else page.write_string(number, at, str(cell))
    book.close()
    return out.getvalue()


def with_parts(book: bytes, parts: Mapping[str, bytes]) -> bytes:
    """A workbook with more parts, or with others in the place of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in parts:
                new.writestr(info.filename, old.read(info))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def empty_book() -> bytes:
    """A workbook with a header and one row of nothing wrong but its being short."""
    return workbook([COLUMNS, ["91"]])


def macro_book() -> bytes:
    """A workbook with a macro project."""
    return with_parts(empty_book(), {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(512)})


def linked_book() -> bytes:
    """A workbook that links to another file."""
    return with_parts(empty_book(), {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})


def zip_bomb() -> bytes:
    """A sheet of one byte a thousand million times over: about 1 MB on the disk."""
    return with_parts(empty_book(), {"xl/worksheets/sheet2.xml": bytes(500 << 20)})


def swarm() -> bytes:
    """A workbook of two thousand parts."""
    return with_parts(empty_book(), {f"xl/media/{n}.bin": b"" for n in range(2000)})


def lying_bomb() -> bytes:
    """A bomb that says of itself that it is small: its true size only shows when it is unpacked."""
    book = zip_bomb()
    small = struct.pack("<I", 1000)
    return book.replace(struct.pack("<I", 500 << 20), small)


def overlapping() -> bytes:
    """A package whose parts are one and the same bytes, many times over."""
    book = bytearray(with_parts(empty_book(), {f"xl/worksheets/extra{n}.xml": b"<x/>" * 400 for n in range(5)}))
    places = _directory(book)
    first = next(place for place, name in places if name == "xl/worksheets/extra0.xml")
    offset = bytes(book[first + 42 : first + 46])
    for place, name in places:
        if name.startswith("xl/worksheets/extra"):
            book[place + 42 : place + 46] = offset
    return bytes(book)


def _directory(book: bytes | bytearray) -> list[tuple[int, str]]:
    places, at = [], 0
    while (at := bytes(book).find(b"PK\x01\x02", at)) >= 0:
        length = struct.unpack_from("<H", book, at + 28)[0]
        places.append((at, bytes(book[at + 46 : at + 46 + length]).decode()))
        at += 4
    return places


def xml_bomb() -> bytes:
    """A billion laughs in the shared strings."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY l0 "lol">{laughs}]><sst><si><t>&l9;</t></si></sst>'
    return with_parts(empty_book(), {"xl/sharedStrings.xml": text.encode()})


def far_cell() -> bytes:
    """Two cells at the two ends of the sheet: what lies between would fill any memory."""
    book = workbook([COLUMNS, ["91"]])
    sheet = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>名称</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    )
    return with_parts(book, {"xl/worksheets/sheet1.xml": sheet.encode()})


def password_book() -> bytes:
    """What a spreadsheet program writes when a password is set: a compound file with an encrypted package."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)


def old_book() -> bytes:
    """A workbook of the format before XLSX."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "Workbook".encode("utf-16-le") + bytes(512)


def truncated_book() -> bytes:
    """A workbook that lost its end."""
    book = empty_book()
    return book[: len(book) // 2]


def png() -> bytes:
    """A picture."""
    return b"\x89PNG\r\n\x1a\n" + zlib.compress(b"picture")
