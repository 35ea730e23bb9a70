"""Inspections that are not random, by subject and by unit."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.non_random import HELD, NonRandom
from server.store.tables import item, non_random, subject, unit, unit_subject


class Line(msgspec.Struct, frozen=True):
    """One inspection with the names that a list shows."""

    it: NonRandom
    subject: str
    code: str
    unit: str


_FIELDS = NonRandom.__struct_fields__


def add(conn: Connection, added: NonRandom) -> None:
    """Adds one."""
    conn.execute(sa.insert(non_random).values(msgspec.to_builtins(added)))


def update(conn: Connection, changed: NonRandom) -> None:
    """Writes what was decided about one."""
    conn.execute(sa.update(non_random).where(non_random.c.id == changed.id).values(msgspec.to_builtins(changed)))


def non_random_of(conn: Connection, subject_id: str, year: int) -> list[NonRandom]:
    """What a subject had in one year, the earliest first; what waits, was refused or withdrawn isn't among it."""
    query = sa.select(non_random).where(
        non_random.c.subject_id == subject_id,
        non_random.c.held_on.between(f"{year}-01-01", f"{year}-12-31"),
        non_random.c.state.in_(HELD),
    )
    return [_read(row) for row in conn.execute(query.order_by(non_random.c.held_on, non_random.c.id)).mappings()]


def one(conn: Connection, id: str, *, lock: bool = False) -> Line | None:
    """One with its names; `lock` holds its row until the transaction ends."""
    query = _lines().where(non_random.c.id == id)
    row = conn.execute(query.with_for_update(of=non_random) if lock else query).mappings().one_or_none()
    return None if row is None else _line(row)


def lines(conn: Connection, unit_id: str | None, kind: str, state: str, first: int, limit: int) -> list[Line]:
    """Those of a unit, or of all (None), the latest first, where they are of this kind and state if one is asked."""
    query = _filtered(_lines(), unit_id, kind, state)
    ordered = query.order_by(non_random.c.held_on.desc(), non_random.c.id).offset(first).limit(limit)
    return [_line(row) for row in conn.execute(ordered).mappings()]


def count(conn: Connection, unit_id: str | None, kind: str, state: str) -> int:
    """How many `lines` there are."""
    query = _filtered(sa.select(sa.func.count()).select_from(non_random), unit_id, kind, state)
    return int(conn.execute(query).scalar_one())


def subject_in_library(conn: Connection, unit_id: str, code: str) -> str | None:
    """The id of the subject with this code in a unit's library."""
    found: str | None = conn.scalar(
        sa.select(subject.c.id)
        .join(unit_subject, unit_subject.c.subject_id == subject.c.id)
        .where(unit_subject.c.unit_id == unit_id, sa.or_(subject.c.uscc == code, subject.c.registration == code))
    )
    return found


def items_now(conn: Connection) -> dict[str, str]:
    """Every item that was ever listed or is being drafted, with its name: what an inspection may have looked at."""
    return {row.id: row.name for row in conn.execute(sa.select(item.c.id, item.c.name).order_by(item.c.id))}


def _lines() -> sa.Select[Any]:
    code = sa.func.coalesce(subject.c.uscc, subject.c.registration)
    return (
        sa.select(non_random, subject.c.name.label("subject"), code.label("code"), unit.c.name.label("unit"))
        .join(subject, subject.c.id == non_random.c.subject_id)
        .join(unit, unit.c.id == non_random.c.unit_id)
    )


def _filtered(query: sa.Select[Any], unit_id: str | None, kind: str, state: str) -> sa.Select[Any]:
    if unit_id is not None:
        query = query.where(non_random.c.unit_id == unit_id)
    if kind:
        query = query.where(non_random.c.kind == kind)
    return query.where(non_random.c.state == state) if state else query


def _read(row: Any) -> NonRandom:
    return msgspec.convert({name: row[name] for name in _FIELDS}, NonRandom)


def _line(row: Any) -> Line:
    return Line(_read(row), row["subject"], row["code"], row["unit"])
