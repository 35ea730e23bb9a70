"""Inspections that are not random: the unit's clerk records them, the head approves those of no named kind (R2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from server.domain.access import allows
from server.domain.codes import normal_code
from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day, stamp
from server.domain.non_random import ARTICLE, NonRandom, Recorded, State, check_non_random
from server.errors import Problem
from server.office.act import act, digest_of, named, permit
from server.store import non_random, trail
from server.store.people import Person
from server.store.session import Connection


@act("non_random.record", "non_random.record")
def record_non_random(
    conn: Connection, person: Person, now: datetime, values: Mapping[str, str], items: Sequence[str] = ()
) -> str:
    """Records an inspection of the clerk's own unit, at a subject of its library; gives its id."""
    unit_id = person.unit_id or ""
    permit(person, "non_random.record", unit_id)
    known = non_random.items_now(conn)
    recorded, faults = check_non_random(values, items, known, beijing_day(now))
    subject = non_random.subject_in_library(conn, unit_id, normal_code(values.get("code", "")))
    if subject is None and values.get("code", "").strip():
        faults = [*faults, Fault("code", "not_in_library", {"found": normal_code(values["code"])[:20]})]
    if recorded is None or subject is None:
        raise Invalid(faults, ARTICLE)
    made = _made(recorded, subject, unit_id, person, now)
    non_random.add(conn, made)
    _note(conn, "non_random.record", person, None, made, now)
    return made.id


@act("non_random.approve", "non_random.approve")
def approve_non_random(conn: Connection, person: Person, now: datetime, inspection_id: str) -> None:
    """The unit head approves one of the kind `other`; nobody approves his own entry."""
    before = _waiting(conn, person, inspection_id, "non_random.approve")
    _decide(conn, "non_random.approve", person, now, before, "approved", None)


@act("non_random.refuse", "non_random.approve")
def refuse_non_random(conn: Connection, person: Person, now: datetime, inspection_id: str, reason: str) -> None:
    """The unit head refuses one, with a reason: it doesn't stand in the subject's year."""
    before = _waiting(conn, person, inspection_id, "non_random.approve")
    _decide(conn, "non_random.refuse", person, now, before, "refused", _reason(reason))


@act("non_random.withdraw", "non_random.approve")
def withdraw_non_random(conn: Connection, person: Person, now: datetime, inspection_id: str, reason: str) -> None:
    """The unit head takes one out of the subject's year that was recorded by mistake; it stays to be read."""
    before = _held(conn, person, inspection_id, "non_random.approve")
    if before.state not in ("recorded", "approved"):
        raise Problem("non_random_decided")
    _decide(conn, "non_random.withdraw", person, now, before, "withdrawn", _reason(reason))


def _waiting(conn: Connection, person: Person, inspection_id: str, right: str) -> NonRandom:
    found = _held(conn, person, inspection_id, right)
    if found.state != "awaiting":
        raise Problem("non_random_decided")
    if found.entered_by == person.id:
        raise Problem("own_entry")
    return found


def _held(conn: Connection, person: Person, inspection_id: str, right: str) -> NonRandom:
    line = non_random.one(conn, inspection_id, lock=True)
    if line is None or not allows(person.roles, person.unit_id, "non_random.read", line.it.unit_id):
        raise Problem("not_found")
    permit(person, right, line.it.unit_id)
    return line.it


def _made(recorded: Recorded, subject: str, unit_id: str, person: Person, now: datetime) -> NonRandom:
    return NonRandom(
        id=named(unit_id, subject, recorded.held_on, recorded.ground, recorded.text, person.id, stamp(now)),
        unit_id=unit_id,
        subject_id=subject,
        held_on=recorded.held_on,
        items=recorded.items,
        kind=recorded.kind,
        ground=recorded.ground,
        document=recorded.document,
        text=recorded.text,
        state=recorded.state,
        entered_by=person.id,
        entered_at=stamp(now),
    )


def _decide(
    conn: Connection, name: str, person: Person, now: datetime, before: NonRandom, state: State, reason: str | None
) -> None:
    after = msgspec.structs.replace(before, state=state, decided_by=person.id, decided_at=stamp(now), reason=reason)
    non_random.update(conn, after)
    _note(conn, name, person, before, after, now)


def _note(
    conn: Connection, name: str, person: Person, before: NonRandom | None, after: NonRandom, now: datetime
) -> None:
    detail = {
        "subject": after.subject_id,
        "kind": after.kind,
        "ground": after.ground,
        "document": after.document,
        "held_on": after.held_on,
        "reason": after.reason,
    }
    was = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, person.id, f"non_random:{after.id}", was, digest_of(after), detail)], now)


def _reason(text: str) -> str:
    if not text.strip():
        raise Problem("reason_missing")
    return text.strip()[:500]
