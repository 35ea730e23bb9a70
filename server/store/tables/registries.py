"""Checklists and tasks."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

template = sa.Table(  # a checklist, immutable, named by the SHA-256 of `body`
    "template",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

task = sa.Table(
    "task",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("joint", sa.String(16)),  # null | lead | participant
    sa.Column("partner", sa.Text),
    sa.Column("draw", sa.String(16), nullable=False),  # undirected | directed
    sa.Column("window_from", sa.String(10), nullable=False),
    sa.Column("window_to", sa.String(10), nullable=False),
    sa.Column("due_on", sa.String(10), nullable=False),
    sa.Column("list_version", sa.ForeignKey("list_version.n")),  # the version that it froze (R5.3)
)

task_item = sa.Table(
    "task_item",
    metadata,
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
)
