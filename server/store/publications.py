"""Results as published: their versions, what is kept from the public, and corrections."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.domain.instant import stamp
from server.domain.publication import Inspector, PublicResult
from server.errors import Problem
from server.store.counting import next_of
from server.store.deadlines import PUBLICATION_TARGET
from server.store.tables import correction as correction_table
from server.store.tables import (
    deadline,
    officer,
    publication,
    publication_term,
    publication_version,
    review,
    task,
    task_item,
    visit,
    visit_task,
)
from server.store.tables import withholding as withholding_table


class Published(msgspec.Struct, frozen=True):
    """The newest version of a visit's result for one task, as lists read it."""

    id: str
    place: int
    no: str
    visit_id: str
    task_id: str
    unit_id: str
    subject_id: str
    subject_name: str
    name_key: str
    uscc: str
    main: str
    visited_on: str
    published_on: str
    changed_at: str
    corrected_on: str | None
    version: int


class Version(msgspec.Struct, frozen=True):
    """One version with the bytes that the public reads; `round` is the record's, `correction_id` what made it."""

    publication_id: str
    version: int
    body: bytes
    sha256: str
    round: int
    correction_id: str | None
    by: str
    at: str

    @property
    def result(self) -> PublicResult:
        """What it says."""
        return msgspec.json.decode(self.body, type=PublicResult)


class Withholding(msgspec.Struct, frozen=True):
    """A request not to publish a result, with the principal's answer (R26.3)."""

    id: str
    visit_id: str
    task_id: str
    unit_id: str
    ground: str
    basis: str
    reason: str
    review_on: str
    asked_by: str
    asked_at: str
    state: str = "asked"
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    lifted_why: str | None = None
    lifted_by: str | None = None
    lifted_at: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits or stands."""
        return self.state in ("asked", "approved")


class Correction(msgspec.Struct, frozen=True):
    """A correction that was asked for; `items` and `main` are what the next version would say (R26.4)."""

    id: str
    publication_id: str
    unit_id: str
    version: int
    items: list[dict[str, Any]]
    main: str
    reason: str
    source: str
    objection_id: str | None
    asked_by: str
    asked_at: str
    state: str = "asked"
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


class VisitTask(msgspec.Struct, frozen=True):
    """A task of a visit with its items, in their order (R24.6)."""

    id: str
    no: str
    name: str
    items: tuple[str, ...]


# --- what is public ---------------------------------------------------------------------------------------------------


def next_no(conn: Connection, year: int) -> tuple[int, str]:
    """The next place of all, and the next number of a year, "2026-000123": dense, their counters held until the end."""
    return next_of(conn, "publication"), f"{year}-{next_of(conn, f'publication:{year}'):06}"


def add(conn: Connection, head: Published, first: Version) -> None:
    """Publishes a first version; of two at once the second is told that it is there."""
    try:
        conn.execute(sa.insert(publication).values(msgspec.structs.asdict(head)))
    except IntegrityError as error:
        raise Problem("already_published") from error
    conn.execute(sa.insert(publication_version).values(msgspec.structs.asdict(first)))
    rows = [{"term": term, "place": head.place} for term in sorted(pairs_of(head.name_key))]
    if rows:
        conn.execute(sa.insert(publication_term), rows)


def pairs_of(key: str) -> set[str]:
    """The pairs of characters that stand side by side in a name as `same_name` gives it."""
    return {key[at : at + 2] for at in range(len(key) - 1)}


def add_version(conn: Connection, head: Published, made: Version) -> None:
    """Publishes the next version; those before it stay."""
    conn.execute(sa.insert(publication_version).values(msgspec.structs.asdict(made)))
    names = ("main", "changed_at", "corrected_on", "version")
    values = {name: getattr(head, name) for name in names}
    conn.execute(sa.update(publication).where(publication.c.id == head.id).values(values))


def published(conn: Connection, no: str, *, lock: bool = False) -> Published | None:
    """The result of a number."""
    query = sa.select(publication).where(publication.c.no == no)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Published(**row)


def published_by_id(conn: Connection, id: str, *, lock: bool = False) -> Published | None:
    """The result of an id."""
    query = sa.select(publication).where(publication.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Published(**row)


def published_of_visits(conn: Connection, visit_ids: Collection[str]) -> dict[tuple[str, str], Published]:
    """(visit, task) -> its published result."""
    query = sa.select(publication).where(publication.c.visit_id.in_(list(visit_ids)))
    found = [Published(**row) for row in conn.execute(query).mappings()]
    return {(one.visit_id, one.task_id): one for one in found}


def versions_of(conn: Connection, publication_id: str) -> list[Version]:
    """Every version, the first one first."""
    query = sa.select(publication_version).where(publication_version.c.publication_id == publication_id)
    return [Version(**row) for row in conn.execute(query.order_by(publication_version.c.version)).mappings()]


def newest_bodies(conn: Connection, heads: Sequence[Published]) -> dict[str, bytes]:
    """Id -> the bytes of the newest version."""
    newest = sa.and_(
        publication_version.c.publication_id == publication.c.id, publication_version.c.version == publication.c.version
    )
    query = sa.select(publication.c.id, publication_version.c.body).join(publication_version, newest)
    found: dict[str, bytes] = {}
    for part in (heads[at : at + 500] for at in range(0, len(heads), 500)):
        rows = conn.execute(query.where(publication.c.id.in_([head.id for head in part])))
        found |= {row.id: row.body for row in rows}
    return found


def published_by_unit(conn: Connection, unit_id: str) -> Iterator[tuple[Published, PublicResult]]:
    """What is published of a unit in its newest version, in the order of publication, some at a time."""
    query, last = sa.select(publication).where(publication.c.unit_id == unit_id).order_by(publication.c.place), 0
    while heads := [
        Published(**row) for row in conn.execute(query.where(publication.c.place > last).limit(500)).mappings()
    ]:
        bodies = newest_bodies(conn, heads)
        yield from ((head, msgspec.json.decode(bodies[head.id], type=PublicResult)) for head in heads)
        last = heads[-1].place


def ids_by_no(conn: Connection, unit_id: str, nos: Collection[str]) -> dict[str, str]:
    """Number -> id of those of these results that a unit published."""
    found: dict[str, str] = {}
    listed = list(nos)
    for part in (listed[at : at + 500] for at in range(0, len(listed), 500)):
        its = sa.and_(publication.c.unit_id == unit_id, publication.c.no.in_(part))
        found |= {row.no: row.id for row in conn.execute(sa.select(publication.c.no, publication.c.id).where(its))}
    return found


# --- what it is made of -----------------------------------------------------------------------------------------------


def tasks_of_visits(conn: Connection, visit_ids: Collection[str]) -> dict[str, list[VisitTask]]:
    """Visit -> its tasks, each with its items."""
    query = (
        sa.select(visit_task.c.visit_id, task.c.id, task.c.no, task.c.name, task_item.c.item_id)
        .join(task, task.c.id == visit_task.c.task_id)
        .join(task_item, task_item.c.task_id == task.c.id)
        .where(visit_task.c.visit_id.in_(list(visit_ids)))
        .order_by(visit_task.c.visit_id, task.c.id, task_item.c.place, task_item.c.item_id)
    )
    found: dict[str, dict[str, VisitTask]] = {}
    for visit_id, id, no, name, item_id in conn.execute(query):
        there = found.setdefault(visit_id, {})
        known = there.get(id, VisitTask(id, no or "", name, ()))
        there[id] = msgspec.structs.replace(known, items=(*known.items, item_id))
    return {visit_id: list(there.values()) for visit_id, there in found.items()}


def inspectors(conn: Connection, ids: Collection[str]) -> dict[str, Inspector]:
    """Name and certificate of officers by their ids."""
    query = sa.select(officer.c.id, officer.c.name, officer.c.certificate).where(officer.c.id.in_(list(ids)))
    return {row.id: Inspector(row.name, row.certificate) for row in conn.execute(query)}


# --- kept from the public ---------------------------------------------------------------------------------------------


def add_withholding(conn: Connection, asked: Withholding) -> None:
    """Writes a request; one that waits or stands already is in the way of another."""
    try:
        conn.execute(sa.insert(withholding_table).values(msgspec.structs.asdict(asked)))
    except IntegrityError as error:
        raise Problem("withholding_there") from error


def withholding_of(conn: Connection, id: str, *, lock: bool = False) -> Withholding | None:
    """One request."""
    query = sa.select(withholding_table).where(withholding_table.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Withholding(**row)


def withholdings_of_visits(conn: Connection, visit_ids: Collection[str]) -> dict[tuple[str, str], list[Withholding]]:
    """(visit, task) -> its requests, the latest first."""
    query = sa.select(withholding_table).where(withholding_table.c.visit_id.in_(list(visit_ids)))
    found: dict[tuple[str, str], list[Withholding]] = {}
    for row in conn.execute(query.order_by(withholding_table.c.asked_at.desc())).mappings():
        one = Withholding(**row)
        found.setdefault((one.visit_id, one.task_id), []).append(one)
    return found


def withholdings(conn: Connection, unit_id: str | None, states: Collection[str]) -> list[Withholding]:
    """The requests of a unit, or of all, in some states; the oldest first."""
    query = sa.select(withholding_table).where(withholding_table.c.state.in_(list(states)))
    if unit_id is not None:
        query = query.where(withholding_table.c.unit_id == unit_id)
    query = query.order_by(withholding_table.c.asked_at, withholding_table.c.id)
    return [Withholding(**row) for row in conn.execute(query).mappings()]


def decide_withholding(conn: Connection, id: str, state: str, answer: str, by: str, now: datetime) -> None:
    """Writes the principal's answer."""
    values = {"state": state, "answer": answer, "decided_by": by, "decided_at": stamp(now)}
    conn.execute(sa.update(withholding_table).where(withholding_table.c.id == id).values(values))


def lift_withholding(conn: Connection, id: str, why: str, by: str, now: datetime) -> None:
    """Ends one that stands."""
    values = {"state": "lifted", "lifted_why": why, "lifted_by": by, "lifted_at": stamp(now)}
    conn.execute(sa.update(withholding_table).where(withholding_table.c.id == id).values(values))


# --- corrections ------------------------------------------------------------------------------------------------------


def add_correction(conn: Connection, asked: Correction) -> None:
    """Writes a request; one that waits already is in the way of another."""
    try:
        conn.execute(sa.insert(correction_table).values(msgspec.structs.asdict(asked)))
    except IntegrityError as error:
        raise Problem("correction_there") from error


def correction_of(conn: Connection, id: str, *, lock: bool = False) -> Correction | None:
    """One request."""
    query = sa.select(correction_table).where(correction_table.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Correction(**row)


def corrections_of(conn: Connection, publication_id: str) -> list[Correction]:
    """Every request about a result, the latest first."""
    query = sa.select(correction_table).where(correction_table.c.publication_id == publication_id)
    return [Correction(**row) for row in conn.execute(query.order_by(correction_table.c.asked_at.desc())).mappings()]


def waiting_corrections(conn: Connection, unit_id: str | None) -> list[tuple[Correction, Published]]:
    """What waits for the principal, the oldest first."""
    query = (
        sa.select(correction_table.c.id, correction_table.c.publication_id)
        .where(correction_table.c.state == "asked")
        .order_by(correction_table.c.asked_at)
    )
    if unit_id is not None:
        query = query.where(correction_table.c.unit_id == unit_id)
    found = [(correction_of(conn, row.id), published_by_id(conn, row.publication_id)) for row in conn.execute(query)]
    return [(asked, head) for asked, head in found if asked is not None and head is not None]


def decide_correction(conn: Connection, id: str, state: str, answer: str, by: str, now: datetime) -> None:
    """Writes the principal's answer: `signed` or `refused`."""
    values = {"state": state, "answer": answer, "decided_by": by, "decided_at": stamp(now)}
    conn.execute(sa.update(correction_table).where(correction_table.c.id == id).values(values))


# --- lists ------------------------------------------------------------------------------------------------------------


class Waiting(msgspec.Struct, frozen=True):
    """A final result that is neither published nor kept back; `due_on` is None while its target is provisional."""

    visit_id: str
    task_id: str
    subject_name: str
    uscc: str
    task: str
    unit_id: str
    due_on: str | None
    approved: bool


_IS_APPROVED = sa.exists().where(
    review.c.visit_id == visit.c.id, review.c.round == visit.c.round, review.c.state == "approved"
)
_IS_WITHHELD = sa.exists().where(
    withholding_table.c.visit_id == visit_task.c.visit_id,
    withholding_table.c.task_id == visit_task.c.task_id,
    withholding_table.c.state == "approved",
)


def _waiting(columns: tuple[Any, ...], unit_id: str | None) -> sa.Select[Any]:
    target = sa.and_(deadline.c.object == sa.literal("visit:") + visit.c.id, deadline.c.kind == PUBLICATION_TARGET)
    its = sa.and_(publication.c.visit_id == visit_task.c.visit_id, publication.c.task_id == visit_task.c.task_id)
    query = (
        sa.select(*columns)
        .select_from(visit)
        .join(visit_task, visit_task.c.visit_id == visit.c.id)
        .join(task, task.c.id == visit_task.c.task_id)
        .outerjoin(deadline, target)
        .outerjoin(publication, its)
        .where(visit.c.state == "final", publication.c.id.is_(None), ~_IS_WITHHELD)
    )
    return query if unit_id is None else query.where(visit.c.unit_id == unit_id)


def waiting(conn: Connection, unit_id: str | None, first: int = 0, limit: int | None = None) -> list[Waiting]:
    """What is to be published of a unit, or of all: the nearest target first, provisional ones last."""
    columns = (
        visit.c.id.label("visit_id"), task.c.id.label("task_id"), visit.c.subject_name,
        visit.c.subject_uscc.label("uscc"), task.c.name.label("task"), visit.c.unit_id, deadline.c.due_on,
        _IS_APPROVED.label("approved"),
    )  # fmt: skip
    query = _waiting(columns, unit_id).order_by(deadline.c.due_on.is_(None), deadline.c.due_on, visit.c.id, task.c.id)
    return [Waiting(**row) for row in conn.execute(query.offset(first).limit(limit)).mappings()]


def count_waiting(conn: Connection, unit_id: str | None) -> int:
    """How many there are."""
    return int(conn.execute(_waiting((sa.func.count(),), unit_id)).scalar_one())


def published_list(conn: Connection, unit_id: str | None, first: int, limit: int) -> list[Published]:
    """What is published of a unit, or of all, the newest first."""
    query = sa.select(publication).order_by(publication.c.place.desc())
    if unit_id is not None:
        query = query.where(publication.c.unit_id == unit_id)
    return [Published(**row) for row in conn.execute(query.offset(first).limit(limit)).mappings()]


def count_published(conn: Connection, unit_id: str | None) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(publication)
    return int(conn.execute(query if unit_id is None else query.where(publication.c.unit_id == unit_id)).scalar_one())
