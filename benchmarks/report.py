"""Writes docs/performance.md: the machine, the aims with what was measured, all rows, and where missed time goes."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks import machine
from benchmarks.rows import Table

PLACE = machine.ROOT / "docs" / "performance.md"


def write(about: Mapping[str, str], table: Table) -> None:
    """Write the page anew."""
    PLACE.write_text("\n".join(_lines(about, table)) + "\n")
    print(f"written: {PLACE}")


INTRODUCTION = """\
# Performance

Written by `make bench` (`python -m benchmarks`): figures of one run on one machine, to be read as ratios. One visit is
60 answers, 8 findings, 3 signatures of 12 KB and 10 photos of 200 KB that nothing packs: records by one exchange,
signature images by one batch, photos by tus, each acknowledged when it is durable. CPU-ms are those of the server with
all its children; server and client each have a core of their own. Bytes are those of the bodies.
"""
HOT = """\
The same requests through the app in one process under cProfile: the three dearest functions by their own time, waiting
for the disk included.
"""
ROWS = """\
| row | phones | CPU-ms | a core does | wall-ms | KB up | KB down | p50 ms | p99 ms |
|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


def _lines(about: Mapping[str, str], table: Table) -> list[str]:
    cpu, wall = table.floor
    floor = (
        f"- floor (hash, 13 files fsynced with their folders, one transaction of 81 rows): {cpu:.1f} CPU-ms, "
        f"{wall:.1f} wall-ms a visit; after the rows of one visit {table.notes['floor after']:.1f} CPU-ms"
    )
    return [
        INTRODUCTION,
        *(f"- {name}: {value}" for name, value in about.items()),
        floor,
        "",
        "## Aims",
        "",
        "| aim | reach | measured | |",
        "|---|---|---|---|",
        *_aims(table),
        "",
        "## Rows",
        "",
        ROWS,
        *(
            f"| {each.name} | {each.phones} | {each.cpu:.2f} | {1000 / max(each.cpu, 0.001):.0f}/s | {each.wall:.1f} "
            f"| {each.up / 1000:.2f} | {each.down / 1000:.2f} | {each.time(0.5):.0f} | {each.time(0.99):.0f} |"
            for each in table.figures
        ),
        "",
        "## Where the time goes",
        "",
        HOT,
        *(f"- {_PROFILED[what]}: {', '.join(functions)}" for what, functions in table.hot.items()),
    ]


_PROFILED = {"visit": "push of one visit", "records": "its records alone", "first": "first sync"}


def _aims(table: Table) -> list[str]:
    visit, records = table.of("push of one visit"), table.of("its records alone")
    many = table.of("push of one visit", 64)
    changed, nothing = table.of("pull of one changed visit"), table.of("pull of nothing")
    first, again = table.of("first sync of 20 visits with checklists"), table.of("pushing again what is there")
    notes, factor = table.notes, table.floor[0]
    rows = [
        ("push of one visit, CPU-ms", 16, visit.cpu, f"{visit.cpu / factor:.1f} x the floor"),
        ("the same, 64 phones", 16, many.cpu, f"{many.cpu / factor:.1f} x the floor"),
        ("its records alone, CPU-ms", 3, records.cpu, ""),
        ("pull of one changed visit (10 ops), CPU-ms", 1, changed.cpu, ""),
        ("pull of one changed visit, KB", 6, changed.down / 1000, ""),
        ("pull of nothing, CPU-ms", 1, nothing.cpu, ""),
        ("pull of nothing, bytes", 200, nothing.down, ""),
        ("first sync of 20 visits with checklists, CPU-ms", 5, first.cpu, ""),
        ("first sync, KB", 60, (first.up + first.down) / 1000, ""),
        ("200 phones at once: drained, s", 3.2, notes["storm drained"], ""),
        ("200 phones at once: records safe (p99), s", 1.5, notes["storm records p99"], ""),
        ("200 phones at once: errors", 0, notes["storm faults"], ""),
        ("200 phones at once: lost or doubled", 0, notes["storm lost or doubled"], ""),
        ("memory in the storm, MB", 160, notes["storm memory"], ""),
        ("1,000 phones a minute: p50, ms", 150, notes["minute p50"], ""),
        ("1,000 phones a minute: p99, ms", 1000, notes["minute p99"], ""),
        ("cost with 10 x the stored visits", 1.15, notes["growth 10"], ""),
        ("cost with 100 x the stored visits", 1.25, notes["growth 100"], ""),
        ("pushing again a visit that is there, KB", 2, (again.up + again.down) / 1000, ""),
    ]
    return [
        f"| {name} | {aim:g} | {value:.2f}{f' ({remark})' if remark else ''} | "
        + ("met |" if value <= aim else "**missed** |")
        for name, aim, value, remark in rows
    ]
