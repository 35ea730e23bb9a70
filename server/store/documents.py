"""Documents of visits: what was printed, kept for ever, and which of them count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from server.domain.document_order import Problem, without_order
from server.domain.instant import stamp
from server.store import records
from server.store.bulk import insert_rows
from server.store.tables import blob, document, recheck, subject, visit


class Document(msgspec.Struct, frozen=True):
    """One document. `problems` are an order's, or those that a recheck's opinion is on; `sha256` is that of its PDF."""

    id: str
    visit_id: str
    unit_id: str
    kind: str
    year: int
    n: int
    no: str
    round: int
    record: str | None
    sheet: bytes
    problems: list[Problem]
    due_on: str | None
    order_id: str | None
    replaces: str | None
    reason: str
    sha256: str
    size: int
    made_by: str
    made_at: str


class Follow(msgspec.Struct, frozen=True):
    """An order that counts, with its subject, the recheck that is open on it, and the opinion that closes it."""

    id: str
    no: str
    visit_id: str
    unit_id: str
    subject: str
    due_on: str
    n: int
    recheck_id: str | None
    opinion_id: str | None


_COLUMNS = [document.c[name] for name in Document.__struct_fields__]
_later = aliased(document)
_COUNTS = ~sa.exists().where(_later.c.replaces == document.c.id)
"""A document counts until another one replaces it."""


def add_document(conn: Connection, made: Document, now: datetime) -> None:
    """Keeps a document, and notes that its bytes are here."""
    stored = [(made.sha256, made.size, stamp(now))]
    insert_rows(conn, blob, ("sha256", "size", "stored_at"), stored, new=False)
    values = {name: getattr(made, name) for name in Document.__struct_fields__}
    conn.execute(sa.insert(document).values(values | {"problems": msgspec.to_builtins(made.problems)}))


def document_of(conn: Connection, document_id: str) -> Document | None:
    """One document by its id."""
    return next(iter(_read(conn, document.c.id == document_id)), None)


def documents_of(conn: Connection, visit_id: str) -> list[Document]:
    """Every document of a visit, in the order in which they were made."""
    return _read(conn, document.c.visit_id == visit_id)


def counting(conn: Connection, visit_id: str, kind: str) -> list[Document]:
    """The documents of one kind that count: those that no other replaces."""
    return _read(conn, document.c.visit_id == visit_id, document.c.kind == kind, _COUNTS)


def replaced_by(conn: Connection, document_id: str) -> Document | None:
    """The document that took this one's place."""
    return next(iter(_read(conn, document.c.replaces == document_id)), None)


def _read(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Document]:
    query = sa.select(*_COLUMNS).where(*where).order_by(document.c.made_at, document.c.kind, document.c.n)
    return [
        Document(**{**row, "problems": msgspec.convert(row["problems"], list[Problem])}) for row in _rows(conn, query)
    ]


def _rows(conn: Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in conn.execute(query).mappings()]


# --- orders -----------------------------------------------------------------------------------------------------------


def ordered(conn: Connection, visit_id: str, round: int) -> set[str]:
    """The findings of a round that stand as they are in a numbered order that counts (R26.6).

    What an order of an earlier round says holds while the finding still says the same.
    """
    kept = records.kept(conn, visit_id)
    if kept is None:
        return set()
    findings: dict[str, Any] = msgspec.json.decode(kept.view)["content"]["finding"]
    orders = [one for one in counting(conn, visit_id, "rectification_order") if one.round <= round]
    named = [problem for one in orders for problem in one.problems]
    rows = {problem.row for problem in named}
    return rows & findings.keys() - set(without_order(list(findings.items()), named, rows))


def add_recheck(conn: Connection, visit_id: str, order_id: str, by: str, now: datetime) -> None:
    """Notes that a visit looks after an order."""
    conn.execute(sa.insert(recheck).values(visit_id=visit_id, order_id=order_id, opened_by=by, opened_at=stamp(now)))


def order_of_recheck(conn: Connection, visit_id: str) -> Document | None:
    """The order that a visit looks after; None for any other visit."""
    order_id = sa.select(recheck.c.order_id).where(recheck.c.visit_id == visit_id).scalar_subquery()
    return next(iter(_read(conn, document.c.id == order_id)), None)


def opinion_on(conn: Connection, order_id: str) -> Document | None:
    """The opinion of a recheck that closes an order."""
    return next(iter(_read(conn, document.c.order_id == order_id, _COUNTS)), None)


def rechecks_of(conn: Connection, order_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """Order -> the visits that look after it, each with its state, in the order of their opening."""
    query = (
        sa.select(recheck.c.order_id, visit.c.id, visit.c.state)
        .join(visit, visit.c.id == recheck.c.visit_id)
        .where(recheck.c.order_id.in_(list(order_ids)))
        .order_by(recheck.c.opened_at, visit.c.id)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for order_id, visit_id, state in conn.execute(query):
        found.setdefault(order_id, []).append((visit_id, state))
    return found


def follow_ups(conn: Connection, unit_id: str | None, *, closed: bool = False) -> list[Follow]:
    """The orders with a day that count, of one unit or of all: those still open, or those that an opinion closed."""
    opinion = aliased(document)
    later = aliased(document)
    counts = ~sa.exists().where(later.c.replaces == opinion.c.id)
    query = (
        sa.select(document.c.id, document.c.no, document.c.visit_id, document.c.unit_id, visit.c.subject_name,
                  document.c.due_on, document.c.problems, opinion.c.id.label("opinion"))
        .join(visit, visit.c.id == document.c.visit_id)
        .outerjoin(opinion, sa.and_(opinion.c.order_id == document.c.id, counts))
        .where(document.c.kind == "rectification_order", document.c.due_on.is_not(None), _COUNTS)
        .where(opinion.c.id.is_not(None) if closed else opinion.c.id.is_(None))
        .order_by(document.c.due_on, document.c.no)
    )  # fmt: skip
    if unit_id is not None:
        query = query.where(document.c.unit_id == unit_id)
    rows = conn.execute(query).all()
    open_ = _open_rechecks(conn, [row.id for row in rows])
    return [
        Follow(row.id, row.no, row.visit_id, row.unit_id, row.subject_name, row.due_on, len(row.problems),
               open_.get(row.id), row.opinion)
        for row in rows
    ]  # fmt: skip


def _open_rechecks(conn: Connection, order_ids: Sequence[str]) -> dict[str, str]:
    found = rechecks_of(conn, order_ids)
    return {
        id: alive[-1] for id, visits in found.items() if (alive := [one for one, state in visits if state != "void"])
    }


class Place(msgspec.Struct, frozen=True):
    """Where a subject is registered."""

    address: str
    lat_e7: int | None
    lon_e7: int | None


def place_of(conn: Connection, subject_id: str) -> Place:
    """The registered address of a subject."""
    its = subject.c
    return Place(*conn.execute(sa.select(its.address, its.lat_e7, its.lon_e7).where(its.id == subject_id)).one())
