"""Crews in the database: half-days, matches by lot, ways out of a shortage, replacements, and who is in a visit now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.store import personnel
from server.store.tables import (
    crew_change,
    crew_contribution,
    crew_match,
    crew_plan,
    crew_way,
    expert,
    officer,
    op,
    unit,
    visit,
    visit_crew,
    visit_task,
)

ROOT: Final = "0" * 64
"""What the first commitment of the bureau follows."""

LIVE: Final = ("committed", "contributed", "matched", "assigned")
"""The states of a match that isn't void."""

MatchState = Literal["committed", "contributed", "matched", "assigned", "void"]
Decision = Literal["asked", "approved", "refused"]


class Plan(msgspec.Struct, frozen=True):
    """When a visit is to be made ("2026-09-08/am"), by how many officers, with how many experts and why."""

    visit_id: str
    task_id: str
    half_day: str
    k: int
    experts: int
    expert_reason: str
    planned_by: str
    planned_at: str
    appointed: tuple[str, ...] = ()
    """Experts who are asked by name (R18.3)."""


class Contribution(msgspec.Struct, frozen=True):
    """What came from outside after the commitment."""

    match_id: str
    k: str
    place: int
    v: str
    at: str
    by: str
    evidence: str | None
    link: str | None
    entered_by: str
    entered_at: str


class Match(msgspec.Struct, frozen=True):
    """One attempt of the lot; s is a subject's code, o a certificate's number, as the published file has them.

    `officers` is whose numbers they were at the commitment, whichever certificate somebody has since.
    """

    id: str
    place: int
    task_id: str
    unit_id: str
    attempt: int
    state: MatchState
    prev: str
    frame: str
    frame_digest: str
    rules: str
    rules_digest: str
    sources: list[dict[str, Any]]
    visits: list[dict[str, Any]]
    slots: int
    left_out: dict[str, list[dict[str, str]]]
    ways: dict[str, list[dict[str, Any]]]
    experts: dict[str, dict[str, Any]]
    officers: dict[str, str]
    commit: str
    committed_at: str
    committed_by: str
    sealed_secret: bytes
    secret: str | None = None
    seed: str | None = None
    cap: int = 0
    teams: dict[str, list[str]] = {}
    leaders: dict[str, str] = {}
    skips: list[dict[str, str]] = []
    drawn_experts: list[dict[str, Any]] = []
    matched_at: str | None = None
    matched_by: str | None = None
    assigned_at: str | None = None
    assigned_by: str | None = None
    void_reason: str | None = None
    void_by: str | None = None
    void_at: str | None = None


class Way(msgspec.Struct, frozen=True):
    """A way out of a shortage as it was asked for, and the unit head's word (R18.4)."""

    id: str
    task_id: str
    unit_id: str
    kind: Literal["merged_pool", "direct_assignment"]
    visit_id: str | None
    officers: tuple[str, ...]
    leader: str | None
    office: str
    consent: str
    reason: str
    explanation: dict[str, Any]
    state: Decision
    asked_by: str
    asked_at: str
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


class Change(msgspec.Struct, frozen=True):
    """A replacement as it was asked for, the unit head's word, and who came (R20.1); `record` as the file has it."""

    id: str
    visit_id: str
    unit_id: str
    match_id: str | None
    s: str
    out_id: str
    kind: str
    reason: str
    wanted_id: str | None
    why_wanted: str
    state: Decision
    asked_by: str
    asked_at: str
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    attempt: int | None = None
    in_id: str | None = None
    designated: bool = False
    record: dict[str, Any] | None = None


class Seen(msgspec.Struct, frozen=True):
    """A visit as the room of crews needs it."""

    id: str
    unit_id: str
    subject_id: str
    name: str
    code: str
    window_from: str
    window_to: str
    state: str
    crew: tuple[tuple[str, str], ...] = ()
    """Officer and role of everybody who is in it now, the leader first."""

    @property
    def leader(self) -> str | None:
        """Who leads it."""
        return next((one for one, role in self.crew if role == "leader"), None)

    @property
    def members(self) -> tuple[str, ...]:
        """Everybody who is in it."""
        return tuple(one for one, _ in self.crew)


# --- visits and plans -------------------------------------------------------------------------------------------------


def visits_of_task(conn: Connection, task_id: str) -> list[Seen]:
    """The visits of a task, by the subject's code; what was merged into another visit isn't among them."""
    ids = conn.scalars(sa.select(visit_task.c.visit_id).where(visit_task.c.task_id == task_id))
    return visits_by_id(conn, ids)


def visits_by_id(conn: Connection, ids: Iterable[str]) -> list[Seen]:
    """Visits with their crews of now, by the subject's code."""
    wanted = list(ids)
    crews: dict[str, list[tuple[str, str]]] = {}
    query = sa.select(visit_crew).where(visit_crew.c.visit_id.in_(wanted), visit_crew.c.role != "removed")
    for row in conn.execute(query.order_by(visit_crew.c.role, visit_crew.c.officer_id)):
        crews.setdefault(row.visit_id, []).append((row.officer_id, row.role))
    rows = conn.execute(sa.select(*_SEEN).where(visit.c.id.in_(wanted)).order_by(visit.c.subject_uscc, visit.c.id))
    return [Seen(*row, tuple(crews.get(row.id, ()))) for row in rows]


def visit_seen(conn: Connection, visit_id: str) -> Seen | None:
    """One visit."""
    return next(iter(visits_by_id(conn, [visit_id])), None)


def open_visits_of_subject(conn: Connection, subject_id: str) -> list[Seen]:
    """The visits of a subject that are neither final nor void."""
    query = sa.select(visit.c.id).where(visit.c.subject_id == subject_id, visit.c.state == "open")
    return visits_by_id(conn, conn.scalars(query))


def open_subjects_twice(conn: Connection, unit_id: str) -> list[str]:
    """The subjects that have more than one open visit of a unit."""
    query = sa.select(visit.c.subject_id).where(visit.c.unit_id == unit_id, visit.c.state == "open")
    return list(conn.scalars(query.group_by(visit.c.subject_id).having(sa.func.count() > 1).order_by("subject_id")))


_SEEN = (
    visit.c.id, visit.c.unit_id, visit.c.subject_id, visit.c.subject_name, visit.c.subject_uscc, visit.c.window_from,
    visit.c.window_to, visit.c.state,
)  # fmt: skip


def tasks_of_visit(conn: Connection, visit_id: str) -> list[str]:
    """The tasks that a visit serves."""
    query = sa.select(visit_task.c.task_id).where(visit_task.c.visit_id == visit_id)
    return list(conn.scalars(query.order_by(visit_task.c.task_id)))


def plans_of(conn: Connection, visit_ids: Iterable[str]) -> dict[str, Plan]:
    """Visit -> what is planned for it."""
    query = sa.select(crew_plan).where(crew_plan.c.visit_id.in_(list(visit_ids)))
    return {
        row["visit_id"]: Plan(**{**row, "appointed": tuple(row["appointed"])}) for row in conn.execute(query).mappings()
    }


def keep_plans(conn: Connection, plans: Iterable[Plan]) -> None:
    """Writes what is planned for visits, in place of what was planned before."""
    rows = [msgspec.to_builtins(one) for one in plans]
    conn.execute(sa.delete(crew_plan).where(crew_plan.c.visit_id.in_([row["visit_id"] for row in rows])))
    if rows:
        conn.execute(sa.insert(crew_plan), rows)


# --- matches ----------------------------------------------------------------------------------------------------------


def matches(conn: Connection, unit_id: str | None = None) -> list[Match]:
    """The matches of a unit, or of all, in the order of the chain, voids among them."""
    return _matches(conn, *(() if unit_id is None else (crew_match.c.unit_id == unit_id,)))


def drop_plan(conn: Connection, visit_id: str) -> None:
    """Takes back when a visit is to be made."""
    conn.execute(sa.delete(crew_plan).where(crew_plan.c.visit_id == visit_id))


def begun(conn: Connection, visit_ids: Iterable[str]) -> frozenset[str]:
    """Which of these visits a phone has written in, whatever became of it."""
    query = sa.select(op.c.visit_id).where(op.c.visit_id.in_(list(visit_ids)), op.c.n.is_not(None))
    return frozenset(conn.scalars(query.where(op.c.rid.not_like("srv%")).distinct()))


def matches_of_task(conn: Connection, task_id: str) -> list[Match]:
    """The attempts for a task, the first one first."""
    return _matches(conn, crew_match.c.task_id == task_id)


def matches_in_state(conn: Connection, state: MatchState) -> list[Match]:
    """The matches of all units that stand so."""
    return _matches(conn, crew_match.c.state == state)


def live_match(conn: Connection, task_id: str) -> Match | None:
    """The attempt that isn't void."""
    return next((one for one in matches_of_task(conn, task_id) if one.state != "void"), None)


def match_of(conn: Connection, match_id: str, *, lock: bool = False) -> Match | None:
    """One match; with `lock` nobody else goes on with it before this transaction ends."""
    if lock:
        conn.execute(sa.select(crew_match.c.id).where(crew_match.c.id == match_id).with_for_update())
    return next(iter(_matches(conn, crew_match.c.id == match_id)), None)


def match_of_visit(conn: Connection, visit_id: str, code: str, state: MatchState = "assigned") -> Match | None:
    """The match by which a visit got its crew, or is to get it (`matched`), of whichever of its tasks."""
    tasks = sa.select(visit_task.c.task_id).where(visit_task.c.visit_id == visit_id)
    found = _matches(conn, crew_match.c.task_id.in_(tasks), crew_match.c.state == state)
    return next(
        (one for one in found if code in one.teams or any(way["s"] == code for way in one.ways["direct"])), None
    )


def last_link(conn: Connection) -> tuple[int, str]:
    """Place and commitment of the newest link of the chain."""
    query = sa.select(crew_match.c.place, crew_match.c.commit).order_by(crew_match.c.place.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return (0, ROOT) if row is None else (row.place, row.commit)


def add_match(conn: Connection, added: Match) -> None:
    """Adds an attempt as it is committed."""
    conn.execute(sa.insert(crew_match).values(msgspec.structs.asdict(added)))


def put_match(conn: Connection, match_id: str, changed: Mapping[str, Any]) -> None:
    """Writes how far an attempt is; with the teams, how many places they have."""
    filled = {"filled": sum(map(len, changed["teams"].values()))} if "teams" in changed else {}
    conn.execute(sa.update(crew_match).where(crew_match.c.id == match_id).values({**changed, **filled}))


def contributions_of(conn: Connection, match_id: str) -> list[Contribution]:
    """What was contributed, in the order of the sources."""
    query = sa.select(crew_contribution).where(crew_contribution.c.match_id == match_id)
    found = [Contribution(**row) for row in conn.execute(query).mappings()]
    return sorted(found, key=lambda one: one.place)


def add_contribution(conn: Connection, added: Contribution) -> None:
    """Adds one; a second one of the same source is refused by the database."""
    conn.execute(sa.insert(crew_contribution).values(msgspec.to_builtins(added)))


def _matches(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Match]:
    columns = [crew_match.c[name] for name in Match.__struct_fields__]
    found = [Match(*row) for row in conn.execute(sa.select(*columns).where(*where))]
    return sorted(found, key=lambda one: one.place)


# --- ways out, and changes --------------------------------------------------------------------------------------------


def ways(conn: Connection, unit_id: str | None = None, state: str | None = None) -> list[Way]:
    """What was asked for in a unit, or in all, the latest first."""
    return _ways(conn, *_where(crew_way, unit_id, state))


def ways_of_task(conn: Connection, task_id: str) -> list[Way]:
    """What was asked for a task, the latest first."""
    return _ways(conn, crew_way.c.task_id == task_id)


def way_of(conn: Connection, way_id: str, *, lock: bool = False) -> Way | None:
    """One way out."""
    if lock:
        conn.execute(sa.select(crew_way.c.id).where(crew_way.c.id == way_id).with_for_update())
    return next(iter(_ways(conn, crew_way.c.id == way_id)), None)


def add_way(conn: Connection, added: Way) -> None:
    """Adds a way out that is asked for."""
    conn.execute(sa.insert(crew_way).values(msgspec.to_builtins(added)))


def decide_way(conn: Connection, way_id: str, state: str, answer: str, by: str, at: str) -> None:
    """Writes the head's word; it stays."""
    values = {"state": state, "answer": answer, "decided_by": by, "decided_at": at}
    conn.execute(sa.update(crew_way).where(crew_way.c.id == way_id).values(values))


def changes(conn: Connection, unit_id: str | None = None, state: str | None = None) -> list[Change]:
    """The replacements of a unit, or of all, the latest first."""
    return _changes(conn, *_where(crew_change, unit_id, state))[::-1]


def changes_of_visit(conn: Connection, visit_id: str) -> list[Change]:
    """The replacements of a visit, the first one first."""
    return _changes(conn, crew_change.c.visit_id == visit_id)


def changes_of_match(conn: Connection, match_id: str) -> list[Change]:
    """The replacements that were approved after a match, in the order of their decisions."""
    found = _changes(conn, crew_change.c.match_id == match_id, crew_change.c.state == "approved")
    return sorted(found, key=lambda one: (one.decided_at or "", one.s, one.attempt or 0))


def records_of(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Replacements as the published file has them."""
    return [one.record for one in changes if one.record is not None]


def change_of(conn: Connection, change_id: str, *, lock: bool = False) -> Change | None:
    """One replacement."""
    if lock:
        conn.execute(sa.select(crew_change.c.id).where(crew_change.c.id == change_id).with_for_update())
    return next(iter(_changes(conn, crew_change.c.id == change_id)), None)


def add_change(conn: Connection, added: Change) -> None:
    """Adds a replacement that is asked for."""
    conn.execute(sa.insert(crew_change).values(msgspec.to_builtins(added)))


def put_change(conn: Connection, changed: Change) -> None:
    """Writes the head's word, and who came; it stays."""
    values = msgspec.to_builtins(changed)
    conn.execute(sa.update(crew_change).where(crew_change.c.id == changed.id).values(values))


def _where(table: sa.Table, unit_id: str | None, state: str | None) -> list[sa.ColumnElement[bool]]:
    found = [] if unit_id is None else [table.c.unit_id == unit_id]
    return found if state is None else [*found, table.c.state == state]


def _ways(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Way]:
    rows = conn.execute(sa.select(crew_way).where(*where)).mappings()
    found = [msgspec.convert({str(name): value for name, value in row.items()}, Way) for row in rows]
    return sorted(sorted(found, key=lambda one: one.id), key=lambda one: one.asked_at, reverse=True)


def _changes(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Change]:
    rows = conn.execute(sa.select(crew_change).where(*where)).mappings()
    found = [msgspec.convert({str(name): value for name, value in row.items()}, Change) for row in rows]
    return sorted(found, key=lambda one: (one.asked_at, one.id))


# --- officers ---------------------------------------------------------------------------------------------------------


class Candidate(msgspec.Struct, frozen=True):
    """What the lot asks of an officer; `home_office` names the neighbour who lends him."""

    id: str
    name: str
    unit_id: str
    certificate: str
    certificate_from: str
    certificate_to: str
    domains: tuple[str, ...]
    left_on: str | None
    may_lead: bool
    home_office: str | None


def candidates(conn: Connection, unit_id: str) -> list[Candidate]:
    """The officers of a unit itself, by their certificates' numbers."""
    return _candidates(conn, officer.c.unit_id == unit_id, officer.c.home_office.is_(None))


def guests(conn: Connection, unit_id: str) -> list[Candidate]:
    """The neighbours' officers whom a unit registered."""
    return _candidates(conn, officer.c.unit_id == unit_id, officer.c.home_office.is_not(None))


def candidates_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, Candidate]:
    """Officers by id, guests among them."""
    return {one.id: one for one in _candidates(conn, officer.c.id.in_(list(ids)))}


def add_guest(conn: Connection, added: Candidate, sex: str, by: str, now: datetime) -> None:
    """Adds a neighbour's officer; a certificate that is there already is a problem."""
    values = msgspec.to_builtins(added) | {"sex": sex, "entered_by": by, "entered_at": stamp(now)}
    with personnel.taken_is_a_problem():
        conn.execute(sa.insert(officer).values(values))
    personnel.note(conn, by, now, "add", {f"officer:{added.id}": []})


def set_may_lead(conn: Connection, officer_id: str, may_lead: bool) -> None:
    """Whether the lot may make an officer leader."""
    conn.execute(sa.update(officer).where(officer.c.id == officer_id).values(may_lead=may_lead, rev=officer.c.rev + 1))


def experts_for(conn: Connection, domain: str, day: str) -> list[str]:
    """The experts of the bureau's library who know a domain and are still there on a day."""
    query = sa.select(expert.c.id, expert.c.domains).where(sa.or_(expert.c.left_on.is_(None), expert.c.left_on > day))
    return sorted(row.id for row in conn.execute(query) if domain in row.domains)


def experts_there(conn: Connection, day: str) -> dict[str, str]:
    """Everybody of the bureau's library of experts who is still there on a day: id -> name, by name."""
    query = sa.select(expert.c.id, expert.c.name).where(sa.or_(expert.c.left_on.is_(None), expert.c.left_on > day))
    return {row.id: row.name for row in conn.execute(query.order_by(expert.c.name, expert.c.id))}


def names_of_experts(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Experts' names."""
    return {
        row.id: row.name
        for row in conn.execute(sa.select(expert.c.id, expert.c.name).where(expert.c.id.in_(list(ids))))
    }


def unit_name(conn: Connection, unit_id: str) -> str:
    """What a unit is called."""
    return str(conn.scalar(sa.select(unit.c.name).where(unit.c.id == unit_id)))


def _candidates(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Candidate]:
    columns = [officer.c[name] for name in Candidate.__struct_fields__]
    rows = conn.execute(sa.select(*columns).where(*where).order_by(officer.c.certificate)).mappings()
    return [msgspec.convert({str(name): value for name, value in row.items()}, Candidate) for row in rows]
