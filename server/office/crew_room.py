"""What a match rests on: a task's visits, their half-days, who could make each of them, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import msgspec

from server.domain.access import allows
from server.domain.crew import Visit, in_order
from server.domain.crew_frame import against, frame_text, out_of_frame, proposed_half_days
from server.domain.crew_reasons import Infeasible, explain
from server.domain.instant import beijing_day
from server.domain.interest import barred_pairs
from server.domain.task import Task
from server.errors import Problem
from server.office.act import permit
from server.store import calendars, crews, interests, leaves, recusals, registry, tasks
from server.store.crews import Candidate, Plan, Seen, Way
from server.store.engagements import Engagement, engagements, hold_unit
from server.store.people import Person
from server.store.session import Connection

SLOTS = 1
"""Visits that an officer makes in half a day."""


class Room(msgspec.Struct, frozen=True):
    """A dispatched task with all that the lot asks; `visits` are those that still have no crew."""

    task: Task
    unit_id: str
    domain: str
    visits: list[Seen]
    plans: dict[str, Plan]
    officers: list[Candidate]
    ways: list[Way]
    losses: dict[str, dict[str, list[str]]]
    """Visit that has its half-day -> officer -> all that keeps him off it."""
    day: str

    @property
    def left_out(self) -> dict[str, dict[str, str]]:
        """Visit -> officer who takes part in the lot -> the reason why he isn't matched with it."""
        able = {one.id for one in self.able}
        return {
            visit: {officer: why[0] for officer, why in every.items() if officer in able}
            for visit, every in self.losses.items()
        }

    @property
    def able(self) -> list[Candidate]:
        """Who takes part in a lot of today: the frame's `E` rows."""
        return [one for one in self.officers if out_of_frame(one, self.day, self.domain) is None]

    @property
    def direct(self) -> dict[str, Way]:
        """Visit -> the direct assignment that was approved for it."""
        found = [one for one in self.ways if one.state == "approved" and one.kind == "direct_assignment"]
        return {one.visit_id: one for one in found if one.visit_id is not None}

    @property
    def matched(self) -> list[Seen]:
        """The visits that the lot is for."""
        return [one for one in self.visits if one.id not in self.direct]

    @property
    def planned(self) -> list[Visit]:
        """Those of them that have a half-day, as the lot takes them."""
        return in_order(self._visit(one) for one in self.matched if one.id in self.plans)

    def _visit(self, seen: Seen) -> Visit:
        plan, out = self.plans[seen.id], self.left_out[seen.id]
        fit = [one for one in self.able if one.id not in out]
        lead = tuple(sorted(one.certificate for one in fit if one.may_lead))
        every = tuple(sorted(one.certificate for one in fit))
        return Visit(seen.code, plan.k, plan.half_day, every, None if lead == every else lead)

    @property
    def frame(self) -> str:
        """The officers' list as it is hashed."""
        return frame_text(self.officers, self.day, self.domain)

    @property
    def shortage(self) -> Infeasible | None:
        """Why no lawful teams exist; None where there are some (R18.4)."""
        codes = {one.id: one.code for one in self.visits}
        numbers = {one.id: one.certificate for one in self.officers}
        losses = {
            codes[visit]: {numbers[officer]: why for officer, why in every.items()}
            for visit, every in self.losses.items()
        }
        return explain(self.planned, losses, SLOTS)


def room_of(conn: Connection, task_id: str, now: datetime) -> Room:
    """A task's room, if it was dispatched."""
    task = tasks.task_of(conn, task_id)
    if task is None:
        raise Problem("not_found")
    if task.state != "dispatched":
        raise Problem("crew_not_dispatched")
    unit_id, day = task.carried_out_by, beijing_day(now).isoformat()
    item = registry.items_by_id(conn, [task.drawn_item]).get(task.drawn_item)
    domain = "other" if item is None else item.sector
    visits = [one for one in crews.visits_of_task(conn, task_id) if one.state == "open" and not one.crew]
    plans, ways = crews.plans_of(conn, [one.id for one in visits]), crews.ways_of_task(conn, task_id)
    officers = sorted(crews.candidates(conn, unit_id) + lent(conn, ways), key=lambda one: one.certificate)
    busy = engagements(conn, [one.id for one in officers])
    out = {
        seen.id: losses_of(conn, officers, seen, plans[seen.id].half_day, domain, day, busy)
        for seen in visits
        if seen.id in plans
    }
    return Room(task, unit_id, domain, visits, plans, officers, ways, out, day)


def permit_seen(person: Person, right: str, unit_id: str) -> None:
    """Refuses who may read of this unit's crews, but not do that; for others what was asked for isn't there."""
    if not allows(person.roles, person.unit_id, "crews.read", unit_id):
        raise Problem("not_found")
    permit(person, right, unit_id)


def room_for(conn: Connection, person: Person, right: str, task_id: str, now: datetime) -> Room:
    """The room for who may act in it, alone in the unit until the transaction ends; for others it isn't there."""
    task = tasks.task_of(conn, task_id)
    if task is None:
        raise Problem("not_found")
    permit_seen(person, right, task.carried_out_by)
    hold_unit(conn, task.carried_out_by)
    return room_of(conn, task_id, now)


def lent(conn: Connection, ways: Sequence[Way]) -> list[Candidate]:
    """The neighbours' officers whom an approved merged pool brings, each once."""
    ids = {one for way in ways if way.kind == "merged_pool" and way.state == "approved" for one in way.officers}
    return list(crews.candidates_by_id(conn, ids).values())


def losses_of(
    conn: Connection,
    officers: Sequence[Candidate],
    seen: Seen,
    half_day: str,
    domain: str,
    day: str,
    engaged: Mapping[str, Collection[Engagement]],
) -> dict[str, list[str]]:
    """Officer -> all that keeps him off this visit, and out of a lot of that day; nobody is in his own visit's way.

    A visit that serves several tasks asks for the sectors of all of them.
    """
    ids, on = [one.id for one in officers], half_day[:10]
    barred = barred_pairs(interests.interests_of(conn, ids), date.fromisoformat(on), date.fromisoformat(on))
    recused, away = recusals.recused_pairs(conn, ids), leaves.leaves_of(conn, ids, on, on)
    busy = {o: {one.half_day for one in its if one.visit_id != seen.id} for o, its in engaged.items()}
    found, others = {}, sectors_of(conn, seen.id)
    for one in officers:
        outside = out_of_frame(one, day, domain) or (None if others.issubset(one.domains) else "DOMAIN")
        its = against(one, half_day, seen.subject_id, barred, recused, away, busy)
        found[one.id] = ([outside] if outside is not None and outside not in its else []) + its
    return {officer: why for officer, why in found.items() if why}


def sectors_of(conn: Connection, visit_id: str) -> frozenset[str]:
    """The sectors of the items for which a visit was drawn, one for each of its tasks."""
    drawn = [one.drawn_item for id in crews.tasks_of_visit(conn, visit_id) if (one := tasks.task_of(conn, id))]
    return frozenset(one.sector for one in registry.items_by_id(conn, drawn).values())


def proposal_of(conn: Connection, room: Room) -> dict[str, str]:
    """Visit -> half-day: the visits spread over the working days that are left of their windows."""
    first = date.fromisoformat(room.day)
    windows = [
        (one.id, max(first, date.fromisoformat(one.window_from)), date.fromisoformat(one.window_to))
        for one in room.visits
    ]
    return proposed_half_days(windows, calendars.calendar(conn))
