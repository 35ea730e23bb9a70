"""Python and JavaScript make the same of the same operations: views, digests, hashes and faults, to the byte."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.sync.judge import Assigned, Case, Device, Interest, Standing, VisitFacts, verdict_on
from server.sync.ops import canonical, read
from server.sync.shapes import fault_in
from tests.histories import POINTS, TEXTS, counted, expected, history, lines
from tests.sync.scene import FRAME, LI, OWNERS, TPL, VISIT, WANG, ZHAO, wire

HERE = Path(__file__).parent
HISTORIES = 5_000
OPS = 20_000
VERDICTS = 5_000


def in_node(script: str, documents: Iterable[Any], *arguments: str) -> Any:
    """What a script makes of these documents, given to it a line each."""
    node = subprocess.Popen(
        ["node", str(HERE / script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert node.stdin
    for document in documents:
        node.stdin.write(msgspec.json.encode(document) + b"\n")
    out, err = node.communicate()
    assert node.returncode == 0, err.decode()
    return json.loads(out)


@pytest.mark.rule("I1")
def test_five_thousand_histories_give_the_same_view_and_hashes_in_python_and_in_node() -> None:
    seen: Counter[str] = Counter()

    def told() -> Iterable[dict[str, Any]]:
        for line in lines(HISTORIES, seed=1):
            counted(line, seen)
            yield line

    outcome = in_node("parity_in_node.mjs", told())
    print(f"{outcome['count']} histories, {outcome['differing']} of them read differently")
    assert outcome == {"count": HISTORIES, "differing": 0, "differences": []}
    assert expected() <= seen.keys()


JUNK: list[Any] = [
    None, True, 0, 1, -1, 2, 1.5, 2**53 - 1, "", "x", "visit", "summary", "result:", "result:a", "section:",
    "section:储存场所", "constructor", "__proto__", "srv:1", "a" * 32, "0" * 64, "e\u0301", "\u00e9", "x" * 8193,
    "好" * 2731, [], ["x"], {}, {"x": 1}, {"reason": None}, {"reason": "x"}, [[[[[]]]]], {"srv": 0}, {"srv": 1},
    "2026-02-30T00:00:00Z", "2024-02-29T23:59:60Z", "2024-02-29T23:59:59.123456+23:59", "2026-01-01T24:00:00Z", *TEXTS,
]  # fmt: skip


def spoilt(op: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """An op with up to two of its members, or of what stands in them, replaced by something else."""
    copy: dict[str, Any] = json.loads(json.dumps(op))
    for _ in range(rng.randrange(3)):
        holder: Any = copy
        key: Any = rng.choice([key for key in copy if key not in ("visit", "rid", "seq")])
        while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.7:
            holder = holder[key]
            key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
        roll = rng.random()
        if roll < 0.1 and isinstance(holder, dict):
            del holder[key]
            return copy
        if roll < 0.2 and isinstance(holder, dict):
            holder[rng.choice(["x", "é", "e\u0301"])] = rng.choice(JUNK)
        else:
            holder[key] = rng.choice(JUNK)
    return copy


def fault(op: dict[str, Any]) -> str | None:
    it = read(msgspec.json.encode(op))
    return fault_in(it.op, set(POINTS)) if it.op else it.fault


@pytest.mark.rule("I1")
def test_twenty_thousand_operations_sound_and_spoilt_have_the_same_fault_in_python_and_in_node() -> None:
    rng = random.Random(1)
    sound = [msgspec.to_builtins(entry.op) for seed in range(500) for entry in history(seed)[1] if entry.op]
    ops = [spoilt(rng.choice(sound), rng) for _ in range(OPS)]
    faults = [fault(op) for op in ops]
    told = in_node("faults_in_node.mjs", ops, *POINTS)
    compared = zip(ops, faults, told, strict=True)
    assert [(op, ours, theirs) for op, ours, theirs in compared if ours != theirs] == []
    assert set(faults) == {None, "unknown_kind", "bad_path", "bad_value"}


CERTIFICATES = {"li": "2026-11-30", "wang": "2026-10-31", "zhao": "2030-01-01"}
WINDOW = {"from": "2026-11-01", "to": "2026-12-31"}


class Moment:
    """A journal in which the crew changed now and then, and an op that a phone is about to send."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.ops: list[dict[str, Any]] = []
        self.standing = Standing(crew=[], interests=[], proposals=[])
        for officer in ("li", "wang"):
            self.assign(officer, "leader" if officer == "li" else "member")
        for _ in range(rng.randrange(4)):
            if rng.random() < 0.3:
                self.declare(rng.choice([LI, WANG]))
            else:
                self.assign(rng.choice(["li", "wang", "zhao"]), rng.choice(["leader", "member", "removed"]))
        self.state = rng.choice(["open"] * 8 + ["final", "void"])
        if self.state == "final":
            self.put("srv", "accept_final", ["final"], {"digest": "0" * 64, "round": 1, "signatures": []})
        if self.state == "void":
            self.put("srv", "void", ["visit"], {"reason": "", "by": "head"})
        self.op = self.next()

    def put(self, rid: str, kind: str, path: list[str], val: Any, **more: Any) -> dict[str, Any]:
        seq = 1 + sum(op["rid"] == rid for op in self.ops)
        self.ops.append(wire(rid, seq, kind, path, val, **more))
        return self.ops[-1]

    def assign(self, officer: str, role: str) -> None:
        op = self.put("srv", "assign", ["crew", officer], {"role": role, "reason": ""})
        self.standing.crew.append(Assigned("srv", op["seq"], officer, role, len(self.ops)))

    def declare(self, rid: str) -> None:
        officer = OWNERS[rid]
        op = self.put(rid, "set", ["visit", f"no_interest:{officer}"], {"interest": True, "reason": ""})
        self.standing.interests.append(Interest(rid, op["seq"], officer))

    def next(self) -> dict[str, Any]:
        rid = self.rng.choice([LI, WANG, ZHAO])
        owner = OWNERS[rid]
        heard = {op["rid"]: op["seq"] for op in self.ops if self.rng.random() < 0.8 and op["rid"] != rid}
        sign: dict[str, Any] = {
            "digest": "0" * 64, "cut": {}, "excluded": [], "role": "member", "image": "1" * 64, "strokes": None,
            "refused": None,
        }  # fmt: skip
        kind, path, val, more = self.rng.choice([
            ("set", ["visit", "summary"], "x", {}), ("set", ["visit", "result"], "x", {}),
            ("set", ["visit", "result_note"], "x", {}), ("set", ["visit", "result:storage"], [], {}),
            ("set", ["visit", "section:储存场所"], [], {}),
            ("set", ["visit", f"no_interest:{owner}"], {"interest": False, "reason": ""}, {}),
            ("sign", ["sign", "wang"], sign, {"author": "wang", "via": None if owner == "wang" else owner}),
            ("sign", ["sign", "subject"], sign, {}), ("add", ["finding"], {}, {}),
            ("propose_final", ["final"], {"digest": "0" * 64, "cut": {}, "result": "x", "signatures": []}, {}),
        ])  # fmt: skip
        tpl = self.rng.choice([TPL] * 9 + ["0" * 64])
        return self.put(rid, kind, path, val, ctx=heard, tpl=tpl, **more)

    def verdict(self) -> list[str | None]:
        """What intake says."""
        device = Device(self.op["rid"], OWNERS[self.op["rid"]], {})
        visit = VisitFacts(VISIT, TPL, WINDOW["from"], WINDOW["to"], 1, self.state, self.standing)
        case = Case(
            read=read(canonical(self.op)), device=device, visit=visit, points=set(POINTS), certificates=CERTIFICATES,
            received=datetime(2026, 11, 24, 3, tzinfo=UTC),
        )  # fmt: skip
        verdict, reason = verdict_on(case)
        return [verdict, reason if verdict == "quarantined" else None]

    def told(self) -> dict[str, Any]:
        """What the phone has."""
        entries = [{"n": n, "op": op, "verdict": "ok", "reason": None} for n, op in enumerate(self.ops, 1)]
        entries[-1] |= {"n": None, "verdict": None}
        facts = {"items": [], "here": [], "certificates": CERTIFICATES, "window": WINDOW}
        return {"entries": entries, "frame": msgspec.to_builtins(FRAME), "facts": facts}


def test_a_phone_foresees_the_verdict_that_intake_will_give() -> None:
    moments = [Moment(random.Random(seed)) for seed in range(VERDICTS)]
    verdicts = [moment.verdict() for moment in moments]
    foreseen = in_node("foresight_in_node.mjs", (moment.told() for moment in moments))
    assert [
        (m.ops, ours, theirs) for m, ours, theirs in zip(moments, verdicts, foreseen, strict=True) if ours != theirs
    ] == []
    assert {reason or verdict for verdict, reason in verdicts} == {
        "ok", "late", "not_member", "reassigned", "recused", "void_visit", "template_mismatch", "no_licence_at_time",
        "not_leader",
    }  # fmt: skip
