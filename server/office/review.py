"""The office's word on a received record: approve it, or return it with a comment (R10.1, R26.6).

A record is reviewed round by round, once it is final, by the clerk of the inspecting unit, never by one of its crew.
Quarantined and late material is settled first: admitted while the record is open, or left out with a reason.
A return changes nothing by itself: it waits for the unit head, whose `reopen` starts the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from server.domain.access import may, office_sees
from server.domain.instant import stamp
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.store import records, reviews, trail, visits
from server.store.people import Person
from server.store.reviews import Review, SetAside
from server.store.session import Connection


class Standing(msgspec.Struct, frozen=True):
    """What a review depends on besides the reviewer: the record's phase and round, and what isn't settled yet."""

    phase: str
    round: int
    media_missing: int
    reviewed: bool
    """Whether this round already has its word."""
    unsettled: int = 0
    """How many ops came in without effect and wait for a word."""


def hindrance(
    roles: Collection[str], person_unit: str | None, visit_unit: str, in_crew: bool, standing: Standing, act: str
) -> str | None:
    """The code of what forbids this person to `approve`, `return` or `set_aside` now; None where nothing does."""
    if not may(roles, person_unit, visit_unit, act):
        return "other_unit"
    if in_crew:
        return "own_crew"
    if standing.reviewed and act != "set_aside":
        return "already_reviewed"
    if standing.phase != "final":
        return "not_final_yet"
    if act == "approve" and standing.media_missing:
        return "media_first"
    if act == "approve" and standing.unsettled:
        return "material_first"
    return None


@act("approve_record", "visit.approve")
def approve(conn: Connection, person: Person, now: datetime, visit_id: str, round_: int) -> None:
    """The record of this round is right; it can be published."""
    _require(conn, person, visit_id, "approve", round_)
    _say(conn, visit_id, Review(round_, "approved", person.id, stamp(now), None), now)


@act("return", "visit.return")
def give_back(conn: Connection, person: Person, now: datetime, visit_id: str, round_: int, comment: str) -> None:
    """The record must be changed: the comment, which can't be empty, says how."""
    _require(conn, person, visit_id, "return", round_)
    said = comment.strip()
    if not said:
        raise Problem("comment_missing")
    if len(said) > 2000:
        raise Problem("comment_too_long", n=len(said))
    _say(conn, visit_id, Review(round_, "returned", person.id, stamp(now), said), now)


@act("material.set_aside", "visit.set_aside")
def leave_out(
    conn: Connection, person: Person, now: datetime, visit_id: str, ops: Sequence[str], reason: str
) -> None:  # fmt: skip
    """Material that came in without effect stays so: whoever reviews has looked at it, and says why."""
    _require(conn, person, visit_id, "set_aside")
    said = reason.strip()
    if not said:
        raise Problem("reason_missing")
    if len(said) > 500:
        raise Problem("comment_too_long", n=len(said))
    waiting = reviews.unsettled(conn, [visit_id]).get(visit_id, {})
    if not ops or not waiting.keys() >= set(ops):
        raise Problem("material_settled")
    words = [SetAside(op, said, person.id, stamp(now)) for op in dict.fromkeys(ops)]
    reviews.add_set_aside(conn, visit_id, words)
    detail = {"ops": [one.op for one in words], "reason": said}
    entry = trail.Act("material.set_aside", person.id, f"visit:{visit_id}", None, digest_of(detail), detail)
    trail.append(conn, [entry], now)


@act("refusal.note", "visit.note_refusal")
def note_refusal(conn: Connection, person: Person, now: datetime, visit_id: str) -> None:
    """The unit head, to whom refused signatures are reported by themselves, says that he knows of them (R23.4)."""
    row = visits.lock(conn, visit_id)
    if row is None or not office_sees(person.roles, person.unit_id, row.unit_id):
        raise Problem("not_found")
    permit(person, "visit.note_refusal", row.unit_id)
    found = reviews.refusals(conn, visit_id=visit_id)
    if not found:
        raise Problem("refusal_noted")
    reviews.add_refusal_notes(conn, found, person.id, stamp(now))
    detail = {"ops": [one.op for one in found]}
    entry = trail.Act("refusal.note", person.id, f"visit:{visit_id}", None, digest_of(detail), detail)
    trail.append(conn, [entry], now)


def _require(conn: Connection, person: Person, visit_id: str, act: str, round_: int | None = None) -> None:
    """Locks the visit, and raises what forbids this person the act on the record as it is kept."""
    row, kept = visits.lock(conn, visit_id), records.kept(conn, visit_id)
    if row is None or not office_sees(person.roles, person.unit_id, row.unit_id):
        raise Problem("not_found")
    if kept is None or kept.head != row.head or kept.media_rev != records.media_rev(conn, visit_id):
        raise Problem("record_moved")
    said = reviews.reviews_of(conn, [visit_id]).get(visit_id, [])
    standing = Standing(
        kept.phase,
        row.round,
        kept.summary["media"] - kept.summary["media_here"],
        any(word.round == row.round for word in said),
        len(reviews.unsettled(conn, [visit_id]).get(visit_id, {})),
    )
    in_crew = reviews.crew_member(conn, visit_id, person.id)
    code = hindrance(person.roles, person.unit_id, row.unit_id, in_crew, standing, act)
    if code is not None:
        raise Problem(code)
    if round_ is not None and round_ != row.round:
        raise Problem("already_reviewed")


def _say(conn: Connection, visit_id: str, word: Review, now: datetime) -> None:
    reviews.add_review(conn, visit_id, word)
    name = "approve_record" if word.state == "approved" else "return"
    detail = {"round": word.round, "comment": word.comment}
    trail.append(conn, [trail.Act(name, word.by, f"visit:{visit_id}", None, digest_of(word), detail)], now)
