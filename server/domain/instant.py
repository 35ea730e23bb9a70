"""Moments as the database keeps them: RFC 3339 text in UTC with milliseconds, which sorts as time does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


def stamp(moment: datetime) -> str:
    """The text of an aware moment: "2026-11-24T02:12:00.000Z"."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def instant(text: str) -> datetime:
    """The aware moment that `stamp` wrote down."""
    return datetime.fromisoformat(text)


def beijing_day(moment: datetime) -> date:
    """The day that it is in Beijing: the day on which people say that something was done."""
    return moment.astimezone(BEIJING).date()
