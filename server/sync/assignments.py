"""Assignments: what a phone is told of its officer's visits, so that he can work without any network."""

from __future__ import annotations

from typing import Any

from server.store import assignments as stored
from server.store import visits
from server.store.session import Connection
from server.sync.record import phases_of


def assignments_for(conn: Connection, officer_id: str, known_rev: int) -> dict[str, Any] | None:
    """The officer's whole list, or None where his phone has it as it is."""
    rev = visits.assignments_rev(conn, officer_id)
    if rev == known_rev:
        return None
    members = visits.memberships(conn, officer_id)
    open_ids = sorted(id_ for id_, member in members.items() if member.role != "removed")
    cards = stored.cards(conn, open_ids)
    unknown = phases_of(conn, [card["id"] for card in cards if card["phase"] is None])
    return {
        "rev": rev,
        "visits": [{**card, "phase": card["phase"] or unknown[card["id"]]} for card in cards],
        "withdrawn": sorted(members.keys() - set(open_ids)),
    }
