"""Measures the public pages: `python -m benchmarks.public [--results N] [--database sqlite|postgresql]`.

Publishes N results by bulk SQL past the acts, in the demo district, and starts the server on them twice: once to tell
each statement with its plan, which must go by an index, and once to be asked every address of every public route. It
prints the processor's time of the server for each, and the time to build.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine
from server.store.seal import open_sealer
from tests import databases
from tests.dispatching import database_of
from tests.office.district import demo_data
from tests.publicity.asking import addresses
from tests.publicity.filling import fill
from tests.publicity.judging import faults_of
from tests.publicity.telling import Telling
from tests.running import Running

TIMES = 20
STILL = ("/assets", "/verify/", "/healthz", "/log/verify_trail.py", "/log/witness.py", "/ledger/check_ledger.py")
"""Files that no statement stands behind."""


def main() -> int:
    """Prints a line an address; 1 where a statement reads a table whole."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.public", description=__doc__)
    parser.add_argument("--results", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    base = machine.ROOT / "data"
    base.mkdir(exist_ok=True)
    for name, value in machine.description(base).items():
        print(f"{name}: {value}")
    folder = Path(tempfile.mkdtemp(prefix="bench-public-", dir=base))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = None
        if given.database == "postgresql":
            binaries = databases.postgres_binaries()
            if binaries is None:
                sys.stderr.write("There is no PostgreSQL here.\n")
                return 2
            server = stack.enter_context(databases.postgres_server(binaries))
            url = stack.enter_context(databases.fresh_postgres(server, databases.migrated_template(server)))
        return _measure(folder / "data", url, given.results)


def _measure(data: Path, url: str | None, results: int) -> int:
    environment = demo_data(data, url)
    running = Telling(data, **environment)
    db = database_of(running)
    began = time.perf_counter()
    filled = fill(db, open_sealer(data / "keys"), results)
    size = f", {(data / 'suijian.db').stat().st_size / 2**20:,.0f} MB" if url is None else ""
    print(f"{results:,} results filled in {time.perf_counter() - began:.0f} s{size}", flush=True)
    began = time.perf_counter()
    running.start()
    print(f"started, with the tree of the log, in {time.perf_counter() - began:.0f} s", flush=True)
    asked = addresses(db, filled)
    db.close()
    faults = _plans(running, asked)
    running.stop()
    _cost(Running(data, **environment), asked)
    print("\n".join(faults))
    return 1 if faults else 0


def _plans(running: Telling, asked: dict[str, list[str]]) -> list[str]:
    faults, told = list[str](), 0
    running.said()  # what the start asked
    with running.client() as client:
        for route, found in asked.items():
            for address in found:
                client.get(address)
                said = running.said()
                told += len(said)
                faults += [f"{address}: {fault}" for one in said for fault in faults_of(route, one)]
    print(f"{told} statements explained, {len(faults)} of their steps at fault", flush=True)
    return faults


def _cost(running: Running, asked: dict[str, list[str]]) -> None:
    running.start()
    pid = running.process.pid if running.process is not None else 0
    print(f"{'CPU-ms':>8} {'p50 ms':>8} {'KB':>8}  address")
    with running.client(headers={"Accept-Encoding": "identity"}) as client:
        for address in (one for found in asked.values() for one in found if not one.startswith(STILL)):
            took, kb = list[float](), len(client.get(address).content) / 1000
            before = machine.cpu_ms(pid)
            for _ in range(TIMES):
                start = time.perf_counter()
                client.get(address)
                took.append((time.perf_counter() - start) * 1000)
            cpu = (machine.cpu_ms(pid) - before) / TIMES
            print(f"{cpu:8.2f} {statistics.median(took):8.1f} {kb:8.1f}  {address}", flush=True)
    running.stop()


if __name__ == "__main__":
    sys.exit(main())
