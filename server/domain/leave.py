"""Leave: the days on which an officer isn't there to inspect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final, Literal

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Fault, number_faults

PARTS: Final = {"whole": "全天", "morning": "上午", "afternoon": "下午"}
KINDS: Final = {
    "annual": "年休假",
    "sick": "病假",
    "private": "事假",
    "training": "培训学习",
    "duty": "值班和其他公务",
    "other": "其他",
}

Part = Literal["whole", "morning", "afternoon"]


class Leave(msgspec.Struct, frozen=True):
    """Leave from `since` to `until`, both included; half a day only where both are one day."""

    id: str
    officer_id: str
    since: str
    until: str
    part: Part
    kind: str
    reason: str = ""

    def keeps_away(self, first: str, last: str) -> bool:
        """Whether a whole day of these is lost to it; half a day leaves the other half."""
        return self.part == "whole" and self.since <= last and first <= self.until


class LeaveEntry(msgspec.Struct, frozen=True):
    """What was entered about a leave."""

    officer_id: str
    since: str
    until: str
    part: Part
    kind: str
    reason: str


def check_leave(
    values: Mapping[str, str], officers: Collection[str], known: Iterable[Leave] = ()
) -> tuple[LeaveEntry | None, list[Fault]]:
    """A leave as entered, for one of `officers`; `known` is the leave that is already entered."""
    entry = Entry(values)
    officer = entry.choice("officer_id", officers)
    since, until = entry.day("since"), entry.day("until")
    part, kind = entry.choice("part", PARTS), entry.choice("kind", KINDS)
    reason = entry.text("reason", most=200, required=False)
    entry.faults += number_faults("reason", reason)
    if since is not None and until is not None and until < since:
        entry.wrong("until", "days_swapped", since=since, until=until)
    if part in ("morning", "afternoon") and since != until:
        entry.wrong("part", "half_of_many_days", part=PARTS[part])
    if not entry.is_good or since is None or until is None:
        return None, entry.faults
    made = LeaveEntry(officer, since, until, _part(part), kind, reason)
    for one in known:
        if _overlaps(made, one):
            entry.wrong("since", "leave_overlaps", since=one.since, until=one.until)
    return (made if entry.is_good else None), entry.faults


def half_days_away(leave: Iterable[Leave], days: Iterable[date]) -> int:
    """How many half days of these days are lost to leave of one officer."""
    leave = list(leave)
    return sum(len({part for one in leave for part in _halves(one, day.isoformat())}) for day in days)


def _overlaps(entry: LeaveEntry, known: Leave) -> bool:
    if entry.officer_id != known.officer_id or entry.until < known.since or known.until < entry.since:
        return False
    return "whole" in (entry.part, known.part) or entry.part == known.part


def _halves(leave: Leave, day: str) -> tuple[str, ...]:
    if not leave.since <= day <= leave.until:
        return ()
    return ("morning", "afternoon") if leave.part == "whole" else (leave.part,)


def _part(part: str) -> Part:
    return "morning" if part == "morning" else "afternoon" if part == "afternoon" else "whole"
