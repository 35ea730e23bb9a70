"""Recusals: an officer declares his own, a subject asks for one, the principal decides; work goes on till then (20)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.office.crew_changes import asked, visit_for
from server.office.field import Field
from server.office.reasons import said_reason
from server.store import crews, recusals, trail, visits
from server.store.crews import Seen
from server.store.people import Person
from server.store.recusals import Recusal
from server.store.session import Connection

ARTICLE = "20"


@act("recusal.declare", "recusals.declare")
def declare(conn: Connection, person: Person, now: datetime, visit_id: str, reason: str, field: Field) -> str:
    """An officer says himself that he must keep away from a visit of his; his replacement is asked for too (R20.3).

    The visit has it as if his phone had said it: he is set aside in what he does from then on.
    """
    seen = crews.visit_seen(conn, visit_id)
    if seen is None or person.id not in seen.members:
        raise Problem("not_found")
    if seen.state != "open":
        raise Problem("crew_visit_over")
    entry = Entry({"reason": reason})
    said = entry.text("reason", most=500)
    entry.faults += number_faults("reason", said)
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    _must_be_new(conn, visit_id, person.id)
    made = _made(seen, person, now, person.id, "declared", beijing_day(now).isoformat(), "", said)
    recusals.add_recusal(conn, made)
    asked(conn, seen, person, now, person.id, "recusal", said)
    field.recuse(conn, person, now, visit_id, said)
    _note(conn, person, now, "recusal.declare", None, made)
    return made.id


@act("recusal.ask", "recusals.record")
def ask(conn: Connection, person: Person, now: datetime, visit_id: str, values: Mapping[str, str]) -> str:
    """The clerk records that the subject asks for an officer's recusal: who asked, when, why (R20.4)."""
    seen = visit_for(conn, person, "recusals.record", visit_id)
    entry = Entry(values)
    officer = entry.choice("officer_id", seen.members)
    asker, day, reason = entry.name("asker"), entry.day("asked_on"), entry.text("reason", most=500)
    entry.faults += number_faults("reason", reason)
    if day is not None and day > beijing_day(now).isoformat():
        entry.wrong("asked_on", "day_ahead")
    if not entry.is_good or day is None:
        raise Invalid(entry.faults, ARTICLE)
    _must_be_new(conn, visit_id, officer)
    made = _made(seen, person, now, officer, "asked", day, asker, reason)
    recusals.add_recusal(conn, made)
    _note(conn, person, now, "recusal.ask", None, made)
    return made.id


@act("recusal.decide", "recusals.decide")
def decide(conn: Connection, person: Person, now: datetime, recusal_id: str, uphold: bool, answer: str) -> None:
    """The principal's word, with his reason. Upheld, the officer's replacement is asked of the unit head at once."""
    found = recusals.recusal_of(conn, recusal_id, lock=True)
    if found is None:
        raise Problem("not_found")
    permit(person, "recusals.decide", found.unit_id)
    if found.state != "asked":
        raise Problem("recusal_decided")
    if found.entered_by == person.id:
        raise Problem("own_entry")
    said_answer = said_reason(answer, "answer", article=ARTICLE)
    state = "upheld" if uphold else "dismissed"
    recusals.decide_recusal(conn, recusal_id, state, said_answer, person.id, stamp(now))
    seen = crews.visit_seen(conn, found.visit_id)
    if uphold and seen is not None and seen.state == "open" and found.officer_id in seen.members:
        waiting = {one.out_id for one in crews.changes_of_visit(conn, seen.id) if one.state == "asked"}
        if found.officer_id not in waiting:
            asked(conn, seen, person, now, found.officer_id, "recusal", found.reason)
    after = recusals.recusal_of(conn, recusal_id) or found
    _note(conn, person, now, "recusal.decide", found, after)


def _must_be_new(conn: Connection, visit_id: str, officer_id: str) -> None:
    for one in recusals.recusals_of_visit(conn, visit_id):
        if one.officer_id == officer_id and one.state != "dismissed":
            raise Problem("recusal_there")


def _made(
    seen: Seen,
    person: Person,
    now: datetime,
    officer: str,
    kind: Literal["declared", "asked"],
    day: str,
    asker: str,
    reason: str,
) -> Recusal:
    return Recusal(
        new_id(), seen.id, seen.unit_id, seen.subject_id, officer, kind, day, asker, reason, kind, person.id, stamp(now)
    )  # fmt: skip


def _note(conn: Connection, person: Person, now: datetime, name: str, before: Recusal | None, after: Recusal) -> None:
    was = None if before is None else digest_of(before)
    detail = {"visit": after.visit_id, "state": after.state}
    seen = crews.visit_seen(conn, after.visit_id)
    visits.move_assignments(conn, () if seen is None else seen.members)  # the crew's phones show it from then on
    trail.append(conn, [trail.Act(name, person.id, f"recusal:{after.id}", was, digest_of(after), detail)], now)
