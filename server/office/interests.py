"""The register of interests, as units keep it for their officers (R20.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Fault, Invalid
from server.domain.interest import InterestEntry, check_interest
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.office.officers import accept, must_be_here, visible
from server.store import interests, officers, trail
from server.store.interests import Listed
from server.store.people import Person
from server.store.session import Connection

ARTICLE = "20"


def interest_for(conn: Connection, person: Person, interest_id: str) -> Listed:
    """One interest for who may read it."""
    found = interests.interest_of(conn, interest_id)
    if found is None:
        raise Problem("not_found")
    visible(person, found.unit_id)
    return found


@act("interest.add", "officers.change")
def add_interest(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> str:
    """Enters an interest of an officer of the own unit in any subject; gives its id."""
    permit(person, "officers.change", person.unit_id)
    entry = _checked(conn, person, now, values)
    interest_id = new_id()
    interests.add_interest(conn, interest_id, entry, person.id, now)
    detail = {"officer": entry.officer_id, "subject": entry.subject_id, "kind": entry.kind, "source": entry.source}
    noted = trail.Act("interest.add", person.id, f"interest:{interest_id}", None, digest_of(entry), detail)
    trail.append(conn, [noted], now)
    return interest_id


@act("interest.end", "officers.change")
def end_interest(conn: Connection, person: Person, now: datetime, interest_id: str, values: Mapping[str, str]) -> None:
    """Sets the last day of an interest; it stays in the register for the days before."""
    known = interest_for(conn, person, interest_id)
    permit(person, "officers.change", known.unit_id)
    entry = Entry(values)
    last = entry.day("until")
    if last is not None and last < known.interest.since:
        entry.wrong("until", "days_swapped", since=known.interest.since, until=last)
    if not entry.is_good or last is None:
        raise Invalid(entry.faults, ARTICLE)
    interests.end_interest(conn, known.interest, last, person.id, now)
    digests = digest_of(known.interest), digest_of(interest_for(conn, person, interest_id).interest)
    noted = trail.Act("interest.end", person.id, f"interest:{interest_id}", *digests, detail={"until": last})
    trail.append(conn, [noted], now)


def _checked(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> InterestEntry:
    mine = [row["id"] for row in officers.rows_of(conn, person.unit_id or "")]
    code = normal_code(values.get("subject", ""))
    subject_id = interests.subject_by_code(conn, code)
    entry, faults = check_interest(values, mine, {} if subject_id is None else {code: subject_id})
    if entry is not None:
        must_be_here(officers.officer_rows(conn, [entry.officer_id])[entry.officer_id], now)
        known = [one for one in interests.interests_of(conn, [entry.officer_id]) if one.subject_id == entry.subject_id]
        if any(one.kind == entry.kind and one.holds(entry.since, entry.until or "9999-12-31") for one in known):
            faults.append(Fault("subject", "interest_taken"))
    accept(faults, values, ARTICLE)
    if entry is None:
        raise AssertionError("an entry without a fault that stops is there")
    return entry
