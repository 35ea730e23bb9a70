"""Tasks in the database: those from before there were draws come through, and numbers have no hole."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from server.store import tables, tasks
from server.store.migrate import MIGRATIONS, migrate
from server.store.session import Database, open_database


def test_a_task_from_before_there_were_draws_comes_through_as_dispatched(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with db.write() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0008")
        conn.execute(sa.insert(tables.unit).values(id="u1", name="危化股", kind="section"))
        conn.exec_driver_sql(
            "INSERT INTO task (id, name, unit_id, draw, window_from, window_to, due_on)"
            " VALUES ('t1', '旧任务', 'u1', 'directed', '2026-01-01', '2026-02-01', '2026-02-01')"
        )
    migrate(db)
    with db.read() as conn:
        (old,) = tasks.tasks(conn, "u1")
        assert (old.id, old.no, old.state, old.shares, old.methods) == ("t1", "", "dispatched", {}, ())
        assert tasks.has_ended(conn, "t1")
    db.close()


def test_a_number_that_was_not_committed_is_given_again(any_database: Database) -> None:
    with any_database.write() as conn:
        assert tasks.next_no(conn, 2026) == "2026-001"
    try:
        with any_database.write() as conn:
            assert tasks.next_no(conn, 2026) == "2026-002"
            raise KeyError
    except KeyError:
        pass
    with any_database.write() as conn:
        assert tasks.next_no(conn, 2026) == "2026-002"
        assert tasks.next_no(conn, 2027) == "2027-001"
