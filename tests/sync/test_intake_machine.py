"""Intake against any order of events: phones that repeat, reorder, carry, fork and forge; an office that decides."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server.domain.result import Item, Point
from server.sync import finals, ops
from server.sync.book import Book
from server.sync.finals import Judging
from server.sync.intake import Caller, hear, obstacle, retry
from server.sync.judge import ADMISSIBLE, Device, Standing, VisitFacts, leader_of
from server.sync.pen import Pen
from server.sync.shapes import PHONE_KINDS, SERVER_KINDS
from tests.sync import memory
from tests.sync.memory import Ledger

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
VISIT, OTHER = "0193a1b2-0000-7000-8000-00000000beef", "0193a1b2-0000-7000-8000-00000000cafe"
NOWHERE = "0193a1b2-0000-7000-8000-0000deadbeef"
TPL = "6" * 64
POINTS = frozenset({"p1", "p2"})
OWNERS = (
    "li",
    "li",
    "zhang",
    "wang",
    "sun",
    "zhao",
)  # li has two phones; sun's certificate ran out; zhao is a stranger
STRANGER = 5
SEEN: Counter[str] = Counter()
FACTS = VisitFacts(VISIT, TPL, "2026-11-01", "2026-12-31", 1, "open", Standing())
PHONES = st.integers(0, len(OWNERS) - 1)


def _values(draw: Any, phone: Pen, rows: list[str]) -> tuple[str, list[str], Any]:
    """A kind, a path and a value that belong together."""
    row = draw(st.sampled_from(rows or [f"{phone.rid}:1"]))
    sha = draw(st.sampled_from(["a" * 64, "b" * 64]))
    sign = {"digest": "0" * 64, "cut": {"srv": 1}, "excluded": [], "role": "member", "image": sha, "strokes": None,
            "refused": None}  # fmt: skip
    options: list[tuple[str, list[str], Any]] = [
        ("set", ["answer", "p1", "verdict"], "pass"),
        ("set", ["visit", "summary"], draw(st.sampled_from(["甲", "乙"]))),
        ("set", ["finding", row, "text"], "x"),
        ("set", ["visit", "result"], "no_problem_found"),
        ("set", ["visit", f"no_interest:{phone.officer}"], {"interest": draw(st.booleans()), "reason": None}),
        ("add", ["finding"], {"text": "y"}),
        ("del", ["finding", row], {"reason": "z"}),
        ("undel", ["finding", row], None),
        ("attach", ["media", sha], {"size": 1, "mime": "image/png", "for": "visit", "w": None, "h": None,
                                    "taken": None, "source": "camera"}),
        ("retract", ["media", sha], {"reason": "z"}),
        ("sign", ["sign", phone.officer], sign),
        ("confirm", ["sign", phone.officer], {"op": row}),
        ("sign", ["sign", "subject"], {**sign, "role": "subject"}),
        ("propose_final", ["final"], {"digest": "0" * 64, "cut": {"srv": 1}, "result": "x", "signatures": []}),
    ]  # fmt: skip
    chosen: tuple[str, list[str], Any] = draw(st.sampled_from(options))
    return chosen


FLAWS: dict[str, dict[str, Any]] = {
    "v": {"v": 2},
    "kind": {"kind": "sing"},
    "server": {"kind": "void", "path": ["visit"], "val": {"reason": "r", "by": "li"}},
    "path": {"kind": "set", "path": ["visit", "weather"]},
    "point": {"kind": "set", "path": ["answer", "p9", "verdict"], "val": "pass"},
    "value": {"kind": "set", "path": ["visit", "summary"], "val": 1},
    "float": {"kind": "set", "path": ["visit", "summary"], "val": 1.5},
    "author": {"author": "wang2"},
    "via": {"kind": "set", "path": ["visit", "summary"], "val": "v", "via": "zhang"},
    "tpl": {"tpl": "7" * 64},
    "future": {"at": "2036-11-24T10:00:00+08:00"},
}


class Intake(RuleBasedStateMachine):
    """Six phones, one visit, one office. Beside it, a ledger without the visit answers the stranger."""

    @initialize()
    def begin(self) -> None:
        self.ledger, self.shadow = Ledger(), Ledger()
        self.shadow.keys = self.ledger.keys
        self.pens = [Pen(f"{number:x}" * 32, owner) for number, owner in enumerate(OWNERS, 10)]
        self.now = NOW
        self.sent: list[list[bytes]] = [[] for _ in self.pens]  # everything that a phone ever wrote, in order
        self.rows: list[str] = []
        for ledger in (self.ledger, self.shadow):
            ledger.certificates = {"sun": "2026-10-31", "wang": "2026-12-15"}
            for pen in self.pens:
                ledger.devices[pen.rid] = Device(pen.rid, pen.officer, pen.public_jwk)
        self.ledger.judging = Judging(memory.frame(FACTS), [Item("i1", "findings", [Point("p1"), Point("p2")])])
        crew = [("li", "leader"), ("zhang", "member"), ("wang", "member"), ("sun", "member")]
        self.ledger.dispatch(FACTS, crew, self.now)

    # --- phones -------------------------------------------------------------------------------------------------------

    @rule(data=st.data(), number=PHONES, count=st.integers(1, 4))
    def write(self, data: st.DataObject, number: int, count: int) -> None:
        for _ in range(count):
            pen = self.pens[number]
            kind, path, val = _values(data.draw, pen, self.rows)
            self._write(number, kind, path, val)

    @rule(data=st.data(), number=PHONES)
    def write_badly(self, data: st.DataObject, number: int) -> None:
        flaw = data.draw(st.sampled_from(sorted(FLAWS)))
        pen = self.pens[number]
        before = pen.chains.get(VISIT, (0, ""))
        document = json.loads(pen.write(VISIT, "set", ["visit", "summary"], "x", tpl=TPL, at=self.now))
        pen.chains[VISIT] = before
        del document["sig"]
        self.sent[number].append(pen.append(VISIT, {**document, **FLAWS[flaw]}))

    @rule(number=PHONES, other=PHONES, ahead=st.integers(1, 3))
    def write_of_what_has_not_come(self, number: int, other: int, ahead: int) -> None:
        """An op whose ctx names ops that a colleague has written or will write."""
        pen, colleague = self.pens[number], self.pens[other]
        if other == number:
            return
        seq = colleague.chains.get(VISIT, (0, ""))[0] + ahead - 1
        if seq > 0:
            pen.receive(VISIT, colleague.rid, seq)
        self._write(number, "set", ["visit", "attendee"], "ahead")

    @rule(number=st.sampled_from([0, 1]))
    def propose(self, number: int) -> None:
        """The leader proposes final from one of his phones; his newer proposal takes the older one's place."""
        val = {"digest": "0" * 64, "cut": {"srv": 1}, "result": "x", "signatures": list[str]()}
        self._write(number, "propose_final", ["final"], val)
        self._push(number, number, self.sent[number])

    @rule(number=PHONES)
    def garble(self, number: int) -> None:
        """An op that nobody can read takes its number."""
        pen = self.pens[number]
        last, _ = pen.chains.get(VISIT, (0, ""))
        pen.chains[VISIT] = (last + 1, "0" * 64)
        self.sent[number].append(b'{"seq":%d,"rid":"\xff"}' % (last + 1))

    @rule(number=PHONES)
    def fork(self, number: int) -> None:
        """A cloned phone writes another op under a number that was used."""
        pen = self.pens[number]
        last, prev = pen.chains.get(VISIT, (0, ""))
        if last < 2 or SEEN["fork"] > 50:
            return
        pen.chains[VISIT] = (last - 1, prev)
        self._write(number, "set", ["visit", "summary"], "clone")

    @rule(data=st.data(), number=PHONES)
    def push(self, data: st.DataObject, number: int) -> None:
        """Some of what was written, from any place on, perhaps twice: answers get lost."""
        sent = self.sent[number]
        start = data.draw(st.integers(0, max(0, len(sent) - 1)))
        bodies = sent[start : start + data.draw(st.integers(1, 8))]
        for _ in range(data.draw(st.sampled_from([1, 1, 2]))):
            self._push(number, number, bodies)

    @rule(number=PHONES)
    def push_all(self, number: int) -> None:
        self._push(number, number, self.sent[number])

    @rule(number=PHONES, of=PHONES)
    def carry(self, number: int, of: int) -> None:
        self._push(number, of, self.sent[of])

    @rule(number=PHONES)
    def pull(self, number: int) -> None:
        """The phone receives what has a number."""
        pen = self.pens[number]
        if pen.officer == "zhao":
            return
        for row in self.ledger.rows[VISIT].values():
            if row.n is not None:
                pen.receive(VISIT, row.rid, abs(row.seq))

    @rule()
    def push_everything_again(self) -> None:
        """I9: the same again changes nothing, and gives every op the same number."""
        before = None
        while before != self._state():  # what was dead while it had to wait takes its place when it is sent again
            before = self._state()
            self._push_all()
        self._push_all()
        assert self._state() == before

    # --- the office ---------------------------------------------------------------------------------------------------

    @rule(data=st.data())
    def assign(self, data: st.DataObject) -> None:
        officer = data.draw(st.sampled_from(["zhang", "wang", "zhao", "li"]))
        role = data.draw(st.sampled_from(["member", "removed", "leader"]))
        with self._book() as book:
            if book.facts is not None and book.facts.state == "open":
                leader = leader_of(book.facts.standing.crew)
                if role == "leader" and leader not in (None, officer):
                    book.write("assign", ["crew", leader or ""], {"role": "member", "reason": "r"}, "clerk")
                book.write("assign", ["crew", officer], {"role": role, "reason": "r"}, "clerk")
                hear(book, [pen.rid for pen in self.pens if pen.officer == officer])

    @rule(data=st.data())
    def admit(self, data: st.DataObject) -> None:
        with self._book() as book:
            known = [
                row.id for row in self.ledger.rows[VISIT].values() if row.verdict in ("quarantined", "held", "late")
            ]
            if not known or book.facts is None or book.facts.state != "open":
                return
            rid, _, seq = data.draw(st.sampled_from(known)).rpartition(":")
            row = book.look_up(rid, int(seq))
            if row is None or row.kind == "propose_final":
                return
            if row.verdict == "held":
                waits_for = obstacle(book, ops.read(row.body), book.is_heard(self.ledger.devices[rid].owner))
                if waits_for is None or waits_for.startswith(rid) or not book.is_heard(self.ledger.devices[rid].owner):
                    return
                book.write("admit", ["op", row.id], {"reason": "r", "by": "clerk"}, "clerk")
                retry(book, row, despite_ctx=True)
            elif row.n is not None and (row.standing_reason in ADMISSIBLE or row.standing == "late"):
                book.write("admit", ["op", row.id], {"reason": "r", "by": "clerk"}, "clerk")
                book.decide(row, "ok", None)

    @rule(data=st.data())
    def rule_out(self, data: st.DataObject) -> None:
        with self._book() as book:
            ok = [row.id for row in self.ledger.rows[VISIT].values() if row.standing == "ok" and row.rid[:3] != "srv"]
            if ok and book.facts is not None and book.facts.state == "open":
                book.rule(data.draw(st.sampled_from(ok)), "quarantined", "office")

    @rule()
    def finish_or_reopen(self) -> None:
        with self._book() as book:
            if book.facts is not None and book.facts.state == "open" and self.ledger.reaches[VISIT].keys() - {"srv"}:
                finals.accept(book, "", "0" * 64, [])
            elif book.facts is not None and book.facts.state == "final":
                book.write("reopen", ["round"], {"round": book.facts.round + 1, "reason": "r", "by": "head"}, "head")

    @hypothesis.stateful.precondition(lambda self: len(self.ledger.rows.get(VISIT, {})) > 14)
    @rule()
    def void(self) -> None:
        with self._book() as book:
            if book.facts is not None and book.facts.state == "open":
                book.write("void", ["visit"], {"reason": "r", "by": "head"}, "head")

    @rule(number=st.sampled_from([1, 3]))
    def revoke(self, number: int) -> None:
        pen = self.pens[number]
        for ledger in (self.ledger, self.shadow):
            ledger.devices[pen.rid] = msgspec.structs.replace(ledger.devices[pen.rid], revoked=True)
            ledger.end_waiting(pen.rid, POINTS, self.now)

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        memory.check(self.ledger)

    def teardown(self) -> None:
        """At the end every phone sends all it has: nothing that reads and verifies is missing (I5, I16)."""
        if not hasattr(self, "ledger"):
            return
        self.push_everything_again()
        kept = {row.hash for row in self.ledger.rows[VISIT].values()}
        apart = {it.body for it in self.ledger.apart.get(VISIT, [])}
        for bodies in self.sent:
            for body in bodies:
                try:
                    read = ops.read(body)
                except ops.Unreadable:
                    assert body in apart
                else:
                    assert read.hash in kept or read.body in apart or body in apart
        for row in self.ledger.rows[VISIT].values():
            SEEN[f"kind {row.kind}"] += 1
            SEEN[f"standing {row.standing} {row.standing_reason}"] += 1

    def _push_all(self) -> None:
        for number, sent in enumerate(self.sent):
            self._push(number, number, sent)

    # --- how ----------------------------------------------------------------------------------------------------------

    def _write(self, number: int, kind: str, path: list[str], val: Any) -> None:
        pen = self.pens[number]
        self.sent[number].append(pen.write(VISIT, kind, path, val, tpl=TPL, at=self.now))
        if kind == "add":
            self.rows.append(f"{pen.rid}:{pen.chains[VISIT][0]}")

    def _push(self, number: int, of: int, bodies: list[bytes]) -> None:
        self.now += timedelta(milliseconds=1)
        self._mirror_devices()
        pen, owner = self.pens[number], self.pens[of]
        caller, entries = Caller(pen.officer, pen.rid), [memory.entry(owner.rid, bodies)]
        strange = not any(it.officer == pen.officer for it in self.ledger.visits[VISIT][0].standing.crew)
        taken = self.ledger.take(caller, VISIT, entries, POINTS, self.now)
        for it in taken:
            for _, verdict, reason in it.verdicts:
                SEEN[verdict] += 1
                SEEN[f"{verdict} {reason}" if verdict != "dead" else "dead"] += 1
        if strange or of == STRANGER:  # I20: what he hears is what he would hear of a visit that isn't there
            self._mirror_devices()
            told = self.shadow.take(caller, VISIT, entries, POINTS, self.now)
            assert not strange or memory.rest(taken) == memory.rest(told)

    def _mirror_devices(self) -> None:
        """That a replica is frozen is no secret of a visit's."""
        for rid, device in self.ledger.devices.items():
            if device != self.shadow.devices[rid]:
                self.shadow.devices[rid] = device
                self.shadow.end_waiting(rid, POINTS, self.now)

    def _state(self) -> Any:
        rows = {
            (row.rid, row.seq): (row.n, row.hash, row.verdict, row.reason, row.standing)
            for row in self.ledger.rows[VISIT].values()
        }
        return rows, {rid: reach.acked for rid, reach in self.ledger.reaches[VISIT].items() if reach.acked}

    def _book(self) -> _Writing:
        return _Writing(self)


class _Writing:
    """The book of the visit for an act of the office, saved at the end."""

    def __init__(self, machine: Intake) -> None:
        self.machine = machine

    def __enter__(self) -> Book:
        self.book = self.machine.ledger.open(VISIT, POINTS, self.machine.now)
        return self.book

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            if self.book.facts is not None and self.book.facts.standing.proposals and self.book.on_effect is not None:
                self.book.on_effect(self.book)
            self.machine.ledger.save(self.book)


REASONS = (
    "unknown_kind", "server_kind", "bad_path", "bad_value", "bad_author", "device_revoked", "not_member", "reassigned",
    "recused", "void_visit", "template_mismatch", "no_licence_at_time", "not_leader",
)  # fmt: skip


@pytest.mark.serial
def test_intake_keeps_its_promises_whatever_happens(soak: bool) -> None:
    """Numbers dense, chains whole, the same again changes nothing, nothing lost, and the stranger learns nothing."""
    SEEN.clear()
    settings = hypothesis.settings(
        max_examples=3000 if soak else 300,
        derandomize=not soak,  # so that what must have been seen is seen each time
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Intake, settings=settings)
    unseen = [f"kind {kind}" for kind in PHONE_KINDS | SERVER_KINDS if not SEEN[f"kind {kind}"]]
    unseen += [verdict for verdict in ("ok", "dup", "held", "quarantined", "late", "fork", "dead") if not SEEN[verdict]]
    unseen += [reason for reason in REASONS if not SEEN[f"quarantined {reason}"]]
    unseen += [
        it for it in ("standing quarantined stale_proposal", "ok clock_ahead", "ok licence_expiring") if not SEEN[it]
    ]
    assert unseen == []
