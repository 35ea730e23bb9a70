"""The scanner of the planted-values test finds what it should find: a test of a test, with a leak in every form."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
import zlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.store import tables
from server.store.session import Database
from tests.leaks import Scanner

VALUE, OTHER = "411303190001019999", "14000099999"


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.xml", b"<a/>")
        archive.writestr("xl/sharedStrings.xml", content)
    return out.getvalue()


PLACED = "某人 411303190001019999 。".encode()
FORMS = {
    "text": PLACED,
    "utf-16": PLACED.decode().encode("utf-16-le"),
    "hex": PLACED.hex().encode(),
    "HEX": PLACED.hex().upper().encode(),
    "gzip": gzip.compress(PLACED),
    "zlib": zlib.compress(PLACED, 9),
    "zip": _zip(PLACED),
    "gzip in gzip": gzip.compress(b"x" * 100 + gzip.compress(PLACED)),
    "base64 of gzip": base64.b64encode(gzip.compress(PLACED * 3)),
} | {f"base64 at {n}": base64.b64encode(b"y" * n + PLACED) for n in range(3)}


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("before", [b"", b"\x00\xff" * 9, "前".encode()])
def test_a_leak_is_found_in_every_form(form: str, before: bytes) -> None:
    scanner = Scanner([OTHER, VALUE])
    assert {leak.value for leak in scanner.scan("here", before + FORMS[form] + b"\xfe after")} == {VALUE}


def test_nothing_is_found_where_there_is_nothing() -> None:
    scanner = Scanner([VALUE])
    for data in (b"", b"41130319000101999", gzip.compress(b"411303190001019998"), bytes(range(256)) * 100):
        assert scanner.scan("here", data) == []
    assert scanner.places == 4


def test_a_leak_is_found_in_a_file_and_in_a_table(tmp_path: Path, any_database: Database) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old.log").write_bytes(b"{" + FORMS["base64 at 1"] + b"}")
    with any_database.write() as conn:
        conn.execute(sa.insert(tables.meta).values(key="text", value=f"x{VALUE}x"))
        deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = deflated.compress(OTHER.encode()) + deflated.flush()
        conn.execute(sa.insert(tables.template).values(sha256="0" * 64, title="x", body=body))
    scanner = Scanner([VALUE, OTHER])
    assert [leak.value for leak in scanner.scan_folder(tmp_path / "deep")] == [VALUE]
    found = {(leak.where, leak.value) for leak in scanner.scan_database(any_database)}
    assert found == {("table meta", VALUE), ("table template", OTHER)}
