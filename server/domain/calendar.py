"""Working days by the State Council's calendar: deadlines, days left, and the light that they show (R26.1, R31.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

DAY: Final = timedelta(1)


class CalendarYear(msgspec.Struct, frozen=True):
    """One version of one year, as a document of the State Council has it; a `draft` counts for nothing yet.

    `off` are the days off by that document, weekends among them or not; `makeup` are the Saturdays and Sundays worked.
    """

    year: int
    version: int
    state: Literal["released", "draft"]
    source: str
    number: str
    off: tuple[date, ...]
    makeup: tuple[date, ...]


class Calendar:
    """The years that are known, each in its newest released version; about any other year it says nothing."""

    def __init__(self, years: Iterable[CalendarYear]) -> None:
        self.years = {one.year: one for one in sorted(years, key=_order) if one.state == "released"}
        self._off = {day for one in self.years.values() for day in one.off}
        self._makeup = {day for one in self.years.values() for day in one.makeup}

    def knows(self, year: int) -> bool:
        """Whether the year's working days are known."""
        return year in self.years

    def is_working_day(self, day: date) -> bool:
        """Whether people work on this day; it lies in a known year, else it is a ValueError: nobody guesses."""
        if not self.knows(day.year):
            raise ValueError(f"The calendar of {day.year} isn't known.")
        return day in self._makeup or (day.weekday() < 5 and day not in self._off)

    def versions(self, first: int, last: int) -> dict[str, int]:
        """Year -> version, for the known years from the first to the last: what a deadline was reckoned by."""
        return {str(year): one.version for year, one in self.years.items() if first <= year <= last}


class Due(msgspec.Struct, frozen=True):
    """A deadline: definite on a day, or provisional, with how many of its days are known and the year that is missing.

    A provisional one has no guessed date: "已知 19 天，缺 2027 年日历".
    """

    on: date | None
    known: int
    missing_year: int | None


def due_date(start: date, days: int, calendar: Calendar) -> Due:
    """The `days`-th working day after `start`, which isn't counted itself; it ends at 24:00 in Beijing (R26.1)."""
    known, day = 0, start
    while known < days:
        day += DAY
        if not calendar.knows(day.year):
            return Due(None, known, day.year)
        known += calendar.is_working_day(day)
    return Due(day, known, None)


def working_days_between(start: date, end: date, calendar: Calendar) -> int | None:
    """Working days after `start` up to and with `end`, negative where `end` is earlier.

    None where a year in between isn't known.
    """
    first, last = min(start, end), max(start, end)
    days = list(_days(first, last))
    if not all(calendar.knows(day.year) for day in days):
        return None
    count = sum(calendar.is_working_day(day) for day in days)
    return count if start <= end else -count


class Light(msgspec.Struct, frozen=True):
    """What a deadline shows: `far`, then by the steps of the rule set `soon`, `near`, `now`; `past`, `overdue`.

    `days` is the number to say: working days left, or by how many the target or the legal date is past. `unknown` is a
    provisional deadline, or a day about which the calendar says nothing.
    """

    kind: Literal["far", "soon", "near", "now", "past", "overdue", "unknown"]
    days: int


def light_of(
    target: date | None, legal: date | None, today: date, steps: tuple[int, int, int], calendar: Calendar
) -> Light:
    """The light of a target date today; it accuses (`overdue`) only past the legal date, where one is known."""
    if target is None:
        return Light("unknown", 0)
    left = working_days_between(today, target, calendar)
    if left is None:
        return Light("unknown", 0)
    if today > target:
        return _late(target, legal, today, calendar)
    soon, near, now = steps
    kind: Literal["far", "soon", "near", "now"] = (
        "now" if left <= now else "near" if left <= near else "soon" if left <= soon else "far"
    )
    return Light(kind, left)


def kept_of(due: date | None, legal: date | None, done: date | None, today: date) -> str:
    """How a deadline was kept: `in_time`, `past` the target, `overdue` past the legal date; `waits` while it can be
    kept, `unknown` while it is provisional. What isn't done yet is looked at as if it were done today."""
    if due is None:
        return "unknown"
    on = done or today
    if on > due:
        return "overdue" if legal is not None and on > legal else "past"
    return "in_time" if done else "waits"


def _late(target: date, legal: date | None, today: date, calendar: Calendar) -> Light:
    is_overdue = legal is not None and today > legal
    since = legal if is_overdue and legal is not None else target
    return Light("overdue" if is_overdue else "past", working_days_between(since, today, calendar) or 0)


def _days(after: date, until: date) -> Iterator[date]:
    for place in range(1, (until - after).days + 1):
        yield after + timedelta(place)


def _order(one: CalendarYear) -> tuple[int, int]:
    return one.year, one.version
