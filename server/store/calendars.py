"""Working-day calendars by year, in versions that stay; a new house knows what the library chinesecalendar knows."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from importlib.metadata import version as version_of_package
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.calendar import Calendar, CalendarYear
from server.domain.instant import stamp
from server.store.rules import HOUSE, SEEDED_AT
from server.store.tables import calendar_year

LIBRARY: Final = "chinesecalendar"


class Kept(msgspec.Struct, frozen=True):
    """A version of a year with who entered it, when and why."""

    year: CalendarYear
    reason: str
    entered_by: str
    entered_at: str


def calendar(conn: Connection) -> Calendar:
    """The calendar of today: each year in its newest released version."""
    return Calendar(kept.year for kept in years(conn))


def years(conn: Connection) -> list[Kept]:
    """Every version of every year, the last year first, and of each the newest version first."""
    return _kept(conn, _newest_first())


def versions_of(conn: Connection, year: int) -> list[Kept]:
    """Every version of one year, the newest first."""
    return _kept(conn, _newest_first().where(calendar_year.c.year == year))


def add_year(conn: Connection, added: CalendarYear, reason: str, by: str, now: datetime) -> None:
    """Adds a version of a year; one that is there already is an IntegrityError."""
    conn.execute(sa.insert(calendar_year).values(_row(added, reason, by, stamp(now))))


def seed(conn: Connection) -> None:
    """Gives a house without calendars the years that the library knows, with their source."""
    if conn.scalar(sa.select(sa.exists(sa.select(calendar_year.c.year)))):
        return
    conn.execute(sa.insert(calendar_year), [_row(year, "", HOUSE, SEEDED_AT) for year in from_library()])


def from_library() -> list[CalendarYear]:
    """The years 2004 to 2026, as the library has them."""
    from chinese_calendar.constants import holidays, workdays  # only a new house needs it

    off, makeup = defaultdict(list), defaultdict(list)
    for day in sorted(holidays):
        off[day.year].append(day)
    for day in sorted(workdays):
        makeup[day.year].append(day)
    source, number = f"{LIBRARY} {version_of_package(LIBRARY)}", "国务院办公厅历年节假日安排通知"
    return [
        CalendarYear(year, 1, "released", source, number, tuple(off[year]), tuple(makeup[year])) for year in sorted(off)
    ]


def _newest_first() -> sa.Select[tuple[object, ...]]:
    return sa.select(calendar_year).order_by(calendar_year.c.year.desc(), calendar_year.c.version.desc())


def _kept(conn: Connection, query: sa.Select[tuple[object, ...]]) -> list[Kept]:
    return [
        Kept(
            msgspec.convert({name: row[name] for name in CalendarYear.__struct_fields__}, CalendarYear),
            row["reason"],
            row["entered_by"],
            row["entered_at"],
        )
        for row in conn.execute(query).mappings()
    ]


def _row(added: CalendarYear, reason: str, by: str, at: str) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(added)
    return body | {"reason": reason, "entered_by": by, "entered_at": at}
