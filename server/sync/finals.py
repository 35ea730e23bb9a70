"""Final: a leader's proposal becomes the server's acceptance as soon as nothing is missing, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime

from server.domain.instant import instant
from server.domain.result import Item
from server.domain.visit import ended_on
from server.store import journal, uploads, visits
from server.store.deadlines import PUBLICATION_TARGET, set_deadline
from server.store.journal import Row
from server.store.rules import rule_set_on
from server.store.session import Connection
from server.sync import desk, ops
from server.sync.book import Book
from server.sync.keys import Keys
from server.sync.record import entry_of, frame_of, items_of
from server.sync.restored import is_waiting
from server.sync.view import Entry, Facts, Frame, accepted, look_at


class Judging:
    """Judges the open proposals of one visit, as often as an op has effect while one is open."""

    def __init__(self, frame: Frame, items: list[Item]) -> None:
        self.frame, self.items = frame, items
        self._decoded: dict[int, tuple[Row, str, Entry]] = {}

    def judge(self, book: Book, here: Container[str]) -> str | None:
        """Rules stale proposals out, and accepts the one that lacks nothing, whose id it gives.

        `here` are the bytes that have come.
        """
        if book.facts is None or book.facts.state != "open" or is_waiting(book):
            return None
        look = look_at(self._entries(book), self.frame, Facts(items=self.items, here=here))
        _set_stale_aside(book, {op.id for op in look.proposals})
        final = accepted(look)
        if final is None or final[0].id not in book.facts.standing.proposals:
            return None
        accept(book, final[0].id, look.shown.digest or "", final[1])
        return final[0].id

    def _entries(self, book: Book) -> list[Entry]:
        return [self._entry(row) for row in book.entries()]

    def _entry(self, row: Row) -> Entry:
        known = self._decoded.get(row.n or 0)
        if known is None or known[0] is not row or known[1] != row.verdict:
            known = self._decoded[row.n or 0] = (row, row.verdict, entry_of(row))
        return known[2]


def judge_proposals(conn: Connection) -> Callable[[Book], None]:
    """What is done after each op with effect while a proposal is open, on the database's visit."""
    judging: dict[str, Judging] = {}

    def judge(book: Book) -> None:
        if book.visit not in judging:
            row = visits.look(conn, book.visit)
            if row is None:
                return
            judging[book.visit] = Judging(frame_of(row), items_of(conn, row.tpl))
        journal.add_names(conn, book.visit, book.names)
        book.names.clear()
        proposal = judging[book.visit].judge(book, uploads.here_for(conn, book.visit))
        if proposal is not None:
            _begin_publication(conn, book, proposal)

    return judge


def _begin_publication(conn: Connection, book: Book, proposal: str) -> None:
    """The visit ended with the proposal of its first final: from that day its result is to be public (R26.1)."""
    rid, _, seq = proposal.rpartition(":")
    row = book.look_up(rid, int(seq))
    op = None if row is None else ops.stored(row.body)
    if row is None or op is None:
        raise ValueError(f"There is no proposal {proposal}.")
    dispatched = instant(visits.dispatched_at(conn, book.visit))
    day = ended_on(instant(op.at), instant(row.received_at), dispatched)
    days = rule_set_on(conn, day).publication_days
    set_deadline(conn, f"visit:{book.visit}", PUBLICATION_TARGET, day, days, book.now)


def _set_stale_aside(book: Book, by_todays_leader: set[str]) -> None:
    """A proposal is stale when its author made a newer one, or leads no more."""
    if book.facts is None:
        return
    open_ = book.facts.standing.proposals
    live = [id_ for id_ in open_ if id_ in by_todays_leader]
    for id_ in open_:
        if id_ not in live[-1:]:
            book.rule(id_, "quarantined", "stale_proposal")


def accept(book: Book, proposal: str, digest: str, signatures: Sequence[str]) -> None:
    """Writes the final of this round; any other open proposal came too late."""
    if book.facts is None:
        return
    others = [id_ for id_ in book.facts.standing.proposals if id_ != proposal]
    val = {"digest": digest, "round": book.facts.round, "signatures": sorted(signatures)}
    book.write("accept_final", ["final"], val, "srv")
    for id_ in others:
        book.rule(id_, "late", None)


def media_arrived(conn: Connection, keys: Keys, visit_ids: Sequence[str], now: datetime) -> None:
    """Judges open proposals again after bytes came for these visits; an id that is no visit's is passed over."""
    for visit_id in sorted(set(visit_ids)):
        row = visits.look(conn, visit_id)
        if row is None or not desk.facts_of(row).standing.proposals:
            continue
        book = desk.open_book(conn, keys, visit_id, now)
        judge_proposals(conn)(book)
        desk.save(conn, book)
