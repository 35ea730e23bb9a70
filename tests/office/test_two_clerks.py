"""Two who do the same thing at once: the second is told so, and nothing of his is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from server.errors import Problem
from server.office import accounts
from server.store import reviews, tables
from server.store.people import Person
from server.store.reviews import Review
from server.store.session import Connection, Database
from tests.dispatching import dispatch, keys_of
from tests.pressing import at_once
from tests.scene import NOW, populate

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


def test_of_two_who_revoke_a_phone_at_once_one_does_it(any_database: Database) -> None:
    populate(any_database)
    admin, rids = Person("admin", "admin", "admin", "hazchem", ("admin",), None), [f"{n:016x}" for n in range(1, 41)]
    phone = {"account_id": "li", "name": "手机", "public_key": {}, "enrolled_at": "2026-11-24T02:00:00.000Z"}
    with any_database.write() as conn:
        conn.execute(sa.insert(tables.device), [{"rid": rid} | phone for rid in rids])

    def revoke(rid: str) -> None:
        def work(conn: Connection) -> None:
            accounts.revoke_phone(conn, admin, NOW, rid, {"reason": "丢了"})

        any_database.run_write(work)

    said = [sorted(at_once(lambda rid=rid: revoke(rid), lambda rid=rid: revoke(rid))) for rid in rids]  # type: ignore[misc]
    assert said == [["done", "phone_off"]] * len(rids)
    with any_database.read() as conn:
        by = sa.select(sa.func.count()).where(tables.trail.c.act == "device.revoke")
        assert conn.scalar(by) == len(rids)
    print(f"{len(rids)} phones revoked by two at once")
