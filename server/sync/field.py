"""Acts on visits as the office asks for them, each in the transaction that it has open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from server.domain.item import Template
from server.store import registry, visits
from server.store.people import Person
from server.store.session import Connection
from server.sync import acts
from server.sync.acts import Act
from server.sync.keys import Keys


class Order(Protocol):
    """What a visit is dispatched with: the office's `VisitOrder`."""

    @property
    def id(self) -> str: ...
    @property
    def unit_id(self) -> str: ...
    @property
    def subject_id(self) -> str: ...
    @property
    def subject(self) -> tuple[str, str]: ...
    @property
    def template(self) -> Template: ...
    @property
    def window(self) -> tuple[str, str]: ...
    @property
    def tasks(self) -> Sequence[str]: ...
    @property
    def crew(self) -> Sequence[tuple[str, str]]: ...
    @property
    def nonce(self) -> str | None: ...


class SyncField:
    """Does what the office's `Field` says with the server's own replica."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys

    def open_visit(self, conn: Connection, person: Person, now: datetime, order: Order) -> None:
        """Keeps the checklist, adds the visit, and writes an `assign` for each of its crew."""
        registry.keep_template(conn, order.template)
        acts.open_visit(
            conn, self.keys, visit_id=order.id, unit_id=order.unit_id, subject_id=order.subject_id,
            subject=order.subject, tpl=order.template.sha256, window=order.window, tasks=order.tasks, crew=order.crew,
            now=now, actor=person.id, nonce=order.nonce,
        )  # fmt: skip

    def assign(
        self, conn: Connection, person: Person, now: datetime, visit_id: str, officer_id: str, role: str, reason: str
    ) -> None:
        """An `assign` op by the rights that the person has in the visit's unit."""
        self._act(conn, person, now, visit_id, "assign", ["crew", officer_id], {"role": role, "reason": reason})

    def recuse(self, conn: Connection, person: Person, now: datetime, visit_id: str, reason: str) -> None:
        """A `set` of his own word, which the server's replica carries."""
        acts.recuse_in(conn, self.keys, person, visit_id, reason, now)

    def void(self, conn: Connection, person: Person, now: datetime, visit_id: str, reason: str) -> None:
        """A `void` op."""
        self._act(conn, person, now, visit_id, "void", ["visit"], {"reason": reason})

    def extend(self, conn: Connection, visit_id: str, until: str) -> None:
        """The visit's row and its crew's lists; no op, since nothing of the record changes."""
        visits.extend(conn, visit_id, until)

    def merge(self, conn: Connection, person: Person, now: datetime, visit_id: str, other_id: str) -> None:
        """One door for several matters."""
        acts.merge_in(conn, self.keys, person, visit_id, other_id, now)

    def _act(
        self, conn: Connection, person: Person, now: datetime, visit_id: str, kind: str, path: list[str],
        val: dict[str, Any],
    ) -> None:  # fmt: skip
        acts.act_in(conn, self.keys, person, visit_id, Act(kind, path, val), now)
