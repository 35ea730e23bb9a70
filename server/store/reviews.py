"""What the office reads of received visits, and the reviews that it writes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.errors import Problem
from server.store.tables import (
    device,
    item,
    op,
    refusal_note,
    review,
    set_aside,
    task,
    task_item,
    unit,
    visit,
    visit_crew,
    visit_task,
)


class Received(msgspec.Struct, frozen=True):
    """One visit as the inbox lists it."""

    id: str
    unit_id: str
    subject_name: str
    subject_uscc: str
    round: int
    tpl: str
    dispatched_at: str
    last_received_at: str | None
    """Receipt of the newest op of a phone; None while nothing has come."""


class Review(msgspec.Struct, frozen=True):
    """The office's word on one round of a visit: `approved`, or `returned` with a comment."""

    round: int
    state: str
    by: str
    at: str
    comment: str | None


class Past(msgspec.Struct, frozen=True):
    """One op of the history: what it was, who did it, on which phone, when it came and what became of it."""

    n: int | None
    rid: str
    seq: int
    kind: str
    author: str | None
    received_at: str
    verdict: str
    reason: str | None
    standing: str
    standing_reason: str | None
    device: str | None
    device_owner: str | None
    body: bytes


_PHONE_OP = ~op.c.rid.like("srv%")
_NEWEST = (
    sa.select(op.c.visit_id, sa.func.max(op.c.received_at).label("at"))
    .where(op.c.n.is_not(None), _PHONE_OP)
    .group_by(op.c.visit_id)
    .subquery()
)
_RECEIVED = sa.select(
    visit.c.id,
    visit.c.unit_id,
    visit.c.subject_name,
    visit.c.subject_uscc,
    visit.c.round,
    visit.c.tpl,
    visit.c.dispatched_at,
    _NEWEST.c.at,
).outerjoin(_NEWEST, _NEWEST.c.visit_id == visit.c.id)


def received(conn: Connection, unit_id: str | None) -> list[Received]:
    """The visits of one unit, or of all with None; those with the newest material first."""
    query = _RECEIVED
    if unit_id is not None:
        query = query.where(visit.c.unit_id == unit_id)
    query = query.order_by(_NEWEST.c.at.desc().nulls_last(), visit.c.dispatched_at.desc(), visit.c.id)
    return [Received(*row) for row in conn.execute(query)]


def one_received(conn: Connection, visit_id: str) -> Received | None:
    """The visit as the inbox would list it."""
    row = conn.execute(_RECEIVED.where(visit.c.id == visit_id)).one_or_none()
    return Received(*row) if row else None


def reviews_of(conn: Connection, visit_ids: Sequence[str]) -> dict[str, list[Review]]:
    """The reviews of each visit, the latest round first."""
    columns = (review.c.visit_id, review.c.round, review.c.state, review.c.by, review.c.at, review.c.comment)
    query = sa.select(*columns).where(review.c.visit_id.in_(visit_ids)).order_by(review.c.round.desc())
    found: dict[str, list[Review]] = {}
    for visit_id, *rest in conn.execute(query):
        found.setdefault(visit_id, []).append(Review(*rest))
    return found


def add_review(conn: Connection, visit_id: str, word: Review) -> None:
    """Write the office's word on a round; of two clerks at once the second is told that there is one already."""
    try:
        conn.execute(sa.insert(review).values(visit_id=visit_id, **msgspec.structs.asdict(word)))
    except IntegrityError as error:
        raise Problem("already_reviewed") from error


# --- quarantined and late material ------------------------------------------------------------------------------------


class SetAside(msgspec.Struct, frozen=True):
    """That somebody looked at an op without effect, and left it so."""

    op: str
    reason: str
    by: str
    at: str


def set_aside_of(conn: Connection, visit_id: str) -> dict[str, SetAside]:
    """Op -> who left it without effect, and why."""
    query = sa.select(set_aside).where(set_aside.c.visit_id == visit_id)
    found = [SetAside(f"{row.rid}:{row.seq}", row.reason, row.by, row.at) for row in conn.execute(query)]
    return {one.op: one for one in found}


def add_set_aside(conn: Connection, visit_id: str, word: Sequence[SetAside]) -> None:
    """Writes that these ops were looked at; of two clerks at once the second is told that it is done."""
    rows = [
        {"visit_id": visit_id, "rid": rid, "seq": int(seq), "reason": one.reason, "by": one.by, "at": one.at}
        for one in word
        for rid, _, seq in [one.op.rpartition(":")]
    ]
    try:
        conn.execute(sa.insert(set_aside), rows)
    except IntegrityError as error:
        raise Problem("material_settled") from error


_LOOKED_AT = sa.exists().where(
    set_aside.c.visit_id == op.c.visit_id, set_aside.c.rid == op.c.rid, set_aside.c.seq == op.c.seq
)
_RETIRED = sa.or_(
    sa.func.coalesce(op.c.standing_reason, "") == "stale_proposal",
    sa.and_(op.c.standing == "late", op.c.kind == "propose_final"),
)
"""Proposals that a newer one, or the final itself, overtook: nothing of the record waits in them."""


def unsettled(conn: Connection, visit_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Visit -> op -> `quarantined` or `late`: what came in without effect, and nobody has said a word about it."""
    query = (
        sa.select(op.c.visit_id, op.c.rid, op.c.seq, op.c.standing)
        .where(op.c.visit_id.in_(list(visit_ids)), op.c.n.is_not(None))
        .where(op.c.standing.in_(("quarantined", "late")), ~_RETIRED, ~_LOOKED_AT)
        .order_by(op.c.visit_id, op.c.n)
    )
    found: dict[str, dict[str, str]] = {}
    for row in conn.execute(query):
        found.setdefault(row.visit_id, {})[f"{row.rid}:{row.seq}"] = row.standing
    return found


# --- refused signatures -----------------------------------------------------------------------------------------------


class Refusal(msgspec.Struct, frozen=True):
    """A signature that was refused, of which the unit head hasn't said yet that he knows (R23.4)."""

    visit_id: str
    subject: str
    op: str


def refusals(conn: Connection, unit_id: str | None = None, visit_id: str | None = None) -> list[Refusal]:
    """Those of a unit, or of one visit, in the order in which they came."""
    said = refusal_note.c
    noted = sa.exists().where(said.visit_id == op.c.visit_id, said.rid == op.c.rid, said.seq == op.c.seq)
    query = (
        sa.select(op.c.visit_id, visit.c.subject_name, op.c.rid, op.c.seq)
        .join(visit, visit.c.id == op.c.visit_id)
        .where(op.c.kind == sa.literal_column("'sign'"), op.c.standing == "ok", visit.c.state != "void", ~noted)
        .where(_place_of(conn, b'"refused":"') > 0)
        .order_by(op.c.received_at, op.c.rid, op.c.seq)
    )
    query = query if unit_id is None else query.where(visit.c.unit_id == unit_id)
    query = query if visit_id is None else query.where(visit.c.id == visit_id)
    return [Refusal(row.visit_id, row.subject_name, f"{row.rid}:{row.seq}") for row in conn.execute(query)]


def _place_of(conn: Connection, part: bytes) -> sa.ColumnElement[int]:
    """Where some bytes stand in an op's body, which is canonical JSON; 0 where they don't."""
    is_postgres = conn.dialect.name == "postgresql"
    place = sa.func.pg_catalog.position if is_postgres else sa.func.instr
    return place(op.c.body, sa.literal(part, sa.LargeBinary), type_=sa.Integer)


def add_refusal_notes(conn: Connection, found: Sequence[Refusal], by: str, at: str) -> None:
    """The unit head knows of them; of two clicks at once the second is told."""
    rows = [
        {"visit_id": one.visit_id, "rid": rid, "seq": int(seq), "by": by, "at": at}
        for one in found
        for rid, _, seq in [one.op.rpartition(":")]
    ]
    try:
        conn.execute(sa.insert(refusal_note), rows)
    except IntegrityError as error:
        raise Problem("refusal_noted") from error


# --- what a page shows beside -----------------------------------------------------------------------------------------


def tasks_of(conn: Connection, visit_ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """For each visit, the names of its tasks and items: [(task name, item name)]."""
    query = (
        sa.select(visit_task.c.visit_id, task.c.name, item.c.name)
        .join(task, task.c.id == visit_task.c.task_id)
        .join(task_item, task_item.c.task_id == task.c.id)
        .join(item, item.c.id == task_item.c.item_id)
        .where(visit_task.c.visit_id.in_(visit_ids))
        .order_by(visit_task.c.visit_id, task.c.id, item.c.id)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for visit_id, task_name, item_name in conn.execute(query):
        found.setdefault(visit_id, []).append((task_name, item_name))
    return found


def crew_member(conn: Connection, visit_id: str, officer_id: str) -> bool:
    """Whether this officer is or was of the visit's crew."""
    query = sa.select(visit_crew.c.role).where(visit_crew.c.visit_id == visit_id, visit_crew.c.officer_id == officer_id)
    return conn.execute(query).first() is not None


def history(conn: Connection, visit_id: str) -> list[Past]:
    """Every released op of the visit in the order of release, then the held ones."""
    query = (
        sa.select(
            op.c.n,
            op.c.rid,
            op.c.seq,
            op.c.kind,
            op.c.author,
            op.c.received_at,
            op.c.verdict,
            op.c.reason,
            op.c.standing,
            op.c.standing_reason,
            device.c.name.label("device"),
            device.c.account_id.label("device_owner"),
            op.c.body,
        )
        .outerjoin(device, device.c.rid == op.c.rid)
        .where(op.c.visit_id == visit_id, sa.or_(op.c.n.is_not(None), op.c.verdict == "held"))
        .order_by(op.c.n.nulls_last(), op.c.rid, op.c.seq)
    )
    return [Past(**row) for row in conn.execute(query).mappings()]


def unit_name(conn: Connection, unit_id: str) -> str:
    """The unit's name as people read it."""
    return str(conn.execute(sa.select(unit.c.name).where(unit.c.id == unit_id)).scalar_one())
