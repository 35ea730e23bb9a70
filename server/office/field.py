"""What acts of the office need done on visits: the routes bring it, so that office and sync never import each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from server.domain.item import Template
from server.store.people import Person
from server.store.session import Connection


class VisitOrder(msgspec.Struct, frozen=True):
    """A visit to be dispatched: subject with name and code as frozen now, checklist, window, tasks; crew may follow."""

    id: str
    unit_id: str
    subject_id: str
    subject: tuple[str, str]
    template: Template
    window: tuple[str, str]
    tasks: Sequence[str]
    crew: Sequence[tuple[str, str]] = ()
    nonce: str | None = None


class Field(Protocol):
    """Acts on visits, each in the caller's transaction; each leaves entries of its own in the trail."""

    def open_visit(self, conn: Connection, person: Person, now: datetime, order: VisitOrder) -> None:
        """Dispatches a visit, with an `assign` for each of its crew."""

    def assign(
        self, conn: Connection, person: Person, now: datetime, visit_id: str, officer_id: str, role: str, reason: str
    ) -> None:
        """Puts an officer into a crew as `leader` or `member`, or takes him out (`removed`)."""

    def recuse(self, conn: Connection, person: Person, now: datetime, visit_id: str, reason: str) -> None:
        """Puts an officer's own recusal, declared in the office, into the visit, as his phone would (R20.3)."""

    def void(self, conn: Connection, person: Person, now: datetime, visit_id: str, reason: str) -> None:
        """Ends a visit that shall have no record."""

    def extend(self, conn: Connection, visit_id: str, until: str) -> None:
        """Gives an open visit a later last day, which the phones of its crew learn; the caller's entry tells of it."""

    def merge(self, conn: Connection, person: Person, now: datetime, visit_id: str, other_id: str) -> None:
        """Gives a visit the tasks of another one of the same subject, which is void from then on (R22.1)."""
