"""The lines of the annual plan, and requests to go below ratio or frequency (R6.2-R6.5, R14.1, R15a)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day, stamp
from server.domain.item import must_be_released
from server.domain.plan import Line, check_line, must_have_reasons
from server.domain.ratio import Proposal, needs
from server.errors import Problem
from server.office.act import act, digest_of, named, permit
from server.office.plan_facts import item_years, plan_for, proposal_for, released_items
from server.office.plans import Faulty, part_for, reason_of
from server.store import plans, trail
from server.store.people import Person
from server.store.plans import Kept, Override, Part, Plan
from server.store.session import Connection

KINDS: Final = ("ratio", "frequency")


@act("plan_line.add", "plan_lines.change")
def add_line(conn: Connection, person: Person, now: datetime, year: int, values: Mapping[str, str]) -> str:
    """A unit plans an item: only of the released list, complete, with a reason where it falls short; its id."""
    unit_id = values.get("unit_id") or person.unit_id or ""
    plan, part = part_for(conn, person, "plan_lines.change", year, unit_id)
    _reopen(conn, person, now, plan, part)
    line_id = named(
        year, unit_id, values.get("item_id"), values.get("window_from"), values.get("window_to"), stamp(now)
    )
    line, facts, proposal = _judged(conn, plan, unit_id, line_id, values, beijing_day(now))
    more = facts | {"entered_by": person.id, "entered_at": stamp(now)}
    plans.add_line(conn, line_id, year, plan.version, line, more)
    asked = _ask_ratio(conn, person, now, plan, line_id, line, proposal)
    _note(conn, person, now, "plan_line.add", line_id, None, line, asked)
    return line_id


@act("plan_line.change", "plan_lines.change")
def change_line(conn: Connection, person: Person, now: datetime, line_id: str, values: Mapping[str, str]) -> None:
    """Changes a line of the own unit; the head's signature no longer stands."""
    old, plan, part = _line_for(conn, person, "plan_lines.change", line_id)
    _reopen(conn, person, now, plan, part)
    line, facts, proposal = _judged(conn, plan, old.line.unit_id, line_id, values, beijing_day(now))
    more = facts | {"entered_by": person.id, "entered_at": stamp(now)}
    plans.put_line(conn, line_id, plan.version, line, more)
    asked = _ask_ratio(conn, person, now, plan, line_id, line, proposal)
    _note(conn, person, now, "plan_line.change", line_id, old.line, line, asked)


@act("plan_line.remove", "plan_lines.change")
def remove_line(conn: Connection, person: Person, now: datetime, line_id: str) -> None:
    """Takes a line out of a version that isn't released."""
    old, plan, part = _line_for(conn, person, "plan_lines.change", line_id)
    _reopen(conn, person, now, plan, part)
    plans.withdraw_overrides(conn, line_id)
    plans.remove_line(conn, line_id, plan.version)
    _note(conn, person, now, "plan_line.remove", line_id, old.line, None, None)


@act("plan_line.sign", "plan_lines.sign")
def sign_line(conn: Connection, person: Person, now: datetime, line_id: str) -> None:
    """The unit head signs a line that somebody else entered."""
    old, plan, part = _line_for(conn, person, "plan_lines.sign", line_id)
    if part.state != "open":
        raise Problem("plan_part_in")
    if old.signed_by is not None:
        raise Problem("plan_signed_already")
    if old.entered_by == person.id:
        raise Problem("own_entry")
    plans.sign_line(conn, line_id, plan.version, person.id, now)
    _note(conn, person, now, "plan_line.sign", line_id, old.line, old.line, None)


@act("plan_override.ask", "overrides.ask")
def ask_override(
    conn: Connection, person: Person, now: datetime, year: int, kind: str, item_id: str, reason: str
) -> str:
    """Asks the principal to let an item's year stay below ratio or frequency, over all units; its id."""
    today = beijing_day(now)
    plan = plan_for(conn, year, lock=True)
    _, released = released_items(conn, today)
    responsible = released[item_id].unit_id if item_id in released else person.unit_id
    permit(person, "overrides.ask", responsible)
    if not item_id:
        raise Invalid([Fault("item_id", "missing")])
    must_be_released(released, [item_id])
    lines, requests = plans.lines_of(conn, year, plan.version), plans.overrides_of(conn, year)
    mine = next(one for one in item_years(conn, year, today, lines) if one.item.id == item_id)
    if kind not in mine.missing:
        raise Problem("override_not_needed")
    if any(_same(one, kind, item_id) and one.state in ("asked", "approved") for one in requests):
        raise Problem("override_asked")
    said = reason_of(reason)
    least, asked = (mine.year.floor, mine.year.planned) if kind == "ratio" else (mine.year.frequency, mine.year.draws)
    id = _add_override(conn, person, now, year, kind, item_id, least=least, asked=asked, reason=said)
    detail = {"kind": kind, "item": item_id, "least": least, "asked": asked, "reason": said}
    _say(conn, person, now, "plan_override.ask", f"plan_override:{id}", None, digest_of(detail), detail)
    return id


@act("plan_override.decide", "overrides.approve")
def decide_override(
    conn: Connection, person: Person, now: datetime, override_id: str, answer: str, reason: str
) -> None:
    """The principal approves or refuses a request, once, and never his own; a refusal says why (R6.4)."""
    permit(person, "overrides.approve", None)
    found = plans.override_of(conn, override_id)
    if found is None:
        raise Problem("not_found")
    plan_for(conn, found.year, lock=True)
    found = plans.override_of(conn, override_id) or found  # as it stands now that nobody else can decide it
    if found.state != "asked":
        raise Problem("override_decided")
    if found.asked_by == person.id:
        raise Problem("own_entry")
    state = "approved" if answer == "approved" else "refused"
    said = reason.strip() if state == "approved" and not reason.strip() else reason_of(reason)
    plans.decide_override(conn, override_id, state, said, person.id, now)
    detail = {"state": state, "answer": said}
    before = digest_of({"state": found.state})
    _say(conn, person, now, "plan_override.decide", f"plan_override:{override_id}", before, digest_of(detail), detail)


# --- what a line is judged by -----------------------------------------------------------------------------------------


def _judged(
    conn: Connection, plan: Plan, unit_id: str, line_id: str, values: Mapping[str, str], today: date
) -> tuple[Line, dict[str, Any], Proposal]:
    """The line as entered, what is kept beside it of its proposal, and the proposal; or what is wrong with it."""
    version, released = released_items(conn, today)
    item_id = values.get("item_id", "").strip()
    if item_id:
        must_be_released(released, [item_id])
    line, faults = check_line({**values, "unit_id": unit_id}, plan.year, released)
    if line is None:
        raise Faulty("plan_line_invalid", faults)
    others = _others(conn, plan, line, line_id)
    proposal = proposal_for(conn, released[item_id], unit_id, plan.year, today, line.campaign)
    _must_be_possible(line, proposal)
    needed = needs(proposal, *_total(line, others))
    must_have_reasons(line, needed)
    facts = {
        "list_version": version,
        "population": proposal.population,
        "flagged": proposal.flagged,
        "proposed": proposal.n,
        "floor": proposal.floor,
        "needs": list(needed),
    }
    return line, facts, proposal


def _others(conn: Connection, plan: Plan, line: Line, line_id: str) -> list[Line]:
    """What the unit plans for the item besides, a campaign's apart; the same window twice is refused."""
    known = [one.line for one in plans.lines_of(conn, plan.year, plan.version) if one.id != line_id]
    mine = [
        one for one in known if (one.unit_id, one.item_id, one.campaign) == (line.unit_id, line.item_id, line.campaign)
    ]
    if any((one.window_from, one.window_to) == (line.window_from, line.window_to) for one in mine):
        raise Problem("plan_line_taken")
    return mine


def _total(line: Line, others: Sequence[Line]) -> tuple[int, int]:
    """How many subjects, and how many flagged ones, the unit plans for the item in all."""
    both = [line, *others]
    return sum(one.count for one in both), sum(one.flagged_count for one in both)


def _must_be_possible(line: Line, proposal: Proposal) -> None:
    """Nobody plans more than there is to draw: subjects at the cap are left out, but for a campaign (R15a.2)."""
    draws = max(line.draws, 1)
    if line.count > proposal.population * draws:
        raise Faulty("plan_line_invalid", [Fault("count", "plan_too_many", {"n": proposal.population * draws})])
    if line.flagged_count > proposal.flagged * draws:
        raise Faulty("plan_line_invalid", [Fault("flagged_count", "plan_too_many_flagged", {"n": proposal.flagged})])
    if line.count > len(proposal.candidates) * draws:
        raise Problem("plan_over_cap", n=len(proposal.candidates))


def _line_for(conn: Connection, person: Person, right: str, line_id: str) -> tuple[Kept, Plan, Part]:
    found = plans.line_of(conn, line_id)
    if found is None:
        raise Problem("not_found")
    plan, part = part_for(conn, person, right, found.year, found.line.unit_id)
    kept = plans.line_of(conn, line_id, plan.version)
    if kept is None:
        raise Problem("not_found")
    return kept, plan, part


def _reopen(conn: Connection, person: Person, now: datetime, plan: Plan, part: Part) -> None:
    """A handed-in part is changed only after it was given back; in an amendment a change opens it again by itself."""
    if part.state == "open":
        return
    if plan.state != "amended":
        raise Problem("plan_part_in")
    values = {"state": "open", "reason": None, "by": person.id, "at": stamp(now)}
    plans.put_part(conn, plan.year, plan.version, part.unit_id, **values)


# --- requests ---------------------------------------------------------------------------------------------------------


def _ask_ratio(
    conn: Connection, person: Person, now: datetime, plan: Plan, line_id: str, line: Line, proposal: Proposal
) -> str | None:
    """A line below the floor asks the principal by itself, with the line's reason; the id of the request, if any."""
    plans.withdraw_overrides(conn, line_id)
    count, flagged = _total(line, _others(conn, plan, line, line_id))
    if "below_floor" not in needs(proposal, count, flagged):
        return None
    requests = plans.overrides_of(conn, plan.year)
    if any(one.line_id == line_id and one.state == "approved" and one.asked <= count for one in requests):
        return None
    values = {"unit_id": line.unit_id, "line_id": line_id, "reason": line.reason or ""}
    return _add_override(
        conn, person, now, plan.year, "ratio", line.item_id, least=proposal.floor, asked=count, **values
    )


def _add_override(
    conn: Connection, person: Person, now: datetime, year: int, kind: str, item_id: str, **values: Any
) -> str:
    id = named(year, kind, item_id, values.get("line_id"), stamp(now))
    plans.add_override(
        conn, id=id, year=year, kind=kind, item_id=item_id, asked_by=person.id, asked_at=stamp(now), **values
    )
    return id


def _same(one: Override, kind: str, item_id: str) -> bool:
    return (one.kind, one.item_id, one.line_id) == (kind, item_id, None)


def _note(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    line_id: str,
    before: Line | None,
    after: Line | None,
    asked: str | None,
) -> None:
    known = after or before
    detail: dict[str, Any] = {"unit": known.unit_id, "item": known.item_id, "count": known.count} if known else {}
    if asked is not None:
        detail["override"] = asked
    digests: Sequence[str | None] = [None if one is None else digest_of(one) for one in (before, after)]
    _say(conn, person, now, name, f"plan_line:{line_id}", digests[0], digests[1], detail)


def _say(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    about: str,
    before: str | None,
    after: str | None,
    detail: dict[str, Any],
) -> None:
    trail.append(conn, [trail.Act(name, person.id, about, before, after, detail)], now)
