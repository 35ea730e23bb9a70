"""Reads a printed document back: its text page by page, what is active in it, and its pages as pictures."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import Any

import pypdf
import pypdfium2

BLANK = re.compile(r"\s")


def bare(text: str) -> str:
    """A text without blanks and line ends: where lines break is the paper's matter."""
    return BLANK.sub("", text)


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, without blanks."""
    with pypdfium2.PdfDocument(pdf) as paper:
        return [bare(_text(page)) for page in paper]


def _text(page: Any) -> str:
    reader = page.get_textpage()
    found: str = reader.get_text_range()
    reader.close()
    page.close()
    return found


def letters(texts: list[str]) -> Counter[str]:
    """How often each character stands in some texts."""
    return Counter("".join(map(bare, texts)))


def active_in(pdf: bytes) -> list[str]:
    """The names in the file that could do anything but show: actions, links, scripts, files, forms."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    found = set[str]()
    for id in range(1, len(reader.xref_objStm) + sum(map(len, reader.xref.values())) + 1):
        try:
            thing = reader.get_object(id)
        except (pypdf.errors.PdfReadError, KeyError):
            continue
        if isinstance(thing, dict):
            found |= {str(name) for name in thing}
    wrong = {"/JS", "/JavaScript", "/URI", "/Launch", "/AA", "/OpenAction", "/EmbeddedFiles", "/AcroForm", "/Annots"}
    return sorted(found & wrong)
