"""The office's word on a received record: approve it, or return it with a comment (R10.1, R26.6).

A record is reviewed round by round, once it is final, by the clerk of the inspecting unit, never by one of its crew.
A return changes nothing by itself: it waits for the unit head, whose `reopen` starts the next round.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

import msgspec

from server.domain.access import may
from server.domain.instant import stamp
from server.errors import Problem
from server.store import reviews, trail
from server.store.reviews import Received, Review
from server.store.session import Connection


class Standing(msgspec.Struct, frozen=True):
    """What a review depends on besides the reviewer: the record's phase, its round, and what isn't here yet."""

    phase: str
    round: int
    media_missing: int
    reviewed: bool
    """Whether this round already has its word."""


def hindrance(
    roles: Collection[str], person_unit: str | None, visit_unit: str, in_crew: bool, standing: Standing, act: str
) -> str | None:
    """The code of what forbids this person to `approve` or `return` the record now; None where nothing does."""
    if not may(roles, person_unit, visit_unit, act):
        return "other_unit"
    if in_crew:
        return "own_crew"
    if standing.reviewed:
        return "already_reviewed"
    if standing.phase != "final":
        return "not_final_yet"
    if act == "approve" and standing.media_missing:
        return "media_first"
    return None


def approve_record(conn: Connection, visit: Received, round_: int, by: str, now: datetime) -> None:
    """The record of this round is right; it can be published."""
    _say(conn, visit, Review(round_, "approved", by, stamp(now), None), now)


def return_record(conn: Connection, visit: Received, round_: int, by: str, comment: str, now: datetime) -> None:
    """The record must be changed: the comment, which can't be empty, says how."""
    said = comment.strip()
    if not said:
        raise Problem("comment_missing")
    if len(said) > 2000:
        raise Problem("comment_too_long", n=len(said))
    _say(conn, visit, Review(round_, "returned", by, stamp(now), said), now)


def _say(conn: Connection, visit: Received, word: Review, now: datetime) -> None:
    reviews.add_review(conn, visit.id, word)
    act = "approve_record" if word.state == "approved" else "return"
    after = sha256(msgspec.json.encode(word, order="sorted")).hexdigest()
    detail = {"round": word.round, "comment": word.comment}
    trail.append(conn, [trail.Act(act, word.by, f"visit:{visit.id}", None, after, detail)], now)
