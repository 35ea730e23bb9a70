"""What a commitment to crews freezes: officers, visits, rules, the ways out that stand, and the experts (18, 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import rfc8785

from server.domain import crew as lot
from server.domain.draw import canonical, commit_of, digest
from server.domain.draw_sources import Source
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import named
from server.office.crew_room import SLOTS, Room
from server.store import crews
from server.store.crews import Match
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection


def committed(
    conn: Connection,
    room: Room,
    attempt: int,
    sources: Sequence[Source],
    secret: str,
    sealer: Sealer,
    person: Person,
    now: datetime,
) -> Match:
    """The attempt as it is frozen: officers, visits, ways and experts, with the commitment of its secret."""
    match_id, (place, prev) = named("crew_match", room.task.id, attempt), crews.last_link(conn)
    visits = [_said(one) for one in room.planned]
    rules = canonical(
        {
            "alg": lot.ALG,
            "rounds": lot.rounds_of(room.planned),
            "slots": SLOTS,
            "sources": [one.id for one in sources],
            "task": room.task.no,
            "visits": digest(rfc8785.dumps(visits).decode()),
            "year": beijing_day(now).year,
        }
    )
    frame_digest, rules_digest = digest(room.frame), digest(rules)
    numbers = {one.id: one.certificate for one in room.officers}
    return Match(
        id=match_id,
        place=place + 1,
        task_id=room.task.id,
        unit_id=room.unit_id,
        attempt=attempt,
        state="committed",
        prev=prev,
        frame=room.frame,
        frame_digest=frame_digest,
        rules=rules,
        rules_digest=rules_digest,
        sources=msgspec.to_builtins(list(sources)),
        visits=visits,
        slots=SLOTS,
        left_out={
            seen.code: [{"o": numbers[o], "reason": why} for o, why in room.left_out[seen.id].items()]
            for seen in room.matched
        },
        ways=_ways(room, numbers),
        experts=_experts(conn, room),
        officers={one.certificate: one.id for one in room.officers},
        commit=commit_of(prev, frame_digest, rules_digest, secret, lot.ALG),
        committed_at=stamp(now),
        committed_by=person.id,
        sealed_secret=sealer.seal("crew_match", "sealed_secret", match_id, secret),
    )


def _said(visit: lot.Visit) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(visit)
    if visit.lead is None:
        del found["lead"]
    return found


def _ways(room: Room, numbers: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The two lawful ways out as the file shows them (R18.4)."""
    able, codes = {one.id for one in room.able}, {one.id: one.code for one in room.visits}
    merged = [
        {"o": numbers[o], "office": way.office, "consent": way.consent, "reason": way.reason, "by": way.decided_by,
         "at": way.decided_at}
        for way in room.ways if way.kind == "merged_pool" and way.state == "approved"
        for o in way.officers if o in able
    ]  # fmt: skip
    direct = [
        {"s": codes[visit], "o": sorted(numbers[o] for o in way.officers), "leader": numbers[way.leader or ""],
         "reason": way.reason, "by": way.decided_by, "at": way.decided_at}
        for visit, way in room.direct.items() if visit in codes
    ]  # fmt: skip
    return {"merged": sorted(merged, key=lambda it: it["o"] or ""), "direct": sorted(direct, key=lambda it: it["s"])}


def _experts(conn: Connection, room: Room) -> dict[str, dict[str, Any]]:
    """Whom the lot may take as expert, and who is appointed: fixed at the commitment, for every visit (R18.3)."""
    found = {}
    for seen in room.visits:
        its = room.plans.get(seen.id)
        if its is not None and (its.experts or its.appointed):
            day, wanted = its.half_day[:10], list(its.appointed)
            if not set(wanted) <= crews.experts_there(conn, day).keys():
                raise Problem("crew_expert_left", subject=seen.name)
            elig = [one for one in crews.experts_for(conn, room.domain, day) if one not in wanted]
            if len(elig) < its.experts:
                raise Problem("crew_no_expert", subject=seen.name, n=len(elig))
            found[seen.code] = {"n": its.experts, "elig": elig, "appointed": wanted, "reason": its.expert_reason}
    return found


def told_experts(experts: Mapping[str, dict[str, Any]], seed: str) -> list[dict[str, Any]]:
    """The experts as the file has them: by lot, or appointed and shown as such."""
    found: list[dict[str, Any]] = []
    for s, its in sorted(experts.items()):
        if its["n"]:
            drawn = lot.experts(seed, s, its["elig"], its["n"])
            found.append({"s": s, "o": drawn, "how": "lot", "elig": its["elig"], "reason": its["reason"]})
        if its["appointed"]:
            found.append({"s": s, "o": its["appointed"], "how": "appointed", "elig": [], "reason": its["reason"]})
    return found
