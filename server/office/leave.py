"""Leave of officers, as their unit enters it: who is away isn't matched to a visit on those days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain.leave import LeaveEntry, check_leave
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.office.officers import accept, must_be_here, needed_reason, visible
from server.store import leaves, officers, trail
from server.store.leaves import Listed
from server.store.people import Person
from server.store.session import Connection

ARTICLE = "20"


def leave_for(conn: Connection, person: Person, leave_id: str) -> Listed:
    """One leave for who may read it."""
    found = leaves.leave_of(conn, leave_id)
    if found is None:
        raise Problem("not_found")
    visible(person, found.unit_id)
    return found


@act("leave.add", "officers.change")
def add_leave(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> str:
    """Enters a leave of an officer of the own unit; gives its id."""
    permit(person, "officers.change", person.unit_id)
    entry = _checked(conn, person, values)
    must_be_here(officers.officer_rows(conn, [entry.officer_id])[entry.officer_id], now)
    leave_id = new_id()
    leaves.add_leave(conn, leave_id, entry, person.id, now)
    detail = {"officer": entry.officer_id, "since": entry.since, "until": entry.until, "kind": entry.kind}
    trail.append(conn, [trail.Act("leave.add", person.id, f"leave:{leave_id}", None, digest_of(entry), detail)], now)
    return leave_id


@act("leave.cancel", "officers.change")
def cancel_leave(conn: Connection, person: Person, now: datetime, leave_id: str, values: Mapping[str, str]) -> None:
    """Takes a leave back, with the reason."""
    known = leave_for(conn, person, leave_id)
    permit(person, "officers.change", known.unit_id)
    reason = needed_reason(values, "reason")
    leaves.cancel_leave(conn, leave_id, person.id, now)
    before, detail = digest_of(known.leave), {"officer": known.leave.officer_id, "reason": reason}
    trail.append(conn, [trail.Act("leave.cancel", person.id, f"leave:{leave_id}", before, None, detail)], now)


def _checked(conn: Connection, person: Person, values: Mapping[str, str]) -> LeaveEntry:
    mine = [row["id"] for row in officers.rows_of(conn, person.unit_id or "")]
    entry, faults = check_leave(values, mine, leaves.leaves_of(conn, mine))
    accept(faults, values, ARTICLE)
    if entry is None:
        raise AssertionError("an entry without a fault that stops is there")
    return entry
