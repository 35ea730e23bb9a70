"""Small tables as CSV that a spreadsheet opens as text: with a byte order mark, and no cell of them a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that some spreadsheet takes for a formula, full-width letters too."""


def plain(cell: object) -> str:
    """A cell's text; what could be taken for a formula gets an apostrophe before it. Numbers stay as they are."""
    text = "" if cell is None else str(cell)
    is_text = not isinstance(cell, (int, float))
    return f"'{text}" if is_text and text.lstrip(" \u3000").startswith(FORMULA) else text


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """The rows in UTF-8 with a byte order mark, every cell quoted, lines ended as RFC 4180 says."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")
