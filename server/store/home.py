"""What the office's first page asks: final records that wait, and what the year's visits came to."""

from __future__ import annotations

from collections import Counter

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.tables import deadline, device, officer, review, visit, visit_crew


class Final(msgspec.Struct, frozen=True):
    """A visit whose record is final; `said` is the office's word on this round, `approved` or `returned`, if any."""

    visit_id: str
    subject: str
    round: int
    said: str | None
    by: str | None


def finals(conn: Connection, unit_id: str | None) -> list[Final]:
    """Final records of a unit, or of all with None, that nobody has approved."""
    query = (
        sa.select(visit.c.id, visit.c.subject_name, visit.c.round, review.c.state, review.c.by)
        .outerjoin(review, sa.and_(review.c.visit_id == visit.c.id, review.c.round == visit.c.round))
        .where(visit.c.state == "final", sa.or_(review.c.state.is_(None), review.c.state != "approved"))
        .order_by(visit.c.dispatched_at, visit.c.id)
    )
    return [Final(*row) for row in conn.execute(query if unit_id is None else query.where(visit.c.unit_id == unit_id))]


def crews_of(conn: Connection, officer_id: str) -> set[str]:
    """The visits of whose crew somebody was, removed or not."""
    return set(conn.scalars(sa.select(visit_crew.c.visit_id).where(visit_crew.c.officer_id == officer_id)))


def ended_by_month(conn: Connection, unit_id: str | None, year: int) -> list[int]:
    """How many visits ended in each month: by the day from which their time for publication runs."""
    query = (
        sa.select(deadline.c.start_on)
        .join(visit, deadline.c.object == sa.literal("visit:") + visit.c.id)
        .where(deadline.c.kind == "publication_target", deadline.c.start_on.between(f"{year}-01-01", f"{year}-12-31"))
        .where(visit.c.state != "void")
    )
    if unit_id is not None:
        query = query.where(visit.c.unit_id == unit_id)
    months = Counter(int(str(day)[5:7]) for day in conn.scalars(query))
    return [months[month] for month in range(1, 13)]


def load_of(conn: Connection, unit_id: str | None, year: int) -> list[tuple[str, int]]:
    """Name of each officer in service -> in how many of the year's visits he is: the fairness of the load."""
    mine = sa.and_(
        visit.c.id == visit_crew.c.visit_id,
        visit.c.dispatched_at.between(f"{year}-01-01", f"{year}-12-31T24"),
        visit.c.state != "void",
    )
    query = (
        sa.select(officer.c.name, sa.func.count(visit.c.id))
        .outerjoin(visit_crew, sa.and_(visit_crew.c.officer_id == officer.c.id, visit_crew.c.role != "removed"))
        .outerjoin(visit, mine)
        .where(officer.c.left_on.is_(None))
        .group_by(officer.c.id, officer.c.name)
        .order_by(sa.func.count(visit.c.id).desc(), officer.c.name)
    )
    rows = conn.execute(query if unit_id is None else query.where(officer.c.unit_id == unit_id))
    return [(str(name), int(count)) for name, count in rows]


def frozen_phones(conn: Connection) -> list[tuple[str, str]]:
    """Replica and name of the phones of which a copy was found and which nobody has revoked."""
    query = sa.select(device.c.rid, device.c.name).where(device.c.frozen_at.is_not(None), device.c.revoked_at.is_(None))
    return [(str(rid), str(name)) for rid, name in conn.execute(query.order_by(device.c.frozen_at))]
