"""A drawn subject that turned out dead: the clerk asks that it be excused, the head confirms, never the same (16)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.domain import drawing as rules
from server.domain.codes import normal_code
from server.domain.excuse import Excuse, StatusDocument, published_reason
from server.domain.instant import stamp
from server.errors import Problem
from server.office.act import act, digest_of, named
from server.office.draws import enter, held, note, of_file, publish
from server.office.reasons import said_reason
from server.store import directory, draws, excuses, frames, trail
from server.store.draws import Draw
from server.store.people import Person
from server.store.session import Connection

ARTICLE = "16"
MOST = 300
"""Signs of a reason: the file's has the document and two names beside it."""


@act("excuse.ask", "draws.run")
def ask(conn: Connection, person: Person, now: datetime, draw_id: str, code: str, reason: str) -> str:
    """Asks to take a drawn subject off the list that the library has as suspended or cancelled; the request's id."""
    draw, found = held(conn, person, draw_id, "draws.run"), normal_code(code)
    rules.excuse(draw, found, "-", is_alive=False)
    said = said_reason(reason, most=MOST, article=ARTICLE)
    its = _must_be_dead(conn, draw, found)
    if any(one.code == found and one.state == "asked" for one in excuses.of_draw(conn, draw_id)):
        raise Problem("draw_excuse_asked", found=found)
    id = named("excuse", draw_id, found, stamp(now))
    made = Excuse(id, draw_id, found, its.said, said, "asked", person.id, stamp(now))
    excuses.add(conn, made)
    _note(conn, "excuse.ask", person, now, None, made)
    return made.id


@act("draw.excuse", "draws.excuse")
def decide(
    conn: Connection, person: Person, now: datetime, excuse_id: str, *, approved: bool, answer: str = ""
) -> None:
    """The head confirms, and the next ticket moves up; or refuses, with a reason. Never who asked.

    What the library says is looked at again: who is active by then stays on the list.
    """
    asked = excuses.one(conn, excuse_id)
    if asked is None:
        raise Problem("not_found")
    before = held(conn, person, asked.draw_id, "draws.excuse")
    asked = excuses.one(conn, excuse_id) or asked
    if asked.state != "asked":
        raise Problem("draw_excuse_decided")
    if asked.asked_by == person.id:
        raise Problem("own_entry")
    said = said_reason(answer, "answer", required=not approved, article=ARTICLE)
    after = msgspec.structs.replace(
        asked,
        state="approved" if approved else "refused",
        decided_by=person.id,
        decided_at=stamp(now),
        answer=said or None,
    )
    excuses.decide(conn, after)
    if approved:
        _excuse(conn, person, now, before, after)
    else:
        _note(conn, "draw.excuse", person, now, asked, after)


def _excuse(conn: Connection, person: Person, now: datetime, before: Draw, one: Excuse) -> None:
    rules.excuse(before, one.code, one.reason, is_alive=False)
    its, names = _must_be_dead(conn, before, one.code), directory.names_of_people(conn)
    asked, decided = names.get(one.asked_by, one.asked_by), names.get(person.id, person.id)
    reason = published_reason(its.status, one, asked, decided)
    after = rules.excuse(before, one.code, reason, is_alive=False)
    draws.put(conn, after)
    file = publish(conn, after, draws.frozen_of(conn, before.id).frame, "excused", now)
    if (moved_up := after.excused[-1].next) is not None:
        enter(conn, person, now, after, [moved_up])
    detail = msgspec.to_builtins(after.excused[-1]) | {"excuse": one.id, "document": one.document}
    note(conn, "draw.excuse", person, now, before, after, of_file(after, file) | detail)


def _must_be_dead(conn: Connection, draw: Draw, code: str) -> StatusDocument:
    """The document by which the library has a drawn subject as suspended or cancelled."""
    ids = {winner.code: winner.subject_id for winner in draws.winners_of(conn, draw.id)}
    status = frames.status_of(conn, ids[code]) or "active"
    if status == "active":
        raise Problem("draw_alive", found=code)
    its = excuses.status_documents(conn, {ids[code]: status}).get(ids[code])
    if its is None:
        raise Problem("draw_no_document", found=code)
    return its


def _note(conn: Connection, name: str, person: Person, now: datetime, before: Excuse | None, after: Excuse) -> None:
    names = ("draw_id", "code", "document", "reason", "state", "answer")
    detail = {field: getattr(after, field) for field in names}
    was = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, person.id, f"excuse:{after.id}", was, digest_of(after), detail)], now)
