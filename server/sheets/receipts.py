"""Receipts of the province's platform: which of our rows has which number there."""

from __future__ import annotations

from typing import BinaryIO, Final

from server.domain.faults import Fault
from server.domain.layout import Column, Layout, header_of, values_of
from server.sheets.reading import BadSheet, form_of, rows

RECEIPTS: Final = Layout(
    "receipts",
    "省平台回执",
    "省平台回执",
    "key",
    (
        Column(
            "key",
            "本地编号",
            "code",
            "事项编号、信用代码、执法证号或计划行编号",
            "",
            ("事项编号", "统一社会信用代码", "信用代码", "注册号", "执法证号", "计划行编号", "公示编号"),
            True,
        ),
        Column("number", "省平台编号", "code", "平台回执上的编号", "", ("平台编号", "回执编号"), True),
    ),
)


def numbers_in(file: BinaryIO) -> dict[str, str]:
    """Our key -> the platform's number; a row without either, or a key twice, refuses the whole file."""
    found = [(row.number, row.cells) for row in rows(file, form_of(file), RECEIPTS.sheet) if row.number]
    header, faults = header_of(RECEIPTS, found)
    if header is None:
        raise BadSheet(faults)
    numbers: dict[str, str] = {}
    for number, cells in found:
        if number > header.row:
            values, faults = values_of(header, cells)
            if faults or not values["key"] or not values["number"] or values["key"] in numbers:
                raise BadSheet([Fault("file", "receipt_row", {"row": number})])
            numbers[values["key"]] = values["number"]
    if not numbers:
        raise BadSheet([Fault("file", "no_rows", {"row": header.row})])
    return numbers
