"""Intake by example: what waits and what releases it, what takes whose place, and what others are told."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from server.sync import intake
from server.sync.intake import Caller, Entry, read_entry
from server.sync.judge import Device, Standing, VisitFacts
from server.sync.keys import Keys
from server.sync.pen import Pen
from tests.sync import memory
from tests.sync.memory import Ledger

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
VISIT, TPL = "0193a1b2-0000-7000-8000-00000000beef", "6" * 64
POINTS = frozenset({"p1"})
FACTS = VisitFacts(VISIT, TPL, "2026-11-01", "2026-12-31", 1, "open", Standing())
CREW = (("li", "leader"), ("zhang", "member"), ("wang", "member"))


class Scene:
    """Four phones and one visit; zhao isn't in it."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.pens = {
            name: Pen(letter * 32, name) for name, letter in zip(("li", "zhang", "wang", "zhao"), "abcd", strict=True)
        }
        for pen in self.pens.values():
            self.ledger.devices[pen.rid] = Device(pen.rid, pen.officer, pen.public_jwk)
            pen.received[VISIT] = {"srv": 3}
        self.ledger.dispatch(FACTS, CREW, NOW)

    def write(self, name: str, text: Any = "x", **more: Any) -> bytes:
        """The next op of somebody's phone."""
        path = more.pop("path", ["visit", "summary"])
        return self.pens[name].write(VISIT, more.pop("kind", "set"), path, text, tpl=TPL, at=NOW, **more)

    def push(self, name: str, bodies: Sequence[bytes], of: str | None = None, visit: str = VISIT, **more: Any) -> Any:
        """What a phone is answered that pushes these: acked, and the verdicts."""
        rid = self.pens[of or name].rid
        entry = read_entry(rid, list(bodies), **more)
        (taken,) = self.ledger.take(Caller(name, self.pens[name].rid), visit, [entry], POINTS, NOW)
        memory.check(self.ledger)
        return taken.acked, [tuple(it) for it in taken.verdicts]

    def row(self, name: str, seq: int) -> Any:
        """The journal's row of an op."""
        return self.ledger.rows[VISIT][self.pens[name].rid, seq]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_same_again_is_a_duplicate_with_the_same_number(scene: Scene) -> None:
    """I9: the answer was lost, and the phone sends the batch again."""
    bodies = [scene.write("li") for _ in range(20)]
    assert scene.push("li", bodies) == (20, [(seq, "ok", None) for seq in range(1, 21)])
    numbers = [scene.row("li", seq).n for seq in range(1, 21)]
    assert scene.push("li", bodies) == (20, [(seq, "dup", None) for seq in range(1, 21)])
    assert numbers == [scene.row("li", seq).n for seq in range(1, 21)] == list(range(4, 24))


def test_what_comes_out_of_order_waits_for_the_hole_and_is_told_when_it_is_filled(scene: Scene) -> None:
    first, second, third = (scene.write("li") for _ in range(3))
    assert scene.push("li", [second, third]) == (0, [(2, "held", None), (3, "held", None)])
    assert scene.push("li", [first]) == (3, [(1, "ok", None), (2, "ok", None), (3, "ok", None)])
    assert [scene.row("li", seq).n for seq in (1, 2, 3)] == [4, 5, 6]


def test_an_op_waits_for_what_its_author_had_received(scene: Scene) -> None:
    """I21: a `del` with ctx={colleague: 10^9} would delete all that he will ever add."""
    his = scene.write("zhang", kind="add", path=["finding"], text={"text": "y"})
    scene.pens["li"].receive(VISIT, scene.pens["zhang"].rid, 1)
    mine = scene.write("li")
    assert scene.push("li", [mine]) == (0, [(1, "held", None)])
    assert scene.row("li", 1).waits_for == f"{scene.pens['zhang'].rid}:1"
    assert scene.push("zhang", [his]) == (1, [(1, "ok", None)])
    assert (scene.row("li", 1).verdict, scene.row("li", 1).n) == ("ok", 5)
    assert scene.push("li", [mine]) == (1, [(1, "dup", None)])


def test_a_carrier_brings_what_an_op_waits_for(scene: Scene) -> None:
    his = scene.write("zhang")
    scene.pens["li"].receive(VISIT, scene.pens["zhang"].rid, 1)
    mine = scene.write("li")
    scene.push("li", [mine])
    assert scene.push("li", [his], of="zhang") == (1, [(1, "ok", None)])
    assert scene.row("zhang", 1).carrier == scene.pens["li"].rid
    assert scene.row("li", 1).verdict == "ok"


def test_what_waits_for_a_replica_is_freed_when_that_one_is_revoked(scene: Scene) -> None:
    scene.pens["li"].receive(VISIT, scene.pens["zhang"].rid, 9)
    scene.push("li", [scene.write("li")])
    rid = scene.pens["zhang"].rid
    scene.ledger.devices[rid] = msgspec.structs.replace(scene.ledger.devices[rid], revoked=True)
    scene.ledger.end_waiting(rid, POINTS, NOW)
    assert scene.row("li", 1).verdict == "ok"


def test_a_cloned_phone_is_found_out_and_frozen_but_what_it_sent_before_stays(scene: Scene) -> None:
    """I10: same id, another hash, a good signature."""
    first = scene.write("li", "one")
    scene.pens["li"].chains.clear()
    clone = scene.write("li", "two")
    assert scene.push("li", [first])[1] == [(1, "ok", None)]
    assert scene.push("li", [clone])[1] == [(1, "fork", None)]
    assert scene.push("li", [first])[1] == [(1, "dup", None)]
    assert scene.push("li", [scene.write("li")])[1] == [(2, "fork", None)]
    assert scene.push("li", [scene.write("li")], visit="0193a1b2-0000-7000-8000-0000000000ff")[1] == [(3, "dead", _ANY)]
    assert [it.kind for it in scene.ledger.apart[VISIT]] == ["fork", "fork"]


class _Any:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


_ANY = _Any()


def test_nobody_can_freeze_anothers_replica(scene: Scene) -> None:
    forged = scene.pens["wang"].seal({**_document(scene.write("li")), "rid": scene.pens["li"].rid, "val": "forged"})
    scene.pens["li"].chains.clear()
    assert scene.push("wang", [forged], of="li")[1] == [(1, "dead", _ANY)]
    assert scene.push("li", [scene.write("li")])[1] == [(1, "ok", None)]


def _document(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(body)
    del document["sig"]
    return document


def test_an_op_that_cannot_be_read_takes_its_place_and_the_next_goes_on(scene: Scene) -> None:
    first, second = scene.write("li"), scene.write("li")
    assert scene.push("li", [b'{"seq":1,"rid":"\xff"}', second]) == (2, [(1, "dead", _ANY), (2, "ok", None)])
    tombstone = scene.row("li", 1)
    assert (tombstone.verdict, tombstone.n, scene.row("li", 2).n) == ("dead", 4, 5)
    again = scene.push("li", [b'{"seq":1,"rid":"\xff"}', second])
    assert again == (2, [(1, "dead", _ANY), (2, "dup", None)])
    assert scene.push("li", [first]) == (2, [(1, "ok", None)])
    assert (scene.row("li", 1).n, scene.row("li", -1).n) == (6, 4)
    assert scene.push("li", [first, second]) == (2, [(1, "dup", None), (2, "dup", None)])


def test_what_is_sent_as_dead_is_read_again_and_gets_its_ordinary_verdict(scene: Scene) -> None:
    body = scene.write("li")
    raw = base64.b64encode(body).decode()
    assert scene.push("li", [], dead=[intake.Dead(1, raw)]) == (1, [(1, "ok", None)])
    junk = base64.b64encode(b"\x00junk").decode()
    assert scene.push("li", [], dead=[intake.Dead(2, junk)]) == (2, [(2, "dead", _ANY)])


def test_only_the_replicas_own_phone_fills_a_place_with_what_cannot_be_read(scene: Scene) -> None:
    assert scene.push("wang", [b'{"seq":1,"rid":"\xff"}'], of="li") == (0, [(1, "dead", _ANY)])
    assert (scene.pens["li"].rid, 1) not in scene.ledger.rows[VISIT]


def test_a_strangers_ops_wait_apart_and_come_in_when_he_is_assigned_still_without_effect(scene: Scene) -> None:
    bodies = [scene.write("zhao", str(number), ctx=None) for number in range(3)]
    scene.pens["zhao"].received.clear()
    scene.pens["zhao"].chains.clear()
    bodies = [scene.write("zhao", str(number)) for number in range(3)]
    assert scene.push("zhao", bodies) == (3, [(seq, "quarantined", "not_member") for seq in (1, 2, 3)])
    assert scene.row("zhao", 1).n is None
    book = scene.ledger.open(VISIT, POINTS, NOW)
    book.write("assign", ["crew", "zhao"], {"role": "member", "reason": "r"}, "clerk")
    intake.hear(book, [scene.pens["zhao"].rid])
    scene.ledger.save(book)
    memory.check(scene.ledger)
    assert [scene.row("zhao", seq).n for seq in (1, 2, 3)] == [5, 6, 7]
    assert scene.row("zhao", 1).standing == "quarantined"
    assert scene.push("zhao", [scene.write("zhao")])[1] == [(4, "ok", None)]


def test_a_carrier_who_is_not_in_the_visit_hears_ok_for_whatever_was_stored(scene: Scene) -> None:
    body = scene.write("li")
    assert scene.push("zhao", [body], of="li") == (1, [(1, "ok", None)])
    assert scene.push("zhao", [body], of="li") == (1, [(1, "ok", None)])
    assert scene.push("li", [body]) == (1, [(1, "dup", None)])


def test_what_a_revoked_or_removed_officer_sends_is_stored_without_effect(scene: Scene) -> None:
    """I16."""
    bodies = [scene.write("zhang") for _ in range(2)]
    rid = scene.pens["zhang"].rid
    scene.ledger.devices[rid] = msgspec.structs.replace(scene.ledger.devices[rid], revoked=True)
    assert scene.push("zhang", bodies[:1])[1] == [(1, "quarantined", "device_revoked")]
    book = scene.ledger.open(VISIT, POINTS, NOW)
    book.write("assign", ["crew", "wang"], {"role": "removed", "reason": "r"}, "head")
    scene.ledger.save(book)
    assert scene.push("wang", [scene.write("wang")])[1] == [(1, "quarantined", "reassigned")]
    scene.pens["wang"].receive(VISIT, "srv", 4)
    assert scene.push("wang", [scene.write("wang")])[1] == [(2, "quarantined", "not_member")]


def test_a_long_chain_is_vouched_for_by_its_last_signature(scene: Scene) -> None:
    bodies = [scene.write("li") for _ in range(30)]
    broken = [*bodies[:-1], bodies[-1].replace(b'"sig":"', b'"sig":"AAAA', 1)]
    acked, verdicts = scene.push("li", broken)
    assert acked == 30 and [verdict for _, verdict, _ in verdicts] == ["ok"] * 29 + ["dead"]


def test_in_a_short_entry_each_signature_is_checked(scene: Scene) -> None:
    bodies = [scene.write("li") for _ in range(3)]
    document = {**msgspec.json.decode(bodies[1]), "sig": "A" * 86}
    answer = scene.push("li", [bodies[0], msgspec.json.encode(document), bodies[2]])
    assert answer == (3, [(1, "ok", None), (2, "dead", _ANY), (3, "ok", None)])


def test_server_ops_that_a_restored_server_lacks_come_back_from_a_phone(scene: Scene) -> None:
    """I19: an older backup knows less; what the server had signed is taken at its signature's word."""
    key = scene.ledger.keys
    restored = Scene()
    restored.ledger.keys = Keys(key._private, "srv2", "later")
    restored.pens = scene.pens
    restored.ledger.devices = scene.ledger.devices
    restored.ledger.rows, restored.ledger.reaches, restored.ledger.visits = {}, {}, {VISIT: (FACTS, 0)}
    assigned = [row.body for row in sorted(scene.ledger.rows[VISIT].values(), key=lambda row: row.n or 0)]
    entry: Entry = read_entry("srv", assigned)
    caller = Caller("li", scene.pens["li"].rid)
    restored.ledger.take(caller, VISIT, [entry], POINTS, NOW)
    memory.check(restored.ledger)
    assert [it.officer for it in restored.ledger.visits[VISIT][0].standing.crew] == ["li", "zhang", "wang"]
    assert restored.push("li", [scene.write("li")])[1] == [(1, "ok", None)]
