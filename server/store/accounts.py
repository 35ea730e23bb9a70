"""Accounts and units as the admin keeps them; signing in is the matter of `store.people`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.account import AccountEntry, UnitEntry
from server.domain.instant import stamp
from server.domain.registry import Unit
from server.store.tables import account, device, officer, session, unit


class Account(msgspec.Struct, frozen=True):
    """An account without its password."""

    id: str
    username: str
    name: str
    unit_id: str | None
    roles: tuple[str, ...]
    officer_id: str | None
    disabled_at: str | None
    must_change: bool
    password_at: str | None

    @property
    def state(self) -> str:
        """`off` where it is disabled, `new` where its one-time password wasn't changed yet, else `on`."""
        return "off" if self.disabled_at else "new" if self.must_change else "on"


class Phone(msgspec.Struct, frozen=True):
    """An enrolled phone with its owner, as the list of phones shows it."""

    rid: str
    name: str
    account_id: str
    owner: str
    unit_id: str | None
    enrolled_at: str
    seen_at: str | None
    app: str | None
    pending: dict[str, object] | None
    revoked_at: str | None
    revoked_by: str | None
    revoked_why: str | None
    frozen_at: str | None


_ACCOUNT = tuple(account.c[name] for name in Account.__struct_fields__)


def accounts(conn: Connection) -> list[Account]:
    """Every account, by name."""
    rows = conn.execute(sa.select(*_ACCOUNT).order_by(account.c.name, account.c.username))
    return [_account(row) for row in rows]


def account_of(conn: Connection, account_id: str) -> Account | None:
    """One account."""
    row = conn.execute(sa.select(*_ACCOUNT).where(account.c.id == account_id)).one_or_none()
    return None if row is None else _account(row)


def _account(row: Sequence[Any]) -> Account:
    found = Account(*row)
    return msgspec.structs.replace(found, roles=tuple(sorted(found.roles)))


def is_username_taken(conn: Connection, username: str, but: str | None) -> bool:
    """Whether another account has this name to sign in."""
    query = sa.select(account.c.id).where(account.c.username == username)
    return any(found != but for found in conn.scalars(query))


def insert_account(conn: Connection, account_id: str, made: AccountEntry, password_hash: str) -> None:
    """Adds an account with a one-time password."""
    values = msgspec.to_builtins(made) | {"id": account_id, "password_hash": password_hash, "must_change": True}
    conn.execute(sa.insert(account).values(**values, is_demo=False))


def update_account(conn: Connection, account_id: str, made: AccountEntry) -> None:
    """Writes what the admin decided."""
    conn.execute(sa.update(account).where(account.c.id == account_id).values(**msgspec.to_builtins(made)))


def set_disabled(conn: Connection, account_id: str, at: datetime | None) -> None:
    """Disables an account at once, or lets it in again."""
    moment = None if at is None else stamp(at)
    conn.execute(sa.update(account).where(account.c.id == account_id).values(disabled_at=moment))


def set_password(conn: Connection, account_id: str, password_hash: str, now: datetime, *, must_change: bool) -> None:
    """Writes a password; what everybody knew of the demo doesn't hold for it any more."""
    values = {"password_hash": password_hash, "password_at": stamp(now), "must_change": must_change, "is_demo": False}
    conn.execute(sa.update(account).where(account.c.id == account_id).values(**values))


def end_sessions(conn: Connection, account_id: str, *, but: str | None = None, phones: bool = True) -> int:
    """Ends the account's sessions, all but the one with the token hash `but`; how many."""
    query = sa.delete(session).where(session.c.account_id == account_id)
    if but is not None:
        query = query.where(session.c.token_hash != but)
    return conn.execute(query if phones else query.where(session.c.rid.is_(None))).rowcount


def officers_without_account(conn: Connection, but: str | None = None) -> list[tuple[str, str, str, str]]:
    """Id, name, unit and certificate of the officers who have no account, and of the one whose account `but` is."""
    taken = sa.select(account.c.officer_id).where(account.c.officer_id.is_not(None))
    if but is not None:
        taken = taken.where(account.c.id != but)
    query = sa.select(officer.c.id, officer.c.name, officer.c.unit_id, officer.c.certificate).where(
        officer.c.id.not_in(taken), officer.c.left_on.is_(None)
    )
    return [tuple(row) for row in conn.execute(query.order_by(officer.c.name, officer.c.id))]


# --- units ------------------------------------------------------------------------------------------------------------


def units(conn: Connection, *, closed: bool = False) -> list[Unit]:
    """The units that are open, or with `closed` all of them, by name."""
    query = sa.select(unit.c.id, unit.c.name, unit.c.kind, unit.c.parent_id).order_by(unit.c.name, unit.c.id)
    return [Unit(*row) for row in conn.execute(query if closed else query.where(unit.c.closed_at.is_(None)))]


def closed_units(conn: Connection) -> set[str]:
    """The ids of the units that were closed."""
    return set(conn.scalars(sa.select(unit.c.id).where(unit.c.closed_at.is_not(None))))


def insert_unit(conn: Connection, unit_id: str, made: UnitEntry) -> None:
    """Adds a unit."""
    conn.execute(sa.insert(unit).values(id=unit_id, **msgspec.to_builtins(made)))


def update_unit(conn: Connection, unit_id: str, made: UnitEntry) -> None:
    """Renames or moves a unit."""
    conn.execute(sa.update(unit).where(unit.c.id == unit_id).values(**msgspec.to_builtins(made)))


def close_unit(conn: Connection, unit_id: str, now: datetime) -> None:
    """Closes a unit: what it did stays under its name."""
    conn.execute(sa.update(unit).where(unit.c.id == unit_id).values(closed_at=stamp(now)))


def people_of(conn: Connection, unit_ids: Iterable[str]) -> dict[str, int]:
    """How many accounts that may sign in each unit has."""
    query = (
        sa.select(account.c.unit_id, sa.func.count())
        .where(account.c.unit_id.in_(list(unit_ids)), account.c.disabled_at.is_(None))
        .group_by(account.c.unit_id)
    )
    return {str(unit_id): int(count) for unit_id, count in conn.execute(query)}


def officers_of(conn: Connection, unit_id: str) -> int:
    """How many officers of a unit are in service."""
    query = sa.select(sa.func.count()).where(officer.c.unit_id == unit_id, officer.c.left_on.is_(None))
    return conn.scalar(query) or 0


# --- phones -----------------------------------------------------------------------------------------------------------


def phones(conn: Connection, account_id: str | None = None) -> list[Phone]:
    """All enrolled phones with their owners, or those of one person; the newest first."""
    named = {"owner": account.c.name, "unit_id": account.c.unit_id}
    columns = [named[name].label(name) if name in named else device.c[name] for name in Phone.__struct_fields__]
    query = sa.select(*columns).join(account, account.c.id == device.c.account_id)
    if account_id is not None:
        query = query.where(device.c.account_id == account_id)
    rows = conn.execute(query.order_by(device.c.enrolled_at.desc(), device.c.rid))
    return [Phone(*row) for row in rows]
