"""One door for several matters: visits of one subject whose windows overlap are proposed for merging (R22.1)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.errors import Problem
from server.office.act import act
from server.office.crew_room import permit_seen
from server.office.field import Field
from server.store import crews
from server.store.crews import Seen
from server.store.people import Person
from server.store.session import Connection


class Proposal(msgspec.Struct, frozen=True):
    """Two visits that could be one: `kept` goes on with the tasks of `other`, in the days that both have."""

    kept: Seen
    other: Seen
    window: tuple[str, str]


def proposals(conn: Connection, unit_id: str) -> list[Proposal]:
    """What a unit could merge, by the subject's code; the visit that has a crew already is the one that goes on."""
    found = []
    for subject in crews.open_subjects_twice(conn, unit_id):
        visits = [one for one in crews.open_visits_of_subject(conn, subject) if one.unit_id == unit_id]
        ranked = sorted(visits, key=lambda one: (not one.crew, one.window_from, one.id))
        for other in ranked[1:]:
            window = max(ranked[0].window_from, other.window_from), min(ranked[0].window_to, other.window_to)
            if window[0] <= window[1] and not (ranked[0].crew and other.crew):
                found.append(Proposal(ranked[0], other, window))
    return sorted(found, key=lambda one: one.kept.code)


@act("visit.merge", "visit.merge")
def merge(conn: Connection, person: Person, now: datetime, visit_id: str, other_id: str, field: Field) -> None:
    """Merges `other_id` into `visit_id`, before either has begun; the entry of its own is the field's."""
    seen, other = crews.visit_seen(conn, visit_id), crews.visit_seen(conn, other_id)
    if seen is None:
        raise Problem("not_found")
    permit_seen(person, "visit.merge", seen.unit_id)
    if other is None:
        raise Problem("bad_request", why="other")
    field.merge(conn, person, now, visit_id, other_id)
