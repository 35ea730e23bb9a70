"""A ledger in memory: what intake writes, without a database, and the checks that must hold of it at any time."""

from __future__ import annotations

import copy
from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from server.store.journal import Apart, Reach, Row
from server.sync import ops
from server.sync.book import Book
from server.sync.finals import Judging
from server.sync.fold import Frame
from server.sync.intake import Caller, Entry, Taken, hear, read_entry, take, wake_all
from server.sync.judge import Device, Standing, VisitFacts
from server.sync.keys import Keys
from server.sync.record import entry_of
from server.sync.standing import standing_of


class Ledger:
    """All visits and devices that a server would have."""

    def __init__(self, keys: Keys | None = None) -> None:
        self.keys = keys or Keys(ec.generate_private_key(ec.SECP256R1()), "srv", "epoch")
        self.devices: dict[str, Device] = {}
        self.certificates: dict[str, str] = {}
        self.visits: dict[str, tuple[VisitFacts, int]] = {}
        self.rows: dict[str, dict[tuple[str, int], Row]] = {}
        self.apart: dict[str, list[Apart]] = {}
        self.reaches: dict[str, dict[str, Reach]] = {}
        self.judging: Judging | None = None
        self.here: Container[str] = frozenset()

    def open(self, visit: str, points: Container[str], now: datetime) -> Book:
        """The book of a visit, on copies of what is written."""
        facts, head = self.visits.get(visit, (None, 0))
        book = Book(visit, facts, head, points, _Source(self, visit), self.keys, now)
        if self.judging is not None:
            judging = self.judging

            def judge(book: Book) -> None:
                judging.judge(book, self.here)

            book.on_effect = judge
        return book

    def save(self, book: Book) -> None:
        """Writes a book back, as one transaction, with the constraints that a database would hold."""
        rows = self.rows.setdefault(book.visit, {})
        for key in book.gone:
            assert rows.pop(key).verdict == "held"
        for rid, seq, row in book.changed.values():
            assert rows.pop((rid, seq)).hash == row.hash
            rows[row.rid, row.seq] = row
        for key, row in book.fresh.items():
            assert key not in rows
            rows[key] = row
        self.apart.setdefault(book.visit, []).extend(book.apart)
        self.reaches.setdefault(book.visit, {}).update(copy.deepcopy(book.moved))
        if book.facts is not None:
            self.visits[book.visit] = (book.facts, book.head)
        for rid in book.frozen:
            self.devices[rid] = msgspec.structs.replace(self.devices[rid], frozen=True)
        for rid in book.frozen:
            self.end_waiting(rid, book.points, book.now)

    def end_waiting(self, rid: str, points: Container[str], now: datetime) -> None:
        """Releases what waited for a replica that was frozen or revoked."""
        for visit in list(self.rows):
            book = self.open(visit, points, now)
            wake_all(book, rid)
            if book.changed or book.fresh:
                self.save(book)

    def take(
        self, caller: Caller, visit: str, entries: Sequence[Entry], points: Container[str], now: datetime
    ) -> list[Taken]:
        """A push of one request into one visit."""
        book = self.open(visit, points, now)
        taken = take(book, caller, entries)
        self.save(book)
        return taken

    def dispatch(self, facts: VisitFacts, crew: Sequence[tuple[str, str]], now: datetime) -> None:
        """A visit with its crew."""
        self.visits[facts.id] = (msgspec.structs.replace(facts, standing=Standing()), 0)
        book = self.open(facts.id, frozenset(), now)
        for officer, role in crew:
            book.write("assign", ["crew", officer], {"role": role, "reason": "dispatch"}, "clerk")
            hear(book, [rid for rid, device in self.devices.items() if device.owner == officer])
        self.save(book)


class _Source:
    """What a book reads of the ledger."""

    def __init__(self, ledger: Ledger, visit: str) -> None:
        self.ledger = ledger
        self.visit = visit

    def _rows(self) -> list[Row]:
        return [copy.copy(row) for row in self.ledger.rows.get(self.visit, {}).values()]

    def reaches(self) -> dict[str, Reach]:
        return copy.deepcopy(self.ledger.reaches.get(self.visit, {}))

    def span(self, rid: str, first: int, last: int) -> list[Row]:
        return [row for row in self._rows() if row.rid == rid and first <= row.seq <= last]

    def held(self) -> list[Row]:
        return [row for row in self._rows() if row.n is None and row.verdict == "held"]

    def kept(self, rid: str) -> list[Row]:
        kept = [row for row in self._rows() if row.n is None and row.verdict != "held" and row.rid == rid]
        return sorted(kept, key=lambda row: abs(row.seq))

    def released(self) -> list[Row]:
        return sorted((row for row in self._rows() if row.n is not None), key=lambda row: row.n or 0)

    def is_apart(self, rid: str, seq: int) -> bool:
        return any((it.rid, it.seq) == (rid, seq) for it in self.ledger.apart.get(self.visit, []))

    def apart_id(self, rid: str, sha256: str) -> str | None:
        found = [it.id for it in self.ledger.apart.get(self.visit, []) if (it.rid, it.sha256) == (rid, sha256)]
        return found[0] if found else None

    def device(self, rid: str) -> Device | None:
        return self.ledger.devices.get(rid)

    def certificate(self, officer: str) -> str | None:
        return self.ledger.certificates.get(officer)


def entry(rid: str, bodies: Sequence[bytes]) -> Entry:
    """A push entry of these bytes."""
    return read_entry(rid, list(bodies))


def check(ledger: Ledger) -> None:
    """Numbers are dense, chains whole, nothing waits without need, and the caches are what the journal says."""
    for visit, (facts, head) in ledger.visits.items():
        rows = ledger.rows.get(visit, {})
        numbered = sorted(row.n for row in rows.values() if row.n is not None)
        assert numbered == list(range(1, head + 1))
        _check_chains(ledger, visit)
        _check_cache(facts, [row for row in rows.values() if row.n is not None])
        _check_waiting(ledger, visit)


def _check_chains(ledger: Ledger, visit: str) -> None:
    rows = ledger.rows.get(visit, {})
    for rid, reach in ledger.reaches.get(visit, {}).items():
        for seq in range(1, reach.acked + 1):
            row = rows[rid, seq]
            before = rows.get((rid, seq - 1))
            if row.verdict == "dead" or (before is not None and before.verdict == "dead"):
                continue
            prev = ops.read(row.body).prev
            assert row.verdict == "held" or prev == ("" if seq == 1 else before.hash if before else None)
        following = rows.get((rid, reach.acked + 1))
        assert following is None or following.verdict == "held"


def _check_waiting(ledger: Ledger, visit: str) -> None:
    """I21: what was released had nothing to wait for; what is held has."""
    rows = ledger.rows.get(visit, {})
    gone = {(it.rid, it.seq) for it in ledger.apart.get(visit, [])}
    admitted = {ops.read(row.body).op.path[1] for row in rows.values() if row.kind == "admit"}  # type: ignore[union-attr]
    for row in rows.values():
        if row.n is None or row.verdict == "dead" or row.id in admitted:
            continue
        before = rows.get((row.rid, row.seq - 1))
        passed = ops.read(before.body).ctx if before is not None and before.body else {}
        for rid, seq in ops.read(row.body).ctx.items():
            device = ledger.devices.get(rid)
            stopped = row.reason == "not_member" or (device is not None and (device.frozen or device.revoked))
            assert stopped or (rid, seq) in rows or (rid, seq) in gone or passed.get(rid, 0) >= seq


def _check_cache(facts: VisitFacts, rows: list[Row]) -> None:
    """The standing beside the head is a fold of the journal, and so is each op's own."""
    entries = [entry_of(row) for row in sorted(rows, key=lambda row: row.n or 0)]
    standing = standing_of(entries)
    by_id = {row.id: row for row in rows}
    for it in entries:
        row = by_id.get(it.id)
        if row is not None and row.verdict != "dead":
            found = standing[it.id]
            assert row.standing == found.verdict
            assert found.verdict == "ok" or row.standing_reason == found.reason
    effective = [it.op for it in entries if it.op is not None and standing[it.id].verdict == "ok"]
    crew = [(op.rid, op.seq, op.path[1], op.val["role"]) for op in effective if op.kind == "assign"]
    assert [(it.rid, it.seq, it.officer, it.role) for it in facts.standing.crew] == crew
    assert facts.standing.started or not any(not op.rid.startswith("srv") for op in effective)
    finals = [op.val["round"] for op in effective if op.kind == "accept_final"]
    assert len(finals) == len(set(finals))
    rounds = [1, *(op.val["round"] for op in effective if op.kind == "reopen")]
    assert facts.round == max(rounds)
    is_void = any(op.kind == "void" for op in effective)
    assert facts.state == ("void" if is_void else "final" if facts.round in finals else "open")


def frame(facts: VisitFacts) -> Frame:
    """What the fold takes of a visit."""
    from server.sync.fold import Subject

    return Frame(facts.id, facts.tpl, Subject("某公司", "91411303MA00000010"))


def rest(taken: Sequence[Taken]) -> list[Any]:
    """Answers as plain data, with the names of what was set apart left out: they are random."""
    return [
        [
            it.rid,
            it.acked,
            [[seq, verdict, None if verdict == "dead" else reason] for seq, verdict, reason in it.verdicts],
        ]
        for it in taken
    ]
