"""Accounts and units that a test adds for itself, past the office's acts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from server.domain.instant import stamp
from server.store import people, tables
from server.store.session import Database
from tests.scene import NOW, password_hash

_numbers = itertools.count(1)


def add_account(
    db: Database, *, roles: Iterable[str] = ("auditor",), unit_id: str | None = None, disabled: bool = False
) -> str:
    """Somebody with the tests' password; his id, which is his user name too."""
    name = f"temp{next(_numbers)}"

    def work(conn: sa.Connection) -> None:
        people.add_account(
            conn, id=name, username=name, name=name, unit_id=unit_id, roles=roles, password_hash=password_hash(),
            actor="test", now=NOW,
        )  # fmt: skip
        if disabled:
            off = sa.update(tables.account).where(tables.account.c.id == name)
            conn.execute(off.values(disabled_at=stamp(NOW)))

    db.run_write(work)
    return name


def add_unit(db: Database, parent_id: str | None = None) -> str:
    """A section; its id."""
    unit = f"unit{next(_numbers)}"
    row = {"id": unit, "name": f"第{unit[4:]}股", "kind": "section", "parent_id": parent_id}
    db.run_write(lambda conn: conn.execute(sa.insert(tables.unit).values(row)))
    return unit


def make_proof_old(db: Database, account_id: str) -> None:
    """As if whoever is signed in to this account had given his password half an hour ago."""
    session = tables.session
    old = stamp(datetime(2020, 1, 1, tzinfo=UTC))
    db.run_write(
        lambda conn: conn.execute(sa.update(session).where(session.c.account_id == account_id).values(proved_at=old))
    )
