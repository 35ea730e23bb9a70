"""Measures every row of the aims on the real disk, prints it, and writes docs/performance.md."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, report
from benchmarks.rows import Stage, measure_all


def main() -> int:
    """`python -m benchmarks [--folder F] [--quick]`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, help="where to measure; default: a new folder beside the repository's data"
    )
    parser.add_argument("--quick", action="store_true", help="only the rows of one visit, and nothing written")
    given = parser.parse_args()
    base = given.folder or machine.ROOT / "data"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base))
    if machine.file_system(folder) == "tmpfs":
        sys.stderr.write(f"'{folder}' lies on tmpfs, where nothing is durable: name another one by --folder.\n")
        return 2
    about = machine.description(folder)
    for name, value in about.items():
        print(f"{name}: {value}")
    try:
        with Stage(folder) as stage:
            table = measure_all(stage, quick=given.quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not given.quick:
        report.write(about, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
