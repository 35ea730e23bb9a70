"""The library of officers, as its unit keeps it: taken in, changed, left, come back, a number shown (R9.1, R9.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from server.domain.access import OWN, allows, reach
from server.domain.entry import Entry
from server.domain.faults import Fault, Invalid, number_faults, stops
from server.domain.instant import beijing_day
from server.domain.officer import Officer, OfficerEntry, check_officer, must_be_eligible
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.store import interests, leaves, officers, personnel, trail
from server.store.directory import names_of_units
from server.store.people import Person
from server.store.personnel import Row
from server.store.seal import Sealer
from server.store.session import Connection

ARTICLE = "9"
ANYWAY = "anyway"
"""The form's field by which somebody saves in spite of warnings."""


def unit_of_reach(person: Person, right: str) -> str | None:
    """The unit that a list is limited to; None where the person sees all."""
    return (person.unit_id or "") if reach(person.roles, right) == OWN else None


def visible(person: Person, unit_id: str | None, right: str = "officers.read") -> None:
    """What one may not read isn't there."""
    if not allows(person.roles, person.unit_id, right, unit_id):
        raise Problem("not_found")


def officer_for(conn: Connection, person: Person, sealer: Sealer, officer_id: str) -> Officer:
    """One officer for who may read him."""
    found = officers.officer_of(conn, sealer, officer_id)
    if found is None:
        raise Problem("not_found")
    visible(person, found.unit_id)
    return found


@act("officer.add", "officers.change")
def add_officer(conn: Connection, person: Person, now: datetime, sealer: Sealer, values: Mapping[str, str]) -> str:
    """Takes an officer into the library of the person's own unit; gives his id."""
    permit(person, "officers.change", person.unit_id)
    entry = _checked(conn, sealer, values, now, None)
    permit(person, "officers.change", entry.unit_id)
    officer_id = new_id()
    officers.insert_officers(conn, sealer, {officer_id: entry}, person.id, now)
    _note(conn, person, now, "officer.add", officer_id, None)
    return officer_id


@act("officer.change", "officers.change")
def change_officer(
    conn: Connection,
    person: Person,
    now: datetime,
    sealer: Sealer,
    officer_id: str,
    values: Mapping[str, str],
) -> str:
    """Changes an officer of the own unit; he may be handed over to another one. Numbers shown as masks are kept.

    `values["rev"]` is the revision that the form was opened with: a later one is refused.
    """
    row = row_for_change(conn, person, officer_id)
    must_be_here(row, now)
    if values.get("rev", "") not in ("", str(row["rev"])):
        raise Problem("changed_meanwhile")
    entry = _checked(conn, sealer, values, now, officer_for(conn, person, sealer, officer_id))
    changed = officers.update_officers(conn, sealer, {officer_id: entry}, person.id, now)
    fields = sorted(change.field for change in changed.get(officer_id, []))
    _note(conn, person, now, "officer.change", officer_id, row, {"fields": fields})
    return officer_id


@act("officer.leave", "officers.change")
def officer_leaves(conn: Connection, person: Person, now: datetime, officer_id: str, values: Mapping[str, str]) -> None:
    """Notes from which day an officer is no longer there, and why (R9.2); the day may lie ahead."""
    row = row_for_change(conn, person, officer_id)
    must_be_here(row, now)
    day, reason = day_and_reason(values, "left_on")
    officers.leave_office(conn, officer_id, day, person.id, now)
    _note(conn, person, now, "officer.leave", officer_id, row, {"left_on": day, "reason": reason})


@act("officer.return", "officers.change")
def officer_returns(
    conn: Connection, person: Person, now: datetime, officer_id: str, values: Mapping[str, str]
) -> None:
    """Takes the leaving back: he is there as before."""
    row = row_for_change(conn, person, officer_id)
    reason = needed_reason(values, "left_reason")
    officers.leave_office(conn, officer_id, None, person.id, now)
    _note(conn, person, now, "officer.return", officer_id, row, {"reason": reason})


@act("officer.reveal", "officers.reveal")
def reveal_officer(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, officer_id: str, values: Mapping[str, str]
) -> str:
    """A phone or ID number in clear, for a reason that goes into the trail; the number itself goes nowhere."""
    row = officers.officer_row(conn, officer_id)
    if row is None:
        raise Problem("not_found")
    visible(person, row["unit_id"])
    permit(person, "officers.reveal", row["unit_id"])
    field, reason = field_and_reason(values)
    acts = [trail.Act("officer.reveal", person.id, f"officer:{officer_id}", detail={"field": field, "reason": reason})]
    trail.append(conn, acts, now)
    return officers.number_of(sealer, row, field)


def must_be_fit(
    conn: Connection, officer: Officer, day_from: date, day_to: date, subject_id: str | None = None
) -> None:
    """Raises why this officer may not inspect in these days (R9.2, R19.1), or not this subject (R20.2)."""
    days = day_from.isoformat(), day_to.isoformat()
    must_be_eligible(officer, day_from, day_to, leaves.leaves_of(conn, [officer.id], *days))
    for one in interests.listed_of(conn, officer.id):
        if one.interest.subject_id == subject_id and one.interest.holds(*days):
            raise Problem("interest_known", name=officer.name, subject=one.subject_name)


def row_for_change(conn: Connection, person: Person, officer_id: str) -> Row:
    """An officer as stored, for who may change him."""
    row = officers.officer_row(conn, officer_id, lock=True)
    if row is None:
        raise Problem("not_found")
    visible(person, row["unit_id"])
    permit(person, "officers.change", row["unit_id"])
    return row


def must_be_here(row: Row, now: datetime) -> None:
    """Of who has left only the history stays, until he comes back; who will leave is still here."""
    if row["left_on"] is not None and row["left_on"] <= beijing_day(now).isoformat():
        raise Problem("person_left", name=row["name"], day=row["left_on"])


def day_and_reason(values: Mapping[str, str], field: str) -> tuple[str, str]:
    """The day and the reason of a leaving."""
    entry = Entry(values)
    day, reason = entry.day(field), _reason(entry, "left_reason")
    if not entry.is_good or day is None:
        raise Invalid(entry.faults, ARTICLE)
    return day, reason


def needed_reason(values: Mapping[str, str], field: str) -> str:
    """The reason of an act that needs no more."""
    entry = Entry(values)
    reason = _reason(entry, field)
    if not entry.is_good:
        raise Invalid(entry.faults)
    return reason


def field_and_reason(values: Mapping[str, str]) -> tuple[str, str]:
    """Which sealed field is to be shown, and why."""
    entry = Entry(values)
    field, reason = entry.choice("field", personnel.SEALED), _reason(entry, "reason")
    if not entry.is_good:
        raise Invalid(entry.faults)
    return field, reason


def accept(faults: Sequence[Fault], values: Mapping[str, str], article: str) -> None:
    """Raises what is wrong; what only warns stops until the form says that it is meant so."""
    if stops(faults) or (faults and values.get(ANYWAY) != "yes"):
        raise Invalid(faults, article)


def _reason(entry: Entry, field: str) -> str:
    reason = entry.text(field, most=200)
    entry.faults += number_faults(field, reason)
    return reason


def _checked(
    conn: Connection, sealer: Sealer, values: Mapping[str, str], now: datetime, kept: Officer | None
) -> OfficerEntry:
    entry, faults = check_officer(values, names_of_units(conn), beijing_day(now), kept)
    if entry is not None:
        held = officers.taken(conn, sealer, entry, kept.id if kept else None)
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
    officer_id: str,
    before: Row | None,
    detail: dict[str, object] | None = None,
) -> None:
    after = officers.officer_row(conn, officer_id)
    old, new = (None if row is None else digest_of(personnel.mark_of(row)) for row in (before, after))
    trail.append(conn, [trail.Act(name, person.id, f"officer:{officer_id}", old, new, detail)], now)
