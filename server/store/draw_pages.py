"""What the pages of draws ask beside the draws themselves: names by code, and how often units left the lot's way."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.tables import crew_change, crew_match, crew_way, draw, draw_frame, subject, task

_CODE = sa.func.coalesce(subject.c.uscc, subject.c.registration).label("code")
_FEW = 400
"""As many codes are asked for by name; for more the whole library is read."""


def names_by_code(conn: Connection, codes: Collection[str]) -> dict[str, str]:
    """The names of subjects by the codes that a list has."""
    query = sa.select(_CODE, subject.c.name)
    if len(codes) <= _FEW:
        query = query.where(sa.or_(subject.c.uscc.in_(codes), subject.c.registration.in_(codes)))
    wanted = set(codes)
    return {code: name for code, name in conn.execute(query) if code in wanted}


def draws_and_joint(conn: Connection, first: int, most: int) -> list[tuple[int, int, str | None]]:
    """Year and number of some draws, the latest first, and among them the tasks for which another office drew."""
    ours = sa.select(
        draw.c.year, draw.c.seq, sa.null().label("task_id"), sa.func.min(draw.c.committed_at).label("at")
    ).group_by(draw.c.year, draw.c.seq)
    theirs = sa.select(sa.literal(0), sa.literal(0), task.c.id, task.c.dispatched_at).where(
        task.c.joint == "participant", task.c.dispatched_at.is_not(None), task.c.joint_list.is_not(None)
    )
    both = sa.union_all(ours, theirs).subquery()
    query = sa.select(both.c.year, both.c.seq, both.c.task_id).order_by(
        both.c.at.desc(), both.c.year.desc(), both.c.seq.desc(), both.c.task_id
    )
    return [(int(year), int(seq), task_id) for year, seq, task_id in conn.execute(query.offset(first).limit(most))]


def draws_and_voids(conn: Connection) -> dict[str, tuple[int, int]]:
    """Unit -> how many attempts it made, and how many of them are void."""
    void = sa.func.sum(sa.case((draw.c.state == "void", 1), else_=0))
    query = sa.select(draw.c.unit_id, sa.func.count(), void).group_by(draw.c.unit_id)
    return {unit: (int(n), int(voids or 0)) for unit, n, voids in conn.execute(query)}


def undispatched(conn: Connection) -> dict[str, int]:
    """Unit -> how many of its draws were drawn and aren't dispatched yet."""
    query = sa.select(draw.c.unit_id, sa.func.count()).where(draw.c.state == "drawn").group_by(draw.c.unit_id)
    return {unit: int(n) for unit, n in conn.execute(query)}


def left_out(conn: Connection, draw_ids: Collection[str], reason: str) -> dict[str, tuple[int, int]]:
    """Unit -> how many stand on the lists of these draws, and how many of them are left out for a reason."""
    mark = f"\t{reason}\n"
    gone = sa.func.replace(draw_frame.c.frame, mark, "")
    n = (sa.func.length(draw_frame.c.frame) - sa.func.length(gone)) / len(mark)
    query = (
        sa.select(draw.c.unit_id, sa.func.sum(draw.c.rows), sa.func.sum(n))
        .join(draw_frame, draw_frame.c.draw_id == draw.c.id)
        .where(draw.c.id.in_(draw_ids))
        .group_by(draw.c.unit_id)
    )
    return {unit: (int(rows), int(found)) for unit, rows, found in conn.execute(query)}


def replacements(conn: Connection) -> dict[str, int]:
    """Unit -> how many drawn officers were replaced."""
    query = sa.select(crew_change.c.unit_id, sa.func.count()).where(crew_change.c.state == "approved")
    return {unit: int(n) for unit, n in conn.execute(query.group_by(crew_change.c.unit_id))}


def ways_out(conn: Connection) -> dict[tuple[str, str], int]:
    """Unit and kind -> how many merged pools and direct assignments were approved."""
    query = sa.select(crew_way.c.unit_id, crew_way.c.kind, sa.func.count()).where(crew_way.c.state == "approved")
    return {(unit, kind): int(n) for unit, kind, n in conn.execute(query.group_by(crew_way.c.unit_id, crew_way.c.kind))}


def places(conn: Connection) -> dict[str, int]:
    """Unit -> how many places in crews were filled by lot."""
    found: dict[str, int] = {}
    query = sa.select(crew_match.c.unit_id, crew_match.c.teams).where(crew_match.c.state.in_(("matched", "assigned")))
    for unit, teams in conn.execute(query):
        found[unit] = found.get(unit, 0) + sum(map(len, teams.values()))
    return found
