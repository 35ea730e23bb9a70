"""Looks for planted values where they could have leaked to: as they are, in other codes, inside of packed bytes."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from server.store.session import Database

DEEPEST = 3
"""How often something packed may be packed again."""

MOST_UNPACKED = 64 * 2**20
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|PK\x03\x04")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{48,}={0,2}")


class Leak(NamedTuple):
    """A value that was found, where, and how it was written there."""

    where: str
    value: str
    how: str


class Scanner:
    """Knows what was planted, and counts where it has looked."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = tuple(values)
        self.places = 0
        self.looks = 0
        self.bytes = 0
        self._forms = [(value, how, form) for value in self.values for how, form in forms_of(value)]

    def scan(self, where: str, data: bytes) -> list[Leak]:
        """What is found in one place, and in what is packed inside of it."""
        self.places += 1
        return [Leak(where, value, how) for value, how in dict.fromkeys(self._found(data, 0))]

    def scan_text(self, where: str, text: str) -> list[Leak]:
        """The same of a text."""
        return self.scan(where, text.encode())

    def scan_folder(self, folder: Path) -> list[Leak]:
        """Every file of a folder, whatever its name; the database's own files and its log among them."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return [leak for path in files for leak in self.scan(str(path), path.read_bytes())]

    def scan_database(self, db: Database) -> list[Leak]:
        """Every value of every table, as text and as bytes."""
        found: list[Leak] = []
        with db.read() as conn:
            for table in sorted(sa.inspect(conn).get_table_names()):
                for row in conn.exec_driver_sql(f'SELECT * FROM "{table}"').mappings():
                    cells = b"\0".join(_cell(value) for value in row.values())
                    found += self.scan(f"table {table}", cells)
                    packed = (value for value in row.values() if isinstance(value, bytes | memoryview))
                    found += [leak for value in packed for leak in self._deflated(f"table {table}", bytes(value))]
        return found

    def _found(self, data: bytes, depth: int) -> Iterator[tuple[str, str]]:
        self.bytes += len(data)
        self.looks += len(self._forms)
        yield from ((value, how) for value, how, form in self._forms if form in data)
        if depth < DEEPEST:
            for how, inner in unpacked(data):
                yield from ((value, f"{how}: {inside}") for value, inside in self._found(inner, depth + 1))

    def _deflated(self, where: str, data: bytes) -> list[Leak]:
        inner = _inflate(data, -15)
        return [Leak(where, value, f"deflate: {how}") for value, how in self._found(inner, DEEPEST)] if inner else []


def forms_of(value: str) -> Iterator[tuple[str, bytes]]:
    """How a value may be written: as text, in hex, and in base64 wherever its bytes begin in it."""
    raw = value.encode()
    yield "text", raw
    yield "utf-16", value.encode("utf-16-le")
    yield "hex", raw.hex().encode()
    if raw.hex() != raw.hex().upper():
        yield "hex", raw.hex().upper().encode()
    seen = set()
    for before in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            coded = encode(b"\0" * before + raw)
            whole = coded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
            if whole not in seen:
                seen.add(whole)
                yield name, whole


def unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Everything inside of some bytes that can be unpacked: gzip, zlib, the files of a zip, base64 of such things."""
    for found in _PACKED.finditer(data):
        at = found.start()
        if found[0].startswith(b"PK"):
            inner, how = _zipped(data, at), "zip"
        else:
            inner, how = _inflate(data[at:], 31 if found[0][0] == 0x1F else 15), "gzip or deflate"
        if inner:
            yield how, inner
    for found in _BASE64.finditer(data):
        plain = _decoded(found[0])
        if plain and _PACKED.search(plain):
            yield "base64", plain


def _zipped(data: bytes, at: int) -> bytes:
    """The first file of a zip from its header on; every file has a header of its own."""
    names, extra = (int.from_bytes(data[at + place : at + place + 2], "little") for place in (26, 28))
    begin = at + 30 + names + extra
    return _inflate(data[begin:], -15) if data[at + 8 : at + 10] == b"\x08\x00" else b""


def _inflate(data: bytes, bits: int) -> bytes:
    try:
        return zlib.decompressobj(bits).decompress(data, MOST_UNPACKED)
    except zlib.error:
        return b""


def _decoded(text: bytes) -> bytes:
    try:
        plain = text.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        return base64.b64decode(plain[: len(plain) // 4 * 4])
    except binascii.Error:
        return b""


def _cell(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
