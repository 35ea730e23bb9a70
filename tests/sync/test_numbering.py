"""I8: a reader who follows cursors sees every committed op once; with a sequence instead, he must lose some."""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.store import devices, tables
from server.store.people import Person, Session
from server.store.session import Database
from server.sync.exchange import exchange
from server.sync.keys import Keys
from server.sync.pen import Pen
from tests.dispatching import CREW, POINTS, checklist, dispatch, keys_of
from tests.scene import populate

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
WRITERS = 6
ROUNDS = 12
BATCH = 5


class Office:
    """Two visits on a database, and people with pens who push into them."""

    def __init__(self, db: Database, folder: Path) -> None:
        populate(db)
        self.db = db
        self.keys: Keys = keys_of(db, folder)
        self.visits = sorted(dispatch(db, self.keys) for _ in range(2))
        self.tpl = self._tpl()

    def _tpl(self) -> str:
        with self.db.read() as conn:
            return str(conn.scalar(sa.select(tables.template.c.sha256).where(tables.template.c.body == checklist())))

    def pen(self, officer: str) -> Pen:
        """A new enrolled replica of an officer."""
        pen = Pen(secrets.token_hex(16), officer)
        unbound = Session("", None, "", "", "")
        with self.db.write() as conn:
            devices.enrol(conn, person(officer), unbound, pen.rid, "phone", pen.public_jwk, NOW)
        return pen

    def ask(self, pen: Pen, **more: Any) -> dict[str, Any]:
        """One exchange."""
        body = msgspec.json.encode({"proto": 1, "rid": pen.rid, **more})
        answer: dict[str, Any] = json.loads(exchange(self.db, self.keys, person(pen.officer), body, NOW))
        return answer

    def push(self, pen: Pen, turn: int) -> None:
        """Pushes a batch into each visit, in one request."""
        entries = []
        for visit in self.visits:
            texts = [f"{turn}.{place}" for place in range(BATCH)]
            ops = [
                pen.write(visit, "set", ["answer", POINTS[(turn + place) % 60], "note"], text, tpl=self.tpl, at=NOW)
                for place, text in enumerate(texts)
            ]
            entries.append({"visit": visit, "ops": [msgspec.Raw(op) for op in ops]})
        answer = self.ask(pen, push=entries)
        assert all(verdict == "ok" for result in answer["results"] for _, verdict, _ in result["verdicts"])


class Reader:
    """Someone who follows his cursors and writes down what he was given."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.pen = office.pen("wang")
        self.cursors = dict.fromkeys(office.visits, 0)
        self.seen: dict[str, list[int]] = {visit: [] for visit in office.visits}
        self.ops: Counter[str] = Counter()

    def read(self) -> bool:
        """One exchange; whether there is more to be had at once."""
        answer = self.office.ask(self.pen, pull=self.cursors)
        for visit, entries in answer["ops"].items():
            for entry in entries:
                self.seen[visit].append(entry["n"])
                self.ops[f"{visit}/{entry['op']['rid']}:{entry['op']['seq']}"] += 1
                self.cursors[visit] = entry["n"]
        return bool(answer["more"])

    def drain(self) -> int:
        """Reads until there is no more; in how many exchanges."""
        times = 1
        while self.read():
            times += 1
        return times


def person(officer: str) -> Person:
    return Person(officer, officer, officer, "hazchem", ("officer",), officer)


@pytest.fixture
def office(any_database: Database, tmp_path: Path) -> Iterator[Office]:
    yield Office(any_database, tmp_path / "keys")


def race(writers: list[Callable[[], None]], readers: list[Reader]) -> None:
    """All writers at once, while the readers read without pause; the readers end after the last writer."""
    over = threading.Event()
    start = threading.Barrier(len(writers) + len(readers))

    def write(work: Callable[[], None]) -> None:
        start.wait()
        work()

    def follow(reader: Reader) -> None:
        start.wait()
        while not over.is_set():
            reader.read()
        reader.drain()

    with ThreadPoolExecutor(len(writers) + len(readers)) as pool:
        following = [pool.submit(follow, reader) for reader in readers]
        writing = [pool.submit(write, work) for work in writers]
        try:
            for one in writing:
                one.result()
        finally:
            over.set()
        for one in following:
            one.result()


def writer(office: Office, pen: Pen) -> Callable[[], None]:
    def work() -> None:
        for turn in range(ROUNDS):
            office.push(pen, turn)

    return work


@pytest.mark.serial
def test_a_reader_who_follows_cursors_sees_every_op_once(office: Office) -> None:
    pens = [office.pen(CREW[place % 3][0]) for place in range(WRITERS)]
    early, late = [Reader(office), Reader(office)], Reader(office)
    race([writer(office, pen) for pen in pens], early)
    total = len(CREW) + WRITERS * ROUNDS * BATCH
    assert late.drain() > 1
    for reader in (*early, late):
        assert all(numbers == list(range(1, total + 1)) for numbers in reader.seen.values())
        assert len(reader.ops) == 2 * total
        assert set(reader.ops.values()) == {1}


def test_numbers_are_dense_and_a_repeated_push_takes_none(office: Office) -> None:
    pen = office.pen("li")
    office.push(pen, 0)
    kept = {visit: head_of(office, visit) for visit in office.visits}
    again = office.pen("zhang")
    office.push(again, 0)
    body = [{"visit": visit, "ops": [msgspec.Raw(op) for op in bodies_of(office, visit, again)]} for visit in kept]
    answer = office.ask(again, push=body)
    assert {verdict for result in answer["results"] for _, verdict, _ in result["verdicts"]} == {"dup"}
    assert all(head_of(office, visit) == head + BATCH for visit, head in kept.items())


def head_of(office: Office, visit: str) -> int:
    with office.db.read() as conn:
        return int(conn.execute(sa.select(tables.visit.c.head).where(tables.visit.c.id == visit)).scalar_one())


def bodies_of(office: Office, visit: str, pen: Pen) -> list[bytes]:
    query = sa.select(tables.op.c.body).where(tables.op.c.visit_id == visit, tables.op.c.rid == pen.rid)
    with office.db.read() as conn:
        return list(conn.scalars(query.order_by(tables.op.c.seq)))


# --- the negative control: the classic trap ---------------------------------------------------------------------------


class Sequence:
    """A journal whose numbers come from a sequence, taken before the commit of the row that bears it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        with db.write() as conn:
            conn.execute(sa.text("CREATE TABLE control (n BIGINT PRIMARY KEY)"))
            create = "CREATE TABLE control_next (n BIGINT)" if db.is_sqlite else "CREATE SEQUENCE control_next"
            conn.execute(sa.text(create))
            if db.is_sqlite:
                conn.execute(sa.text("INSERT INTO control_next VALUES (0)"))

    def take(self) -> int:
        """The next number; no two writers get the same."""
        step = (
            "UPDATE control_next SET n = n + 1 RETURNING n" if self.db.is_sqlite else "SELECT nextval('control_next')"
        )
        with self.db.write() as conn:
            return int(conn.execute(sa.text(step)).scalar_one())

    def commit(self, n: int) -> None:
        """Commits the row that bears a number."""
        with self.db.write() as conn:
            conn.execute(sa.text("INSERT INTO control VALUES (:n)"), {"n": n})

    def after(self, cursor: int) -> list[int]:
        """What a reader is given."""
        with self.db.read() as conn:
            return list(conn.scalars(sa.text("SELECT n FROM control WHERE n > :n ORDER BY n"), {"n": cursor}))


def test_a_reader_of_a_sequence_loses_the_slower_of_two_writers(any_database: Database) -> None:
    journal, seen, cursor = Sequence(any_database), list[int](), 0
    for _ in range(20):
        slow, quick = journal.take(), journal.take()
        for committed in (quick, slow):
            journal.commit(committed)
            given = journal.after(cursor)
            seen += given
            cursor = max([cursor, *given])
    lost = set(range(1, 41)) - set(seen)
    assert len(lost) == 20


def test_the_slower_of_two_writers_is_not_lost_where_the_visit_is_locked(office: Office) -> None:
    slow, quick, reader = office.pen("li"), office.pen("zhang"), Reader(office)
    reader.drain()
    for turn in range(5):
        with ThreadPoolExecutor(1) as pool:
            with office.db.write() as conn:  # the slow one holds the visit's counter row, with its number taken
                conn.execute(
                    sa.select(tables.visit.c.head).where(tables.visit.c.id == office.visits[0]).with_for_update()
                )
                waiting = pool.submit(office.push, quick, turn)
                reader.drain()
            waiting.result()
        office.push(slow, turn)
        reader.drain()
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in reader.seen.values())
    assert len(reader.ops) == 2 * (len(CREW) + 2 * 5 * BATCH)
