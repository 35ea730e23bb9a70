"""Objections as they were filed, their papers and their steps; what a stranger's address tried in the last hour."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import instant, stamp
from server.domain.objection import CLOSED
from server.store.bulk import insert_rows
from server.store.seal import Sealer
from server.store.tables import (
    blob,
    correction,
    deadline,
    objection,
    objection_event,
    objection_paper,
    objection_try,
    publication,
    visit_crew,
)

RECHECK: Final = "objection_recheck"
"""Of an objection: by when it is to be rechecked (R26.5)."""

FEEDBACK: Final = "objection_feedback"
"""Of an objection: by when the recheck's result is to be told."""

SEALED: Final = ("name", "phone", "grounds", "wanted")
"""What who objected wrote of himself and of his cause."""


class Objection(msgspec.Struct, frozen=True):
    """An objection without what is sealed; `subject` and `result_no` are the publication's."""

    id: str
    no: str
    publication_id: str
    version: int
    unit_id: str
    visit_id: str
    capacity: str
    filed_at: str
    papers_on: str
    state: str
    outcome: str | None
    changed_at: str
    result_no: str
    subject: str
    subject_id: str

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is to come."""
        return self.state in CLOSED


class Paper(msgspec.Struct, frozen=True):
    """A piece of evidence of who objects; `sha256` is that of the sealed bytes."""

    objection_id: str
    n: int
    mime: str
    size: int
    sha256: str
    at: str


class Event(msgspec.Struct, frozen=True):
    """One step: `state` after it, what was said, and the letter that went out with it."""

    objection_id: str
    n: int
    act: str
    by: str
    at: str
    state: str
    said: str
    detail: dict[str, Any]
    document_id: str | None


def add_objection(conn: Connection, sealer: Sealer, made: Objection, code_hash: str, said: Mapping[str, str]) -> None:
    """Writes an objection; `said` is what is sealed."""
    names = ("id", "no", "publication_id", "version", "unit_id", "visit_id", "capacity", "filed_at", "papers_on",
             "state", "outcome", "changed_at")  # fmt: skip
    values = {name: getattr(made, name) for name in names} | {"code_hash": code_hash}
    sealed = {name: sealer.seal("objection", name, made.id, said[name]) for name in SEALED}
    conn.execute(sa.insert(objection).values(values | sealed))


_COLUMNS: Final = [
    *(objection.c[name] for name in Objection.__struct_fields__[:12]),
    publication.c.no.label("result_no"),
    publication.c.subject_name.label("subject"),
    publication.c.subject_id,
]


def _query() -> sa.Select[Any]:
    return sa.select(*_COLUMNS).join(publication, publication.c.id == objection.c.publication_id)


def _one(conn: Connection, query: sa.Select[Any]) -> Objection | None:
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else Objection(**row)


def objection_of(conn: Connection, id: str, *, lock: bool = False) -> Objection | None:
    """One objection; with `lock` nobody else moves it until the transaction ends."""
    query = _query().where(objection.c.id == id)
    return _one(conn, query.with_for_update(of=objection) if lock else query)


def objection_by_code(conn: Connection, code_hash: str, *, lock: bool = False) -> Objection | None:
    """The objection that a receipt code opens."""
    query = _query().where(objection.c.code_hash == code_hash)
    return _one(conn, query.with_for_update(of=objection) if lock else query)


def objections(
    conn: Connection, unit_id: str | None, *, closed: bool, first: int = 0, limit: int = 200
) -> list[Objection]:
    """The objections of a unit, or of all: the open ones, the oldest papers first, or the closed ones, newest first."""
    query = _query().where(objection.c.state.in_(CLOSED) if closed else objection.c.state.not_in(CLOSED))
    if unit_id is not None:
        query = query.where(objection.c.unit_id == unit_id)
    order = (objection.c.changed_at.desc(),) if closed else (objection.c.papers_on,)
    query = query.order_by(*order, objection.c.no).offset(first).limit(limit)
    return [Objection(**row) for row in conn.execute(query).mappings()]


def count(conn: Connection, unit_id: str | None, *, closed: bool) -> int:
    """How many `objections` there are."""
    query = sa.select(sa.func.count()).select_from(objection)
    query = query.where(objection.c.state.in_(CLOSED) if closed else objection.c.state.not_in(CLOSED))
    return int(conn.scalar(query if unit_id is None else query.where(objection.c.unit_id == unit_id)) or 0)


def objections_to(conn: Connection, publication_id: str) -> list[Objection]:
    """Every objection to a result, in the order in which they were filed."""
    query = _query().where(objection.c.publication_id == publication_id)
    found = [Objection(**row) for row in conn.execute(query).mappings()]
    return sorted(found, key=lambda one: (one.filed_at, one.no))


def opened(conn: Connection, sealer: Sealer, id: str, name: str) -> str:
    """One of the sealed fields in clear."""
    sealed = conn.execute(sa.select(objection.c[name]).where(objection.c.id == id)).scalar_one()
    return sealer.open("objection", name, id, bytes(sealed))


def move(conn: Connection, id: str, now: datetime, **values: str | None) -> None:
    """Writes the state after a step, and what goes with it."""
    done = sa.update(objection).where(objection.c.id == id)
    conn.execute(done.values(values | {"changed_at": stamp(now)}))


# --- papers and steps -------------------------------------------------------------------------------------------------


def add_papers(conn: Connection, papers: Collection[Paper], sizes: Mapping[str, int]) -> None:
    """Notes that papers are here; `sizes` are those of the sealed bytes by their digests."""
    if not papers:
        return
    stored = [(one.sha256, sizes[one.sha256], one.at) for one in papers]
    insert_rows(conn, blob, ("sha256", "size", "stored_at"), stored, new=False)
    conn.execute(sa.insert(objection_paper), [msgspec.structs.asdict(one) for one in papers])


def papers_of(conn: Connection, id: str) -> list[Paper]:
    """The papers of an objection, in the order in which they came."""
    query = sa.select(objection_paper).where(objection_paper.c.objection_id == id)
    return [Paper(**row) for row in conn.execute(query.order_by(objection_paper.c.n)).mappings()]


def add_event(
    conn: Connection, it: Objection, act: str, by: str, now: datetime, state: str, said: str = "",
    detail: Mapping[str, Any] | None = None, document_id: str | None = None,
) -> None:  # fmt: skip
    """Writes down the next step."""
    its = objection_event.c
    n = conn.scalar(sa.select(sa.func.max(its.n)).where(its.objection_id == it.id)) or 0
    made = Event(it.id, n + 1, act, by, stamp(now), state, said, dict(detail or {}), document_id)
    conn.execute(sa.insert(objection_event).values(msgspec.structs.asdict(made)))


def events_of(conn: Connection, id: str) -> list[Event]:
    """Every step of an objection."""
    query = sa.select(objection_event).where(objection_event.c.objection_id == id)
    return [Event(**row) for row in conn.execute(query.order_by(objection_event.c.n)).mappings()]


def corrections_because_of(conn: Connection, id: str) -> list[tuple[str, str]]:
    """Id and state of the corrections that an objection started, the latest last."""
    query = sa.select(correction.c.id, correction.c.state).where(correction.c.objection_id == id)
    return [(row.id, row.state) for row in conn.execute(query.order_by(correction.c.asked_at))]


def crew_of(conn: Connection, visit_id: str) -> set[str]:
    """Everybody who is or was of a visit's crew."""
    return set(conn.scalars(sa.select(visit_crew.c.officer_id).where(visit_crew.c.visit_id == visit_id)))


# --- deadlines --------------------------------------------------------------------------------------------------------


class Dated(msgspec.Struct, frozen=True):
    """A deadline of an objection with what a list shows of it."""

    objection_id: str
    no: str
    subject: str
    unit_id: str
    kind: str
    start_on: str
    days: int
    due_on: str | None
    known: int
    missing_year: int | None
    settled_on: str | None


def dated(conn: Connection, unit_id: str | None, *, waiting: bool) -> list[Dated]:
    """The deadlines of a unit's objections, or of all, that aren't met: those that wait for a calendar, then by day."""
    its = deadline.c
    query = (
        sa.select(objection.c.id.label("objection_id"), objection.c.no, publication.c.subject_name.label("subject"),
                  objection.c.unit_id, its.kind, its.start_on, its.days, its.due_on, its.known, its.missing_year,
                  its.settled_on)
        .join(deadline, its.object == sa.literal("objection:") + objection.c.id)
        .join(publication, publication.c.id == objection.c.publication_id)
        .where(its.kind.in_([RECHECK, FEEDBACK]), its.settled_on.is_(None))
        .order_by(its.due_on.is_not(None), its.due_on, objection.c.no, its.kind)
    )  # fmt: skip
    if unit_id is not None:
        query = query.where(objection.c.unit_id == unit_id)
    if waiting:
        query = query.where(its.due_on.is_(None))
    return [Dated(**row) for row in conn.execute(query).mappings()]


# --- what an address tried --------------------------------------------------------------------------------------------

HOUR: Final = timedelta(hours=1)


def note_try(conn: Connection, kind: str, address: str, now: datetime) -> None:
    """Counts one more, and forgets what is older than an hour."""
    conn.execute(sa.delete(objection_try).where(objection_try.c.at <= stamp(now - HOUR)))
    values = {"id": str(uuid4()), "kind": kind, "address": address[:64], "at": stamp(now)}
    conn.execute(sa.insert(objection_try).values(values))


def wait_of(conn: Connection, kind: str, address: str, now: datetime, most: int) -> int | None:
    """Seconds until an address may try again, where it did so `most` times within the hour."""
    its = objection_try.c
    query = sa.select(its.at).where(its.kind == kind, its.address == address[:64], its.at > stamp(now - HOUR))
    tries = conn.scalars(query.order_by(its.at.desc()).limit(most)).all()
    if len(tries) < most:
        return None
    return max(1, int((instant(tries[-1]) + HOUR - now).total_seconds()) + 1)
