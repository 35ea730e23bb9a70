"""Inspections that are not random (article 2): recorded, never drawn."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

non_random = sa.Table(
    "non_random",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("held_on", sa.String(10), nullable=False),
    sa.Column("items", sa.JSON, nullable=False),  # ids of items of the list; may be none
    sa.Column("kind", sa.String(24), nullable=False),  # special_requirement | lead | case | incident | other
    sa.Column("ground", sa.String(16), nullable=False),  # of some kinds: who ordered it, how it came to be known
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # the suspected violation, or why
    sa.Column("state", sa.String(16), nullable=False),  # recorded | awaiting | approved | refused | withdrawn
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Column("reason", sa.Text),
    sa.Index("ix_non_random_subject_id_held_on", "subject_id", "held_on"),
    sa.Index("ix_non_random_unit_id", "unit_id"),
)
