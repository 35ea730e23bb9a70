"""How long the lot of subjects takes and how much memory: `python -m benchmarks.draws [--many N]`.

Beside it, on the same list in the same run, what others would do: `random.sample`, and ORDER BY random() in SQLite and
DuckDB. None of these can be checked by anybody. Memory is measured in a process of its own: the peak while drawing,
above what the list itself takes.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import duckdb

from server.domain import draw as lot

TIMES: Final = 5
SHARES: Final = {"HIGH_C": 2000, "MEDIUM_B": 1000, "LOW_A": 300, "LOW_B": 300}
RULES: Final = {"mode": "ratio", "ratio_bp": SHARES}
SEED: Final = lot.digest("benchmark")
MIB: Final = 1 << 20


def strata(many: int) -> dict[str, list[str]]:
    """Codes in four classes: one of a hundred of high risk, nine of medium, the rest of low."""
    names = ["HIGH_C", *["MEDIUM_B"] * 9, *["LOW_A", "LOW_B"] * 45]
    found: dict[str, list[str]] = {name: [] for name in SHARES}
    for place in range(many):
        found[names[place % 100]].append(f"91411303MA{place:08}")
    return found


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time, the median of some runs."""
    walls, cpus = [], []
    for _ in range(TIMES):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return median(walls), median(cpus)


def told(name: str, work: Callable[[], object]) -> None:
    """Prints a line for one way."""
    wall, cpu = seconds(work)
    print(f"{name:58} wall {wall:6.3f} s   CPU {cpu:6.3f} s")


def measure(many: int) -> None:
    """Prints what each way takes."""
    data = strata(many)
    counted = {name: len(codes) for name, codes in data.items()}
    places = lot.quotas(counted, RULES, SEED)
    n = sum(places.values())
    print(f"{many:,} subjects in {len(data)} classes, {n:,} places; median of {TIMES} runs")
    told("sdraw1: tickets, winners, reserve", lambda: lot.draw(data, places, SEED))
    text = "".join(
        lot.frame_line(code, name) for code, name in sorted((c, s) for s, codes in data.items() for c in codes)
    )
    told("sdraw1 from the text of the list: digest, rows, places, draw", lambda: whole(text))
    everybody = [code for codes in data.values() for code in codes]
    told("random.sample by class", lambda: {s: random.sample(codes, places[s]) for s, codes in data.items()})
    lite = sqlite3.connect(":memory:")
    lite.execute("CREATE TABLE subject (code TEXT)")
    lite.executemany("INSERT INTO subject VALUES (?)", ((code,) for code in everybody))
    query = f"SELECT code FROM subject ORDER BY random() LIMIT {n}"
    told("SQLite, ORDER BY random(), all in one class", lambda: lite.execute(query).fetchall())
    duck = duckdb.connect()
    duck.execute("SET threads = 1")
    duck.execute("CREATE TABLE subject AS SELECT unnest(?) AS code", [everybody])
    told("DuckDB (one thread), ORDER BY random(), all in one class", lambda: duck.execute(query).fetchall())


def whole(text: str) -> lot.Winners:
    """What a verifier does with a list."""
    lot.digest(text)
    rows = lot.parse_frame(text)
    return lot.draw(lot.candidates(rows), lot.quotas(lot.sizes(rows), RULES, SEED), SEED)


def memory(many: int) -> None:
    """Prints the peak above the data: what the process held before, against the most that it held while drawing."""
    data = strata(many)
    places = lot.quotas({name: len(codes) for name, codes in data.items()}, RULES, SEED)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = held("VmRSS")
    won = lot.draw(data, places, SEED)
    peak = held("VmHWM")
    print(f"memory: data {before / MIB:.0f} MiB, above it while drawing {(peak - before) / MIB:.1f} MiB", end=" ")
    print(f"({sum(map(len, won.winners.values())):,} winners)")


def held(what: str) -> int:
    """Bytes of this process by the kernel's account."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError(f"the kernel doesn't say {what}")
    return int(found[1]) * 1024


def main() -> int:
    """`python -m benchmarks.draws [--many N]`; `--memory` is the child's part."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.draws", description=__doc__)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        memory(given.many)
        return 0
    measure(given.many)
    sys.stdout.flush()
    child = [sys.executable, "-m", "benchmarks.draws", "--memory", "--many", str(given.many)]
    return subprocess.run(child, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
