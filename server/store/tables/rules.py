"""Rule sets and calendars in versions that nobody edits, and every deadline with what it was reckoned by."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

rule_set = sa.Table(  # append-only: a change is a new version
    "rule_set",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("in_force_from", sa.String(10), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
)

rule_set_decision = sa.Table(  # append-only: a version is decided once
    "rule_set_decision",
    metadata,
    sa.Column("version", sa.ForeignKey("rule_set.version"), primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(16), nullable=False),  # approved | rejected | withdrawn
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

calendar_year = sa.Table(  # append-only: a correction is a new version of the year
    "calendar_year",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(16), nullable=False),  # released | draft
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("off", sa.JSON, nullable=False),
    sa.Column("makeup", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
)

deadline = sa.Table(  # one for each object ("visit:<id>") and kind
    "deadline",
    metadata,
    sa.Column("object", sa.String(160), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("start_on", sa.String(10), nullable=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("due_on", sa.String(10)),  # null: provisional
    sa.Column("known", sa.Integer, nullable=False),
    sa.Column("missing_year", sa.Integer),
    sa.Column("versions", sa.JSON, nullable=False),  # {"2026": 1}: the calendars that it was reckoned by
    sa.Column("set_at", sa.String(32), nullable=False),
    sa.Column("settled_on", sa.String(10)),  # the day on which what was due was done
    sa.Index("ix_deadline_due_on", "due_on"),
)

deadline_change = sa.Table(  # append-only: what a calendar did to deadlines that were there
    "deadline_change",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("object", sa.String(160), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("before", sa.JSON, nullable=False),  # {"on", "known", "missing_year"}
    sa.Column("after", sa.JSON, nullable=False),
    sa.ForeignKeyConstraint(["year", "version"], ["calendar_year.year", "calendar_year.version"]),
)
