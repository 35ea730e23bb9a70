"""Who may lead a crew: an officer's unit says it, and the lot takes leaders only among them where it can."""

from __future__ import annotations

from datetime import datetime

from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.office.officers import visible
from server.store import crews, trail
from server.store.people import Person
from server.store.session import Connection


@act("officer.set_lead", "officers.change")
def set_may_lead(conn: Connection, person: Person, now: datetime, officer_id: str, may_lead: bool) -> None:
    """Says whether an officer of the own unit may be made leader by lot."""
    found = crews.candidates_by_id(conn, [officer_id]).get(officer_id)
    if found is None:
        raise Problem("not_found")
    visible(person, found.unit_id)
    permit(person, "officers.change", found.unit_id)
    crews.set_may_lead(conn, officer_id, may_lead)
    done = trail.Act(
        "officer.set_lead", person.id, f"officer:{officer_id}", digest_of(found.may_lead), digest_of(may_lead)
    )
    trail.append(conn, [done], now)
