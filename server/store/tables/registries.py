"""Subjects, checklists and tasks."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

subject = sa.Table(
    "subject",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("uscc", sa.String(18), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("legal_representative", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("industry", sa.String(16), nullable=False),  # GB/T 4754
    sa.Column("region", sa.String(6), nullable=False),  # GB/T 2260
    sa.Column("risk", sa.String(16), nullable=False),
    sa.Column("credit", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("lat_e7", sa.Integer),
    sa.Column("lon_e7", sa.Integer),
    sa.Column("flags", sa.JSON, nullable=False),  # attention flags: kind, document, from, to
    sa.Column("traits", sa.JSON, nullable=False),  # what an item looks at: hazardous_chemicals, confined_space ...
)

unit_subject = sa.Table(  # R8.3: each unit keeps its library; a subject is one record with several memberships
    "unit_subject",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), primary_key=True),
)

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
