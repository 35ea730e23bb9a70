"""Crews by lot: half-days, commitment, contributions, match, void, and the assignment to the phones (18, 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from server.domain import crew as lot
from server.domain.crew_frame import LEAST, is_half_day, out_of_frame
from server.domain.draw import seed_of
from server.domain.draw_sources import Source, check_contribution, must_be_enough, must_be_in_time
from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import act, digest_of
from server.office.crew_file import keep_version
from server.office.crew_freeze import committed, told_experts
from server.office.crew_room import Room, permit_seen, room_for
from server.office.crew_teams import ids_of, teams_of, unfit
from server.office.field import Field
from server.office.reasons import said_reason
from server.store import crews, trail
from server.store.crews import Contribution, Match, Plan, Seen
from server.store.engagements import hold_unit
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection

ARTICLE = "18"
MOST = 9
"""Officers, or experts, of one visit."""


@act("crew.plan", "crews.run")
def plan(
    conn: Connection,
    person: Person,
    now: datetime,
    task_id: str,
    values: Mapping[str, str],
    appointed: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Saves half-day, officers and experts of each visit; what is committed can't be planned anew.

    Fields are `half_day:<visit>` (or `day:...` and `half:...`), `k:...`, `experts:...`, `expert_reason:...`;
    `appointed` has the experts who are asked by name, by visit (R18.3).
    """
    room = room_for(conn, person, "crews.run", task_id, now)
    _must_be_free(conn, task_id)
    plans = _planned(conn, room, person, now, values, appointed or {})
    crews.keep_plans(conn, plans)
    _note(conn, person, now, "crew.plan", f"crew:{task_id}", None, [msgspec.to_builtins(one) for one in plans])


def _planned(
    conn: Connection,
    room: Room,
    person: Person,
    now: datetime,
    values: Mapping[str, str],
    appointed: Mapping[str, Sequence[str]],
) -> list[Plan]:
    size = str(max(room.task.crew_size, LEAST))
    given = {f"k:{one.id}": size for one in room.visits} | {name: it for name, it in values.items() if it.strip()}
    for one in room.visits:
        day, half = (values.get(f"{part}:{one.id}", "").strip() for part in ("day", "half"))
        given |= {f"half_day:{one.id}": f"{day}/{half}"} if day or half else {}
    entry, found = Entry(given), []
    for seen in room.visits:
        half_day, k = entry.line(f"half_day:{seen.id}", most=13), entry.number(f"k:{seen.id}", LEAST, MOST)
        experts = entry.number(f"experts:{seen.id}", 0, MOST, required=False) or 0
        wanted = tuple(sorted({one for one in appointed.get(seen.id, ()) if one}))
        reason = entry.line(f"expert_reason:{seen.id}", most=200, required=experts > 0 or bool(wanted))
        entry.faults += number_faults(f"expert_reason:{seen.id}", reason)
        first = max(seen.window_from, room.day)
        if half_day and not (is_half_day(half_day) and first <= half_day[:10] <= seen.window_to):
            entry.wrong(f"half_day:{seen.id}", "crew_half_day", since=first, until=seen.window_to)
        if len(wanted) > MOST or not set(wanted) <= crews.experts_there(conn, half_day[:10]).keys():
            entry.wrong(f"appointed:{seen.id}", "crew_expert_unknown")
        found.append(Plan(seen.id, room.task.id, half_day, k or LEAST, experts, reason, person.id, stamp(now), wanted))
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    return found


@act("crew.commit", "crews.run")
def commit(
    conn: Connection,
    person: Person,
    now: datetime,
    task_id: str,
    sources: Sequence[Source],
    secret: bytes,
    sealer: Sealer,
) -> str:
    """Freezes officers, visits and rules, and publishes the commitment of a fresh secret; gives the match's id."""
    room = room_for(conn, person, "crews.run", task_id, now)
    attempt = _must_be_free(conn, task_id)
    must_be_enough(sources, now)
    _must_be_ready(conn, room)
    made = committed(conn, room, attempt, sources, secret.hex(), sealer, person, now)
    crews.add_match(conn, made)
    _note(conn, person, now, "crew.commit", f"crew:{made.id}", None, made.commit, {"task": task_id, "attempt": attempt})
    return made.id


def _must_be_free(conn: Connection, task_id: str) -> int:
    """The number of the next attempt: the one before must be void, there is no other way to match again."""
    before = crews.matches_of_task(conn, task_id)
    if before and before[-1].state != "void":
        raise Problem("crew_committed")
    return len(before) + 1


def _must_be_ready(conn: Connection, room: Room) -> None:
    if not room.visits:
        raise Problem("crew_nothing_left")
    missing = [one.name for one in room.matched if one.id not in room.plans]
    if missing:
        raise Problem("crew_unplanned", n=len(missing))
    late = [one.half_day for one in room.planned if one.half_day[:10] < room.day]
    if late:
        raise Problem("crew_day_past", day=late[0][:10])
    if room.shortage:
        raise Problem("crew_infeasible", short=sum(one.short for one in room.shortage.lacks))
    mine = {one.half_day for one in room.planned}
    for other in crews.matches(conn, room.unit_id):
        if other.state in ("committed", "contributed", "matched") and mine & {one["half_day"] for one in other.visits}:
            raise Problem("crew_open_elsewhere")
    able = {one.id for one in room.able}
    for way in room.direct.values():
        if not able.issuperset(way.officers):
            raise Problem("crew_not_qualified")


@act("crew.contribute", "crews.run")
def contribute(
    conn: Connection,
    person: Person,
    now: datetime,
    match_id: str,
    k: str,
    value: str,
    at: datetime,
    by: str,
    link: str,
    evidence: str | None = None,
) -> None:
    """Enters what a source brought: in the order of the sources, once, not before the commitment."""
    found = match_for(conn, person, "crews.run", match_id)
    done = crews.contributions_of(conn, match_id)
    if found.state != "committed":
        raise Problem("crew_state")
    sources = msgspec.convert(found.sources, list[Source])
    source = sources[len(done)]
    if source.id != k:
        raise Problem("draw_order", id=k[:60], wanted=source.id)
    must_be_in_time(source, at, found.committed_at, now)
    if not (link.strip() or evidence):
        raise Problem("draw_evidence_missing")
    if not by.strip():
        raise Problem("draw_witness_missing")
    entry = Entry({"by": by, "link": link})
    who, where = entry.line("by", most=80), entry.line("link", most=500, required=False)
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    given = Contribution(
        match_id, k, len(done) + 1, check_contribution(source, value), stamp(at), who, evidence, where or None,
        person.id, stamp(now),
    )  # fmt: skip
    crews.add_contribution(conn, given)
    if given.place == len(sources):
        crews.put_match(conn, match_id, {"state": "contributed"})
    _note(conn, person, now, "crew.contribute", f"crew:{match_id}", None, msgspec.to_builtins(given), {"source": k})


@act("crew.match", "crews.run")
def match(conn: Connection, person: Person, now: datetime, match_id: str, sealer: Sealer) -> None:
    """Matches: teams and leaders follow from what was committed and contributed, nobody chooses anybody (R15b.2)."""
    found = match_for(conn, person, "crews.run", match_id)
    if found.state != "contributed":
        raise Problem("crew_waits" if found.state == "committed" else "crew_state")
    _must_be_valid_today(conn, found, now)
    secret = sealer.open("crew_match", "sealed_secret", match_id, found.sealed_secret)
    given = [(one.k, one.v) for one in crews.contributions_of(conn, match_id)]
    seed = seed_of(found.commit, secret, given, lot.ALG)
    won = lot.match(seed, msgspec.convert(found.visits, list[lot.Visit]), e_rows_of(found), found.slots)
    skips = [{"s": one.s, "o": one.o, "why": one.why, "visits": " ".join(one.visits)} for one in won.skips]
    crews.put_match(
        conn,
        match_id,
        {
            "state": "matched", "secret": secret, "seed": seed, "cap": won.cap, "teams": won.teams,
            "leaders": won.leaders, "skips": skips, "drawn_experts": told_experts(found.experts, seed),
            "matched_at": stamp(now), "matched_by": person.id,
        },
    )  # fmt: skip
    keep_version(conn, found.task_id, "match", now)
    _note(conn, person, now, "crew.match", f"crew:{match_id}", found.commit, [won.teams, won.leaders])


def e_rows_of(found: Match) -> int:
    """How many officers take part."""
    return sum("\tE\t" in line for line in found.frame.splitlines())


def _must_be_valid_today(conn: Connection, found: Match, now: datetime) -> None:
    """R19.1: the certificate holds on the day of the draw, whichever day the list was frozen on."""
    day = beijing_day(now).isoformat()
    elig = {found.officers[o] for one in found.visits for o in one["elig"]}
    for one in crews.candidates_by_id(conn, elig).values():
        if out_of_frame(one, day, one.domains[0]) is not None:
            raise Problem("crew_stale", name=one.name)


@act("crew.void", "crews.approve")
def void(conn: Connection, person: Person, now: datetime, match_id: str, reason: str, sealer: Sealer) -> None:
    """Ends an attempt that shall not count: it stays in the chain with its reason, and its secret is shown."""
    found = match_for(conn, person, "crews.approve", match_id)
    if found.state in ("assigned", "void"):
        raise Problem("crew_state")
    if found.committed_by == person.id:
        raise Problem("own_entry")
    secret = sealer.open("crew_match", "sealed_secret", match_id, found.sealed_secret)
    why = said_reason(reason, article=ARTICLE)
    crews.put_match(conn, match_id, {"state": "void", "secret": secret, "void_reason": why, "void_by": person.id,
                                     "void_at": stamp(now)})  # fmt: skip
    keep_version(conn, found.task_id, "void", now)
    _note(conn, person, now, "crew.void", f"crew:{match_id}", found.commit, why, {"reason": why})


@act("crew.assign", "crews.run")
def assign(conn: Connection, person: Person, now: datetime, match_id: str, field: Field) -> None:
    """下达: the matched officers, and those directly assigned, get their visits, each with one leader (R18.2)."""
    found = match_for(conn, person, "crews.run", match_id)
    if found.state != "matched":
        raise Problem("crew_state")
    hold_unit(conn, found.unit_id)
    every = {one.code: one for one in crews.visits_of_task(conn, found.task_id) if one.state == "open"}
    teams, ids = teams_of(conn, found), ids_of(conn, found)
    _must_be_drawn(conn, [every[s] for s in teams if s in every])
    its = {s: one for s, one in every.items() if s in teams and not one.crew}
    _must_be_fit(conn, found, its, now)
    direct = {one["s"] for one in found.ways["direct"]}
    for s, seen in sorted(its.items()):
        team, reason = teams[s], "direct_assignment" if s in direct else "match"
        for o in sorted(team.officers, key=lambda o, first=team.leader: (o != first, o)):  # type: ignore[misc]
            field.assign(conn, person, now, seen.id, ids[o], "leader" if o == team.leader else "member", reason)
    crews.put_match(conn, match_id, {"state": "assigned", "assigned_by": person.id, "assigned_at": stamp(now)})
    sent = {s: list(teams[s].officers) for s in sorted(its)}
    _note(conn, person, now, "crew.assign", f"crew:{match_id}", found.commit, sent, {"visits": len(sent)})


def _must_be_fit(conn: Connection, found: Match, visits: Mapping[str, Seen], now: datetime) -> None:
    """Who has left, has leave, a recusal, another visit or no valid certificate by now is replaced first (19, 20)."""
    gone = list(unfit(conn, found, visits, now))
    if gone:
        said = [{"visit": one.visit_id, "officer": one.officer_id, "why": one.why} for one in gone]
        raise Problem("crew_unfit_now", members={"officers": said}, name=gone[0].name, subject=gone[0].subject)


def _must_be_drawn(conn: Connection, visits: Sequence[Seen]) -> None:
    """A visit may have its crew already, by the lot of another task that was merged into it, but by no hand (R18.1)."""
    for seen in visits:
        if seen.crew and crews.match_of_visit(conn, seen.id, seen.code) is None:
            raise Problem("crew_not_drawn", subject=seen.name)


def match_for(conn: Connection, person: Person, right: str, match_id: str) -> Match:
    """A match, held until the transaction ends, for who may act on it."""
    found = crews.match_of(conn, match_id, lock=True)
    if found is None:
        raise Problem("not_found")
    permit_seen(person, right, found.unit_id)
    return found


def _note(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    object: str,
    before: str | None,
    after: object,
    detail: dict[str, Any] | None = None,
) -> None:
    trail.append(conn, [trail.Act(name, person.id, object, before, digest_of(after), detail)], now)
