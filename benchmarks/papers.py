"""Measures documents: `python -m benchmarks.papers [--times N]`.

Prints how long the first one takes, with its child process and the fonts' tables, then a record with one finding and
one with 60 on 17 pages, each many times in the same child.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from server.domain.document_sheet import Sheet
from server.papers.fonts import font_files
from server.papers.press import Press
from tests.papers.cases import longest, sheet, shortest

KIND = "inspection_record"


def main() -> int:
    """Prints a line a figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.papers", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    if not font_files(Path("data/fonts")):
        sys.stderr.write("There are no fonts for documents here; 'make fonts' fetches them.\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        press = Press(Path(folder), font_files(Path("data/fonts")))
        measure(press, given.times)
        press.close()
    return 0


def measure(press: Press, times: int) -> None:
    """The first one by itself, then each size many times."""
    short, long = sheet(KIND, shortest()), sheet(KIND, longest())
    print(f"the first one, with its process, s: {seconds(press, short):.2f} wall")
    for name, its in (("one finding", short), ("60 findings, 17 pages", long)):
        found = [seconds(press, its) * 1000 for _ in range(times)]
        size = len(press.pull(its, {})) / 1024
        print(f"{name}, ms: {statistics.median(found):.1f} wall, {max(found):.1f} at most, {size:.0f} KiB")


def seconds(press: Press, its: Sheet) -> float:
    """How long one takes, from its data to its bytes."""
    began = time.perf_counter()
    press.pull(its, {})
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
