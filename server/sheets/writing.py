"""Sheets that people take away: no cell of them is ever a formula, whatever somebody once typed into it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import xlsxwriter

from server.domain.layout import Column, Layout, plain_words
from server.sheets.quoting import is_dangerous, quoted

BOM: Final = "\ufeff"
"""Without it the usual spreadsheet takes a UTF-8 text for one in the local code page."""

_SHARED_MEMORY: Final = Path("/dev/shm")


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The rows as CSV in UTF-8 with its mark, some hundred at a time."""
    buffer = io.StringIO(BOM)
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer, lineterminator="\r\n")
    for number, row in enumerate(rows, 1):
        writer.writerow([quoted(cell) for cell in row])
        if number % 500 == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def write_workbook(file: BinaryIO, sheet: str, rows: Iterable[Sequence[str]]) -> None:
    """The rows as a workbook of texts, written row by row; its parts wait in memory and not on the disk."""
    with _workbook(file) as book:
        quote = book.add_format({"quote_prefix": True, "num_format": "@"})
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"bold": True, "num_format": "@"})
        page = book.add_worksheet(sheet)
        page.freeze_panes(1, 0)
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                look = head if number == 0 else quote if is_dangerous(cell) else text
                page.write_string(number, at, cell[:32_767], look)


def write_template(file: BinaryIO, layout: Layout) -> None:
    """An empty sheet of the layout, its columns set as text and its words to choose from, and a sheet that explains."""
    with _workbook(file, constant=False) as book:
        text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        page = book.add_worksheet(layout.sheet)
        page.freeze_panes(1, 0)
        for at, column in enumerate(layout.columns):
            page.set_column(at, at, 20, text)
            page.write_string(0, at, column.header, head)
            if column.kind == "word":
                words = [word for word, _ in column.words]
                page.data_validation(1, at, 5000, at, {"validate": "list", "source": words, "error_type": "warning"})
        _explain(book.add_worksheet("填写说明"), layout, head, book.add_format({"num_format": "@", "text_wrap": True}))


EXPLAINED: Final = ("列名", "必填", "怎么填", "可用的词", "例子", "也认这些列名")


def explanation(column: Column) -> tuple[str, ...]:
    """What is said of a column, under `EXPLAINED`."""
    required = "是" if column.required else "否"
    return column.header, required, column.said, plain_words(column), column.example, "、".join(column.aliases)


def _explain(page: Any, layout: Layout, head: Any, look: Any) -> None:
    for at, (title, width) in enumerate(zip(EXPLAINED, (20, 6, 44, 44, 34, 26), strict=True)):
        page.set_column(at, at, width, look)
        page.write_string(0, at, title, head)
    for number, column in enumerate(layout.columns, 1):
        for at, said in enumerate(explanation(column)):
            page.write_string(number, at, said, look)


def _workbook(file: BinaryIO, *, constant: bool = True) -> xlsxwriter.Workbook:
    options: dict[str, Any] = {"in_memory": True}
    if constant and _SHARED_MEMORY.is_dir():
        options = {"constant_memory": True, "tmpdir": str(_SHARED_MEMORY)}
    elif constant:
        options = {"constant_memory": True}
    plain = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}
    return xlsxwriter.Workbook(file, options | plain)
