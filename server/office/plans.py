"""The way of the annual plan: submitted by units, consolidated, approved, filed, released, amended (R12.1-R12.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec
import rfc8785

from server.domain.entry import Entry
from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day, stamp
from server.domain.plan import (
    FILINGS,
    Change,
    Missing,
    PublicFiling,
    PublicPlan,
    differences,
    must_be_complete,
    must_be_open,
    state_after,
)
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.office.plan_facts import item_years, missing_for, plan_for
from server.store import plans, trail
from server.store.people import Person
from server.store.plans import Filing, Part, Plan
from server.store.session import Connection

FILED_WITH: Final = {"upper": "上一级", "market": "同级市场监管部门"}
"""How a problem names the two authorities that a plan is filed with."""


class Faulty(Invalid):
    """Faults of fields that an article asks for: the problem names the article."""

    def __init__(self, code: str, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.code = code


@act("plan.open", "plans.consolidate")
def open_plan(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> int:
    """Begins a year's plan, under the number of the yearly safety-supervision plan that it belongs to (R12.5)."""
    permit(person, "plans.consolidate", None)
    entry = Entry(values)
    today = beijing_day(now)
    year = entry.number("year", today.year - 1, today.year + 2)
    number = entry.line("supervision_plan", most=120)
    if not number:
        raise Faulty("plan_number_missing", entry.faults)
    if year is None or not entry.is_good:
        raise Invalid(entry.faults)
    plans.add_plan(conn, year, number, person.id, now)
    _note(conn, person, now, "plan.open", year, None, plan_for(conn, year))
    return year


@act("plan.submit", "plans.submit")
def submit_part(conn: Connection, person: Person, now: datetime, year: int, unit_id: str) -> None:
    """Hands a unit's part in: it has lines, and each bears the unit head's signature."""
    plan, part = part_for(conn, person, "plans.submit", year, unit_id)
    if part.state != "open":
        raise Problem("plan_order", state=plan.state, move="submit")
    mine = [one for one in plans.lines_of(conn, year, plan.version) if one.line.unit_id == unit_id]
    must_be_complete([] if mine else [Missing("empty", part.unit)])
    must_be_complete([Missing("unsigned", one.item) for one in mine if one.signed_by is None])
    plans.put_part(conn, year, plan.version, unit_id, state="submitted", reason=None, by=person.id, at=stamp(now))
    _go_on(conn, person, now, "plan.submit", plan, unit_id)


@act("plan.none", "plan_lines.sign")
def note_none(conn: Connection, person: Person, now: datetime, year: int, unit_id: str, reason: str) -> None:
    """The unit head notes that the unit plans nothing this year, and why."""
    plan, _ = part_for(conn, person, "plan_lines.sign", year, unit_id)
    if any(one.line.unit_id == unit_id for one in plans.lines_of(conn, year, plan.version)):
        raise Problem("plan_has_lines")
    said = reason_of(reason)
    plans.put_part(conn, year, plan.version, unit_id, state="none", reason=said, by=person.id, at=stamp(now))
    _go_on(conn, person, now, "plan.none", plan, unit_id)


@act("plan.give_back", "plans.consolidate")
def give_back(conn: Connection, person: Person, now: datetime, year: int, unit_id: str, reason: str) -> None:
    """The legal unit gives a unit's part back, to be changed."""
    permit(person, "plans.consolidate", None)
    plan = plan_for(conn, year, lock=True)
    after = state_after(plan.state, "give_back", plan.version)
    parts = {one.unit_id: one for one in plans.parts_of(conn, year, plan.version)}
    if unit_id not in parts:
        raise Problem("not_found")
    if parts[unit_id].state == "open":
        raise Problem("plan_nothing_to_give_back")
    said = reason_of(reason)
    plans.put_part(conn, year, plan.version, unit_id, state="open", reason=said, by=person.id, at=stamp(now))
    plans.mark_version(conn, year, plan.version, consolidated_by=None, consolidated_at=None)
    _move(conn, person, now, "plan.give_back", plan, after, {"unit": unit_id, "reason": said})


@act("plan.consolidate", "plans.consolidate")
def consolidate(conn: Connection, person: Person, now: datetime, year: int) -> None:
    """Joins the units' parts into the bureau's plan, once nothing is missing (R12.1, R6.3, R13.2)."""
    permit(person, "plans.consolidate", None)
    plan = plan_for(conn, year, lock=True)
    if plan.state == "draft":
        must_be_complete(_open_parts(conn, plan))
    after = state_after(plan.state, "consolidate", plan.version)
    must_be_complete(_missing(conn, plan, now, decided=False))
    if plan.version > 1 and not differences_to_released(conn, plan):
        must_be_complete([Missing("unchanged")])
    values = {"consolidated_by": person.id, "consolidated_at": stamp(now), "returned": None}
    plans.mark_version(conn, year, plan.version, **values)
    _move(conn, person, now, "plan.consolidate", plan, after)


@act("plan.approve", "plans.approve")
def approve(conn: Connection, person: Person, now: datetime, year: int) -> None:
    """The principal approves the plan; every request to go below a limit has been decided (R6.4)."""
    permit(person, "plans.approve", None)
    plan = plan_for(conn, year, lock=True)
    after = state_after(plan.state, "approve", plan.version)
    version = plans.version_of(conn, year, plan.version)
    entered = {one.entered_by for one in plans.lines_of(conn, year, plan.version)}
    if version and person.id in {version.consolidated_by, *entered}:
        raise Problem("own_entry")
    must_be_complete(_missing(conn, plan, now, decided=True))
    plans.mark_version(conn, year, plan.version, approved_by=person.id, approved_at=stamp(now))
    _move(conn, person, now, "plan.approve", plan, after)


@act("plan.refuse", "plans.approve")
def refuse(conn: Connection, person: Person, now: datetime, year: int, reason: str) -> None:
    """The principal gives the plan back to the legal unit, and says what has to change."""
    permit(person, "plans.approve", None)
    plan = plan_for(conn, year, lock=True)
    after = state_after(plan.state, "refuse", plan.version)
    said = reason_of(reason)
    plans.mark_version(conn, year, plan.version, consolidated_by=None, consolidated_at=None, returned=said)
    _move(conn, person, now, "plan.refuse", plan, after, {"reason": said})


@act("plan.file", "plans.release")
def file_plan(conn: Connection, person: Person, now: datetime, year: int, values: Mapping[str, str]) -> None:
    """Notes one of the two filings, with number and date; with the second the plan is filed (R12.2)."""
    permit(person, "plans.release", None)
    plan = plan_for(conn, year, lock=True)
    state_after("approved" if plan.state == "filed" else plan.state, "file", plan.version)
    filed = _filing(values, person, now)
    plans.add_filing(conn, year, plan.version, filed, now)
    kinds = {one.kind for one in plans.filings_of(conn, year, plan.version)}
    after = "filed" if kinds.issuperset(FILINGS) else plan.state
    _move(conn, person, now, "plan.file", plan, after, {"kind": filed.kind, "number": filed.number})


def _filing(values: Mapping[str, str], person: Person, now: datetime) -> Filing:
    entry = Entry(values)
    kind = entry.choice("kind", FILINGS)
    authority, number = entry.line("authority", most=80), entry.line("number", most=80)
    on = entry.day("filed_on")
    if on is not None and not entry.faults and on > beijing_day(now).isoformat():
        entry.wrong("filed_on", "plan_future", found=on)
    if on is None or not entry.is_good:
        raise Faulty("plan_filing_invalid", entry.faults)
    return Filing(kind, authority, number, on, person.id)


@act("plan.release", "plans.release")
def release(conn: Connection, person: Person, now: datetime, year: int) -> None:
    """Releases the version: public with this transaction, and never edited from here on (R12.3, R12.4)."""
    permit(person, "plans.release", None)
    plan = plan_for(conn, year, lock=True)
    if plan.state == "approved":
        there = {one.kind for one in plans.filings_of(conn, year, plan.version)}
        must_be_complete([Missing("filing", FILED_WITH[kind]) for kind in FILINGS if kind not in there])
    after = state_after(plan.state, "release", plan.version)
    on = beijing_day(now).isoformat()
    body = rfc8785.dumps(msgspec.to_builtins(public_of(conn, plan, on)))
    values = {"released_by": person.id, "released_at": stamp(now), "released_on": on}
    plans.mark_version(conn, year, plan.version, body=body, sha256=sha256(body).hexdigest(), **values)
    _move(conn, person, now, "plan.release", plan, after)


@act("plan.amend", "plans.release")
def amend(conn: Connection, person: Person, now: datetime, year: int, reason: str) -> None:
    """Opens the next version of a released plan; the released one stays public until that is released (R12.4)."""
    permit(person, "plans.release", None)
    plan = plan_for(conn, year, lock=True)
    if plan.state != "released":
        state_after(plan.state, "amend", plan.version)
    said = Entry({"reason": reason}).text("reason", most=1000)
    if not said:
        raise Faulty("plan_reason_missing", [Fault("reason", "missing")])
    n = plans.open_version(conn, plan, said, person.id, now)
    plans.set_state(conn, year, state_after(plan.state, "amend", plan.version), n)
    _note(conn, person, now, "plan.amend", year, plan, plan_for(conn, year), {"reason": said})


@act("plan.duties", "plan_lines.change")
def set_other_days(
    conn: Connection, person: Person, now: datetime, year: int, unit_id: str, values: Mapping[str, str]
) -> None:
    """How many person-days of a unit go to other duties, for the capacity of its plan."""
    plan, part = part_for(conn, person, "plan_lines.change", year, unit_id)
    entry = Entry(values)
    days = entry.number("other_days", 0, 100_000)
    if days is None:
        raise Invalid(entry.faults)
    plans.put_part(conn, year, plan.version, unit_id, other_days=days)
    before, after = {"other_days": part.other_days}, {"other_days": days}
    entry_of = trail.Act("plan.duties", person.id, f"plan:{year}", digest_of(before), digest_of(after), after)
    trail.append(conn, [entry_of], now)


# --- what the acts share ----------------------------------------------------------------------------------------------


def part_for(conn: Connection, person: Person, right: str, year: int, unit_id: str) -> tuple[Plan, Part]:
    """The plan, locked and open for units, and a unit's part of it, for somebody who has this right on the unit."""
    permit(person, right, unit_id)
    plan = plan_for(conn, year, lock=True)
    part = next((one for one in plans.parts_of(conn, year, plan.version) if one.unit_id == unit_id), None)
    if part is None:
        raise Problem("not_found")
    must_be_open(plan.state)
    return plan, part


def reason_of(text: str) -> str:
    """A reason of at most 1,000 characters, or `reason_missing`, or what is wrong with it."""
    entry = Entry({"reason": text})
    said = entry.text("reason", most=1000)
    if not said:
        raise Problem("reason_missing")
    if not entry.is_good:
        raise Invalid(entry.faults)
    return said


def public_of(conn: Connection, plan: Plan, on: str) -> PublicPlan:
    """What the public would read of the plan's version, released on a day."""
    version = plans.version_of(conn, plan.year, plan.version)
    return PublicPlan(
        year=plan.year,
        version=plan.version,
        supervision_plan=plan.supervision_plan,
        released_on=on,
        reason=version.reason if version else None,
        lines=tuple(plans.public_line(one) for one in plans.lines_of(conn, plan.year, plan.version)),
        filings=tuple(
            PublicFiling(one.kind, one.authority, one.number, one.filed_on)
            for one in plans.filings_of(conn, plan.year, plan.version)
        ),
    )


def differences_to_released(conn: Connection, plan: Plan) -> list[Change]:
    """How the version in the making differs from the newest released one; empty where there is none."""
    released = plans.public_plan(conn, plan.year)
    if released is None:
        return []
    return differences(released.lines, public_of(conn, plan, "").lines)


def _missing(conn: Connection, plan: Plan, now: datetime, *, decided: bool) -> list[Missing]:
    lines, parts = plans.lines_of(conn, plan.year, plan.version), plans.parts_of(conn, plan.year, plan.version)
    years = item_years(conn, plan.year, beijing_day(now), lines)
    return missing_for(plan, years, lines, parts, plans.overrides_of(conn, plan.year), decided=decided)


def _open_parts(conn: Connection, plan: Plan) -> list[Missing]:
    parts = plans.parts_of(conn, plan.year, plan.version)
    return [Missing("open_unit", one.unit) for one in parts if one.state == "open"]


def _go_on(conn: Connection, person: Person, now: datetime, name: str, plan: Plan, unit_id: str) -> None:
    """A unit is ready; with the last one the plan moves on."""
    after = plan.state if _open_parts(conn, plan) else state_after(plan.state, "submit", plan.version)
    _move(conn, person, now, name, plan, after, {"unit": unit_id})


def _move(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    plan: Plan,
    after: str,
    detail: dict[str, object] | None = None,
) -> None:
    plans.set_state(conn, plan.year, after)
    moved = msgspec.structs.replace(plan, state=after)
    _note(conn, person, now, name, plan.year, plan, moved, detail)


def _note(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    year: int,
    before: Plan | None,
    after: Plan,
    detail: dict[str, object] | None = None,
) -> None:
    said = {"version": after.version, "state": after.state} | (detail or {})
    old = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, person.id, f"plan:{year}", old, digest_of(after), said)], now)
