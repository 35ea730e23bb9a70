"""When the demo's things happen: every moment hangs on the day on which it is loaded."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from server.demo.phone import BEIJING

ENTERED_AGO, DRAWN_AGO, DISPATCHED_AGO, MATCHED_AGO = 43, 40, 36, 34
"""On which weekday before today the tasks of the quarter were set up, drawn, dispatched, and their crews sent."""


def moment(today: date, workdays_ago: int, hour: int, minute: int = 0) -> datetime:
    """A time in Beijing on the n-th weekday before `today`; after it where the number is negative."""
    day, step = today, 1 if workdays_ago > 0 else -1
    while workdays_ago:
        day -= timedelta(step)
        workdays_ago -= step * (day.weekday() < 5)
    return datetime.combine(day, time(hour, minute), BEIJING)


def quarter(today: date) -> str:
    """The quarter for which the tasks are."""
    return f"{today.year}年第{'一二三四'[(today.month - 1) // 3]}季度"
