"""Numbers of documents: a series for each unit, kind and year, without a hole, and what a unit's numbers begin with."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.store.tables import document_prefix, document_series, unit


def _series(unit_id: str, kind: str, year: int) -> sa.ColumnElement[bool]:
    its = document_series.c
    return sa.and_(its.unit_id == unit_id, its.kind == kind, its.year == year)


def last_of(conn: Connection, unit_id: str, kind: str, year: int) -> int:
    """The last number that was given in a series; 0 before the first."""
    return conn.scalar(sa.select(document_series.c.last).where(_series(unit_id, kind, year))) or 0


def take(conn: Connection, unit_id: str, kind: str, year: int) -> int:
    """The next number of a series. Its row is locked until the commit: whoever comes meanwhile waits."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    fresh = insert(document_series).values(unit_id=unit_id, kind=kind, year=year, last=0)
    conn.execute(fresh.on_conflict_do_nothing())
    raised = sa.update(document_series).where(_series(unit_id, kind, year)).values(last=document_series.c.last + 1)
    return int(conn.execute(raised.returning(document_series.c.last)).scalar_one())


def prefix_of(conn: Connection, unit_id: str) -> str:
    """What a unit's numbers begin with: its own word, else its name."""
    its = document_prefix.c
    own = conn.scalar(sa.select(its.prefix).where(its.unit_id == unit_id).order_by(its.at.desc()).limit(1))
    return own or str(conn.scalar(sa.select(unit.c.name).where(unit.c.id == unit_id)))


def set_prefix(conn: Connection, unit_id: str, prefix: str, by: str, now: datetime) -> None:
    """Gives a unit its word for the numbers to come."""
    conn.execute(sa.insert(document_prefix).values(unit_id=unit_id, prefix=prefix, by=by, at=stamp(now)))
