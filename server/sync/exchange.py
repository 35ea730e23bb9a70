"""The exchange: what a phone pushes is taken and answered, what is new for it is given, in one round trip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from server.domain.instant import instant, stamp
from server.errors import Problem
from server.store import checkpoints, journal, visits
from server.store.journal import News
from server.store.people import Person
from server.store.session import Connection, Database
from server.store.visits import Owned
from server.sync import desk, finals, media
from server.sync.assignments import assignments_for
from server.sync.book import Book
from server.sync.intake import Caller, Entry, hear, take
from server.sync.judge import is_member
from server.sync.keys import Keys
from server.sync.request import PROTO, Asked, Pending, parse

MOST_GIVEN: Final = 500
SEEN_STEP: Final = timedelta(seconds=30)

_encode = msgspec.json.Encoder().encode


def exchange(db: Database, keys: Keys, person: Person, body: bytes, now: datetime) -> bytes:
    """Answers the inflated body of POST /api/sync. What it says was taken is committed and on the disk."""
    asked = parse(body)
    if asked.entries:
        own, results, entries = db.run_write(lambda conn: _take(conn, keys, person, asked, now))
    else:
        own, results, entries = _note_contact(db, person, asked, now), [], range(0)
    with db.read() as conn:
        return _answer(conn, keys, person, own, asked, results, now, entries)


def glance(db: Database, keys: Keys, person: Person, body: bytes, now: datetime) -> bytes | None:
    """The answer to a request for which nothing has to be written; None for any other: that takes an exchange."""
    asked = parse(body)
    if asked.entries:
        return None
    with db.read() as conn:
        own = _own_device(conn, person, asked)
        return None if _is_news(own, asked, now) else _answer(conn, keys, person, own, asked, [], now)


def _own_device(conn: Connection, person: Person, asked: Asked) -> Owned:
    own = visits.owned(conn, asked.rid)
    if own is None or own.account_id != person.id:
        raise Problem("unenrolled")
    return own


def _note_contact(db: Database, person: Person, asked: Asked, now: datetime) -> Owned:
    with db.read() as conn:
        own = _own_device(conn, person, asked)
    if _is_news(own, asked, now):
        db.run_write(lambda conn: _mark_seen(conn, own, asked, now))
    return own


def _is_news(own: Owned, asked: Asked, now: datetime) -> bool:
    """Whether the group board would show something else: writing at each poll would cost a disk's round trip."""
    pending = msgspec.to_builtins(asked.pending)
    if own.seen_at is None or now - instant(own.seen_at) >= SEEN_STEP or own.pending != pending:
        return True
    return asked.app is not None and asked.app != own.app


def _mark_seen(conn: Connection, own: Owned, asked: Asked, now: datetime) -> None:
    app = asked.app or own.app
    visits.mark_seen(conn, own.rid, stamp(now), app, msgspec.to_builtins(asked.pending))


def _take(
    conn: Connection, keys: Keys, person: Person, asked: Asked, now: datetime
) -> tuple[Owned, list[dict[str, Any]], range]:
    """Takes what is pushed, visit by visit in the order of their ids, and answers in the order in which it came.

    Beside the answers: the trail's entries of what was taken, none where a visit isn't there for who asks.
    """
    own = _own_device(conn, person, asked)
    caller = Caller(person.id, asked.rid)
    by_visit: dict[str, list[tuple[int, Entry]]] = {}
    for at, (visit, entry) in enumerate(asked.entries):
        by_visit.setdefault(visit, []).append((at, entry))
    books = {visit: _open(conn, keys, own, visit, now) for visit in sorted(by_visit)}
    results: dict[int, dict[str, Any]] = {}
    frozen: set[str] = set()
    for visit, book in books.items():
        if frozen & {own.rid}:
            book.know_device(msgspec.structs.replace(desk.device_of(own), frozen=True))
        for (at, _), taken in zip(by_visit[visit], take(book, caller, [it for _, it in by_visit[visit]]), strict=True):
            results[at] = {"visit": visit, "rid": taken.rid, "acked": taken.acked, "verdicts": taken.verdicts}
        for assigned in list(book.crew_changes):  # brought back after a backup was restored
            hear(book, visits.rids_of(conn, assigned.officer))
        frozen |= book.frozen
    said = msgspec.structs.replace(asked, pending=_left(asked, results.values()))
    if _is_news(own, said, now):
        _mark_seen(conn, own, said, now)
    is_told = all(is_member(book.facts, person.id) for book in books.values())
    entries = desk.save(conn, *books.values())
    for rid in sorted(frozen):
        desk.end_waiting(conn, keys, rid, now)
    return own, [results[at] for at in range(len(asked.entries))], entries if is_told else range(0)


def _left(asked: Asked, results: Iterable[Mapping[str, Any]]) -> Pending | None:
    """What the phone holds once it has the answer: what it said, less what has just got its verdict."""
    if asked.pending is None:
        return None
    verdicts = [verdict for result in results if result["rid"] == asked.rid for _, verdict, _ in result["verdicts"]]
    ops = max(0, asked.pending.ops - sum(verdict != "held" for verdict in verdicts))
    return msgspec.structs.replace(asked.pending, ops=ops, oldest=asked.pending.oldest if ops else None)


def _open(conn: Connection, keys: Keys, own: Owned, visit: str, now: datetime) -> Book:
    """Opens the book of a visit, with what is known already of the phone that asks."""
    book = desk.open_book(conn, keys, visit, now)
    book.know_device(desk.device_of(own))
    if own.certificate_to is not None:
        book.know_certificate(own.account_id, own.certificate_to)
    book.on_effect = finals.judge_proposals(conn)
    return book


def _answer(
    conn: Connection, keys: Keys, person: Person, own: Owned, asked: Asked, results: list[dict[str, Any]],
    now: datetime, entries: range = range(0),
) -> bytes:  # fmt: skip
    answer: dict[str, Any] = {
        "proto": PROTO,
        "epoch": keys.epoch,
        "server_time": stamp(now),
        "results": results,
        "ops": {},
        "heads": {},
        "more": False,
        "assignments": None,
        "media_missing": [],
        "retry_after": None,
        "notices": [],
    }
    if entries:
        answer["receipt"] = _receipt(conn, entries)
    if own.revoked_at is not None:
        answer["notices"] = [{"code": "device_revoked", "text": Problem("device_revoked").sentence()}]
        return _encode(answer)
    is_other_epoch = asked.epoch is not None and asked.epoch != keys.epoch
    answer["ops"], answer["heads"], answer["more"] = _news(conn, person, asked, is_other_epoch)
    if asked.assignments_rev is not None:
        known_rev = -1 if is_other_epoch else asked.assignments_rev
        answer["assignments"] = assignments_for(conn, person.id, known_rev, keys.sealer)
    if asked.have_media:
        answer["media_missing"] = media.missing_of(conn, person, asked.have_media)
    return _encode(answer)


def _receipt(conn: Connection, entries: range) -> dict[str, Any]:
    """Where in the log the ops stand that were taken: by it they are not later than what is signed next."""
    size, root = checkpoints.last_root(conn)
    return {"index": entries[0] - 1, "count": len(entries), "size": size, "root": root}


def _news(
    conn: Connection, person: Person, asked: Asked, is_other_epoch: bool
) -> tuple[dict[str, list[Any]], dict[str, int], bool]:
    """Ops after the cursors, visits in the order of their ids; a removed officer's end at the op that removed him."""
    ops: dict[str, list[Any]] = {}
    heads: dict[str, int] = {}
    left = MOST_GIVEN
    more = False
    is_first = asked.epoch is None and not asked.pull  # then all his visits are meant, in the same round trip
    members = visits.memberships(conn, person.id, None if is_first else list(asked.pull))
    for visit in sorted(members):
        member = members[visit]
        if is_first and member.role == "removed":
            continue
        last = member.head if member.removed_n is None else member.removed_n
        cursor = 0 if is_other_epoch else asked.pull.get(visit, 0)
        if last != cursor:
            heads[visit] = last
        if last <= cursor:
            continue
        rows = journal.news(conn, visit, cursor, last, asked.rid if cursor else "", left + 1)
        more = more or len(rows) > left
        rows = rows[:left]
        left -= len(rows)
        if rows:
            ops[visit] = [_given(row) for row in rows]
    return ops, heads, more


def _given(row: News) -> dict[str, Any]:
    """An op as a phone gets it; of its own only what it doesn't know, since echoes are dear on a slow line."""
    given: dict[str, Any] = {
        "n": row.n,
        "received_at": row.received_at,
        "verdict": row.verdict,
        "reason": row.reason,
    }
    if row.verdict == "dead":
        return {**given, "rid": row.rid, "seq": abs(row.seq), "op": None}
    if row.body is None:
        return {**given, "id": f"{row.rid}:{row.seq}"}
    return {**given, "op": msgspec.Raw(row.body)}
