"""By when a visit's result is to be public, and on what that rests: the proposal's clock and its receipt (R26.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from server.domain.calendar import Due, Light, light_of
from server.store.calendars import calendar
from server.store.deadlines import PUBLICATION_TARGET, deadlines_of
from server.store.reviews import Past
from server.store.rules import rule_set_on
from server.store.session import Connection


class VisitDue(msgspec.Struct, frozen=True):
    """The target with its light today; `clock` is the phone's word on when the leader proposed final."""

    ended_on: date
    days: int
    due: Due
    light: Light
    clock: str
    received_at: str


def due_of(conn: Connection, visit_id: str, history: Sequence[Past], today: date) -> VisitDue | None:
    """The deadline of a visit that ended; None before its first final."""
    found = deadlines_of(conn, [f"visit:{visit_id}"], PUBLICATION_TARGET).get(f"visit:{visit_id}")
    proposal = _first_accepted(history)
    if found is None or proposal is None:
        return None
    light = light_of(found.due.on, None, today, rule_set_on(conn, today).lights, calendar(conn))
    clock = str(msgspec.json.decode(proposal.body)["at"])
    return VisitDue(found.start_on, found.days, found.due, light, clock, proposal.received_at)


def _first_accepted(history: Sequence[Past]) -> Past | None:
    """The proposal that became the first final: the last one with effect before it."""
    numbered = sorted((past for past in history if past.n is not None), key=lambda past: past.n or 0)
    proposal = None
    for past in numbered:
        if past.kind == "accept_final":
            return proposal
        if past.kind == "propose_final" and past.standing == "ok":
            proposal = past
    return None
