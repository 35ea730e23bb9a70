"""The desk: opens the book of a visit on the database, with the visit's row locked, and writes it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec
import rfc8785

from server.store import endings, journal, trail, visits
from server.store.journal import Reach, Row
from server.store.session import Connection
from server.store.visits import Locked, Owned
from server.sync.book import Book, points_of
from server.sync.intake import wake_all
from server.sync.judge import Device, Standing, VisitFacts
from server.sync.keys import SERVER_RID, Keys

ENDING: Final = ("accept_final", "void")
"""The server's ops with which a visit is over."""

_standing = msgspec.json.Decoder(Standing)
_encode = msgspec.json.Encoder().encode


class SqlSource:
    """Reads what the database has of one visit."""

    def __init__(self, conn: Connection, visit: str) -> None:
        self.conn, self.visit = conn, visit

    def reaches(self) -> dict[str, Reach]:
        """How far each replica came."""
        return journal.reaches(self.conn, self.visit)

    def span(self, rid: str, first: int, last: int) -> list[Row]:
        """The ops of one replica between two of its numbers."""
        return journal.span(self.conn, self.visit, rid, first, last) if first <= last else []

    def held(self) -> list[Row]:
        """The ops that wait."""
        return journal.held(self.conn, self.visit)

    def kept(self, rid: str) -> list[Row]:
        """The ops of a replica that are kept apart."""
        return journal.kept(self.conn, self.visit, rid)

    def released(self) -> list[Row]:
        """The ops with a number, in its order."""
        return journal.released(self.conn, self.visit)

    def is_apart(self, rid: str, seq: int) -> bool:
        """Whether something of this name was set apart."""
        return journal.is_apart(self.conn, self.visit, rid, seq)

    def apart_id(self, rid: str, sha256: str) -> str | None:
        """The name of these bytes where they were set apart before."""
        return journal.apart_id(self.conn, self.visit, rid, sha256)

    def device(self, rid: str) -> Device | None:
        """The enrolled device of a replica."""
        found = visits.owned(self.conn, rid)
        return None if found is None else device_of(found)

    def certificate(self, officer: str) -> str | None:
        """The last day of an officer's certificate."""
        return visits.certificate_of(self.conn, officer)


def device_of(owned: Owned) -> Device:
    """A device as intake looks at it."""
    return Device(
        owned.rid, owned.account_id, owned.public_key, owned.revoked_at is not None, owned.frozen_at is not None
    )


def facts_of(row: Locked) -> VisitFacts:
    """A visit's row as intake looks at it."""
    standing = _standing.decode(row.standing)
    return VisitFacts(row.id, row.tpl, row.window_from, row.window_to, row.round, row.state, standing)


def standing_bytes(standing: Standing) -> bytes:
    """How a visit's row keeps its standing."""
    return _encode(standing)


def open_book(conn: Connection, keys: Keys, visit_id: str, now: datetime) -> Book:
    """Locks the visit and opens its book. Several visits are opened in the order of their ids."""
    row = visits.lock(conn, visit_id)
    facts = None if row is None else facts_of(row)
    points = frozenset[str]() if row is None else _points(conn, row.tpl)
    return Book(visit_id, facts, 0 if row is None else row.head, points, SqlSource(conn, visit_id), keys, now)


def _points(conn: Connection, tpl: str) -> frozenset[str]:
    """The points of a checklist, which never changes under its name."""
    known = _known_points(tpl)
    if not known:
        body = visits.points_body(conn, tpl)
        known.append(points_of(body) if body is not None else frozenset())
    return known[0]


@lru_cache(maxsize=256)
def _known_points(_tpl: str) -> list[frozenset[str]]:
    return []


def save(conn: Connection, *books: Book) -> range:
    """Writes all that changed in the books, and an entry in the trail for each op that was taken; their numbers.

    The trail's counter is locked last and once: before it, everybody still waits for visits in the order of their ids.
    """
    for book in books:
        _save(conn, book)
    acts = [_act(book.visit, row) for book in books for row in book.fresh.values()]
    return trail.append(conn, acts, books[0].now) if acts else range(0)


def _save(conn: Connection, book: Book) -> None:
    for rid, seq in book.gone:
        journal.take_out(conn, book.visit, rid, seq)
    journal.update(conn, book.visit, list(book.changed.values()))
    journal.insert(conn, book.visit, list(book.fresh.values()))
    journal.set_apart(conn, book.visit, book.apart)
    journal.save_reaches(conn, book.visit, book.moved, book.moved.keys() - book.known_reaches)
    if book.facts is not None and book.is_moved:
        facts = book.facts
        visits.advance(conn, book.visit, book.head, facts.round, facts.state, standing_bytes(facts.standing))
        if any(row.kind in ENDING and SERVER_RID.match(row.rid) for row in book.fresh.values()):
            endings.visit_ended(conn, book.visit, book.now)
    if book.facts is not None:
        journal.add_names(conn, book.visit, book.names)
    for rid in sorted(book.frozen):
        visits.freeze(conn, rid, book.at)
    _save_crew(conn, book)


def _save_crew(conn: Connection, book: Book) -> None:
    if not book.crew_changes:
        return
    for assigned in book.crew_changes:
        visits.set_crew(conn, book.visit, assigned.officer, assigned.role, assigned.n)
    if book.facts is not None:
        visits.move_assignments(conn, (assigned.officer for assigned in book.facts.standing.crew))


def _act(visit: str, row: Row) -> trail.Act:
    kind, said = row.kind or "dead", _verdict(row.verdict, row.reason)
    return trail.Act(f"op.{kind}", row.author or row.rid, f"op:{visit}:{row.rid}:{row.seq}", None, row.hash, said)


@lru_cache(maxsize=256)
def _verdict(verdict: str, why: str | None) -> msgspec.Raw:
    """What intake said of it, as the entry that took it keeps it."""
    return msgspec.Raw(rfc8785.dumps({"verdict": verdict, "why": why}))


def end_waiting(conn: Connection, keys: Keys, rid: str, now: datetime, but: Iterable[str] = ()) -> None:
    """Releases, in all visits, what waited for a replica that was frozen or revoked."""
    books = [open_book(conn, keys, id_, now) for id_ in journal.visits_waiting_for(conn, rid) if id_ not in but]
    for book in books:
        wake_all(book, rid)
    save(conn, *books)
