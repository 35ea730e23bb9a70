"""Assignments: what a phone is told of its officer's visits, so that he can work without any network."""

from __future__ import annotations

from typing import Any

from server.store import assignments as stored
from server.store import visits
from server.store.seal import Sealer
from server.store.session import Connection
from server.sync.desk import facts_of
from server.sync.judge import phase_by_standing
from server.sync.record import phases_of


def assignments_for(conn: Connection, officer_id: str, known_rev: int, sealer: Sealer | None) -> dict[str, Any] | None:
    """The officer's whole list, or None where his phone has it as it is."""
    rev = visits.assignments_rev(conn, officer_id)
    if rev == known_rev:
        return None
    phases = _phases(conn, officer_id)
    return {
        "rev": rev,
        "visits": [{**card, "phase": phases[card["id"]]} for card in stored.cards(conn, officer_id, sealer)],
        "withdrawn": sorted(visits.memberships(conn, officer_id).keys() - phases.keys()),
    }


def _phases(conn: Connection, officer_id: str) -> dict[str, str]:
    """The phase of each visit that he is in; only where a proposal is open the journal has to be folded for it."""
    known = {row.id: phase_by_standing(facts_of(row)) for row in visits.visits_with(conn, officer_id)}
    folded = phases_of(conn, [id_ for id_, phase in known.items() if phase is None])
    return {id_: phase or folded[id_] for id_, phase in known.items()}
