"""Requests to excuse drawn subjects, and the documents by which subjects are suspended or cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.excuse import DEAD, Excuse, StatusDocument
from server.store.tables import draw, excuse, import_batch, subject_history, subject_status


def add(conn: Connection, added: Excuse) -> None:
    """Adds a request."""
    conn.execute(sa.insert(excuse).values(msgspec.to_builtins(added)))


def decide(conn: Connection, decided: Excuse) -> None:
    """Writes the decision; a second one is refused by the database."""
    conn.execute(sa.update(excuse).where(excuse.c.id == decided.id).values(msgspec.to_builtins(decided)))


def one(conn: Connection, id: str) -> Excuse | None:
    """One request; whoever decides holds its draw."""
    return next(iter(_read(conn, excuse.c.id == id)), None)


def of_draw(conn: Connection, draw_id: str) -> list[Excuse]:
    """The requests about a draw, the first one first."""
    return _read(conn, excuse.c.draw_id == draw_id)


def waiting(conn: Connection, unit_id: str | None) -> list[Excuse]:
    """The requests of a unit's draws, or of all, that wait and can still be decided."""
    open_draws = sa.select(draw.c.id).where(draw.c.state == "drawn")
    if unit_id is not None:
        open_draws = open_draws.where(draw.c.unit_id == unit_id)
    return _read(conn, excuse.c.state == "asked", excuse.c.draw_id.in_(open_draws))


def _read(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Excuse]:
    query = sa.select(excuse).where(*where).order_by(excuse.c.asked_at, excuse.c.id)
    rows: Sequence[Any] = conn.execute(query).mappings().all()
    return [msgspec.convert({str(name): value for name, value in row.items()}, Excuse) for row in rows]


# --- the documents of a status ----------------------------------------------------------------------------------------


def add_status(conn: Connection, subject_id: str, its: StatusDocument, by: str, at: str) -> None:
    """Keeps by which document a subject got its status."""
    values = {"subject_id": subject_id, "by": by, "at": at} | msgspec.structs.asdict(its)
    conn.execute(sa.insert(subject_status).values(values))


def status_documents(conn: Connection, statuses: dict[str, str]) -> dict[str, StatusDocument]:
    """Subject -> the document of its status, for those that are dead and have one; the latest of each counts.

    Where an import brought the status, it is what its clerk said that the file comes from (R7.2).
    """
    dead = [id for id, status in statuses.items() if status in DEAD]
    found: dict[str, StatusDocument] = {}
    for start in range(0, len(dead), 500):
        part = dead[start : start + 500]
        for id, its in (*_imported(conn, part), *_entered(conn, part)):
            if its.status in ("", statuses[id]):
                found[id] = msgspec.structs.replace(its, status=statuses[id])
    return found


def _entered(conn: Connection, ids: Sequence[str]) -> list[tuple[str, StatusDocument]]:
    table = subject_status
    query = sa.select(table).where(table.c.subject_id.in_(ids)).order_by(table.c.at)
    return [(row.subject_id, StatusDocument(row.status, row.document, row.on)) for row in conn.execute(query)]


def _imported(conn: Connection, ids: Sequence[str]) -> list[tuple[str, StatusDocument]]:
    its = subject_history
    query = (
        sa.select(its.c.subject_id, its.c.changes, its.c.kind, import_batch.c.source, import_batch.c.applied_at)
        .join(import_batch, its.c.source == sa.literal("import:") + import_batch.c.id)
        .where(its.c.subject_id.in_(ids), its.c.kind.in_(("entered", "changed")))
        .order_by(its.c.n)
    )
    return [
        (row.subject_id, StatusDocument("", f"名录导入：{row.source}", (row.applied_at or "")[:10]))
        for row in conn.execute(query)
        if row.kind == "entered" or any(change["field"] == "status" for change in row.changes)
    ]
