"""Names for ids: what a page needs to show people, units and checklists."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.tables import account, officer, subject, template, unit


def names_of_people(conn: Connection) -> dict[str, str]:
    """The name behind every id that can be an author: accounts, officers, and the server itself."""
    names = {row.id: row.name for row in conn.execute(sa.select(account.c.id, account.c.name))}
    names.update({row.id: row.name for row in conn.execute(sa.select(officer.c.id, officer.c.name))})
    return names


def checklist(conn: Connection, sha256: str) -> dict[str, Any]:
    """The template document named by its digest."""
    body = conn.execute(sa.select(template.c.body).where(template.c.sha256 == sha256)).scalar_one()
    document: dict[str, Any] = msgspec.json.decode(body)
    return document


def names_of_units(conn: Connection) -> dict[str, str]:
    """The name of every unit by its id, in the order of the ids."""
    return {row.id: row.name for row in conn.execute(sa.select(unit.c.id, unit.c.name).order_by(unit.c.id))}


def subjects_named(conn: Connection, ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Name and code of some subjects by their ids: the credit code, else the registration number."""
    code = sa.func.coalesce(subject.c.uscc, subject.c.registration).label("code")
    query = sa.select(subject.c.id, subject.c.name, code).where(subject.c.id.in_(ids))
    return {row.id: (row.name, row.code) for row in conn.execute(query)}
