"""Random histories of a visit, the same for the same seed: `python -m tests.histories --count 5000 --out FILE`.

Each line is one history as JSON: `frame`, `facts` and `entries` as the view takes them, and in `expect` the view and
the hash of each op as Python has them. Up to four phones work on their own, exchange when it suits them, and some of
what they send was never made by an honest phone: bases and contexts that claim too much, ops that nobody can read.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from server.sync.fold import Frame
from server.sync.missing import CODES
from server.sync.ops import hash_of
from server.sync.view import Entry, Facts, view_of
from tests.world import POINTS, TEXTS, World

__all__ = ["POINTS", "TEXTS", "as_line", "counted", "expected", "history", "lines"]

MAX_OPS = 60
PHONE_KINDS = ["add", "set", "del", "undel", "attach", "retract", "sign", "confirm", "propose_final"]
SERVER_KINDS = ["assign", "rule", "admit", "accept_final", "reopen", "void"]


def history(seed: int) -> tuple[Frame, list[Entry], Facts]:
    """The history of a seed."""
    rng = random.Random(seed)
    world = World(rng)
    for _ in range(rng.choice([0, 5, 20, MAX_OPS])):
        world.step()
        if sum(phone.seq for phone in world.phones) >= MAX_OPS:
            break
    for phone in world.phones:
        if rng.random() < 0.9:
            world.exchange(phone)
    if rng.random() < 0.7:
        world.is_honest = rng.random() < 0.8
        world.close()
        world.finish()
        world.is_honest = False
    for phone in world.phones:
        if rng.random() < 0.9:
            world.exchange(phone)
    return world.frame, world.journal, world.facts()


def as_line(seed: int) -> dict[str, Any]:
    """One history with what Python makes of it."""
    frame, entries, facts = history(seed)
    return {
        "seed": seed,
        "frame": builtins(frame),
        "facts": builtins(facts),
        "entries": [builtins(entry) for entry in entries],
        "expect": {
            "view": view_of(entries, frame, facts),
            "hashes": {entry.id: hash_of(entry.op) for entry in entries if entry.op},
        },
    }


def builtins(value: object) -> Any:
    """Plain JSON."""
    return msgspec.to_builtins(value)


def counted(line: dict[str, Any], seen: Counter[str]) -> None:
    """Adds up what a history has shown."""
    view = line["expect"]["view"]
    seen.update(f"kind:{entry['op']['kind']}" for entry in line["entries"] if entry["op"])
    seen.update(f"verdict:{entry['verdict']}" for entry in line["entries"])
    seen.update(f"signature:{it['state']}" for it in view["signatures"])
    seen.update(f"missing:{it['code']}" for it in view["missing"])
    seen.update(f"flag:{it['flag']}" for it in view["flags"])
    seen[f"phase:{view['phase']}"] += 1
    seen["conflict"] += bool(view["conflicts"])
    seen["withdrawn"] += bool(view["withdrawn"])
    seen["seq > 9"] += any(entry["seq"] > 9 for entry in line["entries"])


def expected() -> set[str]:
    """All that a thousand histories must have shown."""
    return {
        *(f"kind:{kind}" for kind in (*PHONE_KINDS, *SERVER_KINDS)),
        *(f"verdict:{verdict}" for verdict in ("ok", "quarantined", "late", "dead")),
        *(f"signature:{state}" for state in ("current", "stale", "weak", "invalid", "awaiting_image", "awaiting_ops")),
        *(f"missing:{code}" for code in CODES),
        *(f"flag:{flag}" for flag in ("clock_ahead", "licence_expiring", "by_recused")),
        *(f"phase:{phase}" for phase in ("dispatched", "started", "interrupted", "final_pending", "final", "void")),
        "conflict",
        "withdrawn",
        "seq > 9",
    }


def lines(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """So many histories."""
    return (as_line(seed * 1_000_000 + i) for i in range(count))


def main() -> int:
    """Writes the histories, says what was in them, and fails where something never came up in a thousand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    seen: Counter[str] = Counter()
    with given.out.open("wb") as out:
        for line in lines(given.count, given.seed):
            counted(line, seen)
            out.write(msgspec.json.encode(line) + b"\n")
    unseen = sorted(expected() - seen.keys()) if given.count >= 1000 else []
    print(f"{given.count} histories:", ", ".join(f"{name} {n}" for name, n in sorted(seen.items())), file=sys.stderr)
    print("never seen:", unseen or "nothing", file=sys.stderr)
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
