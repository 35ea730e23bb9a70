"""A value that no column can hold is the sender's mistake on both databases, however it reaches a statement."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from server.errors import Problem
from server.store import draws, tables
from server.store.bulk import insert_rows
from server.store.session import Database

HALF = "\ud800"
NUL = "a\x00b"


def _refused(database: Database, query: sa.Executable) -> None:
    for door in (database.read, database.write):
        with pytest.raises(Problem) as refused, door() as conn:
            conn.execute(query)
        assert (refused.value.code, refused.value.status) == ("bad_request", 400)


def test_half_a_surrogate_pair_and_a_number_of_70_bits_are_refused_by_either_database(any_database: Database) -> None:
    _refused(any_database, sa.select(tables.meta).where(tables.meta.c.key == HALF))
    _refused(any_database, sa.select(tables.counter).where(tables.counter.c.value == 2**70))
    _refused(any_database, sa.insert(tables.meta).values(key="colour", value=HALF))


def test_nul_in_a_text_is_found_nowhere_or_refused_but_never_a_fault(any_database: Database) -> None:
    query = sa.select(tables.meta).where(tables.meta.c.key == NUL)
    if any_database.is_sqlite:
        with any_database.read() as conn:
            assert conn.execute(query).all() == []
    else:
        _refused(any_database, query)
        with pytest.raises(Problem) as refused, any_database.read() as conn:
            conn.execute(query)
        assert str(refused.value.document("en")["detail"]).endswith(": U+0000")


def test_a_refused_value_takes_back_what_was_written_before_it(any_database: Database) -> None:
    with pytest.raises(Problem), any_database.write() as conn:
        conn.execute(sa.insert(tables.meta).values(key="colour", value="azure"))
        conn.execute(sa.insert(tables.meta).values(key="shape", value=HALF))
    with any_database.read() as conn:
        assert conn.execute(sa.select(tables.meta).where(tables.meta.c.key == "colour")).all() == []


def test_rows_that_are_brought_in_bulk_are_refused_alike(any_database: Database) -> None:
    with pytest.raises(Problem) as refused, any_database.write() as conn:
        insert_rows(conn, tables.meta, ("key", "value"), [("colour", "azure"), ("shape", HALF)])
    assert refused.value.code == "bad_request"


def test_a_statement_that_is_wrong_in_itself_stays_a_fault_of_ours(any_database: Database) -> None:
    with pytest.raises(DBAPIError), any_database.read() as conn:
        conn.exec_driver_sql("SELECT nothing FROM nowhere")


@pytest.mark.parametrize("no", ["9999999999-1", "2026-99999999999999", "-1", "2026-", "0-0", "٢٠٢٦-1", "2026-1\x00"])
def test_a_number_that_no_draw_can_have_finds_none(any_database: Database, no: str) -> None:
    with any_database.read() as conn:
        assert draws.draws_by_no(conn, no) == []
