"""A year of the calendar as it is entered: pasted, or from a file; every fault with its row (R26.1)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from server.domain.calendar import CalendarYear
from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Fault

ARTICLE: Final = "26"
STATES: Final = ("released", "draft")
FIRST_YEAR, LAST_YEAR = 2004, 2100
ROWS_MOST: Final = 400
FILE_MOST: Final = 256 * 1024
REASON_MOST: Final = 500

KINDS: Final[Mapping[str, Literal["off", "makeup"]]] = {
    "放假": "off",
    "休": "off",
    "休息": "off",
    "off": "off",
    "上班": "makeup",
    "补班": "makeup",
    "班": "makeup",
    "makeup": "makeup",
}
"""What a file may call a day."""

_TO: Final = re.compile(r"\s*(?:至|到|~|～|—|-{2,})\s*")
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)


class Row(msgspec.Struct, frozen=True):
    """One line of what was entered: its number, the field that it came from, the kind, and its text."""

    number: int
    field: str
    kind: str
    text: str


class _File(msgspec.Struct, frozen=True):
    off: list[str]
    makeup: list[str] = []


def rows_of_text(field: Literal["off", "makeup"], text: str) -> list[Row]:
    """The lines of a pasted list; empty ones count for the number, and for nothing else."""
    return [Row(n, field, field, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]


def rows_of_file(content: bytes) -> tuple[list[Row], list[Fault]]:
    """The rows of a file: JSON `{"off": [...], "makeup": [...]}`, or CSV with the columns 日期 and 类型."""
    if len(content) > FILE_MOST:
        return [], [Fault("file", "calendar_file_large", {"most": FILE_MOST // 1024})]
    text = _decoded(content)
    if text is None:
        return [], [Fault("file", "calendar_file_code")]
    return _of_json(text) if text.lstrip().startswith("{") else _of_csv(text)


def check_year(
    values: Mapping[str, str], rows: Sequence[Row], version: int, is_correction: bool
) -> tuple[CalendarYear | None, str, list[Fault]]:
    """One version of a year with its reason, or every fault at once; a correction says why.

    The right year, no day twice, make-up days on Saturdays and Sundays only.
    """
    entry = Entry(values)
    year = entry.number("year", FIRST_YEAR, LAST_YEAR)
    state = entry.choice("state", STATES)
    source = entry.line("source")
    number = entry.line("number", required=state == "released")
    reason = entry.text("reason", most=REASON_MOST, required=is_correction)
    days = {} if year is None else _days(entry, rows, year)
    if not rows:
        entry.wrong("off", "calendar_empty")
    if not entry.is_good or year is None:
        return None, reason, entry.faults
    off, makeup = ([day for day, kind in sorted(days.items()) if kind == wanted] for wanted in ("off", "makeup"))
    made = CalendarYear(year, version, "draft" if state == "draft" else "released", source, number, (), ())
    return msgspec.structs.replace(made, off=tuple(off), makeup=tuple(makeup)), reason, entry.faults


def _days(entry: Entry, rows: Sequence[Row], year: int) -> dict[date, str]:
    """Every day with its kind; what is wrong with a row is said with its number."""
    found: dict[date, str] = {}
    if len(rows) > ROWS_MOST:
        entry.wrong(rows[0].field, "calendar_rows", n=len(rows), most=ROWS_MOST)
        return found
    for row in rows:
        kind = KINDS.get(row.kind.strip().lower())
        if kind is None:
            entry.wrong(row.field, "calendar_kind", row=row.number, found=row.kind[:20])
            continue
        span = _span(row.text)
        if span is None:
            entry.wrong(row.field, "calendar_day", row=row.number, found=row.text[:30])
            continue
        for day in span:
            _take(entry, row, day, kind, year, found)
    return found


def _take(entry: Entry, row: Row, day: date, kind: str, year: int, found: dict[date, str]) -> None:
    text = day.isoformat()
    if day.year != year:
        entry.wrong(row.field, "calendar_year", row=row.number, day=text, year=year)
    elif day in found:
        code = "calendar_double" if found[day] == kind else "calendar_both"
        entry.wrong(row.field, code, row=row.number, day=text)
    elif kind == "makeup" and day.weekday() < 5:
        entry.wrong(row.field, "calendar_weekday", row=row.number, day=text)
    else:
        found[day] = kind


def _span(text: str) -> list[date] | None:
    """One day, or all from the first to the last: 2027-02-05 至 2027-02-11; at most 31."""
    ends = [_day(part) for part in _TO.split(text, 1)]
    first, last = ends[0], ends[-1]
    if first is None or last is None or not timedelta(0) <= last - first <= timedelta(30):
        return None
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(normal_code(text))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _of_json(text: str) -> tuple[list[Row], list[Fault]]:
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, RecursionError):
        return [], [Fault("file", "calendar_json")]
    rows = [Row(n, "file", "off", day) for n, day in enumerate(file.off, 1)]
    return rows + [Row(n, "file", "makeup", day) for n, day in enumerate(file.makeup, len(rows) + 1)], []


def _of_csv(text: str) -> tuple[list[Row], list[Fault]]:
    try:
        lines = list(_lines(text))
    except csv.Error:
        return [], [Fault("file", "calendar_file_code")]
    head = [cell.strip() for cell in lines[0][1]] if lines else []
    if "日期" not in head or "类型" not in head:
        return [], [Fault("file", "calendar_head", {"found": "、".join(head)[:40]})]
    at, kind = head.index("日期"), head.index("类型")
    padded = [(n, row + [""] * len(head)) for n, row in lines[1:] if any(cell.strip() for cell in row)]
    return [Row(n, "file", row[kind].strip(), row[at].strip()) for n, row in padded], []


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text))
    for row in reader:
        yield reader.line_num, row
