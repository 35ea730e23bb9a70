"""Statements that go to the driver as they are behave as SQLAlchemy's own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from server.store.bulk import Plain, insert_rows
from server.store.session import Database
from server.store.tables import counter

_VALUE = Plain(sa.select(counter.c.value).where(counter.c.name == sa.bindparam("name")))
_MOVE = Plain(sa.update(counter).where(counter.c.name == "bulk").values(value=sa.bindparam("to")))


def test_a_plain_statement_reads_what_its_transaction_wrote(any_database: Database) -> None:
    with any_database.write() as conn:
        assert insert_rows(conn, counter, ("name", "value"), [("bulk", 1)]) == 1
        assert _MOVE.run(conn, to=7) == 1
        assert _VALUE.row(conn, name="bulk") == (7,)
        assert _VALUE.row(conn, name="nothing") is None


def test_a_raised_fault_takes_back_what_plain_statements_wrote(any_database: Database) -> None:
    with pytest.raises(IntegrityError), any_database.write() as conn:
        insert_rows(conn, counter, ("name", "value"), [("bulk", 1)])
        insert_rows(conn, counter, ("name", "value"), [("bulk", 2)])
    with any_database.read() as conn:
        assert _VALUE.rows(conn, name="bulk") == []


def test_reads_of_one_transaction_see_one_moment(database: Database) -> None:
    with database.write() as conn:
        insert_rows(conn, counter, ("name", "value"), [("bulk", 1)])
    with database.read() as conn:
        before = _VALUE.row(conn, name="bulk")
        with database.write() as other:
            _MOVE.run(other, to=2)
        assert _VALUE.row(conn, name="bulk") == before
