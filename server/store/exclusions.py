"""Requests to leave a subject out of draws, and what was decided."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.exclusion import Exclusion
from server.store.tables import exclusion, subject


class Line(msgspec.Struct, frozen=True):
    """A request with the subject that it is about."""

    it: Exclusion
    subject: str
    code: str


def add(conn: Connection, added: Exclusion) -> None:
    """Adds one."""
    conn.execute(sa.insert(exclusion).values(msgspec.to_builtins(added)))


def decide(conn: Connection, decided: Exclusion) -> None:
    """Writes the decision; a second one is refused by the database."""
    conn.execute(sa.update(exclusion).where(exclusion.c.id == decided.id).values(msgspec.to_builtins(decided)))


def one(conn: Connection, id: str, *, lock: bool = False) -> Exclusion | None:
    """One request; `lock` holds it until the transaction ends."""
    query = sa.select(exclusion).where(exclusion.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _read(row)


def lines(conn: Connection, unit_id: str | None, state: str = "") -> list[Line]:
    """The requests of a unit, or of all, the newest first."""
    code = sa.func.coalesce(subject.c.uscc, subject.c.registration)
    query = sa.select(exclusion, subject.c.name.label("subject"), code.label("code")).join(subject)
    query = query.order_by(exclusion.c.entered_at.desc(), exclusion.c.id)
    if unit_id is not None:
        query = query.where(exclusion.c.unit_id == unit_id)
    if state:
        query = query.where(exclusion.c.state == state)
    return [Line(_read(row), row["subject"], row["code"]) for row in conn.execute(query).mappings()]


def in_force(conn: Connection, unit_id: str | None, day: str) -> dict[str, Exclusion]:
    """Who is left out on a day, by subject: by a unit's own requests, or in a draw over all libraries by anybody's."""
    query = sa.select(exclusion).where(
        exclusion.c.state == "approved", exclusion.c.since <= day, exclusion.c.until >= day
    )
    if unit_id is not None:
        query = query.where(exclusion.c.unit_id == unit_id)
    rows = conn.execute(query.order_by(exclusion.c.kind.desc(), exclusion.c.entered_at)).mappings()
    return {row["subject_id"]: _read(row) for row in rows}


def _read(row: Any) -> Exclusion:
    return msgspec.convert({name: row[name] for name in Exclusion.__struct_fields__}, Exclusion)
