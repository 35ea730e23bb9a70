"""The new subjects of an import as one: seen, hidden and looked at by a statement each, however many they are."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.store.subjects import POINTING
from server.store.tables import import_row, subject, subject_history, unit_subject


def show(conn: Connection, unit_id: str, batch_id: str, by: str, now: datetime, source: str) -> None:
    """Puts the batch's new subjects into the unit's library."""
    ids = _new(batch_id).with_only_columns(sa.literal(unit_id), import_row.c.object_id)
    conn.execute(sa.insert(unit_subject).from_select(["unit_id", "subject_id"], ids))
    _note(conn, "joined", unit_id, batch_id, by, now, source)


def hide(conn: Connection, unit_id: str, batch_id: str, by: str, now: datetime, source: str) -> None:
    """Takes them out of it again."""
    mine = unit_subject.c.unit_id == unit_id
    conn.execute(sa.delete(unit_subject).where(mine, unit_subject.c.subject_id.in_(_new(batch_id))))
    _note(conn, "left", unit_id, batch_id, by, now, source)


def held(conn: Connection, unit_id: str, batch_id: str) -> list[tuple[int, str]]:
    """Rows of new subjects that are gone, were changed since, or are used: by a visit, a draw, or another unit."""
    same = sa.and_(subject.c.id == import_row.c.object_id, subject.c.rev == 1)
    moved = _rows(batch_id).where(~sa.exists(sa.select(1).where(same)))
    found = {int(line.row): "changed" for line in conn.execute(moved)}
    others = sa.and_(unit_subject.c.subject_id == import_row.c.object_id, unit_subject.c.unit_id != unit_id)
    for use in (*(column == import_row.c.object_id for column in POINTING), others):
        used = _rows(batch_id).where(sa.exists(sa.select(1).where(use)))
        found = {int(line.row): "used" for line in conn.execute(used)} | found
    return sorted(found.items())


def _new(batch_id: str) -> sa.Select[tuple[str | None]]:
    where = (import_row.c.batch_id == batch_id, import_row.c.kind == "new")
    return sa.select(import_row.c.object_id).where(*where)


def _rows(batch_id: str) -> sa.Select[tuple[int]]:
    return sa.select(import_row.c.row).where(import_row.c.batch_id == batch_id, import_row.c.kind == "new")


def _note(conn: Connection, kind: str, unit_id: str, batch_id: str, by: str, now: datetime, source: str) -> None:
    columns = ["subject_id", "at", "by", "kind", "source", "unit_id", "changes"]
    said = [sa.literal(value) for value in (stamp(now), by, kind, source, unit_id)]
    changes = sa.literal([], sa.JSON)
    lines = _new(batch_id).with_only_columns(import_row.c.object_id, *said, changes)
    conn.execute(sa.insert(subject_history).from_select(columns, lines))
