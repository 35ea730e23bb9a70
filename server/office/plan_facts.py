"""What the plan's rules rest on, read from the registries: populations, proposals, each item's year, capacity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from server.domain.calendar import Calendar
from server.domain.item import Item
from server.domain.leave import half_days_away
from server.domain.plan import Capacity, Missing, days_of
from server.domain.ratio import Ground, Proposal, Year, propose
from server.domain.ruleset import RuleSet
from server.errors import Problem
from server.store import items, plans, selections
from server.store.calendars import calendar
from server.store.leaves import listed
from server.store.plans import Kept, Override, Part, Plan
from server.store.rules import rule_set_on
from server.store.selections import Progress
from server.store.session import Connection


def plan_for(conn: Connection, year: int, *, lock: bool = False) -> Plan:
    """The plan of a year, or `not_found`."""
    found = plans.plan_of(conn, year, lock=lock)
    if found is None:
        raise Problem("not_found")
    return found


def day_of(year: int, today: date) -> date:
    """The day on which a plan's numbers are reckoned: today, or the nearest day of the plan's year."""
    return min(max(today, date(year, 1, 1)), date(year, 12, 31))


def released_items(conn: Connection, today: date) -> tuple[int, dict[str, Item]]:
    """The released item list of today: its number, 0 before the first, and its items by id (R2.1)."""
    n = items.current_version(conn, today.isoformat())
    return (0, {}) if n is None else (n, {one.id: one for one in items.items_of(conn, n)})


def proposal_for(
    conn: Connection, item: Item, unit_id: str, year: int, today: date, campaign: str | None = None
) -> Proposal:
    """What the system proposes for an item in a unit's library."""
    day = day_of(year, today)
    rules = rule_set_on(conn, day)
    ground = None if campaign is None else Ground("campaign", campaign)
    people = selections.population(conn, item, unit_id, rules, day)
    return propose(people, rules, statutory=item.ratio, campaign=ground)


# --- each item's year -------------------------------------------------------------------------------------------------


class ItemYear(msgspec.Struct, frozen=True):
    """One item of the released list: what is planned, drawn and done, over all units."""

    item: Item
    year: Year

    @property
    def missing(self) -> dict[str, int]:
        """What is short of the rules and nobody has approved: kind -> by how much."""
        return self.year.missing()


def item_years(conn: Connection, year: int, today: date, lines: Sequence[Kept]) -> list[ItemYear]:
    """The year of each released item, whatever anybody has approved: see `excused`."""
    day = day_of(year, today)
    rules = rule_set_on(conn, day)
    _, released = released_items(conn, today)
    people = selections.populations(conn, list(released.values()), None, rules, day)
    done = selections.progress(conn, year)
    found = []
    for id, item in released.items():
        proposal = propose(people[id], rules, statutory=item.ratio)
        mine = [one for one in lines if one.line.item_id == id]
        found.append(ItemYear(item, _year(proposal, rules, mine, done.get(id, Progress()))))
    return found


def _year(proposal: Proposal, rules: RuleSet, lines: Sequence[Kept], done: Progress) -> Year:
    return Year(
        population=proposal.population,
        floor=proposal.floor,
        planned=sum(one.line.count for one in lines if one.line.campaign is None),
        drawn=done.drawn,
        done=done.done,
        draws=sum(one.line.draws for one in lines),
        frequency=rules.frequency,
        at_cap=len(proposal.excluded) + len(proposal.kept),
    )


def excused(
    years: Sequence[ItemYear], requests: Sequence[Override], accepted: Sequence[str] = ("approved",)
) -> list[ItemYear]:
    """The same years with the requests that stand for what is missing: in an `accepted` state, as far as asked."""
    good = [one for one in requests if one.state in accepted]
    return [
        msgspec.structs.replace(
            one,
            year=msgspec.structs.replace(
                one.year,
                overridden=frozenset(
                    request.kind
                    for request in good
                    if request.item_id == one.item.id
                    and request.asked <= (one.year.planned if request.kind == "ratio" else one.year.draws)
                ),
            ),
        )
        for one in years
    ]


def missing_for(
    plan: Plan,
    years: Sequence[ItemYear],
    lines: Sequence[Kept],
    parts: Sequence[Part],
    requests: Sequence[Override],
    *,
    decided: bool,
) -> list[Missing]:
    """What is missing before a plan is consolidated; with `decided` also before the principal approves it."""
    accepted = ("approved",) if decided else ("approved", "asked")
    found = [Missing("unsigned", one.unit) for one in lines if one.signed_by is None]
    found += [Missing("open_unit", one.unit) for one in parts if one.state == "open"]
    found += [Missing("undecided", one.item) for one in requests if one.state == "asked" and decided]
    for one in excused(years, requests, accepted):
        found += [Missing(kind, one.item.name) for kind in ("frequency", "ratio") if kind in one.missing]
    found += [Missing("ratio", name) for name in _below_by_unit(lines, requests, accepted)]
    if not any(one.line.joint for one in lines):
        found.append(Missing("joint"))
    return sorted(dict.fromkeys(found), key=lambda one: _ORDER.index(one.code))


def _below_by_unit(lines: Sequence[Kept], requests: Sequence[Override], accepted: Sequence[str]) -> list[str]:
    """What a unit plans less of than the floor of its own library, without an accepted request of its lines."""
    found = []
    for one in lines:
        if one.line.campaign is not None:
            continue
        same = [other for other in lines if _alike(one, other)]
        total = sum(other.line.count for other in same)
        ids = {other.id for other in same}
        is_asked = any(
            request.line_id in ids and request.state in accepted and request.asked <= total for request in requests
        )
        if total < one.floor and not is_asked:
            found.append(f"{one.item}（{one.unit}）")
    return list(dict.fromkeys(found))


def _alike(one: Kept, other: Kept) -> bool:
    """Whether two lines are reckoned together: of one unit, for one item, neither of a campaign."""
    return (one.line.unit_id, one.line.item_id, None) == (other.line.unit_id, other.line.item_id, other.line.campaign)


_ORDER = ("open_unit", "unsigned", "undecided", "frequency", "ratio", "joint")


# --- capacity ---------------------------------------------------------------------------------------------------------


class UnitCapacity(msgspec.Struct, frozen=True):
    """A unit's capacity; `estimated` is the year whose working days were taken where the plan's own aren't known."""

    unit_id: str
    unit: str
    capacity: Capacity
    estimated: int | None


def capacities(conn: Connection, plan: Plan, parts: Sequence[Part], lines: Sequence[Kept]) -> list[UnitCapacity]:
    """Every unit's officers x working days, less leave and other duties, against what it plans."""
    known = calendar(conn)
    days, estimated = _working_days(known, plan.year)
    first, last = f"{plan.year}-01-01", f"{plan.year}-12-31"
    return [
        UnitCapacity(
            part.unit_id,
            part.unit,
            Capacity(
                officers=plans.officers_in(conn, part.unit_id, first, last),
                working_days=len(days),
                leave_half_days=_leave(conn, part.unit_id, first, last, days if estimated is None else []),
                other_days=part.other_days,
                visits=sum(one.line.count for one in lines if one.line.unit_id == part.unit_id),
            ),
            estimated,
        )
        for part in parts
    ]


def _working_days(known: Calendar, year: int) -> tuple[list[date], int | None]:
    """The working days of a year; where nobody knows them yet, those of the last known year and its number."""
    if known.knows(year):
        return days_of(year, known), None
    last = max((one for one in known.years if one < year), default=None)
    return ([], year) if last is None else (days_of(last, known), last)


def _leave(conn: Connection, unit_id: str, first: str, last: str, days: Sequence[date]) -> int:
    found = listed(conn, unit_id, first, last)
    officers = {one.leave.officer_id for one in found}
    return sum(
        half_days_away([one.leave for one in found if one.leave.officer_id == officer], days) for officer in officers
    )
