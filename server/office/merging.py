"""One door for several matters: visits of one subject whose windows overlap are proposed for merging (R22.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from server.errors import Problem
from server.office.act import act
from server.office.crew_room import permit_seen, sectors_of
from server.office.field import Field
from server.store import crews, tasks
from server.store.crews import Seen
from server.store.people import Person
from server.store.session import Connection


class Proposal(msgspec.Struct, frozen=True):
    """Two visits that could be one: `kept` goes on with the tasks of `other`, in the days that both have."""

    kept: Seen
    other: Seen
    window: tuple[str, str]
    tasks: tuple[str, ...]
    """Their names, those of `kept` first."""


def proposals(conn: Connection, unit_id: str) -> list[Proposal]:
    """What a unit could merge, by the subject's code; the visit that has a crew, or gets one, goes on."""
    found: list[Proposal] = []
    for subject in crews.open_subjects_twice(conn, unit_id):
        visits = [one for one in crews.open_visits_of_subject(conn, subject) if one.unit_id == unit_id]
        found += _of_subject(conn, visits)
    return sorted(found, key=lambda one: one.kept.code)


def _of_subject(conn: Connection, visits: Sequence[Seen]) -> Iterator[Proposal]:
    begun = crews.begun(conn, [one.id for one in visits])
    fresh = [one for one in visits if one.id not in begun]
    ranked = sorted(fresh, key=lambda one: (not _has_lot(conn, one), one.window_from, one.id))
    for other in ranked[1:]:
        window = window_of(ranked[0], other)
        if window[0] <= window[1] and hindrance(conn, ranked[0], other) is None:
            yield Proposal(ranked[0], other, window, (*_names(conn, ranked[0]), *_names(conn, other)))


def _names(conn: Connection, seen: Seen) -> list[str]:
    return [one.name for id in crews.tasks_of_visit(conn, seen.id) if (one := tasks.task_of(conn, id))]


def window_of(kept: Seen, other: Seen) -> tuple[str, str]:
    """The first and the last day that both have; the other way round where they have none."""
    return max(kept.window_from, other.window_from), min(kept.window_to, other.window_to)


def hindrance(conn: Connection, kept: Seen, other: Seen) -> Problem | None:
    """What the crews have against it: no drawn crew gives way to another, nor gets a day or a matter unfit for it."""
    if _has_lot(conn, other):
        return Problem("merge_two_crews" if _has_lot(conn, kept) else "merge_crew_stays")
    if not _has_lot(conn, kept):
        return None
    plan, (first, last) = crews.plans_of(conn, [kept.id]).get(kept.id), window_of(kept, other)
    if plan is not None and first <= last and not first <= plan.half_day[:10] <= last:
        return Problem("merge_day_outside", day=plan.half_day[:10])
    able = crews.candidates_by_id(conn, kept.members).values()
    wanted = sectors_of(conn, other.id)
    fits = all(wanted.issubset(one.domains) for one in able) if kept.crew else wanted <= sectors_of(conn, kept.id)
    return None if fits else Problem("merge_sector")


def _has_lot(conn: Connection, seen: Seen) -> bool:
    """Whether a visit has its crew, or one is being drawn for it, or was named."""
    if seen.crew:
        return True
    for task in crews.tasks_of_visit(conn, seen.id):
        live = crews.live_match(conn, task)
        named = [one for one in crews.ways_of_task(conn, task) if one.visit_id == seen.id and one.state == "approved"]
        if named or (live is not None and any(one["s"] == seen.code for one in live.visits)):
            return True
    return False


@act("visit.merge", "visit.merge")
def merge(conn: Connection, person: Person, now: datetime, visit_id: str, other_id: str, field: Field) -> None:
    """Merges `other_id` into `visit_id`, before either has begun; the entry of its own is the field's.

    A day planned for it that not both have is planned anew.
    """
    seen, other = crews.visit_seen(conn, visit_id), crews.visit_seen(conn, other_id)
    if seen is None:
        raise Problem("not_found")
    permit_seen(person, "visit.merge", seen.unit_id)
    if other is None or other_id == visit_id:
        raise Problem("bad_request", why="other")
    permit_seen(person, "visit.merge", other.unit_id)
    against = hindrance(conn, seen, other)
    if against is not None:
        raise against
    field.merge(conn, person, now, visit_id, other_id)
    first, last = window_of(seen, other)
    plan = crews.plans_of(conn, [visit_id]).get(visit_id)
    if plan is not None and not first <= plan.half_day[:10] <= last:
        crews.drop_plan(conn, visit_id)
