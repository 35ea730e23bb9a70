"""The teams of a match as they stand before they are sent, and who of them can't go any more (19, 20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from server.domain.crew_team import Team, standing
from server.domain.instant import beijing_day
from server.office.crew_room import losses_of
from server.store import crews, registry, tasks
from server.store.crews import Candidate, Match, Seen
from server.store.engagements import engagements
from server.store.session import Connection

BARS_DIRECT = frozenset({"LEFT", "NOT_YET", "EXPIRED", "EXPIRES", "DOMAIN", "INTEREST", "RECUSED", "LEAVE"})
"""What stands against an officer who is named; that he has another visit then doesn't, where his head says so."""


class Unfit(NamedTuple):
    """An officer of a team who can't go, and why."""

    visit_id: str
    subject: str
    officer_id: str
    name: str
    why: str


def teams_of(conn: Connection, match: Match) -> dict[str, Team]:
    """Subject's code -> the team by lot, or as named, with those who came in somebody's place since."""
    records = crews.records_of(crews.changes_of_match(conn, match.id))
    drawn = {s: (team, match.leaders[s]) for s, team in match.teams.items()}
    drawn |= {one["s"]: (one["o"], one["leader"]) for one in match.ways["direct"]}
    return {s: standing(s, team, leader, records) for s, (team, leader) in drawn.items()}


def ids_of(conn: Connection, match: Match) -> dict[str, str]:
    """Number -> officer: as they were at the commitment, and of those who came since."""
    changes = crews.changes_of_match(conn, match.id)
    return match.officers | {one.record["in"]: one.in_id for one in changes if one.record and one.in_id}


def with_team(conn: Connection, seen: Seen) -> Seen:
    """A visit whose crew is drawn and not sent yet, with that crew; any other as it is."""
    match = None if seen.crew else crews.match_of_visit(conn, seen.id, seen.code, "matched")
    if match is None:
        return seen
    team, ids = teams_of(conn, match)[seen.code], ids_of(conn, match)
    roles = [(ids[o], "leader" if o == team.leader else "member") for o in team.officers]
    return msgspec.structs.replace(seen, crew=tuple(sorted(roles, key=lambda one: (one[1], one[0]))))


def unfit(conn: Connection, match: Match, visits: Mapping[str, Seen], now: datetime) -> Iterator[Unfit]:
    """Who of the teams of these visits (by code) can't go any more: everything is looked at again before they are sent.

    Whoever is in another unit now counts as gone.
    """
    teams = {s: team for s, team in teams_of(conn, match).items() if s in visits}
    ids, direct = ids_of(conn, match), {one["s"] for one in match.ways["direct"]}
    officers = crews.candidates_by_id(conn, {ids[o] for team in teams.values() for o in team.officers})
    engaged = engagements(conn, officers)
    plans = crews.plans_of(conn, [one.id for one in visits.values()])
    domain, today = domain_of_task(conn, match.task_id), beijing_day(now).isoformat()
    for s, team in teams.items():
        its = [here(officers[ids[o]], match.unit_id, today) for o in team.officers]
        half_day = half_day_of(plans[visits[s].id].half_day, today)
        for id, why in losses_of(conn, its, visits[s], half_day, domain, today, engaged).items():
            bars = [one for one in why if one in BARS_DIRECT or s not in direct]
            if bars:
                yield Unfit(visits[s].id, visits[s].name, id, officers[id].name, bars[0])


def half_day_of(planned: str | None, today: str) -> str:
    """The half-day for which an officer is judged: the planned one, or today's where that has passed or is none."""
    return planned if planned is not None and planned[:10] >= today else f"{today}/am"


def domain_of_task(conn: Connection, task_id: str) -> str:
    """The sector of the item that a task draws for."""
    its = tasks.task_of(conn, task_id)
    item = None if its is None else registry.items_by_id(conn, [its.drawn_item]).get(its.drawn_item)
    return "other" if item is None else item.sector


def here(one: Candidate, unit_id: str, today: str) -> Candidate:
    """An officer as a match of a unit has him: who belongs to another unit now has left."""
    return one if one.unit_id == unit_id else msgspec.structs.replace(one, left_on=today)
