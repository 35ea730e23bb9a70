"""A drawn officer replaced: asked by the clerk, agreed by the head, the next feasible by lot (R20.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from server.domain.crew import substitute
from server.domain.crew_frame import LEAST
from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import act, digest_of, named, new_id
from server.office.crew_file import keep_version
from server.office.crew_room import lent, losses_of, permit_seen
from server.office.crew_teams import domain_of_task, half_day_of, here, ids_of, with_team
from server.office.field import Field
from server.office.reasons import said_reason
from server.store import crews, recusals, trail
from server.store.crews import Candidate, Change, Match, Seen
from server.store.engagements import engagements, hold_unit
from server.store.people import Person
from server.store.recusals import Recusal
from server.store.session import Connection

ARTICLE = "20"
SAID = {
    "post_change": "工作岗位调整",
    "work_conflict": "工作冲突",
    "health": "身体健康原因",
    "other": "其他原因",
    "recusal": "回避",
}
"""What the public file says for each kind; what the clerk wrote may tell of an officer's illness and stays inside."""
KINDS = tuple(SAID)


class Feasible(msgspec.Struct, frozen=True):
    """Who could come now, as certificate numbers, and of the others why not; `lent` are a neighbour's."""

    elig: list[str]
    left_out: list[dict[str, str]]
    ids: dict[str, str]
    lent: list[dict[str, str]]


def feasible_now(conn: Connection, match: Match | None, seen: Seen, now: datetime) -> Feasible:
    """Judges today everybody who could have been drawn for a visit, and whom a neighbour has lent since.

    Where the lot was never asked (a crew named by hand, or drawn elsewhere) nobody comes by lot.
    """
    frozen = _frozen(match, seen.code)
    if match is None or frozen is None:
        return Feasible([], [], {}, [])
    ways = [one for one in crews.ways_of_task(conn, match.task_id) if one.kind == "merged_pool"]
    numbers = {match.officers[o]: o for o in frozen if o in match.officers}
    late = [one for one in lent(conn, ways) if one.certificate not in match.officers]
    asked = [*_as_drawn(conn, numbers, match.unit_id, now), *late]
    gone = {one.out_id for one in crews.changes_of_visit(conn, seen.id) if one.state == "approved"}
    free = [one for one in asked if one.id not in seen.members and one.id not in gone]
    reasons = why_not(conn, free, seen, match, now)
    said = {o: way for way in ways if way.state == "approved" for o in way.officers}
    return Feasible(
        elig=sorted(one.certificate for one in free if one.id not in reasons),
        left_out=[{"o": one.certificate, "reason": reasons[one.id]} for one in free if one.id in reasons],
        ids={one.certificate: one.id for one in free},
        lent=sorted(
            ({"o": one.certificate, "office": said[one.id].office, "consent": said[one.id].consent}
             for one in late if one.id not in reasons and one in free),
            key=lambda it: it["o"],
        ),
    )  # fmt: skip


def _as_drawn(conn: Connection, numbers: Mapping[str, str], unit_id: str, now: datetime) -> list[Candidate]:
    """Those who could have been drawn, under the numbers that they had then; who is elsewhere now has left."""
    found = [here(one, unit_id, beijing_day(now).isoformat()) for one in crews.candidates_by_id(conn, numbers).values()]
    return [msgspec.structs.replace(one, certificate=numbers[one.id]) for one in found]


def _frozen(match: Match | None, code: str) -> list[str] | None:
    return None if match is None else next((one["elig"] for one in match.visits if one["s"] == code), None)


def why_not(
    conn: Connection, officers: Sequence[Candidate], seen: Seen, match: Match | None, now: datetime
) -> dict[str, str]:
    """Officer -> why he can't come to a visit: its half-day, or today where that has passed (R19.1, R20.2)."""
    today = beijing_day(now).isoformat()
    plan = crews.plans_of(conn, [seen.id]).get(seen.id)
    half_day = half_day_of(None if plan is None else plan.half_day, today)
    domain = domain_of_task(conn, next(iter(crews.tasks_of_visit(conn, seen.id)), ""))
    engaged = engagements(conn, [one.id for one in officers])
    found = losses_of(conn, officers, seen, half_day, domain, today, engaged)
    return {officer: why[0] for officer, why in found.items()}


def visit_for(conn: Connection, person: Person, right: str, visit_id: str) -> Seen:
    """An open visit of the person's unit; where its crew waits to be sent, with that crew."""
    seen = crews.visit_seen(conn, visit_id)
    if seen is None:
        raise Problem("not_found")
    permit_seen(person, right, seen.unit_id)
    seen = with_team(conn, seen)
    if seen.state != "open":
        raise Problem("crew_visit_over")
    return seen


@act("crew.ask_replacement", "crews.run")
def ask_replacement(conn: Connection, person: Person, now: datetime, visit_id: str, values: Mapping[str, str]) -> str:
    """Asks that a drawn officer be replaced: `officer_id`, `kind`, `reason`; `wanted_id` and `why_wanted` where
    somebody is to be named instead of drawn."""
    seen = visit_for(conn, person, "crews.run", visit_id)
    entry = Entry(values)
    out, kind = entry.choice("officer_id", seen.members), entry.choice("kind", KINDS)
    reason, why = entry.text("reason", most=500), entry.text("why_wanted", most=500, required=False)
    wanted = values.get("wanted_id", "").strip() or None
    for field, text in (("reason", reason), ("why_wanted", why)):
        entry.faults += number_faults(field, text)
    if wanted is not None and not why:
        entry.wrong("why_wanted", "missing")
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    made = asked(conn, seen, person, now, out, kind, reason, wanted, why)
    detail = {"kind": kind, "change": made.id}
    trail.append(
        conn, [trail.Act("crew.ask_replacement", person.id, f"visit:{visit_id}", None, digest_of(made), detail)], now
    )
    return made.id


def asked(
    conn: Connection, seen: Seen, person: Person, now: datetime, out: str, kind: str, reason: str,
    wanted: str | None = None, why: str = "",
) -> Change:  # fmt: skip
    """Writes a request down; one at a time for each officer."""
    if any(one.state == "asked" and one.out_id == out for one in crews.changes_of_visit(conn, seen.id)):
        raise Problem("crew_asked_already")
    if wanted is not None and (wanted in seen.members or wanted not in crews.candidates_by_id(conn, [wanted])):
        raise Problem("crew_substitute_unfit", name=wanted[:20])
    match = match_for_change(conn, seen)
    id = named("crew_change", seen.id, out, len(crews.changes_of_visit(conn, seen.id)), stamp(now))
    made = Change(
        id, seen.id, seen.unit_id, None if match is None else match.id, seen.code, out, kind, reason, wanted, why,
        "asked", person.id, stamp(now),
    )  # fmt: skip
    crews.add_change(conn, made)
    return made


def match_for_change(conn: Connection, seen: Seen) -> Match | None:
    """By whose seed a substitute comes: the match that gave the visit its crew, or is about to."""
    given = crews.match_of_visit(conn, seen.id, seen.code)
    return given if given is not None else crews.match_of_visit(conn, seen.id, seen.code, "matched")


@act("crew.decide_replacement", "crews.approve")
def decide_replacement(
    conn: Connection, person: Person, now: datetime, change_id: str, approve: bool, answer: str, field: Field
) -> None:
    """The unit head's word. Agreed, the next feasible by lot comes, or who was named with a reason; the draw stays."""
    found = crews.change_of(conn, change_id, lock=True)
    if found is None:
        raise Problem("not_found")
    permit_seen(person, "crews.approve", found.unit_id)
    if found.state != "asked":
        raise Problem("crew_way_decided")
    if found.asked_by == person.id:
        raise Problem("own_entry")
    said_answer = said_reason(answer, "answer", required=not approve, article=ARTICLE)
    decided = msgspec.structs.replace(
        found, state="approved" if approve else "refused", answer=said_answer, decided_by=person.id,
        decided_at=stamp(now),
    )  # fmt: skip
    if approve:
        decided = _replace(conn, person, now, decided, field)
    crews.put_change(conn, decided)
    if approve and found.match_id is not None:
        keep_version(conn, _task_of(conn, found.match_id), "replace", now)
    detail = {"state": decided.state, "kind": found.kind, "attempt": decided.attempt, "designated": decided.designated}
    done = trail.Act(
        "crew.decide_replacement", person.id, f"visit:{found.visit_id}", digest_of(found), digest_of(decided), detail
    )
    trail.append(conn, [done], now)


def _task_of(conn: Connection, match_id: str) -> str:
    match = crews.match_of(conn, match_id)
    return "" if match is None else match.task_id


def _replace(conn: Connection, person: Person, now: datetime, change: Change, field: Field) -> Change:
    hold_unit(conn, change.unit_id)
    match = None if change.match_id is None else crews.match_of(conn, change.match_id, lock=True)
    seen = visit_for(conn, person, "crews.approve", change.visit_id)
    if change.out_id not in seen.members:
        raise Problem("crew_not_member")
    if change.kind == "recusal":
        _keep_recusal(conn, person, now, change, seen)
    found = feasible_now(conn, match, seen, now)
    before = [one for one in crews.changes_of_visit(conn, seen.id) if one.attempt is not None]
    attempt = len(before) + 1
    if change.wanted_id is not None:
        came = _named(conn, change.wanted_id, seen, match, now)
    else:
        number = None if match is None or match.seed is None else substitute(match.seed, seen.code, found.elig, attempt)
        if number is None:
            raise Problem("crew_no_substitute")
        came = crews.candidates_by_id(conn, [found.ids[number]])[found.ids[number]]
    numbers = _numbers(conn, match, (came.id, change.out_id))
    is_drawn = match is None or numbers[came.id] in match.officers
    if not is_drawn and all(one["o"] != came.certificate for one in found.lent):
        raise Problem("crew_substitute_unfit", name=came.name)
    if len(seen.members) + 1 < LEAST:
        raise Problem("crew_too_few")
    if match is None or match.state == "assigned":
        reason = f"{SAID[change.kind]}：{change.reason}"
        role = "leader" if seen.leader == change.out_id else "member"
        field.assign(conn, person, now, seen.id, came.id, role, reason)
        field.assign(conn, person, now, seen.id, change.out_id, "removed", reason)
    record: dict[str, Any] = {
        "s": seen.code, "out": numbers[change.out_id], "in": numbers[came.id], "attempt": attempt, "kind": change.kind,
        "reason": SAID[change.kind], "by": person.id, "at": stamp(now), "designated": change.wanted_id is not None,
        "elig": found.elig, "left_out": found.left_out,
    }  # fmt: skip
    if found.lent:
        record["lent"] = found.lent
    return msgspec.structs.replace(
        change, attempt=attempt, in_id=came.id, designated=change.wanted_id is not None, record=record
    )


def _numbers(conn: Connection, match: Match | None, ids: Collection[str]) -> dict[str, str]:
    """Officer -> the number that the file knows him by: that of the lot, whichever certificate he has since."""
    known = {} if match is None else {id: o for o, id in ids_of(conn, match).items()}
    return {one.id: known.get(one.id, one.certificate) for one in crews.candidates_by_id(conn, ids).values()}


def _named(conn: Connection, officer_id: str, seen: Seen, match: Match | None, now: datetime) -> Candidate:
    """Who is named must be as fit as who is drawn: certificate, no recusal, no interest, there and free."""
    one = crews.candidates_by_id(conn, [officer_id]).get(officer_id)
    if one is None or one.id in seen.members or why_not(conn, [one], seen, match, now):
        raise Problem("crew_substitute_unfit", name=officer_id[:20] if one is None else one.name)
    return one


def _keep_recusal(conn: Connection, person: Person, now: datetime, change: Change, seen: Seen) -> None:
    """Who recused himself on the phone stands in the register too, so that no later lot takes him for this subject."""
    known = recusals.recusals_of_visit(conn, seen.id)
    if not any(one.officer_id == change.out_id and one.holds for one in known):
        day = beijing_day(now).isoformat()
        recusals.add_recusal(
            conn,
            Recusal(new_id(), seen.id, seen.unit_id, seen.subject_id, change.out_id, "declared", day, "",
                    change.reason, "declared", change.asked_by, stamp(now)),
        )  # fmt: skip
