"""Brings a database from empty, or from any earlier version, to the tables of today, and gives a new one its epoch."""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from server.store import tables
from server.store.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
EPOCH, REPLICA, DEMO = "epoch", "replica", "demo"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(db: Database) -> None:
    """Runs what is missing in one transaction; on a database that is up to date it only looks."""
    with db.write() as conn:
        if version_of(conn) != newest_version():
            config = _config()
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
        _begin_epoch(conn)


def newest_version() -> str | None:
    """The version that the code of today expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def version_of(conn: Connection) -> str | None:
    """The version that the database says it has; None where it is empty."""
    return MigrationContext.configure(conn).get_current_revision()


def meta_of(conn: Connection, key: str) -> str | None:
    """One value of the table `meta`: `epoch`, `replica` (the server's own), or `demo` (the day it was made)."""
    value: str | None = conn.scalar(sa.select(tables.meta.c.value).where(tables.meta.c.key == key))
    return value


def set_meta(conn: Connection, key: str, value: str) -> None:
    """Writes one value of the table `meta`, over the one that was there."""
    conn.execute(sa.delete(tables.meta).where(tables.meta.c.key == key))
    conn.execute(sa.insert(tables.meta).values(key=key, value=value))


def _begin_epoch(conn: Connection) -> None:
    if meta_of(conn, EPOCH) is None:
        set_meta(conn, EPOCH, uuid.uuid4().hex)
        set_meta(conn, REPLICA, "srv")
        conn.execute(sa.insert(tables.counter).values(name="trail", value=0))
