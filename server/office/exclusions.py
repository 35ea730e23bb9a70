"""Who is left out of draws by a document: the unit's clerk asks, its head decides (R16.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from server.domain.access import allows
from server.domain.codes import normal_code
from server.domain.exclusion import ARTICLE, Exclusion, check_exclusion
from server.domain.faults import Fault, Invalid, number_faults, stops
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import act, digest_of, named, permit
from server.office.reasons import said_reason
from server.store import exclusions, non_random, trail
from server.store.people import Person
from server.store.session import Connection


@act("exclusion.enter", "exclusions.enter")
def enter(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> str:
    """Asks that a subject of the clerk's own library be left out, by a document and for some time; the request's id."""
    unit_id = person.unit_id or ""
    permit(person, "exclusions.enter", unit_id)
    entered, faults = check_exclusion(values, beijing_day(now))
    for field in ("document", "reason"):
        faults = [*faults, *number_faults(field, values.get(field, ""))]
    code = normal_code(values.get("code", ""))
    subject = non_random.subject_in_library(conn, unit_id, code)
    if subject is None and code:
        faults = [*faults, Fault("code", "not_in_library", {"found": code[:20]})]
    if entered is None or subject is None or stops(faults):
        raise Invalid(faults, ARTICLE)
    made = Exclusion(
        id=named("exclusion", unit_id, subject, entered.document, stamp(now)),
        unit_id=unit_id,
        subject_id=subject,
        state="asked",
        entered_by=person.id,
        entered_at=stamp(now),
        **msgspec.structs.asdict(entered),
    )
    exclusions.add(conn, made)
    _note(conn, "exclusion.enter", person, None, made, now)
    return made.id


@act("exclusion.decide", "exclusions.approve")
def decide(
    conn: Connection, person: Person, now: datetime, exclusion_id: str, *, approved: bool, answer: str = ""
) -> None:
    """The unit head approves or refuses, the latter with a reason; nobody decides on his own request."""
    before = exclusions.one(conn, exclusion_id, lock=True)
    if before is None or not allows(person.roles, person.unit_id, "draws.read", before.unit_id):
        raise Problem("not_found")
    permit(person, "exclusions.approve", before.unit_id)
    if before.state != "asked":
        raise Problem("exclusion_decided")
    if before.entered_by == person.id:
        raise Problem("own_entry")
    said = said_reason(answer, "answer", required=False, article="16")
    if not approved and not said:
        raise Problem("reason_missing")
    after = msgspec.structs.replace(
        before,
        state="approved" if approved else "refused",
        decided_by=person.id,
        decided_at=stamp(now),
        answer=said or None,
    )
    exclusions.decide(conn, after)
    _note(conn, "exclusion.decide", person, before, after, now)


def _note(
    conn: Connection, name: str, person: Person, before: Exclusion | None, after: Exclusion, now: datetime
) -> None:
    names = ("subject_id", "kind", "document", "reason", "since", "until", "state", "answer")
    detail = {field: getattr(after, field) for field in names}
    was = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, person.id, f"exclusion:{after.id}", was, digest_of(after), detail)], now)
