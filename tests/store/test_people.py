"""Who may sign in, how long it holds, and how guessing is slowed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from server.store import devices, people, tables
from server.store.people import Refused, SignedIn
from server.store.session import Database
from tests.scene import NOW, PASSWORD, populate


@pytest.fixture
def bureau(database: Database) -> Database:
    """The small bureau in an embedded database."""
    populate(database)
    return database


def _sign_in(db: Database, username: str = "li", password: str = PASSWORD, after: timedelta = timedelta()) -> object:
    return people.sign_in(db, username, password, "10.0.0.1", NOW + after)


def _signed_in(db: Database) -> SignedIn:
    signed = _sign_in(db)
    assert isinstance(signed, SignedIn)
    return signed


def _holds(db: Database, token: str, after: timedelta) -> bool:
    with db.read() as conn:
        return people.account_by_token(conn, token, NOW + after) is not None


def test_the_database_never_holds_a_token_or_a_password(bureau: Database) -> None:
    token = _signed_in(bureau).token
    with bureau.read() as conn:
        rows = [str(row) for table in (tables.session, tables.account) for row in conn.execute(sa.select(table))]
    assert not any(token in row or PASSWORD in row for row in rows)
    assert all("$argon2id$" in row for row in rows[1:])


def test_an_office_session_ends_after_half_an_hour_of_silence(bureau: Database) -> None:
    token = _signed_in(bureau).token
    assert _holds(bureau, token, timedelta(minutes=29))
    assert not _holds(bureau, token, timedelta(minutes=30))


def test_an_office_session_ends_after_twelve_hours_whatever_was_done(bureau: Database) -> None:
    signed = _signed_in(bureau)
    for minutes in range(0, 12 * 60, 20):
        with bureau.write() as conn:
            people.mark_seen(conn, signed.session.token_hash, NOW + timedelta(minutes=minutes))
    assert _holds(bureau, signed.token, timedelta(hours=11, minutes=59))
    assert not _holds(bureau, signed.token, timedelta(hours=12))


def test_on_an_enrolled_phone_it_lasts_thirty_days_without_a_word(bureau: Database) -> None:
    signed = _signed_in(bureau)
    with bureau.write() as conn:
        devices.enrol(conn, signed.person, signed.session, "a" * 32, "手机", {"x": "1"}, NOW)
    assert _holds(bureau, signed.token, timedelta(days=29, hours=23))
    assert not _holds(bureau, signed.token, timedelta(days=30))


def test_after_ten_wrong_words_the_account_waits_and_then_opens_again(bureau: Database) -> None:
    for _ in range(people.WRONG_PER_ACCOUNT):
        assert _sign_in(bureau, password="wrong") == Refused()
    waiting = _sign_in(bureau)
    assert isinstance(waiting, Refused)
    assert waiting.seconds == 601
    assert isinstance(_sign_in(bureau, after=timedelta(minutes=10)), SignedIn)


def test_one_account_that_waits_keeps_nobody_else_of_the_same_address_out(bureau: Database) -> None:
    for _ in range(people.WRONG_PER_ACCOUNT + 5):
        _sign_in(bureau, password="wrong")
    assert isinstance(_sign_in(bureau, "zhang"), SignedIn)


def test_an_address_is_slowed_and_never_refused(bureau: Database) -> None:
    for number in range(people.WRONG_PER_ADDRESS + 10):
        with bureau.write() as conn:
            people._note_failure(conn, f"nobody{number}", "10.0.0.1", NOW)
    assert people.delay_of(bureau, "10.0.0.1", NOW) == timedelta(seconds=1)
    assert people.delay_of(bureau, "10.0.0.2", NOW) == timedelta()
    assert isinstance(_sign_in(bureau), SignedIn)


def test_a_disabled_account_opens_nothing(bureau: Database) -> None:
    token = _signed_in(bureau).token
    with bureau.write() as conn:
        conn.execute(sa.update(tables.account).where(tables.account.c.id == "li").values(disabled_at="2026-11-24"))
    assert _sign_in(bureau) == Refused()
    assert not _holds(bureau, token, timedelta())


def test_a_failed_sign_in_keeps_no_word_that_was_typed(bureau: Database) -> None:
    _sign_in(bureau, username="my password in the wrong field")
    with bureau.read() as conn:
        assert "wrong field" not in str(conn.execute(sa.select(tables.sign_in_failure)).all())


def test_each_act_leaves_exactly_one_entry_in_the_trail(bureau: Database) -> None:
    signed = _signed_in(bureau)
    with bureau.write() as conn:
        devices.enrol(conn, signed.person, signed.session, "a" * 32, "手机", {"x": "1"}, NOW)
        devices.enrol(conn, signed.person, signed.session, "a" * 32, "手机", {"x": "1"}, NOW)
        devices.revoke(conn, signed.person, "a" * 32, NOW)
        people.sign_out(conn, signed.session.token_hash, signed.person.id, NOW)
    with bureau.read() as conn:
        acts = conn.scalars(sa.select(tables.trail.c.act).order_by(tables.trail.c.n)).all()
    assert [act for act in acts if act != "account.add"] == [
        "session.open",
        "device.enrol",
        "device.revoke",
        "session.close",
    ]
