"""Recusals: declared by the officer himself, or asked for by the subject and decided by the principal (R20.3-4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.tables import recusal


class Recusal(msgspec.Struct, frozen=True):
    """One recusal; `asker` is who asked for the subject, empty where the officer declared it himself."""

    id: str
    visit_id: str
    unit_id: str
    subject_id: str
    officer_id: str
    kind: Literal["declared", "asked"]
    asked_on: str
    asker: str
    reason: str
    state: Literal["declared", "asked", "upheld", "dismissed"]
    entered_by: str
    entered_at: str
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the officer keeps away from this subject."""
        return self.state in ("declared", "upheld")


def recusals_of_visit(conn: Connection, visit_id: str) -> list[Recusal]:
    """What was declared or asked about a visit, the first one first."""
    return _read(conn, recusal.c.visit_id == visit_id)


def recusals(conn: Connection, unit_id: str | None = None, state: str | None = None) -> list[Recusal]:
    """Those of a unit, or of all, in one state or in any."""
    where = [] if unit_id is None else [recusal.c.unit_id == unit_id]
    return _read(conn, *where, *([] if state is None else [recusal.c.state == state]))


def recusal_of(conn: Connection, recusal_id: str, *, lock: bool = False) -> Recusal | None:
    """One of them."""
    if lock:
        conn.execute(sa.select(recusal.c.id).where(recusal.c.id == recusal_id).with_for_update())
    return next(iter(_read(conn, recusal.c.id == recusal_id)), None)


def recused_pairs(conn: Connection, officers: Iterable[str]) -> frozenset[tuple[str, str]]:
    """The pairs of officer and subject of which a recusal holds: a lot leaves them out."""
    return frozenset(
        (one.officer_id, one.subject_id) for one in _read(conn, recusal.c.officer_id.in_(list(officers))) if one.holds
    )


def told_of(conn: Connection, visit_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Visit -> its recusals as its record tells them to crew and office; visits without any aren't there."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in _read(conn, recusal.c.visit_id.in_(list(visit_ids))):
        found.setdefault(one.visit_id, []).append({to: getattr(one, name) for to, name in _TOLD.items()})
    return found


_TOLD: Final = {
    "officer": "officer_id", "kind": "kind", "asked_on": "asked_on", "asker": "asker", "reason": "reason",
    "state": "state", "answer": "answer", "decided_at": "decided_at",
}  # fmt: skip


def add_recusal(conn: Connection, added: Recusal) -> None:
    """Adds one."""
    conn.execute(sa.insert(recusal).values(msgspec.to_builtins(added)))


def decide_recusal(conn: Connection, recusal_id: str, state: str, answer: str, by: str, at: str) -> None:
    """Writes the principal's word; it stays."""
    values = {"state": state, "answer": answer, "decided_by": by, "decided_at": at}
    conn.execute(sa.update(recusal).where(recusal.c.id == recusal_id).values(values))


def _read(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Recusal]:
    rows = conn.execute(sa.select(recusal).where(*where).order_by(recusal.c.entered_at, recusal.c.id)).mappings()
    return [msgspec.convert({str(name): value for name, value in row.items()}, Recusal) for row in rows]
