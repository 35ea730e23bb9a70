"""Two clerks who review one round at once: the second is told so, and nothing of his is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import Problem
from server.store import reviews
from server.store.reviews import Review
from server.store.session import Database
from tests.dispatching import dispatch, keys_of
from tests.scene import populate

FIRST = Review(1, "approved", "clerk", "2026-11-24T02:12:00.000Z", None)
SECOND = Review(1, "returned", "clerk2", "2026-11-24T02:12:00.001Z", "补拍照片")


def test_the_second_word_on_a_round_is_refused_by_the_database(any_database: Database, tmp_path: Path) -> None:
    populate(any_database)
    visit = dispatch(any_database, keys_of(any_database, tmp_path))
    any_database.run_write(lambda conn: reviews.add_review(conn, visit, FIRST))
    with pytest.raises(Problem) as refused:
        any_database.run_write(lambda conn: reviews.add_review(conn, visit, SECOND))
    assert (refused.value.code, refused.value.status) == ("already_reviewed", 409)
    with any_database.read() as conn:
        assert reviews.reviews_of(conn, [visit]) == {visit: [FIRST]}
        assert reviews.one_received(conn, visit) == reviews.received(conn, None)[0]
