"""The working-day calendar: the admin brings a year's version, and every deadline that it touches is reckoned anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from server.domain.calendar import CalendarYear
from server.domain.calendar_entry import ARTICLE, Row, check_year, rows_of_file, rows_of_text
from server.domain.codes import normal_code
from server.domain.faults import Fault, Invalid
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.store import calendars, deadlines, trail
from server.store.calendars import Kept
from server.store.people import Person
from server.store.session import Connection


class Checked(msgspec.Struct, frozen=True):
    """A year that could be imported, with the version that is in force now."""

    year: CalendarYear
    reason: str
    before: CalendarYear | None

    @property
    def gone(self) -> list[tuple[str, str]]:
        """Days that the version in force has and this one hasn't, with their kind."""
        return [] if self.before is None else _days(self.before, self.year)

    @property
    def new(self) -> list[tuple[str, str]]:
        """Days that this version has and the one in force hasn't, with their kind."""
        return [] if self.before is None else _days(self.year, self.before)


@act("calendar.import", "calendar.change")
def import_year(
    conn: Connection, person: Person, now: datetime, values: Mapping[str, str], content: bytes | None = None
) -> CalendarYear:
    """Brings a version of a year; what waited for it becomes definite, and the trail's entry lists every change."""
    permit(person, "calendar.change", None)
    deadlines.hold_calendar(conn)
    checked = check_import(conn, values, content)
    year = checked.year
    if checked.before is not None and _same(checked.before, year):
        raise Problem("calendar_unchanged", year=year.year)
    calendars.add_year(conn, year, checked.reason, person.id, now)
    changes = deadlines.recompute(conn, year.year, year.version)
    detail: dict[str, object] = {
        "version": year.version,
        "state": year.state,
        "source": year.source,
        "number": year.number,
        "reason": checked.reason,
        "changes": msgspec.to_builtins(changes),
    }
    before = None if checked.before is None else digest_of(checked.before)
    trail.append(
        conn, [trail.Act("calendar.import", person.id, f"calendar:{year.year}", before, digest_of(year), detail)], now
    )
    return year


def check_import(conn: Connection, values: Mapping[str, str], content: bytes | None) -> Checked:
    """The dry check: the year as it would be, or every fault at once; nothing is changed."""
    rows, faults = _rows(values, content)
    given = normal_code(values.get("year", ""))
    kept = calendars.versions_of(conn, int(given)) if given.isascii() and given.isdigit() and len(given) == 4 else []
    if faults:
        raise Invalid(faults, ARTICLE)
    year, reason, found = check_year(values, rows, kept[0].year.version + 1 if kept else 1, bool(kept))
    if year is None:
        raise Invalid(found, ARTICLE)
    return Checked(year, reason, in_force(kept))


def in_force(kept: list[Kept]) -> CalendarYear | None:
    """Of a year's versions, the newest first, the one that counts."""
    return next((one.year for one in kept if one.year.state == "released"), None)


def state_of(one: Kept, kept: list[Kept]) -> str:
    """What a version of a year is: `released` and in force, `replaced` by a newer one, or a `draft`."""
    return one.year.state if one.year.state == "draft" or one.year == in_force(kept) else "replaced"


def _rows(values: Mapping[str, str], content: bytes | None) -> tuple[list[Row], list[Fault]]:
    if content:
        return rows_of_file(content)
    return rows_of_text("off", values.get("off", "")) + rows_of_text("makeup", values.get("makeup", "")), []


def _same(before: CalendarYear, after: CalendarYear) -> bool:
    return after.state == "released" and (before.off, before.makeup) == (after.off, after.makeup)


def _days(there: CalendarYear, missing_in: CalendarYear) -> list[tuple[str, str]]:
    pairs = (("off", there.off, missing_in.off), ("makeup", there.makeup, missing_in.makeup))
    found = [(day.isoformat(), kind) for kind, days, others in pairs for day in days if day not in others]
    return sorted(found)
