"""The migrations lead from nothing to the tables of today, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.errors import Problem
from server.store import tables, trail
from server.store.migrate import EPOCH, MIGRATIONS, meta_of, migrate, newest_version, version_of
from server.store.session import Database
from tests.scene import NOW


def test_empty_to_head_equals_the_tables(any_database: Database) -> None:
    with any_database.read() as conn:
        assert version_of(conn) == newest_version()
        assert compare_metadata(MigrationContext.configure(conn), tables.metadata) == []


def test_the_files_of_the_migrations_are_named_by_their_versions() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == newest_version()


def test_migrating_again_changes_nothing(any_database: Database) -> None:
    with any_database.read() as conn:
        before = meta_of(conn, EPOCH)
    migrate(any_database)
    with any_database.read() as conn:
        assert meta_of(conn, EPOCH) == before


@pytest.mark.rule("R10.2", "refuses")
@pytest.mark.parametrize("statement", ["UPDATE trail SET actor = 'nobody'", "DELETE FROM trail"])
def test_nobody_can_edit_the_trail(any_database: Database, statement: str) -> None:
    with any_database.write() as conn:
        trail.append(conn, [trail.Act("list.release", "li", "list:1")], NOW)
    with pytest.raises(Problem) as refused:
        any_database.run_write(lambda conn: conn.exec_driver_sql(statement))
    assert (refused.value.code, refused.value.article) == ("append_only", "10")
    with any_database.read() as conn:
        assert conn.scalars(sa.select(tables.trail.c.actor)).all() == ["li"]


def test_on_postgresql_nobody_can_empty_the_trail_at_once(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as conn:
        conn.exec_driver_sql("TRUNCATE trail")
    engine.dispose()
