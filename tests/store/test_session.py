"""The database keeps its word: durable, one writer at a time, retried where it has to be."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.errors import Problem
from server.store import session, tables
from server.store.session import Database, open_database


def _count(db: Database) -> int:
    with db.read() as conn:
        return conn.scalar(sa.select(tables.counter.c.value).where(tables.counter.c.name == "trail")) or 0


def _add_one(db: Database, times: int) -> None:
    for _ in range(times):
        with db.write() as conn:
            value = conn.scalar(
                sa.select(tables.counter.c.value).where(tables.counter.c.name == "trail").with_for_update()
            )
            assert value is not None
            conn.execute(sa.update(tables.counter).where(tables.counter.c.name == "trail").values(value=value + 1))


def test_writers_that_read_before_they_write_lose_nothing(any_database: Database) -> None:
    writers = [threading.Thread(target=_add_one, args=(any_database, 25)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert _count(any_database) == 200


def test_raising_rolls_back(any_database: Database) -> None:
    with pytest.raises(LookupError), any_database.write() as conn:
        conn.execute(sa.update(tables.counter).values(value=7))
        raise LookupError
    assert _count(any_database) == 0


def test_what_is_there_already_under_its_key_is_a_refusal_and_no_fault(any_database: Database) -> None:
    row = {"key": "colour", "value": "azure"}
    any_database.run_write(lambda conn: conn.execute(sa.insert(tables.meta).values(row)))
    with pytest.raises(Problem) as refused:
        any_database.run_write(lambda conn: conn.execute(sa.insert(tables.meta).values(row)))
    assert (refused.value.code, refused.value.status) == ("entered_meanwhile", 409)


def test_every_embedded_connection_writes_through_to_the_disk(database: Database) -> None:
    held = [database.engine.connect() for _ in range(3)]
    for conn in held:
        names = ("journal_mode", "synchronous", "foreign_keys")
        assert [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names] == ["wal", 2, 1]
        conn.close()


def test_on_postgresql_a_commit_waits_for_the_disk(postgres_url: str) -> None:
    db = open_database(postgres_url)
    with db.read() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert conn.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    db.close()


def test_a_deadlock_on_postgresql_is_run_again(postgres_url: str) -> None:
    db = open_database(postgres_url)
    with db.write() as conn:
        conn.execute(sa.insert(tables.counter), [{"name": "a", "value": 0}, {"name": "b", "value": 0}])
    meeting = threading.Barrier(2)
    first_time = threading.local()

    def cross(first: str, second: str) -> None:
        def work(conn: sa.Connection) -> None:
            conn.execute(sa.update(tables.counter).where(tables.counter.c.name == first).values(value=1))
            if not getattr(first_time, "over", False):
                first_time.over = True
                meeting.wait()
            conn.execute(sa.update(tables.counter).where(tables.counter.c.name == second).values(value=1))

        db.run_write(work)

    pair = [threading.Thread(target=cross, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    with db.read() as conn:
        assert conn.scalars(sa.select(tables.counter.c.value).where(tables.counter.c.name.in_(["a", "b"]))).all() == [
            1,
            1,
        ]
    db.close()


def test_a_full_disk_is_a_problem_that_passes(tmp_path: Path, sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    with db.write() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes the present size as the least
        with pytest.raises(Problem) as caught, session._disk_faults():
            conn.execute(sa.insert(tables.meta).values(key="big", value="x" * 2_000_000))
    assert caught.value.status == 507
    db.close()


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="would lose"):
        open_database("sqlite:///:memory:")
