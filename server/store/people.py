"""Accounts and sessions: who may sign in, who is signed in, and until when."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from server.domain.instant import instant, stamp
from server.store import trail
from server.store.bulk import Plain
from server.store.session import Database
from server.store.tables import account, session, sign_in_failure, unit

IDLE = timedelta(minutes=30)
OFFICE_LIFE = timedelta(hours=12)
PHONE_LIFE = timedelta(days=30)
SEEN_STEP = timedelta(minutes=1)  # how stale `seen_at` may be: it is written at most this often
SHORTEST_PASSWORD = 10
WRONG_WINDOW = timedelta(minutes=10)
WRONG_PER_ACCOUNT = 10
WRONG_PER_ADDRESS = 60  # within a minute; above it an address is answered later, never refused
MOST_DELAY = timedelta(seconds=2)

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's first choice for Argon2id
_hashing = threading.BoundedSemaphore(2)  # a storm of sign-ins shall not take the memory or both cores


@cache
def _nobody() -> str:
    """What the password of a name that isn't there is checked against, so that it takes as long as a wrong one."""
    return _hasher.hash(secrets.token_hex(16))


class Person(msgspec.Struct, frozen=True):
    """Who acts. `id` is the `author` of what an officer does; `roles` as on the domain page."""

    id: str
    username: str
    name: str
    unit_id: str | None
    roles: tuple[str, ...]
    officer_id: str | None
    must_change: bool = False


class Session(msgspec.Struct, frozen=True):
    """One sign-in. `rid` is set when a phone enrolled with it: then 30 days and no idle limit."""

    token_hash: str
    rid: str | None
    created_at: str
    seen_at: str
    expires_at: str
    by_cookie: bool = False
    proved_at: str | None = None


class SignedIn(msgspec.Struct, frozen=True):
    """The answer to the right password: the token, which is nowhere else kept in clear."""

    token: str
    person: Person
    session: Session


class Refused(msgspec.Struct, frozen=True):
    """The answer to a wrong sign-in; `seconds` is set where the account must wait before the next try."""

    seconds: int | None = None


def hash_password(password: str) -> str:
    """Argon2id of a password."""
    with _hashing:
        return _hasher.hash(password)


def add_account(
    conn: Connection,
    *,
    id: str,
    username: str,
    name: str,
    unit_id: str | None,
    roles: Iterable[str],
    password_hash: str,
    officer_id: str | None = None,
    is_demo: bool = False,
    actor: str,
    now: datetime,
) -> None:
    """Adds an account. An officer's account has the officer's id, which is the `author` of what he does."""
    granted = sorted(roles)
    conn.execute(
        sa.insert(account).values(
            id=id,
            username=username,
            name=name,
            unit_id=unit_id,
            roles=granted,
            password_hash=password_hash,
            officer_id=officer_id,
            is_demo=is_demo,
        )
    )
    trail.append(conn, [trail.Act("account.add", actor, f"account:{id}", detail={"roles": granted})], now)


def token_hash_of(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """The value that a page sends back to prove that it was ours: only the holder of the token can compute it."""
    return hashlib.sha256(b"suijian-csrf:" + token.encode()).hexdigest()


def sign_in(db: Database, username: str, password: str, address: str, now: datetime) -> SignedIn | Refused:
    """Checks a password and opens a session. Wrong sign-ins are all alike, in their answer and in their time."""
    name = hashlib.sha256(username.encode()).hexdigest()  # people type passwords into the wrong field: keep no text
    with db.read() as conn:
        wait = _wait(conn, name, now)
        found = conn.execute(
            sa.select(account.c.id, account.c.password_hash).where(
                account.c.username == username, account.c.disabled_at.is_(None)
            )
        ).one_or_none()
    if wait is not None:
        return Refused(wait)
    if not _verify(found.password_hash if found else _nobody(), password) or found is None:
        db.run_write(lambda conn: _note_failure(conn, name, address, now))
        return Refused()
    return db.run_write(lambda conn: _open_session(conn, found.id, name, now))


def prove(
    db: Database, person: Person, held: Session, password: str, address: str, now: datetime
) -> datetime | Refused:
    """Takes the password again for a session that is open; wrong ones count with the wrong sign-ins."""
    name = hashlib.sha256(person.username.encode()).hexdigest()
    with db.read() as conn:
        wait = _wait(conn, name, now)
        known = conn.scalar(sa.select(account.c.password_hash).where(account.c.id == person.id))
    if wait is not None:
        return Refused(wait)
    if not _verify(known or _nobody(), password):
        db.run_write(lambda conn: _note_failure(conn, name, address, now))
        return Refused()
    proved = sa.update(session).where(session.c.token_hash == held.token_hash).values(proved_at=stamp(now))
    db.run_write(lambda conn: conn.execute(proved))
    return now


def delay_of(db: Database, address: str, now: datetime) -> timedelta:
    """How long the next sign-in from an address waits: a whole office shares one, so it is slowed and never refused."""
    since = stamp(now - timedelta(minutes=1))
    with db.read() as conn:
        wrong = conn.scalar(
            sa.select(sa.func.count())
            .select_from(sign_in_failure)
            .where(sign_in_failure.c.address == address, sign_in_failure.c.at > since)
        )
    return min(MOST_DELAY, max(0, (wrong or 0) - WRONG_PER_ADDRESS) * timedelta(milliseconds=100))


def sign_out(conn: Connection, token_hash: str, actor: str, now: datetime) -> None:
    """Ends one session."""
    conn.execute(sa.delete(session).where(session.c.token_hash == token_hash))
    trail.append(conn, [trail.Act("session.close", actor, f"account:{actor}")], now)


_BY_TOKEN = Plain(
    sa.select(
        session.c.rid,
        session.c.created_at,
        session.c.seen_at,
        session.c.expires_at,
        account.c.id,
        account.c.username,
        account.c.name,
        account.c.unit_id,
        account.c.roles,
        account.c.officer_id,
        session.c.proved_at,
        account.c.must_change,
    )
    .join(account, account.c.id == session.c.account_id)
    .where(session.c.token_hash == sa.bindparam("token_hash"), account.c.disabled_at.is_(None))
)


def account_by_token(conn: Connection, token: str, now: datetime) -> tuple[Person, Session] | None:
    """Who holds this token, where it still lives: 30 min idle and 12 h in all in the office, 30 days on a phone."""
    token_hash = token_hash_of(token)
    row = _BY_TOKEN.row(conn, token_hash=token_hash)
    if row is None:
        return None
    rid, created_at, seen_at, expires_at, id_, username, name, unit_id, roles, officer_id, proved_at, must_change = row
    if expires_at <= stamp(now) or (rid is None and seen_at <= stamp(now - IDLE)):
        return None
    person = Person(id_, username, name, unit_id, tuple(roles), officer_id, bool(must_change))
    return person, Session(token_hash, rid, created_at, seen_at, expires_at, proved_at=proved_at)


def is_seen_late(held: Session, now: datetime) -> bool:
    """Whether the session's last use is so long ago that it has to be written down again."""
    return now - instant(held.seen_at) >= SEEN_STEP


def mark_seen(conn: Connection, token_hash: str, now: datetime) -> None:
    """Writes down that the session was used."""
    conn.execute(sa.update(session).where(session.c.token_hash == token_hash).values(seen_at=stamp(now)))


def unit_name(conn: Connection, unit_id: str) -> str:
    """The name of a unit; empty where there is none."""
    return conn.scalar(sa.select(unit.c.name).where(unit.c.id == unit_id)) or ""


def has_accounts(conn: Connection) -> bool:
    """Whether anybody is registered."""
    return conn.scalar(sa.select(sa.exists(sa.select(account.c.id)))) is True


def has_demo_accounts(conn: Connection) -> bool:
    """Whether anybody could sign in with the password that the demo prints."""
    return conn.scalar(sa.select(sa.exists(sa.select(account.c.id).where(account.c.is_demo)))) is True


def _verify(password_hash: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _wait(conn: Connection, name: str, now: datetime) -> int | None:
    """Seconds until the account may be tried again, where it had too many wrong ones in the window."""
    wrong = conn.scalars(
        sa.select(sign_in_failure.c.at)
        .where(sign_in_failure.c.username == name, sign_in_failure.c.at > stamp(now - WRONG_WINDOW))
        .order_by(sign_in_failure.c.at.desc())
        .limit(WRONG_PER_ACCOUNT)
    ).all()
    if len(wrong) < WRONG_PER_ACCOUNT:
        return None
    return max(1, int((instant(wrong[-1]) + WRONG_WINDOW - now).total_seconds()) + 1)


def _note_failure(conn: Connection, name: str, address: str, now: datetime) -> None:
    conn.execute(sa.delete(sign_in_failure).where(sign_in_failure.c.at <= stamp(now - WRONG_WINDOW)))
    conn.execute(sa.insert(sign_in_failure).values(username=name, address=address[:64], at=stamp(now)))


def _open_session(conn: Connection, account_id: str, name: str, now: datetime) -> SignedIn:
    token = secrets.token_urlsafe(32)
    conn.execute(sa.delete(sign_in_failure).where(sign_in_failure.c.username == name))
    conn.execute(sa.delete(session).where(session.c.expires_at <= stamp(now)))
    conn.execute(
        sa.insert(session).values(
            token_hash=token_hash_of(token),
            account_id=account_id,
            created_at=stamp(now),
            seen_at=stamp(now),
            expires_at=stamp(now + OFFICE_LIFE),
            proved_at=stamp(now),
        )
    )
    trail.append(conn, [trail.Act("session.open", account_id, f"account:{account_id}")], now)
    held = account_by_token(conn, token, now)
    if held is None:
        raise AssertionError("a session that was just opened is there")
    return SignedIn(token, *held)
