"""The two lawful ways out of a shortage: a neighbour's officers join the pool, or officers are named (R18.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from server.domain.crew_frame import LEAST, out_of_frame
from server.domain.entry import Entry
from server.domain.faults import Invalid
from server.domain.instant import stamp
from server.domain.officer import DOMAINS, SEXES, period, said
from server.domain.text import clean
from server.errors import Problem
from server.office.act import act, digest_of, named, new_id, permit
from server.office.crew_changes import feasible_now
from server.office.crew_room import Room, permit_seen, room_for
from server.office.crew_teams import BARS_DIRECT
from server.office.reasons import said_reason
from server.store import crews, trail
from server.store.crews import Candidate, Way
from server.store.people import Person
from server.store.session import Connection

ARTICLE = "18"
KINDS = ("merged_pool", "direct_assignment")


@act("crew.add_guest", "crews.run")
def add_guest(
    conn: Connection, person: Person, now: datetime, values: Mapping[str, str], domains: Sequence[str]
) -> str:
    """Registers a neighbour's officer with his certificate, for matches only: he signs in only with an account."""
    unit_id = person.unit_id or ""
    permit(person, "crews.run", unit_id)
    entry = Entry(values)
    office, name = entry.line("office", most=80), said(entry, "name", entry.name("name"))
    sex, certificate = entry.choice("sex", SEXES), entry.line("certificate", most=32).upper().replace(" ", "")
    since, until = period(entry, "certificate_from", "certificate_to")
    known = [one for one in DOMAINS if one in domains]
    if not known:
        entry.wrong("domains", "missing")
    if not entry.is_good or since is None or until is None:
        raise Invalid(entry.faults, ARTICLE)
    made = Candidate(new_id(), name, unit_id, certificate, since, until, tuple(known), None, True, office)
    crews.add_guest(conn, made, sex, person.id, now)
    _note(conn, person, now, "crew.add_guest", f"officer:{made.id}", None, made, {"office": office})
    return made.id


@act("crew.ask_way", "crews.run")
def ask_way(
    conn: Connection, person: Person, now: datetime, task_id: str, values: Mapping[str, str], officers: Sequence[str]
) -> str:
    """Asks the unit head for a way out; only where the system finds no match, whose explanation is stored."""
    room = room_for(conn, person, "crews.run", task_id, now)
    entry = Entry(values)
    kind, reason = entry.choice("kind", KINDS), entry.text("reason", most=500)
    merged = kind == "merged_pool"
    office, consent = (entry.line(name, most=120, required=merged) for name in ("office", "consent"))
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    visit_id = values.get("visit_id", "") or None
    explanation = _explained(conn, room, visit_id, now)
    chosen = tuple(sorted(set(officers)))
    leader = None if merged else _direct(conn, room, visit_id, chosen, values.get("leader", ""))
    if merged:
        _must_be_guests(conn, room, chosen)
    id = named("crew_way", task_id, len(crews.ways_of_task(conn, task_id)), kind, visit_id, stamp(now))
    made = Way(
        id, task_id, room.unit_id, "merged_pool" if merged else "direct_assignment", visit_id, chosen, leader,
        clean(office), clean(consent), reason, explanation, "asked", person.id, stamp(now),
    )  # fmt: skip
    crews.add_way(conn, made)
    _note(conn, person, now, "crew.ask_way", f"crew:{made.id}", None, made, {"kind": kind, "task": task_id})
    return made.id


def _explained(conn: Connection, room: Room, visit_id: str | None, now: datetime) -> dict[str, Any]:
    """Why the lot can't do it: before the commitment no lawful teams, afterwards no substitute for a visit."""
    live = crews.live_match(conn, room.task.id)
    if live is None:
        if room.shortage is None:
            raise Problem("crew_feasible")
        return {"shortage": msgspec.to_builtins(room.shortage)}
    seen = crews.visit_seen(conn, visit_id or "")
    if live.state != "assigned" or seen is None or room.task.id not in crews.tasks_of_visit(conn, seen.id):
        raise Problem("crew_committed")
    found = feasible_now(conn, live, seen, now)
    if found.elig:
        raise Problem("crew_feasible")
    return {"substitute": seen.code, "left_out": found.left_out}


def _direct(conn: Connection, room: Room, visit_id: str | None, chosen: Sequence[str], leader: str) -> str:
    """The leader of officers who are named: two certificates at least, and nobody who must keep away.

    Only a visit that is short now may be taken out of the lot, and none that the lot already has.
    """
    seen = next((one for one in room.visits if one.id == visit_id), None)
    if seen is None or seen.id not in room.plans:
        raise Problem("crew_unplanned", n=1)
    if crews.live_match(conn, room.task.id) is not None:
        raise Problem("crew_committed")
    shortage = room.shortage
    if shortage is None or all(seen.code not in lack.visits for lack in shortage.lacks):
        raise Problem("crew_feasible")
    if len(chosen) < LEAST or leader not in chosen:
        raise Problem("crew_too_few")
    able, against = {one.id for one in room.able}, room.losses.get(seen.id, {})
    if not able.issuperset(chosen) or any(not BARS_DIRECT.isdisjoint(against.get(one, ())) for one in chosen):
        raise Problem("crew_not_qualified")
    return leader


def _must_be_guests(conn: Connection, room: Room, chosen: Sequence[str]) -> None:
    guests = {one.id: one for one in crews.guests(conn, room.unit_id)}
    if not chosen:
        raise Problem("crew_too_few")
    for one in chosen:
        if one not in guests or out_of_frame(guests[one], room.day, room.domain) is not None:
            raise Problem("crew_not_qualified")


@act("crew.decide_way", "crews.approve")
def decide_way(conn: Connection, person: Person, now: datetime, way_id: str, approve: bool, answer: str) -> None:
    """The unit head's word; nobody approves what he himself asked for, nor what isn't needed any more.

    It is public later, marked as what it is.
    """
    found = crews.way_of(conn, way_id, lock=True)
    if found is None:
        raise Problem("not_found")
    permit_seen(person, "crews.approve", found.unit_id)
    if found.state != "asked":
        raise Problem("crew_way_decided")
    if found.asked_by == person.id:
        raise Problem("own_entry")
    said_answer = said_reason(answer, "answer", required=not approve, article=ARTICLE)
    state = "approved" if approve else "refused"
    room = room_for(conn, person, "crews.approve", found.task_id, now) if approve else None
    if room is not None:
        _explained(conn, room, found.visit_id, now)
    if room is not None and found.kind == "direct_assignment":
        _direct(conn, room, found.visit_id, found.officers, found.leader or "")
    crews.decide_way(conn, way_id, state, said_answer, person.id, stamp(now))
    _note(conn, person, now, "crew.decide_way", f"crew:{way_id}", digest_of(found), state, {"kind": found.kind})


def _note(
    conn: Connection, person: Person, now: datetime, name: str, object: str, before: str | None, after: object,
    detail: dict[str, Any],
) -> None:  # fmt: skip
    done = trail.Act(name, person.id, object, before, digest_of(msgspec.to_builtins(after)), detail)
    trail.append(conn, [done], now)
