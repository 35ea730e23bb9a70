"""The registries: units, items and checklists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.item import Item, Template
from server.domain.registry import Unit
from server.store.tables import item, template, unit

T = TypeVar("T", Item, Unit)


def add_units(conn: Connection, units: Iterable[Unit]) -> None:
    """Adds units, those above before those below."""
    _add(conn, unit, units)


def add_items(conn: Connection, items: Iterable[Item]) -> None:
    """Adds items with the points and phrases of their current checklists."""
    _add(conn, item, items)


def keep_template(conn: Connection, kept: Template) -> None:
    """Keeps a checklist under its digest; the same one again changes nothing."""
    if template_body(conn, kept.sha256) is None:
        conn.execute(sa.insert(template).values(sha256=kept.sha256, title=kept.title, body=kept.body))


def template_body(conn: Connection, sha256: str) -> bytes | None:
    """The bytes of a checklist, as they were hashed."""
    body: bytes | None = conn.scalar(sa.select(template.c.body).where(template.c.sha256 == sha256))
    return body


def items_by_id(conn: Connection, ids: Iterable[str]) -> dict[str, Item]:
    """Items with their checklists, by id."""
    return {one.id: one for one in _read(conn, item, Item, item.c.id.in_(list(ids)))}


def _add(conn: Connection, table: sa.Table, records: Iterable[msgspec.Struct]) -> None:
    rows = [msgspec.to_builtins(record) for record in records]
    if rows:
        conn.execute(sa.insert(table), rows)


def _read(conn: Connection, table: sa.Table, kind: type[T], where: sa.ColumnElement[bool]) -> list[T]:
    query = sa.select(table).where(where).order_by(table.c.id)
    rows = conn.execute(query).mappings()
    return [msgspec.convert({str(name): value for name, value in row.items()}, kind) for row in rows]
