"""The library of subjects, as units keep it: entered, changed, flagged, taken in and given out (R8.1, R8.3, R6.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from server.domain.access import OWN, allows, reach
from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.excuse import DEAD, StatusDocument
from server.domain.faults import Fault, Invalid, number_faults, stops
from server.domain.instant import beijing_day, stamp
from server.domain.subject import STATUSES, Flag, Subject, check_flag, check_subject, masked, values_of
from server.errors import Problem
from server.office.act import act, new_id, permit
from server.store import excuses, subjects, trail
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection
from server.store.subjects import subject_digest

ARTICLE: Final = "8"
ANYWAY: Final = "anyway"
"""The form's field by which somebody saves in spite of warnings."""

READ, CHANGE, REVEAL = "subjects.read", "subjects.change", "subjects.reveal"
_KEPT: Final = ("status", "flags")
"""What the form of a subject doesn't change: each has an act of its own, which asks for a reason or a document."""


class Seen(msgspec.Struct, frozen=True):
    """A subject as one person may see it, the units that have it, and its revision."""

    subject: Subject
    units: tuple[str, ...]
    rev: int
    shows_phone: bool


def unit_kept_by(person: Person) -> str | None:
    """The unit whose library a list is limited to; None where the person sees all."""
    return (person.unit_id or "") if reach(person.roles, READ) == OWN else None


def subject_for(conn: Connection, person: Person, sealer: Sealer, subject_id: str) -> Seen:
    """One subject for who may read it; its phone is a mask for all but the units that have it in their libraries."""
    found = subjects.subject_of(conn, sealer, subject_id)
    units = tuple(sorted(subjects.libraries_of(conn, [subject_id]).get(subject_id, ())))
    if found is None or not any(allows(person.roles, person.unit_id, READ, unit) for unit in units):
        raise Problem("not_found")
    shows = reach(person.roles, REVEAL) == OWN and person.unit_id in units
    rev = subjects.revs_of(conn, [subject_id])[subject_id]
    return Seen(found if shows else masked(found), units, rev, shows)


def may_change(person: Person, units: Collection[str]) -> bool:
    """Whether the person may change a subject that these units have in their libraries."""
    return any(allows(person.roles, person.unit_id, CHANGE, unit) for unit in units)


# --- the record -------------------------------------------------------------------------------------------------------


@act("subject.enter", CHANGE)
def enter_subject(conn: Connection, person: Person, now: datetime, sealer: Sealer, values: Mapping[str, str]) -> str:
    """Enters a subject into the own unit's library; gives its id. Whom the registry has already isn't entered twice.

    Suspended or cancelled it becomes afterwards, by the act that asks for the document.
    """
    permit(person, CHANGE, person.unit_id)
    one = _checked(conn, sealer, values, new_id(), None)
    if one.status in DEAD:
        raise Invalid([Fault("status", "status_by_document")], ARTICLE)
    subjects.insert_subjects(conn, sealer, [one], by=person.id, now=now, source="form")
    subjects.add_to_library(conn, str(person.unit_id), [one.id], by=person.id, now=now, source="form")
    _note(conn, sealer, person, now, "subject.enter", None, one, {"unit": person.unit_id})
    return one.id


@act("subject.change", CHANGE)
def change_subject(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, subject_id: str, values: Mapping[str, str]
) -> str:
    """Changes a subject of the own library. `values["rev"]` is the revision that the form was opened with."""
    old = _for_change(conn, person, sealer, subject_id)
    rev = subjects.revs_of(conn, [subject_id])[subject_id]
    if values.get("rev", "") not in ("", str(rev)):
        raise Problem("changed_meanwhile")
    kept = {name: value for name, value in values_of(old).items() if name in _KEPT}
    one = _checked(conn, sealer, {**values, **kept}, subject_id, old)
    _write(conn, sealer, person, now, "subject.change", old, one)
    return subject_id


@act("subject.status", CHANGE)
def set_status(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, subject_id: str, values: Mapping[str, str]
) -> None:
    """Active, suspended or cancelled, with the reason: who isn't active takes part in no draw.

    Suspended or cancelled is a subject only by a document with its day, which draws name (R16.2).
    """
    old = _for_change(conn, person, sealer, subject_id)
    entry = Entry(values)
    status, reason = entry.choice("status", STATUSES), _reason(entry, "status_reason")
    is_dead = status in DEAD
    document = entry.line("status_document", most=120, required=is_dead)
    on = entry.day("status_on", required=is_dead)
    entry.faults += number_faults("status_document", document)
    if on is not None and entry.is_good and on > day_of(now):
        entry.wrong("status_on", "day_ahead")
    if status == old.status:
        entry.wrong("status", "same_status")
    _refuse(entry.faults)
    if is_dead and on is not None:
        excuses.add_status(conn, subject_id, StatusDocument(status, document, on), person.id, stamp(now))
    one = msgspec.structs.replace(old, status=status)
    _write(conn, sealer, person, now, "subject.status", old, one, reason, document, on)


# --- attention flags (R6.5, R15a.3) -----------------------------------------------------------------------------------


@act("subject.flag", CHANGE)
def add_flag(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, subject_id: str, values: Mapping[str, str]
) -> None:
    """Adds an attention flag with its document; one of the same kind and document that still holds isn't said twice."""
    old = _for_change(conn, person, sealer, subject_id)
    flag, faults = check_flag(values)
    if flag is not None and any((one.kind, one.document) == (flag.kind, flag.document) for one in old.flags):
        faults.append(Fault("document", "flag_there", {"document": flag.document}))
    if flag is None or stops(faults):
        raise Invalid(faults, ARTICLE)
    one = msgspec.structs.replace(old, flags=(*old.flags, flag))
    _write(conn, sealer, person, now, "subject.flag", old, one, flag.document)


@act("subject.unflag", CHANGE)
def end_flag(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, subject_id: str, values: Mapping[str, str]
) -> None:
    """Ends a flag on a day, with the reason; it isn't deleted. `values["flag"]` is its place in the page's list."""
    old = _for_change(conn, person, sealer, subject_id)
    entry = Entry(values)
    place = entry.number("flag", 0, max(0, len(old.flags) - 1))
    until, reason = entry.day("until"), _reason(entry, "unflag_reason")
    if entry.is_good and not old.flags:
        raise Problem("not_found")
    if entry.is_good and place is not None and str(until) < old.flags[place].since:
        entry.wrong("until", "flag_ends_before", since=old.flags[place].since)
    _refuse(entry.faults)
    flags = tuple(_ended(flag, until) if at == place else flag for at, flag in enumerate(old.flags))
    _write(conn, sealer, person, now, "subject.unflag", old, msgspec.structs.replace(old, flags=flags), reason)


def _ended(flag: Flag, until: str | None) -> Flag:
    return msgspec.structs.replace(flag, until=until)


# --- memberships (R8.3) -----------------------------------------------------------------------------------------------


@act("subject.join", CHANGE)
def take_in(conn: Connection, person: Person, now: datetime, sealer: Sealer, values: Mapping[str, str]) -> str:
    """Takes a subject, named by its code, into the own unit's library; gives its id. The record stays one."""
    permit(person, CHANGE, person.unit_id)
    entry = Entry(values)
    code, reason = normal_code(entry.line("code", most=40)), _reason(entry)
    one = next(iter(subjects.subjects_by_codes(conn, sealer, [code] if code else []).values()), None)
    units = subjects.libraries_of(conn, [one.id]).get(one.id, set()) if one else set()
    if code and not units:
        entry.wrong("code", "code_unknown", found=code[:20])
    if one is not None and person.unit_id in units:
        entry.wrong("code", "code_in_library", name=one.name)
    _refuse(entry.faults)
    if one is None:
        raise AssertionError("a code without a fault has its subject")
    unit = str(person.unit_id)
    subjects.add_to_library(conn, unit, [one.id], by=person.id, now=now, source="form", reason=reason)
    _note(conn, sealer, person, now, "subject.join", one, one, {"unit": unit, "reason": reason})
    return one.id


@act("subject.leave", CHANGE)
def give_out(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, subject_id: str, values: Mapping[str, str]
) -> None:
    """Gives a subject out of the own unit's library; it stays in those of others, and who is in none is seen no more.

    One that is drawn or visited stays known there, so a subject that only this unit has is cancelled, not given out.
    """
    old = _for_change(conn, person, sealer, subject_id)
    entry = Entry(values)
    reason = _reason(entry, "leave_reason")
    _refuse(entry.faults)
    unit = str(person.unit_id)
    others = subjects.libraries_of(conn, [subject_id])[subject_id] - {unit}
    if not others and subjects.used_subjects(conn, [subject_id]):
        raise Problem("subject_used")
    subjects.take_from_library(conn, unit, [subject_id], by=person.id, now=now, source="form", reason=reason)
    _note(conn, sealer, person, now, "subject.leave", old, old, {"unit": unit, "reason": reason})


# --- the phone --------------------------------------------------------------------------------------------------------


@act("subject.reveal", REVEAL)
def reveal_phone(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, subject_id: str, values: Mapping[str, str]
) -> str:
    """The phone in clear, for a reason that goes into the trail; the number itself goes nowhere."""
    seen = subject_for(conn, person, sealer, subject_id)
    if not any(allows(person.roles, person.unit_id, REVEAL, unit) for unit in seen.units):
        raise Problem("other_unit")
    entry = Entry(values)
    reason = _reason(entry)
    _refuse(entry.faults)
    detail = {"field": "phone", "reason": reason}
    trail.append(conn, [trail.Act("subject.reveal", person.id, f"subject:{subject_id}", detail=detail)], now)
    found = subjects.subject_of(conn, sealer, subject_id)
    return found.phone if found else ""


# --- what they share --------------------------------------------------------------------------------------------------


def _for_change(conn: Connection, person: Person, sealer: Sealer, subject_id: str) -> Subject:
    """A subject of the own library, whole; refuses who may read it but not change it."""
    seen = subject_for(conn, person, sealer, subject_id)
    if not may_change(person, seen.units):
        raise Problem("other_unit")
    return seen.subject if seen.shows_phone else _whole(conn, sealer, subject_id)


def _whole(conn: Connection, sealer: Sealer, subject_id: str) -> Subject:
    found = subjects.subject_of(conn, sealer, subject_id)
    if found is None:
        raise Problem("not_found")
    return found


def _checked(
    conn: Connection, sealer: Sealer, values: Mapping[str, str], subject_id: str, old: Subject | None
) -> Subject:
    """What was entered, when nothing stops it, and what only warns was meant so."""
    one, faults = check_subject(values, subject_id)
    if one is not None:
        faults += _taken(conn, sealer, one)
        faults += _alike(conn, one) if old is None or _is_renamed(old, one) else []
    if stops(faults) or (faults and values.get(ANYWAY) != "yes") or one is None:
        raise Invalid(faults, ARTICLE)
    return one


def _is_renamed(old: Subject, one: Subject) -> bool:
    return (old.name, old.address) != (one.name, one.address)


def _taken(conn: Connection, sealer: Sealer, one: Subject) -> list[Fault]:
    """A code that somebody has already: in the own library, or in another one, from where it is taken in instead."""
    faults = []
    for field in ("uscc", "registration"):
        code = getattr(one, field)
        other = subjects.subjects_by_codes(conn, sealer, [code]).get(code) if code else None
        if other is not None and other.id != one.id:
            faults.append(Fault(field, "code_taken", {"name": other.name, "code": other.code}))
    return faults


def _alike(conn: Connection, one: Subject) -> list[Fault]:
    """Warnings of others with the same name or at the same address."""
    return [
        Fault(same, f"same_{same}", {"name": name, "address": address}, warning=True)
        for _, name, address, same in subjects.alike(conn, one.name, one.address, one.id, limit=5)
    ]


def _reason(entry: Entry, field: str = "reason") -> str:
    """Why something is done; each form on a subject's page has a field of its own for it."""
    reason = entry.text(field, most=200)
    entry.faults += number_faults(field, reason)
    return reason


def _refuse(faults: Sequence[Fault]) -> None:
    if stops(faults):
        raise Invalid(faults, ARTICLE)


def _write(
    conn: Connection,
    sealer: Sealer,
    person: Person,
    now: datetime,
    name: str,
    old: Subject,
    one: Subject,
    reason: str | None = None,
    document: str = "",
    on: str | None = None,
) -> None:
    told = f"{reason}（{document}，{on}）" if document else reason
    subjects.update_subjects(conn, sealer, [one], by=person.id, now=now, source="form", reason=told)
    fields = sorted(field for field in Subject.__struct_fields__ if getattr(old, field) != getattr(one, field))
    detail: dict[str, object] = {"fields": fields}
    detail |= {name: it for name, it in (("reason", reason), ("document", document), ("on", on)) if it}
    _note(conn, sealer, person, now, name, old, one, detail)


def _note(
    conn: Connection,
    sealer: Sealer,
    person: Person,
    now: datetime,
    name: str,
    old: Subject | None,
    one: Subject,
    detail: Mapping[str, object],
) -> None:
    """The one trail entry of an act; a phone stands in it only by its blind index."""
    entry = trail.Act(
        name,
        person.id,
        f"subject:{one.id}",
        before=subject_digest(sealer, old) if old else None,
        after=subject_digest(sealer, one),
        detail=dict(detail),
    )
    trail.append(conn, [entry], now)


def day_of(now: datetime) -> str:
    """The Beijing day of a moment."""
    return beijing_day(now).isoformat()
