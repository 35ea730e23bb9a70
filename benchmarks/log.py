"""Measures the log: `python -m benchmarks.log [--entries N] [--database sqlite|postgresql]`.

Writes N entries by bulk SQL past the acts, takes them into the tree, and prints the processor's time of what is done
afterwards: a checkpoint after a day of 10,000 entries, each kind of proof, and the appending of entries while there is
no tree and while there is one, since the tree is built behind the acts.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec

from benchmarks import machine
from server.office import log as office
from server.office.log import Log
from server.standalone import verify_trail
from server.store import log, trail
from server.store.bulk import insert_rows
from server.store.migrate import migrate
from server.store.session import Connection, Database, open_database
from server.store.tables import counter
from server.store.tables import trail as table
from tests import databases

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LEAF = (
    '{"act":"session.open","actor":"li","after":"%064d","at":"%s","before":null,"detail":null,"n":%d,'
    '"object":"op:v:r:%d","t":"trail/1"}'
)
AT = "2026-11-24T02:00:00.000Z"
TAKEN = msgspec.Raw(b'{"verdict":"ok","why":null}')
BLOCK, DAY, PROOFS, PUSHES, OPS = 50_000, 10_000, 300, 200, 80
COLUMNS = ("n", "at", "act", "actor", "object", "after", "salt", "leaf")


def main() -> int:
    """Prints a line a figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.log", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    base = machine.ROOT / "data"
    base.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-log-", dir=base))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = f"sqlite:///{folder / 'suijian.db'}"
        if given.database == "postgresql":
            binaries = databases.postgres_binaries()
            if binaries is None:
                sys.stderr.write("There is no PostgreSQL here.\n")
                return 2
            url = stack.enter_context(
                databases.fresh_postgres(stack.enter_context(databases.postgres_server(binaries)))
            )
        db = open_database(url)
        stack.callback(db.close)
        migrate(db)
        measure(db, folder, given.entries)
        source = verify_trail.Source(folder / "suijian.db" if db.is_sqlite else None, None if db.is_sqlite else url)
        told("verify-trail, all of it, s", 1, lambda: verify_trail.verify(source, None, [], None).counts)
    return 0


def measure(db: Database, folder: Path, entries: int) -> None:
    """Every row, in the order in which they need each other."""
    fill(db, entries)
    told("append the 80 entries of a visit, no tree, ms", PUSHES, lambda: push(db))
    signing = Log(db, folder / "keys", "https://suijian.example.cn")
    told(f"first checkpoint of {size(db):,} entries, s", 1, lambda: signing.sign(NOW))
    told(f"append the 80 entries of a visit, tree of {size(db):,}, ms", PUSHES, lambda: push(db))
    signing.sign(NOW)
    fill(db, DAY)
    told(f"checkpoint after {DAY:,} entries more, ms", 1, lambda: signing.sign(NOW + timedelta(days=1)))
    push(db)
    told("checkpoint after one visit more, ms", 1, lambda: signing.sign(NOW + timedelta(days=2)))
    random, last = Random(1), size(db)
    proofs(db, "inclusion", lambda conn: office.inclusion(conn, random.randrange(last), last))
    proofs(db, "inclusion, an older size", lambda conn: _older(conn, random, last))
    visit = range(last - 2 * OPS, last - OPS)
    with db.read() as conn:
        told("paths of a visit's 80 entries, ms", PUSHES, lambda: office.inclusions(conn, visit, last))
    proofs(db, "consistency", lambda conn: office.consistency(conn, random.randrange(1, last), last))


def _older(conn: Connection, random: Random, last: int) -> office.Proof:
    of = random.randrange(2, last)
    return office.inclusion(conn, random.randrange(of), of)


def proofs(db: Database, name: str, prove: Callable[[Connection], office.Proof]) -> None:
    """One kind of proof, many times."""
    with db.read() as conn:
        told(f"{name} proof at {size(db):,}, ms", PROOFS, lambda: prove(conn))


def size(db: Database) -> int:
    """How many entries there are."""
    with db.read() as conn:
        return log.written(conn)


def push(db: Database) -> None:
    """The entries that a whole visit leaves."""
    acts = [trail.Act("op.set", "li", f"op:v:r:{at}", None, "0" * 64, TAKEN) for at in range(OPS)]
    db.run_write(lambda conn: trail.append(conn, acts, NOW))


def fill(db: Database, count: int) -> None:
    """So many entries, past the acts."""
    first = size(db)
    for begin in range(first + 1, first + count + 1, BLOCK):
        block = range(begin, min(begin + BLOCK, first + count + 1))
        rows = [
            (n, AT, "session.open", "li", f"op:v:r:{n}", f"{n:064d}", b"", (LEAF % (n, AT, n, n)).encode())
            for n in block
        ]
        with db.write() as conn:
            insert_rows(conn, table, COLUMNS, rows)
            conn.execute(counter.update().where(counter.c.name == "trail").values(value=block[-1]))


def told(name: str, times: int, work: Callable[[], object]) -> None:
    """Prints the processor's time and the wall's, each time."""
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        work()
    unit = 1 if name.endswith(" s") else 1000
    wall, used = (time.perf_counter() - began) / times * unit, (time.process_time() - cpu) / times * unit
    print(f"{name}: {used:.2f} CPU, {wall:.2f} wall", flush=True)


if __name__ == "__main__":
    sys.exit(main())
