"""The annual plan: its states and moves as one table, its lines, and how two versions differ (R12.1-R14.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from server.domain.calendar import Calendar
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.errors import Problem

STATES: Final = ("draft", "submitted", "consolidated", "approved", "filed", "released", "amended")

MOVES: Final[dict[tuple[str, str], str]] = {
    ("draft", "submit"): "submitted",
    ("draft", "give_back"): "draft",
    ("submitted", "give_back"): "draft",
    ("submitted", "consolidate"): "consolidated",
    ("consolidated", "give_back"): "draft",
    ("consolidated", "refuse"): "submitted",
    ("consolidated", "approve"): "approved",
    ("approved", "file"): "filed",
    ("filed", "release"): "released",
    ("released", "amend"): "amended",
    ("amended", "submit"): "amended",
    ("amended", "give_back"): "amended",
    ("amended", "consolidate"): "consolidated",
}
"""State and move -> the state after it; what isn't here is refused. `submit` moves the plan when the last unit has
submitted, and `file` when both filings are there; until then the plan stays as it is. A later version that is given
back becomes `amended` again (`state_after`)."""

OPEN: Final = ("draft", "amended")
"""The states in which units change their lines."""

FILINGS: Final = ("upper", "market")
"""With whom a plan is filed (R12.2): the authority above, and the market regulator of the same level."""

JOINT: Final = ("lead", "participant")
SUM: Final = 100
MONTHS: Final = 12


def state_after(state: str, move: str, version: int) -> str:
    """The state after a move; what the table lacks is `plan_order`, or `plan_released`."""
    after = MOVES.get((state, move))
    if after is None:
        raise Problem("plan_released" if state == "released" else "plan_order", state=state, move=move)
    return "amended" if after in ("draft", "submitted") and version > 1 else after


def must_be_open(state: str) -> None:
    """Lines are changed in a draft or an amendment only: a released plan is never edited (R12.4)."""
    if state not in OPEN:
        codes = {"released": "plan_released", "submitted": "plan_part_in"}
        raise Problem(codes.get(state, "plan_order"), state=state, move="change")


class Line(msgspec.Struct, frozen=True):
    """What one unit plans for one item (R14.1): scope, window, estimated count, shares of unified and own draws."""

    unit_id: str
    item_id: str
    scope: str
    window_from: str
    window_to: str
    count: int
    flagged_count: int
    unified_share: int
    own_share: int
    months: tuple[int, ...]
    joint: str | None = None
    partner: str | None = None
    campaign: str | None = None
    reason: str | None = None

    @property
    def draws(self) -> int:
        """In how many months something is to be drawn."""
        return sum(n > 0 for n in self.months)


def check_line(values: Mapping[str, str], year: int, items: Collection[str]) -> tuple[Line | None, list[Fault]]:
    """A line as it was entered, and everything that is wrong with it; `items` are those that may be chosen."""
    entry = Entry(values)
    item = entry.choice("item_id", items)
    scope = entry.text("scope", most=400)
    first, last = entry.day("window_from"), entry.day("window_to")
    count = entry.number("count", 0, 100_000)
    flagged = entry.number("flagged_count", 0, 100_000, required=False)
    unified, own = entry.number("unified_share", 0, SUM), entry.number("own_share", 0, SUM)
    joint = entry.choice("joint", JOINT, required=False)
    partner = entry.name("partner", required=joint != "")
    months = tuple(entry.number(f"month_{n}", 0, 100_000, required=False) or 0 for n in range(1, MONTHS + 1))
    campaign = entry.line("campaign", required=False)
    reason = entry.text("reason", most=1000, required=False)
    _check_window(entry, first, last, year)
    _check_sums(entry, count, flagged, unified, own, months)
    if entry.is_good and first and last:
        months = months if any(months) else spread(count or 0, first, last)
        line = Line(
            unit_id=values.get("unit_id", ""),
            item_id=item,
            scope=scope,
            window_from=first,
            window_to=last,
            count=count or 0,
            flagged_count=flagged or 0,
            unified_share=unified or 0,
            own_share=own or 0,
            months=months,
            joint=joint or None,
            partner=partner or None,
            campaign=campaign or None,
            reason=reason or None,
        )
        _check_months(entry, line)
        return (line if entry.is_good else None), entry.faults
    return None, entry.faults


def _check_window(entry: Entry, first: str | None, last: str | None, year: int) -> None:
    good = {fault.field for fault in entry.faults}
    for field, day in (("window_from", first), ("window_to", last)):
        if field not in good and day and day[:4] != str(year):
            entry.wrong(field, "plan_other_year", found=day, year=year)
    if good.isdisjoint(("window_from", "window_to")) and first and last and last < first:
        entry.wrong("window_to", "plan_ends_before", start=first)


def _check_sums(
    entry: Entry, count: int | None, flagged: int | None, unified: int | None, own: int | None, months: Sequence[int]
) -> None:
    if unified is not None and own is not None and unified + own != SUM:
        entry.wrong("own_share", "plan_shares", sum=unified + own)
    if count is not None and (flagged or 0) > count:
        entry.wrong("flagged_count", "plan_more_flagged", n=flagged or 0, count=count)
    if count is not None and any(months) and sum(months) != count:
        entry.wrong("months", "plan_months", sum=sum(months), count=count)


def _check_months(entry: Entry, line: Line) -> None:
    first, last = int(line.window_from[5:7]), int(line.window_to[5:7])
    outside = [month for month, n in enumerate(line.months, 1) if n and not first <= month <= last]
    if outside:
        entry.wrong("months", "plan_month_outside", month=outside[0])


def spread(count: int, first: str, last: str) -> tuple[int, ...]:
    """A count spread evenly over the months of a window, the earlier months first."""
    start, end = date.fromisoformat(first).month, date.fromisoformat(last).month
    share, rest = divmod(count, end - start + 1)
    return tuple(share + (month - start < rest) if start <= month <= end else 0 for month in range(1, MONTHS + 1))


REASONS: Final = {
    "below_floor": "plan_below_floor",
    "flagged_not_raised": "plan_flagged_not_raised",
    "below_proposal": "plan_below_proposal",
}
"""What needs a reason (codes of domain/ratio.py) -> the problem that asks for it; the gravest first."""


def must_have_reasons(line: Line, needed: Sequence[str]) -> None:
    """A number below the proposal or the floor, or flagged subjects without a higher ratio, say why (R6.4, R6.5)."""
    if needed and not line.reason:
        code = next(problem for need, problem in REASONS.items() if need in needed)
        raise Problem(code, members={"needs": list(needed)}, n=line.count)


# --- what is missing to go on -----------------------------------------------------------------------------------------


class Missing(msgspec.Struct, frozen=True):
    """One thing that is missing before a move: its code, whom or what it is about, and how many."""

    code: str
    about: str = ""
    n: int = 0


MISSING: Final = {
    "empty": "plan_empty",
    "unsigned": "plan_unsigned",
    "open_unit": "plan_units_open",
    "frequency": "plan_no_line",
    "ratio": "plan_below_floor_sum",
    "undecided": "plan_undecided",
    "filing": "plan_not_filed",
    "joint": "plan_no_joint",
    "unchanged": "plan_unchanged",
}
"""What may be missing before a move -> the problem that says so."""


def must_be_complete(missing: Sequence[Missing]) -> None:
    """Refuses a move with the first thing that is missing; all of them stand in the problem's members."""
    if missing:
        first = missing[0]
        same = [one for one in missing if one.code == first.code]
        raise Problem(
            MISSING[first.code],
            members={"missing": msgspec.to_builtins(missing)},
            about="、".join(dict.fromkeys(one.about for one in same if one.about)),
            n=first.n or len(same),
        )


def is_red(joint_lines: int, least: int, day: date, year: int, red_quarter: int) -> bool:
    """Whether a joint task is overdue to be planned or led: from the fourth quarter of the year (R13.2)."""
    return joint_lines < least and (day.year > year or (day.year == year and (day.month - 1) // 3 + 1 >= red_quarter))


# --- what the public reads, and how versions differ -------------------------------------------------------------------


class PublicLine(msgspec.Struct, frozen=True):
    """A line as it is public: no person, no reason, no number of flagged subjects. `share` is per 10,000."""

    id: str
    unit: str
    item: str
    scope: str
    window_from: str
    window_to: str
    count: int
    share: int
    unified_share: int
    own_share: int
    months: tuple[int, ...]
    joint: str | None
    partner: str | None
    campaign: str | None


class PublicFiling(msgspec.Struct, frozen=True):
    """With whom a version was filed (R12.2)."""

    kind: str
    authority: str
    number: str
    filed_on: str


class PublicPlan(msgspec.Struct, frozen=True):
    """A released version: closed data, kept as canonical JSON under its digest (R12.3)."""

    year: int
    version: int
    supervision_plan: str
    released_on: str
    reason: str | None
    lines: tuple[PublicLine, ...]
    filings: tuple[PublicFiling, ...]


COMPARED: Final = (
    "scope",
    "window_from",
    "window_to",
    "count",
    "unified_share",
    "own_share",
    "joint",
    "partner",
    "months",
    "campaign",
)
"""The fields in which two versions of a line are compared, in the order in which they are read."""


class Change(msgspec.Struct, frozen=True):
    """How one line differs from the version before: added, removed, or changed in some fields."""

    line_id: str
    kind: str
    unit: str
    item: str
    fields: tuple[tuple[str, Any, Any], ...] = ()


def differences(before: Sequence[PublicLine], after: Sequence[PublicLine]) -> list[Change]:
    """The readable difference of two versions: what is gone or changed in the old order, then what is new."""
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    found = [_change(line, new.get(line.id)) for line in before]
    found += [Change(line.id, "added", line.unit, line.item) for line in after if line.id not in old]
    return [one for one in found if one.kind != "changed" or one.fields]


def _change(old: PublicLine, new: PublicLine | None) -> Change:
    if new is None:
        return Change(old.id, "removed", old.unit, old.item)
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in COMPARED)
    return Change(old.id, "changed", new.unit, new.item, tuple(one for one in pairs if one[1] != one[2]))


# --- capacity ---------------------------------------------------------------------------------------------------------


class Capacity(msgspec.Struct, frozen=True):
    """A unit's year: officers x working days, less leave and other duties, against planned visits x two officers."""

    officers: int
    working_days: int
    leave_half_days: int
    other_days: int
    visits: int

    @property
    def half_days(self) -> int:
        """What the unit has, in half-days of one officer."""
        return max(2 * (self.officers * self.working_days - self.other_days) - self.leave_half_days, 0)

    @property
    def needed(self) -> int:
        """What the plan takes: half a day of two officers each visit."""
        return 2 * self.visits

    @property
    def is_enough(self) -> bool:
        """Whether the plan fits into it, with the two officers that every visit needs."""
        return self.needed <= self.half_days and (self.officers >= 2 or not self.visits)


def days_of(year: int, calendar: Calendar) -> list[date]:
    """The working days of a year that the calendar knows."""
    first = date(year, 1, 1)
    days = (first + timedelta(n) for n in range((date(year + 1, 1, 1) - first).days))
    return [day for day in days if calendar.is_working_day(day)]
