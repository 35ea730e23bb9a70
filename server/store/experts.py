"""The library of experts (R9.3): as officers, their numbers sealed in the store and masked outside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.officer import Expert, ExpertEntry
from server.store import personnel
from server.store.personnel import Change, Row
from server.store.seal import Sealer
from server.store.tables import expert


def all_experts(conn: Connection, sealer: Sealer) -> list[Expert]:
    """All of them, those who left included."""
    return _masked(conn, sealer)


def expert_of(conn: Connection, sealer: Sealer, expert_id: str) -> Expert | None:
    """One expert."""
    return next(iter(_masked(conn, sealer, expert.c.id == expert_id)), None)


def expert_row(conn: Connection, expert_id: str, *, lock: bool = False) -> Row | None:
    """One expert as stored, numbers sealed."""
    return next(iter(personnel.rows_where(conn, expert, expert.c.id == expert_id, lock=lock)), None)


def number_of(sealer: Sealer, row: Row, field: str) -> str:
    """A phone or ID number in clear."""
    return personnel.clear(sealer, expert, row, field)


def taken(conn: Connection, sealer: Sealer, entry: ExpertEntry, but: str | None = None) -> dict[str, str]:
    """`id_number` -> name of the other expert who has it already."""
    if entry.id_number is None:
        return {}
    same = expert.c.id_number_blind == personnel.blind_of(sealer, expert, "id_number", entry.id_number)
    name = conn.scalar(sa.select(expert.c.name).where(same, expert.c.id != (but or "")))
    return {} if name is None else {"id_number": name}


def insert_experts(
    conn: Connection, sealer: Sealer, entries: Mapping[str, ExpertEntry], by: str, now: datetime
) -> None:
    """Adds experts: id -> what was entered, both numbers given."""
    personnel.insert(conn, sealer, expert, entries, by, now)


def update_experts(
    conn: Connection, sealer: Sealer, entries: Mapping[str, ExpertEntry], by: str, now: datetime
) -> dict[str, list[Change]]:
    """Changes experts."""
    return personnel.update(conn, sealer, expert, entries, by, now)


def remove_experts(conn: Connection, ids: Iterable[str], by: str, now: datetime) -> None:
    """Takes out experts."""
    personnel.remove(conn, expert, ids, by, now)


def leave_library(conn: Connection, expert_id: str, day: str | None, by: str, now: datetime) -> None:
    """Notes the first day on which an expert is no longer asked."""
    personnel.leave_on(conn, expert, expert_id, day, by, now)


def _masked(conn: Connection, sealer: Sealer, *where: sa.ColumnElement[bool]) -> list[Expert]:
    return [personnel.masked(sealer, expert, row, Expert) for row in personnel.rows_where(conn, expert, *where)]
