"""The database: how connections are made safe, and how a transaction is read or written."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from server.errors import Problem
from server.store.unkeepable import refuse_unkeepable

__all__ = ["Connection", "Database", "open_database"]

T = TypeVar("T")

BUSY_MS = 10_000
RETRIES = 8
APPEND_ONLY = "is append-only"  # what the triggers say of the trail and of released versions
TELLS = "suijian_tells"
"""What a transaction notes on its connection so that `Database.tell` is called once it is committed."""

TRIES = {"40001": RETRIES, "40P01": RETRIES, "23505": 3}
"""How often a transaction is tried that PostgreSQL ended so: serialization failure, deadlock, and a key that somebody
else took at the same moment, whose row the next try sees and answers for."""


class Database:
    """One database, SQLite or PostgreSQL, by the same two doors: `read()` and `write()`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.tell: Callable[[], None] = lambda: None
        """Called after a transaction that wrote something for which others wait."""
        self._writer = threading.RLock()

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads: one snapshot on SQLite, READ COMMITTED on PostgreSQL."""
        return self._reading()

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that commits on leaving and rolls back on raising.

        On SQLite there is one writer at a time in the process and the transaction begins IMMEDIATE: a deferred one that
        reads before it writes loses to "database is locked". On PostgreSQL call `run_write`, which also retries.
        """
        return self._writing_sqlite() if self.is_sqlite else self._writing_postgres()

    def run_write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a transaction, again where PostgreSQL ended it for what others did meanwhile (`TRIES`)."""
        for attempt in range(RETRIES):
            try:
                with self.write() as conn:
                    return work(conn)
            except DBAPIError as error:
                if APPEND_ONLY in str(error.orig):
                    raise Problem("append_only") from error
                if attempt + 1 >= TRIES.get(getattr(error.orig, "sqlstate", None) or "", 0):
                    if _is_taken(error):
                        raise Problem("entered_meanwhile") from error
                    raise
                time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    def ping(self) -> None:
        """Raises where the database doesn't answer."""
        with self.read() as conn:
            conn.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        """Gives every connection back."""
        self.engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.engine.connect() as conn:
            yield conn

    @contextmanager
    def _writing_sqlite(self) -> Iterator[Connection]:
        with self._writer, _disk_faults(), self.engine.connect() as conn:
            conn.execution_options(suijian_write=True)
            with conn.begin():
                yield conn
            self._told(conn)

    @contextmanager
    def _writing_postgres(self) -> Iterator[Connection]:
        with _disk_faults(), self.engine.connect() as conn:
            with conn.begin():
                yield conn
            self._told(conn)

    def _told(self, conn: Connection) -> None:
        if conn.info.pop(TELLS, False):
            self.tell()


def _is_taken(error: DBAPIError) -> bool:
    """Whether a row is there already under a key that must be unique: one form that was sent twice, for one."""
    name = getattr(error.orig, "sqlite_errorname", None)
    return name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY") or (
        getattr(error.orig, "sqlstate", None) == "23505"
    )


@contextmanager
def _disk_faults() -> Iterator[None]:
    """A full disk is a problem that passes; a failed fsync ends the process, since nothing is certain after it."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        origin = error.orig if isinstance(error, OperationalError) else error
        name = getattr(origin, "sqlite_errorname", "") or ""
        if name == "SQLITE_FULL" or getattr(origin, "sqlstate", None) == "53100":
            raise Problem("disk_full") from error
        if name == "SQLITE_BUSY":  # another process held the writer for longer than anybody waits
            raise Problem("unavailable", headers={"Retry-After": "5"}) from error
        if name in ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC", "SQLITE_IOERR_WRITE"):
            sys.stderr.write(f"The disk refused to keep what was written ({name}); the server stops.\n")
            sys.stderr.flush()
            os._exit(70)
        raise


def open_database(url: str, data: Path | None = None) -> Database:
    """Opens the database at `url` (`sqlite:///...` or `postgresql+psycopg://...`); the folder `data` is made."""
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
    parsed = sa.make_url(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed)
    event.listen(engine, "handle_error", refuse_unkeepable)
    return Database(engine)


def _sqlite(url: sa.URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ValueError("The database must be a file: an embedded database in memory would lose what it acknowledged.")
    engine = sa.create_engine(
        url,
        pool_size=48,
        max_overflow=0,
        pool_timeout=60,
        hide_parameters=True,  # an error or a debug log names the statement, never what people entered
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000, "cached_statements": 256},
    )
    event.listen(engine, "connect", _make_sqlite_safe)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_sqlite_safe(connection: Any, _record: object) -> None:
    """Sets what durability rests on, and reads it back: a connection that would not keep its word is refused."""
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    found = tuple(
        cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
    )
    cursor.close()
    if found != ("wal", 2, 1):
        raise RuntimeError(f"SQLite did not accept WAL, synchronous=FULL and foreign keys: {found}.")


def _begin_sqlite(conn: Connection) -> None:
    writes = conn.get_execution_options().get("suijian_write", False)
    raw = conn.connection.driver_connection  # past SQLAlchemy, whose cursor would cost more than the whole transaction
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("an SQLite engine hands out SQLite connections")
    raw.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(url: sa.URL) -> Engine:
    engine = sa.create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=48,
        max_overflow=0,
        pool_timeout=60,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _make_postgres_safe)
    return engine


def _make_postgres_safe(connection: Any, _record: object) -> None:
    """Commits wait for the disk, whatever the server's default is; times are UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("SET timezone = 'UTC'")
    connection.commit()
