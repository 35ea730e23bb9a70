"""Measures the search of the library of subjects: `python -m benchmarks.subjects [--many N] [--database NAME]`.

Builds a library of N subjects from a seed, by bulk SQL past the acts, and asks each kind of question many times. It
prints the time to build, the size, the way the planner took, and per kind of question the wall time (p50, p95) and the
processor's time of both sides in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

import sqlalchemy as sa
from stdnum.cn import uscc

from benchmarks import machine
from server.domain.subject import CREDITS, Flag, Subject
from server.store import subjects, tables
from server.store.bulk import insert_rows
from server.store.migrate import migrate
from server.store.seal import Sealer
from server.store.search import Query, find_subjects
from server.store.session import Connection, Database, open_database
from server.store.terms import terms_of
from tests import databases

NOW = datetime(2026, 11, 25, tzinfo=UTC)
UNITS = ("u0", "u1", "u2", "u3", "small")
WORDS = json.loads((machine.ROOT / "server/demo/names.json").read_text("utf-8"))
COMMON = [chr(code) for code in range(0x4E00, 0x9FA6) if chr(code).encode("gb2312", "ignore")][:3755]

QUESTIONS = {
    "no word, own unit": [Query(unit_id="u1")],
    "no word, all units": [Query()],
    "2 characters, nearly all have them": [Query("南阳", "u1"), Query("有限", "u1"), Query("公司"), Query("南阳")],
    "2 characters, common": [Query("化工", "u1"), Query("加油"), Query("石桥", "u2"), Query("超市")],
    "2 characters, rare": [],
    "whole name": [],
    "part of an address": [],
    "two words": [],
    "initials, 3 letters": [],
    "initials, 2 letters": [Query("ny"), Query("gs", "u1"), Query("hg", "u1")],
    "full pinyin": [],
    "code": [],
    "last 4 of a code": [],
    "flag": [Query(unit_id="u1", flag="serious_violation"), Query(flag="complaints")],
    "trait and status": [Query(unit_id="u1", trait="confined_space", status="cancelled")],
    "common word and rare status": [Query("南阳", "u1", status="cancelled"), Query("有限", status="suspended")],
    "small unit, common word": [Query("有限", "small"), Query("南阳", "small", risk="high")],
    "nothing is found": [Query("龘龘"), Query("qqqq"), Query("91000000")],
}


def people(many: int) -> Iterator[Subject]:
    """Subjects by the demo's words, with brands of any two common characters, so that some parts are rare."""
    rng = Random(1)
    groups = ("hazardous_chemicals", "industry_commerce", "industry_commerce", "confined_space")
    for place in range(many):
        group = rng.choice(groups)
        trade, town = rng.choice(WORDS[group]), rng.choice(WORDS["places"])
        brand = rng.choice(COMMON) + rng.choice(COMMON)
        is_company = trade["kind"] == "company"
        head, ending = ("南阳", "有限公司") if is_company else (f"南阳市卧龙区{town['name']}", "")
        chance = rng.random()
        flags: tuple[Flag, ...] = (Flag("complaints", f"举报 {place}", "2026-01-01"),) if chance < 0.003 else ()
        flags += (Flag("serious_violation", f"通知 {place}", "2026-01-01"),) if chance > 0.9995 else ()
        yield Subject(
            id=f"s{place:07}",
            uscc=_code(place, "91" if is_company else "92"),
            name=f"{head}{brand}{trade['name']}{ending}",
            legal_representative="某甲",
            address=f"河南省南阳市卧龙区{town['name']}{rng.choice(town['roads'])}{rng.randint(1, 2888)}号",
            contact="某乙",
            phone=f"1400{place:07}",
            kind=trade["kind"],
            industry=trade["industry"],
            region="411303",
            risk=trade["risk"],
            credit=CREDITS[min(3, int(rng.expovariate(1)))],  # type: ignore[arg-type]
            status="active" if rng.random() < 0.985 else rng.choice(("suspended", "cancelled")),
            lat_e7=None,
            lon_e7=None,
            flags=flags,
            traits=(group,),
        )


def _code(place: int, registrar: str) -> str:
    """A code of its own for every place, scattered as real ones are."""
    scattered, digits = place * 7_654_321 % 31**6, ""
    for _ in range(6):
        scattered, rest = divmod(scattered, 31)
        digits += "0123456789ABCDEFGHJKLMNPQRTUWXY"[rest]
    body = f"{registrar}411303MA{digits}0"
    return body + str(uscc.calc_check_digit(body))


def build(db: Database, sealer: Sealer, many: int) -> list[Subject]:
    """Fills the database; some of the subjects, to ask for."""
    with db.write() as conn:
        conn.execute(sa.insert(tables.unit), [{"id": id, "name": id, "kind": "section"} for id in UNITS])
        _begin_terms(conn)
    rng, asked, waiting, no = Random(2), [], people(many), 0
    while part := list(islice(waiting, 5000)):
        asked += rng.sample(part, 2)
        with db.write() as conn:
            numbers = range(no + 1, no + len(part) + 1)
            rows = [subjects.row_for(sealer, one, NOW, number) for one, number in zip(part, numbers, strict=True)]
            insert_rows(conn, tables.subject, subjects.WRITTEN, rows)
            _put_terms(conn, [(t, n) for one, n in zip(part, numbers, strict=True) for t in terms_of(one)])
            insert_rows(conn, tables.unit_subject, ("unit_id", "subject_id"), list(_memberships(rng, part)))
        no += len(part)
    with db.write() as conn:
        _end_terms(conn, no)
    return asked


def _memberships(rng: Random, part: list[Subject]) -> Iterator[tuple[str, str]]:
    for one in part:
        yield rng.choice(UNITS[:4]), one.id
        if rng.random() < 0.001:
            yield "small", one.id


def _begin_terms(conn: Connection) -> None:
    """Terms are gathered without an order first, and put into their index in order at the end."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("ALTER TABLE subject_term DROP CONSTRAINT pk_subject_term")
    else:
        conn.exec_driver_sql("CREATE TABLE gathered (term TEXT, no INTEGER)")


def _put_terms(conn: Connection, rows: list[tuple[str, int]]) -> None:
    if conn.dialect.name == "postgresql":
        given = ([term for term, _ in rows], [no for _, no in rows])
        conn.exec_driver_sql("INSERT INTO subject_term SELECT * FROM unnest(%s::text[], %s::int[])", given)
    else:
        conn.exec_driver_sql("INSERT INTO gathered VALUES (?, ?)", rows)


def _end_terms(conn: Connection, many: int) -> None:
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("ALTER TABLE subject_term ADD CONSTRAINT pk_subject_term PRIMARY KEY (term, no)")
    else:
        conn.exec_driver_sql("INSERT INTO subject_term SELECT term, no FROM gathered ORDER BY term, no")
        conn.exec_driver_sql("DROP TABLE gathered")
    conn.execute(sa.update(tables.counter).where(tables.counter.c.name == "subject").values(value=many))


def ask(db: Database, asked: list[Subject]) -> None:
    """Asks every kind of question, each several times, and prints what it cost."""
    kinds = QUESTIONS | {
        "2 characters, rare": [Query(one.name[2:4], "u1") for one in asked if one.name.endswith("公司")][:40],
        "whole name": [Query(one.name) for one in asked][:40],
        "part of an address": [Query(one.address[-8:]) for one in asked][:40],
        "two words": [Query(f"南阳 {one.name[-8:-6]} {one.address[9:12]}", "u2") for one in asked][:40],
        "initials, 3 letters": [Query(word) for word in ("nyj", "hsh", "jxz", "wlq", "xyf", "zgm", "lqb", "tdx")],
        "full pinyin": [Query(word, "u1") for word in ("hongsheng", "jiayou", "changsheng", "nanyanghong", "yuanda")],
        "code": [Query(one.code[:length]) for one in asked for length in (10, 18)][:40],
        "last 4 of a code": [Query(one.code[-4:]) for one in asked][:40],
    }
    print(f"{'question':<38}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}{'CPU':>9}  (ms)")
    for name, queries in kinds.items():
        with db.read() as conn:
            _print(name, conn, queries * max(1, 40 // len(queries)))


def _print(name: str, conn: Connection, queries: list[Query]) -> None:
    backend = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar() if conn.dialect.name == "postgresql" else None
    took, before = [], _cpu(backend)
    for query in queries:
        start = time.perf_counter()
        find_subjects(conn, query)
        took.append((time.perf_counter() - start) * 1000)
    cpu = (_cpu(backend) - before) / len(queries) * 1000
    p95 = statistics.quantiles(took, n=20)[-1]
    print(f"{name:<38}{len(took):>5}{statistics.median(took):>9.1f}{p95:>9.1f}{max(took):>9.1f}{cpu:>9.1f}", flush=True)


def _cpu(backend: int | None) -> float:
    own = time.process_time()
    if backend is None:
        return own
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    return own + (int(fields[11]) + int(fields[12])) / machine.TICKS


def _measure(database: str, many: int, folder: Path) -> None:
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'suijian.db'}"
        if database == "postgresql":
            binaries = databases.postgres_binaries()
            if binaries is None:
                sys.exit("There is no PostgreSQL here.")
            url = stack.enter_context(databases.postgres_server(binaries))
        db = open_database(url)
        migrate(db)
        start, cpu = time.perf_counter(), time.process_time()
        asked = build(db, Sealer([bytes(32)]), many)
        print(f"{database}: {many:,} subjects built in {time.perf_counter() - start:.0f} s", end=", ")
        print(f"{time.process_time() - cpu:.0f} s of this process's processor")
        _settle(db)
        print(f"size: {_size(db, folder)}")
        ask(db, asked)
        db.close()


def _settle(db: Database) -> None:
    """Gives the planner its statistics, as the databases do by themselves in time."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("PRAGMA analysis_limit = 1000" if db.is_sqlite else "VACUUM ANALYZE")
        if db.is_sqlite:
            conn.exec_driver_sql("ANALYZE")


def _size(db: Database, folder: Path) -> str:
    if db.is_sqlite:
        return f"{(folder / 'suijian.db').stat().st_size / 2**20:,.0f} MB"
    with db.read() as conn:
        sizes = conn.exec_driver_sql(
            "SELECT pg_total_relation_size('subject'), pg_relation_size('subject_term'), "
            "pg_indexes_size('subject_term')"
        ).one()
    return "subject {:,.0f} MB, terms {:,.0f} MB, their index {:,.0f} MB".format(*(size / 2**20 for size in sizes))


def main() -> None:
    """Measures on one database or on both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.subjects", description=__doc__)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    given = parser.parse_args()
    base = machine.ROOT / "data"
    base.mkdir(exist_ok=True)
    for name, value in machine.description(base).items():
        print(f"{name}: {value}")
    for database in given.database or ("sqlite", "postgresql"):
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base))
        try:
            _measure(database, given.many, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    os.sync()


if __name__ == "__main__":
    main()
