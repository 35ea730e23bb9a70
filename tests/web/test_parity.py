"""Python and JavaScript make the same of the same operations: views, digests, hashes and faults, to the byte."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.sync.ops import read
from server.sync.shapes import fault_in
from tests.histories import POINTS, TEXTS, counted, expected, history, lines

HERE = Path(__file__).parent
HISTORIES = 5_000
OPS = 20_000


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
    assert [(op, ours, theirs) for op, ours, theirs in zip(ops, faults, told, strict=True) if ours != theirs] == []
    assert set(faults) == {None, "unknown_kind", "bad_path", "bad_value"}
