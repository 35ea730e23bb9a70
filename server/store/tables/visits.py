"""Visits and their crews."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

visit = sa.Table(  # `head` is the counter row that hands out `op.n` (sync page, section 7)
    "visit",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),  # frozen at dispatch, with subject_uscc and tpl
    sa.Column("subject_uscc", sa.String(18), nullable=False),
    sa.Column("tpl", sa.ForeignKey("template.sha256"), nullable=False),
    sa.Column("window_from", sa.String(10), nullable=False),
    sa.Column("window_to", sa.String(10), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("dispatched_at", sa.String(32), nullable=False),
    sa.Column("head", sa.BigInteger, nullable=False, default=0),
    sa.Column("round", sa.Integer, nullable=False, default=1),
    sa.Column("state", sa.String(16), nullable=False, default="open"),  # open | final | void
    sa.Column("standing", sa.LargeBinary, nullable=False),  # what intake asks: crew, interests, proposals
    sa.Index("ix_visit_unit_id", "unit_id"),
    sa.Index(  # few of all: by it one learns which tasks go on
        "ix_visit_open", "id", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
    ),
)

visit_task = sa.Table(
    "visit_task",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Index("ix_visit_task_task_id", "task_id", "visit_id"),
)

visit_crew = sa.Table(  # projection of the `assign` ops: who may see what, found by index
    "visit_crew",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),  # leader | member | removed
    sa.Column("removed_n", sa.BigInteger),  # the `n` of the op that removed him: he sees ops up to it
    sa.Index("ix_visit_crew_officer_id", "officer_id"),
)

assignments = sa.Table(  # the revision of an officer's assignment list (`assignments_rev`)
    "assignments",
    metadata,
    sa.Column("officer_id", sa.ForeignKey("officer.id"), primary_key=True),
    sa.Column("rev", sa.BigInteger, nullable=False),
)
