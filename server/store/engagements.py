"""Who is taken when: the half-days of officers who are in a crew, drawn into one, or named for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.crew_team import standing
from server.store import crews
from server.store.tables import crew_plan, crew_way, unit, visit, visit_crew


class Engagement(NamedTuple):
    """Half a day of an officer that one visit takes."""

    officer_id: str
    half_day: str
    visit_id: str


def hold_unit(conn: Connection, unit_id: str) -> None:
    """Holds the crews of a unit until the transaction ends: who is free is asked and taken by one after another.

    An officer belongs to one unit, so nobody is taken twice for one half-day.
    """
    conn.execute(sa.select(unit.c.id).where(unit.c.id == unit_id).with_for_update(key_share=True))


def engagements(conn: Connection, officers: Iterable[str]) -> dict[str, set[Engagement]]:
    """Officer -> what he is engaged in: crews of open visits, teams that wait to be sent, and who was named for one."""
    wanted = set(officers)
    found: dict[str, set[Engagement]] = {}
    for one in (*_in_crews(conn, wanted), *_in_teams(conn), *_named(conn)):
        if one.officer_id in wanted:
            found.setdefault(one.officer_id, set()).add(one)
    return found


def _in_crews(conn: Connection, officers: Collection[str]) -> Iterator[Engagement]:
    query = (
        sa.select(visit_crew.c.officer_id, crew_plan.c.half_day, visit.c.id)
        .join(crew_plan, crew_plan.c.visit_id == visit_crew.c.visit_id)
        .join(visit, visit.c.id == visit_crew.c.visit_id)
        .where(visit.c.state == "open", visit_crew.c.role != "removed", visit_crew.c.officer_id.in_(officers))
    )
    return (Engagement(*row) for row in conn.execute(query))


def _in_teams(conn: Connection) -> Iterator[Engagement]:
    """Teams that are drawn and not sent yet, with those who came in somebody's place since."""
    for match in crews.matches_in_state(conn, "matched"):
        visits = {one.code: one.id for one in crews.visits_of_task(conn, match.task_id) if one.state == "open"}
        half_days = {one["s"]: one["half_day"] for one in match.visits}
        changes = crews.changes_of_match(conn, match.id)
        came = match.officers | {one.record["in"]: one.in_id for one in changes if one.record and one.in_id}
        for s, team in match.teams.items():
            for o in standing(s, team, match.leaders[s], crews.records_of(changes)).officers if s in visits else ():
                yield Engagement(came[o], half_days[s], visits[s])


def _named(conn: Connection) -> Iterator[Engagement]:
    """Officers who were named for a visit that has no crew yet."""
    has_crew = sa.exists().where(visit_crew.c.visit_id == visit.c.id, visit_crew.c.role != "removed")
    query = (
        sa.select(crew_way.c.officers, crew_plan.c.half_day, visit.c.id)
        .join(visit, visit.c.id == crew_way.c.visit_id)
        .join(crew_plan, crew_plan.c.visit_id == visit.c.id)
        .where(crew_way.c.kind == "direct_assignment", crew_way.c.state == "approved")
        .where(visit.c.state == "open", ~has_crew)
    )
    return (Engagement(o, row.half_day, row.id) for row in conn.execute(query) for o in row.officers)
