"""Visits: their counter row, which hands out the numbers of the journal, who is in them, and what a phone is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.store.bulk import Plain
from server.store.tables import assignments, device, officer, task, template, visit, visit_crew, visit_task


class Locked(msgspec.Struct, frozen=True):
    """The counter row of a visit, locked until the end of the transaction."""

    id: str
    unit_id: str
    subject_id: str
    subject_name: str
    subject_uscc: str
    tpl: str
    window_from: str
    window_to: str
    head: int
    round: int
    state: str
    standing: bytes


_COLUMNS = [visit.c[name] for name in Locked.__struct_fields__]
_BY_ID = sa.select(*_COLUMNS).where(visit.c.id == sa.bindparam("visit"))
_LOOK, _LOCK = Plain(_BY_ID), Plain(_BY_ID.with_for_update())


def lock(conn: Connection, visit_id: str) -> Locked | None:
    """Locks the visit's row in a statement of its own: no number is handed out before its commit (section 7)."""
    row = _LOCK.row(conn, visit=visit_id)
    if row is None and conn.dialect.name == "postgresql":  # nothing to lock: pushes to an unknown visit wait here
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(visit_id, 0))))
    return None if row is None else Locked(*row)


def look(conn: Connection, visit_id: str) -> Locked | None:
    """The visit's row, without a lock."""
    row = _LOOK.row(conn, visit=visit_id)
    return None if row is None else Locked(*row)


def subjects_of(conn: Connection, visit_ids: Collection[str]) -> dict[str, str]:
    """The names of those whom visits are of, as they were at the dispatch."""
    query = sa.select(visit.c.id, visit.c.subject_name).where(visit.c.id.in_(list(visit_ids)))
    return {row.id: row.subject_name for row in conn.execute(query)}


def dispatched_at(conn: Connection, visit_id: str) -> str:
    """When the visit was dispatched."""
    return str(conn.scalar(sa.select(visit.c.dispatched_at).where(visit.c.id == visit_id)))


def look_all(conn: Connection, visit_ids: Iterable[str]) -> list[Locked]:
    """The rows of visits, without a lock, in the order of their ids."""
    query = sa.select(*_COLUMNS).where(visit.c.id.in_(list(visit_ids))).order_by(visit.c.id)
    return [Locked(*row) for row in conn.execute(query)]


_WITH = Plain(
    sa.select(*_COLUMNS)
    .join(visit_crew, visit_crew.c.visit_id == visit.c.id)
    .where(visit_crew.c.officer_id == sa.bindparam("officer"), visit_crew.c.role != "removed")
)


def visits_with(conn: Connection, officer_id: str) -> list[Locked]:
    """The rows of the visits whose crew an officer is in, without a lock."""
    return [Locked(*row) for row in _WITH.rows(conn, officer=officer_id)]


_ADVANCE = Plain(
    sa.update(visit)
    .where(visit.c.id == sa.bindparam("visit"))
    .values({name: sa.bindparam(name) for name in ("head", "round", "state", "standing")})
)


def advance(conn: Connection, visit_id: str, head: int, round: int, state: str, standing: bytes) -> None:
    """Writes where the visit stands after this transaction."""
    _ADVANCE.run(conn, visit=visit_id, head=head, round=round, state=state, standing=standing)


def points_body(conn: Connection, tpl: str) -> bytes | None:
    """The document of a checklist."""
    row = _TEMPLATE.row(conn, tpl=tpl)
    return None if row is None else row[0]


_TEMPLATE = Plain(sa.select(template.c.body).where(template.c.sha256 == sa.bindparam("tpl")))


def add(
    conn: Connection,
    *,
    id: str,
    unit_id: str,
    subject_id: str,
    subject: tuple[str, str],
    tpl: str,
    window: tuple[str, str],
    nonce: str,
    standing: bytes,
    tasks: Iterable[str],
    now: datetime,
) -> None:
    """Adds a visit with its tasks; name and code of the subject are frozen as they are now."""
    conn.execute(
        sa.insert(visit).values(
            id=id, unit_id=unit_id, subject_id=subject_id, subject_name=subject[0], subject_uscc=subject[1], tpl=tpl,
            window_from=window[0], window_to=window[1], nonce=nonce, dispatched_at=stamp(now), head=0, round=1,
            state="open", standing=standing,
        )
    )  # fmt: skip
    rows = [{"visit_id": id, "task_id": task} for task in tasks]
    if rows:
        conn.execute(sa.insert(visit_task), rows)


def move_tasks(conn: Connection, source: str, target: str) -> None:
    """The tasks of one visit become another's; a task that both have is there once."""
    there = sa.select(visit_task.c.task_id).where(visit_task.c.visit_id == target)
    conn.execute(sa.delete(visit_task).where(visit_task.c.visit_id == source, visit_task.c.task_id.in_(there)))
    conn.execute(sa.update(visit_task).where(visit_task.c.visit_id == source).values(visit_id=target))


def refit(conn: Connection, visit_id: str, tpl: str, window: tuple[str, str]) -> None:
    """Gives a visit another checklist and window: only before anybody recorded anything."""
    values = {"tpl": tpl, "window_from": window[0], "window_to": window[1]}
    conn.execute(sa.update(visit).where(visit.c.id == visit_id).values(values))


def extend(conn: Connection, visit_id: str, until: str) -> None:
    """Gives a visit a later last day, and its crew's phones their lists anew."""
    row = sa.update(visit).where(visit.c.id == visit_id, visit.c.window_to < until).values(window_to=until)
    conn.execute(row)
    query = sa.select(visit_crew.c.officer_id).where(visit_crew.c.visit_id == visit_id, visit_crew.c.role != "removed")
    move_assignments(conn, conn.scalars(query))


def is_drawn(conn: Connection, visit_id: str) -> bool:
    """Whether a visit serves a task of the draws: those have a number."""
    its = sa.select(visit_task.c.task_id).where(visit_task.c.visit_id == visit_id)
    return conn.scalar(sa.select(sa.exists().where(task.c.id.in_(its), task.c.no.is_not(None)))) is True


class Owned(msgspec.Struct, frozen=True):
    """A device with its owner's certificate."""

    rid: str
    account_id: str
    public_key: dict[str, str]
    revoked_at: str | None
    frozen_at: str | None
    seen_at: str | None
    app: str | None
    pending: Any
    certificate_to: str | None


_OWNED = Plain(
    sa.select(
        device.c.rid,
        device.c.account_id,
        device.c.public_key,
        device.c.revoked_at,
        device.c.frozen_at,
        device.c.seen_at,
        device.c.app,
        device.c.pending,
        officer.c.certificate_to,
    )
    .select_from(device)
    .outerjoin(officer, officer.c.id == device.c.account_id)
    .where(device.c.rid == sa.bindparam("rid"))
)


def owned(conn: Connection, rid: str) -> Owned | None:
    """This replica's device, where it is enrolled."""
    row = _OWNED.row(conn, rid=rid)
    return None if row is None else Owned(*row)


def certificate_of(conn: Connection, officer_id: str) -> str | None:
    """The last day of an officer's certificate."""
    found: str | None = conn.scalar(sa.select(officer.c.certificate_to).where(officer.c.id == officer_id))
    return found


def freeze(conn: Connection, rid: str, at: str) -> None:
    """Freezes a replica: it was proved to have written two histories."""
    conn.execute(sa.update(device).where(device.c.rid == rid, device.c.frozen_at.is_(None)).values(frozen_at=at))


def mark_seen(conn: Connection, rid: str, at: str, app: str | None, pending: object) -> None:
    """Notes when a phone spoke last, with which app, and what it still holds."""
    conn.execute(sa.update(device).where(device.c.rid == rid).values(seen_at=at, app=app, pending=pending))


def rids_of(conn: Connection, owner: str) -> list[str]:
    """All replicas that a person ever enrolled."""
    return list(conn.scalars(sa.select(device.c.rid).where(device.c.account_id == owner).order_by(device.c.rid)))


def known_officer(conn: Connection, officer_id: str) -> bool:
    """Whether there is such an officer."""
    return conn.scalar(sa.select(sa.exists().where(officer.c.id == officer_id))) is True


def move_assignments(conn: Connection, officers: Iterable[str]) -> None:
    """Moves the revision of these officers' lists, so that their phones fetch them anew."""
    for officer_id in sorted(set(officers)):
        moved = conn.execute(
            sa.update(assignments).where(assignments.c.officer_id == officer_id).values(rev=assignments.c.rev + 1)
        )
        if moved.rowcount == 0:
            conn.execute(sa.insert(assignments).values(officer_id=officer_id, rev=1))


def set_crew(conn: Connection, visit_id: str, officer_id: str, role: str, n: int) -> None:
    """Writes down who may see the visit, as the `assign` op number `n` has it."""
    removed_n = n if role == "removed" else None
    changed = conn.execute(
        sa.update(visit_crew)
        .where(visit_crew.c.visit_id == visit_id, visit_crew.c.officer_id == officer_id)
        .values(role=role, removed_n=removed_n)
    )
    if changed.rowcount == 0:
        conn.execute(
            sa.insert(visit_crew).values(visit_id=visit_id, officer_id=officer_id, role=role, removed_n=removed_n)
        )


class Membership(msgspec.Struct, frozen=True):
    """What an officer may follow of a visit: all of it, or as far as the op that removed him."""

    visit_id: str
    role: str
    removed_n: int | None
    head: int


_MEMBERSHIPS = (
    sa.select(visit_crew.c.visit_id, visit_crew.c.role, visit_crew.c.removed_n, visit.c.head)
    .join(visit, visit.c.id == visit_crew.c.visit_id)
    .where(visit_crew.c.officer_id == sa.bindparam("officer"))
)
_ALL_MEMBERSHIPS = Plain(_MEMBERSHIPS)
_MEMBERSHIP = Plain(_MEMBERSHIPS.where(visit_crew.c.visit_id == sa.bindparam("visit")))


def memberships(conn: Connection, officer_id: str, visits: Sequence[str] | None = None) -> dict[str, Membership]:
    """The visits in which an officer is or was: all, or those of `visits`."""
    if visits is None:
        rows = _ALL_MEMBERSHIPS.rows(conn, officer=officer_id)
    else:  # one by one: a list of each length would be a statement of its own
        rows = [row for visit_id in visits for row in _MEMBERSHIP.rows(conn, officer=officer_id, visit=visit_id)]
    return {row[0]: Membership(*row) for row in rows}


def assignments_rev(conn: Connection, officer_id: str) -> int:
    """The revision of an officer's list; 0 while he never had one."""
    row = _REV.row(conn, officer=officer_id)
    return 0 if row is None else int(row[0])


_REV = Plain(sa.select(assignments.c.rev).where(assignments.c.officer_id == sa.bindparam("officer")))
