"""Feeds and small tables hold whatever text there is, and can still be read."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from server.routes.feeds import NEVER, Entry, Feed, atom, id_of, json_feed
from server.sheets.plain import csv_bytes, plain

ATOM = "{http://www.w3.org/2005/Atom}"


def a_feed(*entries: Entry) -> Feed:
    return Feed("name", "清单", "某局", "http://x/feed.atom", "http://x/", entries)


@given(st.text())
def test_any_text_makes_a_feed_that_an_xml_parser_reads(text: str) -> None:
    entry = Entry("one", text, "http://x/1", "2026-11-24T02:00:00Z", text)
    root = ElementTree.fromstring(atom(a_feed(entry)))
    shown = root.findtext(f"{ATOM}entry/{ATOM}content") or ""
    legal = "".join(sign for sign in text if is_xml(ord(sign)))
    assert shown == legal.replace("\r\n", "\n").replace("\r", "\n")


def is_xml(sign: int) -> bool:
    """Whether XML 1.0 can hold a character (production 2, Char)."""
    return sign in (9, 10, 13) or 0x20 <= sign <= 0xD7FF or 0xE000 <= sign <= 0xFFFD or sign >= 0x10000


def test_an_empty_feed_is_a_feed() -> None:
    root = ElementTree.fromstring(atom(a_feed()))
    assert root.findtext(f"{ATOM}updated") == NEVER
    assert b'"items": []' in json_feed(a_feed())


def test_an_id_depends_on_the_name_alone() -> None:
    assert id_of("a") == id_of("a") != id_of("b")
    assert id_of("a").startswith("urn:uuid:")


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4), max_size=4))
def test_a_table_is_read_again_as_it_was_but_for_the_apostrophes(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_bytes(rows).decode("utf-8-sig"), newline="")))
    assert read == [[plain(cell) for cell in row] for row in rows]


@given(st.sampled_from(["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", " =", "\u3000@"]), st.text())
def test_no_cell_begins_a_formula_and_numbers_stay_numbers(start: str, rest: str) -> None:
    assert plain(start + rest).startswith("'")
    assert plain(-3) == "-3"
    assert plain(None) == ""
