"""What the pages of crews show: the list of tasks, the board of one, the crew of a visit, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from server.domain.access import allows
from server.domain.crew import Skip
from server.domain.crew_reasons import Infeasible
from server.domain.instant import beijing_day
from server.domain.task import Task
from server.errors import Problem
from server.office.crew_changes import feasible_now, match_for_change
from server.office.crew_room import proposal_of, room_of
from server.office.crew_teams import Unfit, teams_of, unfit, with_team
from server.office.merging import Proposal, proposals
from server.store import crews, recusals, tasks
from server.store.crews import Candidate, Change, Contribution, Match, Plan, Seen, Way
from server.store.people import Person
from server.store.recusals import Recusal
from server.store.session import Connection


class Line(msgspec.Struct, frozen=True):
    """A dispatched task in the list: how many visits it has, how many still lack a crew, how its match stands."""

    task: Task
    unit_id: str
    visits: int
    lacking: int
    state: str


class Ending(msgspec.Struct, frozen=True):
    """A certificate that ends before a visit of its officer is over (R19.1)."""

    officer_id: str
    until: str
    visit: Seen


class ListView(msgspec.Struct, frozen=True):
    """The room's first page."""

    lines: list[Line]
    ways: list[Way]
    changes: list[Change]
    recusals: list[Recusal]
    merges: list[Proposal]
    endings: list[Ending]
    guests: list[Candidate]
    visits: dict[str, Seen]


class Row(msgspec.Struct, frozen=True):
    """A visit on the board."""

    seen: Seen
    plan: Plan | None
    half_day: str
    able: int
    out: list[tuple[str, str]]
    direct: Way | None
    team: list[str]
    leader: str | None
    unfit: list[Unfit]
    experts: list[tuple[str, str]]
    """Expert and how he came, "lot" or "appointed"."""


class Board(msgspec.Struct, frozen=True):
    """One task with its match; `numbers` is certificate number -> name, `subjects` code -> name."""

    task: Task
    unit_id: str
    rows: list[Row]
    officers: list[Candidate]
    able: int
    shortage: Infeasible | None
    unplanned: int
    match: Match | None
    given: list[Contribution]
    before: list[Match]
    ways: list[Way]
    guests: list[Candidate]
    numbers: dict[str, str]
    subjects: dict[str, str]
    skips: list[Skip]

    @property
    def expert_ids(self) -> list[str]:
        """The experts who were drawn or appointed."""
        return [o for row in self.rows for o, _how in row.experts]

    @property
    def next_source(self) -> dict[str, Any] | None:
        """The number from outside that is to come next."""
        if self.match is None or self.match.state != "committed":
            return None
        return self.match.sources[len(self.given)]


class VisitView(msgspec.Struct, frozen=True):
    """The crew of one visit, with all that happened to it; `free` are those who could be named in somebody's place."""

    seen: Seen
    plan: Plan | None
    changes: list[Change]
    recusals: list[Recusal]
    merges: list[Proposal]
    officers: dict[str, Candidate]
    free: list[Candidate]
    match: Match | None
    tasks: list[Task]
    is_sent: bool
    experts: list[tuple[str, str]]


def list_of(conn: Connection, unit_id: str | None, person: Person, now: datetime) -> ListView:
    """The list as somebody sees it who sees this unit, or all."""
    dispatched = [one for one in tasks.tasks(conn, unit_id, ("dispatched",)) if unit_id in (None, one.carried_out_by)]
    ways = crews.ways(conn, unit_id, "asked")
    changes, asked = crews.changes(conn, unit_id, "asked"), recusals.recusals(conn, unit_id, "asked")
    merges = [] if unit_id is None else proposals(conn, unit_id)
    wanted = {one.visit_id for one in changes} | {one.visit_id for one in asked}
    return ListView(
        lines=[_line(conn, one) for one in dispatched],
        ways=ways,
        changes=changes,
        recusals=asked,
        merges=merges,
        endings=[one for task in dispatched for one in _endings(conn, task, now)],
        guests=[] if unit_id is None else crews.guests(conn, unit_id),
        visits={one.id: one for one in crews.visits_by_id(conn, wanted)},
    )


def _line(conn: Connection, task: Task) -> Line:
    visits = [one for one in crews.visits_of_task(conn, task.id) if one.state == "open"]
    lacking, live = sum(not one.crew for one in visits), crews.live_match(conn, task.id)
    state = live.state if live is not None and live.state != "assigned" else "lacking" if lacking else "whole"
    return Line(task, task.carried_out_by, len(visits), lacking, state)


def _endings(conn: Connection, task: Task, now: datetime) -> Iterator[Ending]:
    visits = [one for one in crews.visits_of_task(conn, task.id) if one.state == "open" and one.crew]
    plans = crews.plans_of(conn, [one.id for one in visits])
    officers = crews.candidates_by_id(conn, {o for one in visits for o in one.members})
    today = beijing_day(now).isoformat()
    for seen in visits:
        day = max(plans[seen.id].half_day[:10] if seen.id in plans else seen.window_to, today)
        for one in (officers[o] for o in seen.members):
            if one.certificate_to < day:
                yield Ending(one.id, one.certificate_to, seen)


def board_of(conn: Connection, person: Person, task_id: str, now: datetime) -> Board:
    """The board of one task, for who may read it."""
    task = tasks.task_of(conn, task_id)
    if task is None or not allows(person.roles, person.unit_id, "crews.read", task.carried_out_by):
        raise Problem("not_found")
    room, every = room_of(conn, task_id, now), crews.matches_of_task(conn, task_id)
    match = next((one for one in every if one.state != "void"), None)
    guests = crews.guests(conn, room.unit_id)
    people = {one.certificate: one for one in (*room.officers, *guests)}
    proposed, ids = proposal_of(conn, room), {one.id: one for one in people.values()}
    visits = [one for one in crews.visits_of_task(conn, task_id) if one.state == "open"]
    plans = crews.plans_of(conn, [one.id for one in visits])
    able, out = len(room.able), room.left_out
    drawn = {} if match is None or match.state != "matched" else teams_of(conn, match)
    waiting = {one.code: one for one in visits if one.code in drawn and not one.crew}
    gone = [] if match is None else list(unfit(conn, match, waiting, now))
    rows = []
    for seen in visits:
        plan, team = plans.get(seen.id), drawn.get(seen.code)
        rows.append(
            Row(
                seen=seen,
                plan=plan,
                half_day=plan.half_day if plan is not None else proposed.get(seen.id, ""),
                able=able - len(out.get(seen.id, {})),
                out=[(ids[o].name, why) for o, why in out.get(seen.id, {}).items()],
                direct=room.direct.get(seen.id),
                team=[] if team is None else list(team.officers),
                leader=None if team is None else team.leader,
                unfit=[one for one in gone if one.visit_id == seen.id],
                experts=_experts(match, plan, seen.code),
            )
        )
    return Board(
        task=task,
        unit_id=room.unit_id,
        rows=sorted(rows, key=lambda row: (row.half_day, row.seen.code)),
        officers=room.officers,
        able=able,
        shortage=room.shortage if match is None else None,
        unplanned=sum(one.id not in room.plans for one in room.matched),
        match=match,
        given=[] if match is None else crews.contributions_of(conn, match.id),
        before=[one for one in every if one.state == "void"],
        ways=room.ways,
        guests=guests,
        numbers={number: one.name for number, one in people.items()},
        subjects={one.code: one.name for one in visits},
        skips=[] if match is None else [Skip(o["s"], o["o"], _why(o["why"]), tuple(o["visits"].split()))
                                        for o in match.skips],
    )  # fmt: skip


def _why(word: str) -> Any:
    return word


def _experts(match: Match | None, plan: Plan | None, code: str) -> list[tuple[str, str]]:
    """Who comes as expert; before the lot only who is appointed."""
    if match is None or match.seed is None:
        return [] if plan is None else [(o, "appointed") for o in plan.appointed]
    return [(o, one["how"]) for one in match.drawn_experts if one["s"] == code for o in one["o"]]


def visit_of(conn: Connection, person: Person, visit_id: str, now: datetime) -> VisitView:
    """The crew of one visit, for who may read it."""
    seen = crews.visit_seen(conn, visit_id)
    if seen is None or not allows(person.roles, person.unit_id, "crews.read", seen.unit_id):
        raise Problem("not_found")
    is_sent, seen = bool(seen.crew), with_team(conn, seen)
    match, changes = match_for_change(conn, seen), crews.changes_of_visit(conn, visit_id)
    plan = crews.plans_of(conn, [visit_id]).get(visit_id)
    its = recusals.recusals_of_visit(conn, visit_id)
    wanted = {*seen.members, *(one.out_id for one in changes), *(one.officer_id for one in its)}
    wanted |= {one.in_id for one in changes if one.in_id is not None}
    ours = crews.candidates(conn, seen.unit_id)
    found = feasible_now(conn, match, seen, now)
    able = {found.ids[o] for o in found.elig}
    free = [one for one in ours if one.id not in seen.members and (match is None or one.id in able)]
    return VisitView(
        seen=seen,
        plan=plan,
        changes=changes,
        recusals=its,
        merges=[one for one in proposals(conn, seen.unit_id) if visit_id in (one.kept.id, one.other.id)],
        officers=crews.candidates_by_id(conn, wanted),
        free=free,
        match=match,
        tasks=[one for id in crews.tasks_of_visit(conn, visit_id) if (one := tasks.task_of(conn, id)) is not None],
        is_sent=is_sent,
        experts=_experts(match, plan, seen.code),
    )


class Waiting(msgspec.Struct, frozen=True):
    """One thing of the first page: words, and what they are about."""

    what: str
    about: str
    href: str
    go: str
    stuck: str = ""
    n: int = 0


def waiting(conn: Connection, person: Person) -> Iterator[Waiting]:
    """What waits for this person about crews; nobody is asked for an answer to himself."""
    unit = person.unit_id or ""
    if allows(person.roles, unit, "crews.approve", unit):
        for way in crews.ways(conn, unit, "asked"):
            if way.asked_by != person.id:
                yield Waiting("home.way", way.reason, "/office/crews", "home.go_crews")
        for change in crews.changes(conn, unit, "asked"):
            if change.asked_by != person.id:
                about = _named(conn, change.visit_id, change.reason)
                yield Waiting("home.change", about, f"/office/crews/visits/{change.visit_id}", "home.go_crews")
    if allows(person.roles, unit, "recusals.decide", unit):
        for asked in recusals.recusals(conn, None, "asked"):
            if asked.entered_by != person.id:
                about = _named(conn, asked.visit_id, asked.reason)
                yield Waiting("home.recusal", about, f"/office/crews/visits/{asked.visit_id}", "home.go_crews")
    if allows(person.roles, unit, "crews.run", unit):
        for task in tasks.tasks(conn, unit, ("dispatched",)):
            line = _line(conn, task) if task.carried_out_by == unit else None
            if line is not None and line.lacking:
                href = f"/office/crews/{task.id}"
                yield Waiting("home.match", task.name, href, "home.go_match", "home.lacking", line.lacking)


def _named(conn: Connection, visit_id: str, reason: str) -> str:
    """A reason, with the subject whose visit it is about."""
    seen = crews.visit_seen(conn, visit_id)
    return f"{seen.name} · {reason}" if seen else reason
