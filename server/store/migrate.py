"""Brings a database from empty, or from any earlier version, to the tables of today; gives a new one what it needs."""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store import calendars, rules, tables
from server.store.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
EPOCH, REPLICA, DEMO = "epoch", "replica", "demo"


def migrate(db: Database) -> None:
    """Runs what is missing in one transaction; on a database that is up to date it only looks."""
    with db.write() as conn:
        if version_of(conn) != newest_version():
            _upgrade(conn)
        _begin_epoch(conn)
        rules.seed(conn)
        calendars.seed(conn)


def _upgrade(conn: Connection) -> None:
    from alembic import command  # not above: every start would wait for it, and only the first needs it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def newest_version() -> str:
    """The version that the code of today expects: files are named by theirs."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def version_of(conn: Connection) -> str | None:
    """The version that the database says it has; None where it is empty."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    version: str | None = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version


def meta_of(conn: Connection, key: str) -> str | None:
    """One value of the table `meta`: `epoch`, `replica` (the server's own), or `demo` (the day it was made)."""
    value: str | None = conn.scalar(sa.select(tables.meta.c.value).where(tables.meta.c.key == key))
    return value


def set_meta(conn: Connection, key: str, value: str) -> None:
    """Writes one value of the table `meta`, over the one that was there."""
    conn.execute(sa.delete(tables.meta).where(tables.meta.c.key == key))
    conn.execute(sa.insert(tables.meta).values(key=key, value=value))


def new_epoch(db: Database, replaced: str | None = None) -> str:
    """To be done once after a backup was put in the database's place: the server goes on as its next replica.

    `replaced` is the replica of the database that gave way, where that is known: its name is never used again.
    """
    with db.write() as conn:
        used = (meta_of(conn, REPLICA), replaced)
        name = f"srv{max(int((replica or 'srv')[3:] or 1) for replica in used) + 1}"
        set_meta(conn, EPOCH, uuid.uuid4().hex)
        set_meta(conn, REPLICA, name)
    return name


def _begin_epoch(conn: Connection) -> None:
    if meta_of(conn, EPOCH) is None:
        set_meta(conn, EPOCH, uuid.uuid4().hex)
        set_meta(conn, REPLICA, "srv")
        conn.execute(sa.insert(tables.counter).values(name="trail", value=0))
