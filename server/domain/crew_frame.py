"""Who may be matched: the officers' list of a lot, and for each visit who is left out of it and why (18, 19, 20)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Protocol

from server.domain.calendar import Calendar
from server.domain.leave import Leave

HALVES: Final = {"am": "morning", "pm": "afternoon"}
OUT_OF_FRAME: Final = ("LEFT", "NOT_YET", "EXPIRED", "DOMAIN")
"""Why an officer of the unit takes no part in a lot at all."""

LEFT_OUT: Final = ("LEFT", "NOT_YET", "EXPIRES", "INTEREST", "RECUSED", "LEAVE", "BUSY")
"""Why one who takes part isn't matched with one visit."""

LEAST: Final = 2
"""R18.2: officers of a visit."""

_HALF_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}/(?:am|pm)", re.ASCII)


class Candidate(Protocol):
    """What is asked of an officer."""

    @property
    def id(self) -> str: ...
    @property
    def certificate(self) -> str: ...
    @property
    def certificate_from(self) -> str: ...
    @property
    def certificate_to(self) -> str: ...
    @property
    def domains(self) -> Sequence[str]: ...
    @property
    def left_on(self) -> str | None: ...


def out_of_frame(one: Candidate, day: str, domain: str) -> str | None:
    """Why an officer takes no part in a lot of that day (R9.2, R19.1); None where he does."""
    bar = _not_here(one, day)
    if bar is not None:
        return bar
    if one.certificate_to < day:
        return "EXPIRED"
    return None if domain in one.domains else "DOMAIN"


def frame_text(officers: Iterable[Candidate], day: str, domain: str) -> str:
    """The list as it is hashed: `number TAB domains TAB E|X TAB reason LF`, by number."""
    lines = []
    for one in sorted(officers, key=lambda it: it.certificate):
        reason = out_of_frame(one, day, domain)
        part = f"X\t{reason}" if reason else "E\t-"
        lines.append(f"{one.certificate}\t{','.join(one.domains) or '-'}\t{part}\n")
    return "".join(lines)


def against(
    one: Candidate,
    half_day: str,
    subject_id: str,
    barred: Collection[tuple[str, str]],
    recused: Collection[tuple[str, str]],
    leave: Iterable[Leave],
    busy: Mapping[str, Collection[str]],
) -> list[str]:
    """All that keeps an officer off one visit; `barred` are the known interests of that day, `busy` the taken halves.

    The first of them is the reason that is published.
    """
    day, _, half = half_day.partition("/")
    pair = (one.id, subject_id)
    here = _not_here(one, day)
    found = [here] if here is not None else []
    found += ["EXPIRES"] if one.certificate_to < day else []
    found += ["RECUSED"] if pair in recused else []
    found += ["INTEREST"] if pair in barred else []
    found += ["LEAVE"] if any(away.officer_id == one.id and _is_away(away, day, half) for away in leave) else []
    return found + (["BUSY"] if half_day in busy.get(one.id, ()) else [])


def _not_here(one: Candidate, day: str) -> str | None:
    if one.left_on is not None and one.left_on <= day:
        return "LEFT"
    return "NOT_YET" if day < one.certificate_from else None


def _is_away(leave: Leave, day: str, half: str) -> bool:
    return leave.since <= day <= leave.until and leave.part in ("whole", HALVES[half])


def is_half_day(text: str) -> bool:
    """Whether this names half a day, such as "2026-09-08/am"."""
    if _HALF_DAY.fullmatch(text) is None:
        return False
    try:
        return bool(date.fromisoformat(text[:10]))
    except ValueError:
        return False


def working_half_days(first: date, last: date, calendar: Calendar) -> list[str]:
    """The half-days on which people work from the first day to the last, as far as the calendar is known."""
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [
        f"{day}/{half}" for day in days if calendar.knows(day.year) and calendar.is_working_day(day) for half in HALVES
    ]


def proposed_half_days(visits: Sequence[tuple[str, date, date]], calendar: Calendar) -> dict[str, str]:
    """Visit -> the half-day proposed for it: the visits, in the order given, spread evenly over their windows."""
    found = {}
    for place, (visit, first, last) in enumerate(visits):
        half_days = working_half_days(first, last, calendar)
        if half_days:
            found[visit] = half_days[place * len(half_days) // len(visits)]
    return found
