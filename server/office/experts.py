"""The library of experts, as units keep it: every unit reads all of it, each changes what it keeps itself (R9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain.faults import Fault
from server.domain.instant import beijing_day
from server.domain.officer import Expert, ExpertEntry, check_expert
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.office.officers import (
    ARTICLE,
    accept,
    day_and_reason,
    field_and_reason,
    must_be_here,
    needed_reason,
    visible,
)
from server.store import experts, personnel, trail
from server.store.directory import names_of_units
from server.store.people import Person
from server.store.personnel import Row
from server.store.seal import Sealer
from server.store.session import Connection


def expert_for(conn: Connection, person: Person, sealer: Sealer, expert_id: str) -> Expert:
    """One expert for who may read him."""
    found = experts.expert_of(conn, sealer, expert_id)
    if found is None:
        raise Problem("not_found")
    visible(person, found.unit_id, "experts.read")
    return found


@act("expert.add", "experts.change")
def add_expert(conn: Connection, person: Person, now: datetime, sealer: Sealer, values: Mapping[str, str]) -> str:
    """Takes an expert into the library, kept by the person's own unit; gives his id."""
    permit(person, "experts.change", person.unit_id)
    entry = _checked(conn, sealer, values, now, None)
    permit(person, "experts.change", entry.unit_id)
    expert_id = new_id()
    experts.insert_experts(conn, sealer, {expert_id: entry}, person.id, now)
    _note(conn, person, now, "expert.add", expert_id, None)
    return expert_id


@act("expert.change", "experts.change")
def change_expert(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, expert_id: str, values: Mapping[str, str]
) -> str:
    """Changes an expert whom the own unit keeps; numbers shown as masks are kept."""
    row = row_for_change(conn, person, expert_id)
    must_be_here(row, now)
    if values.get("rev", "") not in ("", str(row["rev"])):
        raise Problem("changed_meanwhile")
    entry = _checked(conn, sealer, values, now, expert_for(conn, person, sealer, expert_id))
    changed = experts.update_experts(conn, sealer, {expert_id: entry}, person.id, now)
    fields = sorted(change.field for change in changed.get(expert_id, []))
    _note(conn, person, now, "expert.change", expert_id, row, {"fields": fields})
    return expert_id


@act("expert.leave", "experts.change")
def expert_leaves(conn: Connection, person: Person, now: datetime, expert_id: str, values: Mapping[str, str]) -> None:
    """Notes from which day an expert is no longer asked, and why."""
    row = row_for_change(conn, person, expert_id)
    must_be_here(row, now)
    day, reason = day_and_reason(values, "left_on")
    experts.leave_library(conn, expert_id, day, person.id, now)
    _note(conn, person, now, "expert.leave", expert_id, row, {"left_on": day, "reason": reason})


@act("expert.return", "experts.change")
def expert_returns(conn: Connection, person: Person, now: datetime, expert_id: str, values: Mapping[str, str]) -> None:
    """Takes the leaving back."""
    row = row_for_change(conn, person, expert_id)
    reason = needed_reason(values, "left_reason")
    experts.leave_library(conn, expert_id, None, person.id, now)
    _note(conn, person, now, "expert.return", expert_id, row, {"reason": reason})


@act("expert.reveal", "experts.reveal")
def reveal_expert(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, expert_id: str, values: Mapping[str, str]
) -> str:
    """A phone or ID number in clear, for a reason that goes into the trail."""
    row = experts.expert_row(conn, expert_id)
    if row is None:
        raise Problem("not_found")
    permit(person, "experts.reveal", _keeper(row, person))
    field, reason = field_and_reason(values)
    acts = [trail.Act("expert.reveal", person.id, f"expert:{expert_id}", detail={"field": field, "reason": reason})]
    trail.append(conn, acts, now)
    return experts.number_of(sealer, row, field)


def row_for_change(conn: Connection, person: Person, expert_id: str) -> Row:
    """An expert as stored, for who may change him."""
    row = experts.expert_row(conn, expert_id, lock=True)
    if row is None:
        raise Problem("not_found")
    permit(person, "experts.change", _keeper(row, person))
    return row


def _keeper(row: Row, person: Person) -> str | None:
    """The unit that keeps the entry; one that nobody keeps yet is for whoever takes it up."""
    keeper: str | None = row["unit_id"] or person.unit_id
    return keeper


def _checked(
    conn: Connection, sealer: Sealer, values: Mapping[str, str], now: datetime, kept: Expert | None
) -> ExpertEntry:
    entry, faults = check_expert(values, names_of_units(conn), beijing_day(now), kept)
    if entry is not None:
        held = experts.taken(conn, sealer, entry, kept.id if kept else None)
        faults += [Fault(field, f"{field}_taken", {"name": name}) for field, name in held.items()]
    accept(faults, values, ARTICLE)
    if entry is None:
        raise AssertionError("an entry without a fault that stops is there")
    return entry


def _note(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    expert_id: str,
    before: Row | None,
    detail: dict[str, object] | None = None,
) -> None:
    after = experts.expert_row(conn, expert_id)
    old, new = (None if row is None else digest_of(personnel.mark_of(row)) for row in (before, after))
    trail.append(conn, [trail.Act(name, person.id, f"expert:{expert_id}", old, new, detail)], now)
