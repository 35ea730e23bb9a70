"""The annual plan with its versions, what was drawn, and inspections that are not random."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

plan = sa.Table(  # one a year; `version` is the one that is being made, or the newest released one
    "plan",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(16), nullable=False),  # of that version: domain/plan.py STATES
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("supervision_plan", sa.Text, nullable=False),  # R12.5: the number of the yearly safety-supervision plan
    sa.Column("created_by", sa.String(64), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
)

plan_version = sa.Table(  # never changed once released: triggers on it and on all that hangs on it
    "plan_version",
    metadata,
    sa.Column("year", sa.ForeignKey("plan.year"), primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text),  # why it amends the one before; null for the first
    sa.Column("opened_by", sa.String(64), nullable=False),
    sa.Column("opened_at", sa.String(32), nullable=False),
    sa.Column("consolidated_by", sa.String(64)),
    sa.Column("consolidated_at", sa.String(32)),
    sa.Column("returned", sa.Text),  # what the principal wants changed
    sa.Column("approved_by", sa.String(64)),
    sa.Column("approved_at", sa.String(32)),
    sa.Column("released_by", sa.String(64)),
    sa.Column("released_at", sa.String(32)),
    sa.Column("released_on", sa.String(10)),
    sa.Column("body", sa.LargeBinary),  # what the public reads, as canonical JSON
    sa.Column("sha256", sa.String(64)),
)

plan_unit = sa.Table(  # how far each unit is with its part of a version
    "plan_unit",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),  # open | submitted | none
    sa.Column("reason", sa.Text),  # why there are no lines, or why it was given back
    sa.Column("other_days", sa.Integer, nullable=False, default=0),  # person-days a year for other duties
    sa.Column("by", sa.String(64)),
    sa.Column("at", sa.String(32)),
    sa.ForeignKeyConstraint(["year", "version"], ["plan_version.year", "plan_version.version"]),
)

plan_line = sa.Table(  # `id` stays the same through the versions
    "plan_line",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("item_id", sa.ForeignKey("item.id"), nullable=False),
    sa.Column("list_version", sa.ForeignKey("list_version.n"), nullable=False),  # the list it was checked by (R2.1)
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("window_from", sa.String(10), nullable=False),
    sa.Column("window_to", sa.String(10), nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("flagged_count", sa.Integer, nullable=False),
    sa.Column("unified_share", sa.Integer, nullable=False),
    sa.Column("own_share", sa.Integer, nullable=False),
    sa.Column("joint", sa.String(16)),  # null | lead | participant
    sa.Column("partner", sa.Text),
    sa.Column("months", sa.JSON, nullable=False),  # twelve numbers
    sa.Column("campaign", sa.Text),  # the document that orders it (R15a.3)
    sa.Column("reason", sa.Text),
    sa.Column("population", sa.Integer, nullable=False),  # as it was when the line was entered, with its proposal
    sa.Column("flagged", sa.Integer, nullable=False),
    sa.Column("proposed", sa.Integer, nullable=False),
    sa.Column("floor", sa.Integer, nullable=False),
    sa.Column("needs", sa.JSON, nullable=False),  # what the number needed: codes of domain/ratio.py
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("signed_by", sa.String(64)),
    sa.Column("signed_at", sa.String(32)),
    sa.ForeignKeyConstraint(["year", "version"], ["plan_version.year", "plan_version.version"]),
    sa.CheckConstraint("unified_share + own_share = 100", name="shares"),
    sa.CheckConstraint("count >= 0 AND flagged_count >= 0 AND flagged_count <= count", name="count"),
    sa.Index("ix_plan_line_year_version", "year", "version"),
)

filing = sa.Table(  # R12.2: with whom a version was filed
    "filing",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(16), primary_key=True),  # upper | market
    sa.Column("authority", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("filed_on", sa.String(10), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.ForeignKeyConstraint(["year", "version"], ["plan_version.year", "plan_version.version"]),
)

plan_override = sa.Table(  # R6.4: what is below ratio or frequency, why, and who approved it
    "plan_override",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("year", sa.ForeignKey("plan.year"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # ratio | frequency
    sa.Column("item_id", sa.ForeignKey("item.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),  # of a ratio: whose line; of a frequency: null, the bureau
    sa.Column("line_id", sa.String(36)),
    sa.Column("least", sa.Integer, nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_plan_override_year", "year"),
)

selection = sa.Table(  # who was drawn when, over all units and joint tasks: what the cap counts (R15a.2)
    "selection",
    metadata,
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), primary_key=True),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("locked_on", sa.String(10), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # counted | withdrawn | excused | left_out | cancelled
    sa.Column("ground", sa.String(32)),  # kept in by exemption (R15a.3): a kind of flag, or campaign
    sa.Column("document", sa.Text),
    sa.Index("ix_selection_subject_id_locked_on", "subject_id", "locked_on"),
    sa.Index("ix_selection_locked_on", "locked_on"),
)

joint_list = sa.Table(  # R13.1: the lead's list of subjects, as it came
    "joint_list",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("line_id", sa.String(36), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("lead", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("drawn_on", sa.String(10), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.UniqueConstraint("line_id", "sha256"),
)

joint_list_row = sa.Table(
    "joint_list_row",
    metadata,
    sa.Column("list_id", sa.ForeignKey("joint_list.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.String(32), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id")),  # null: not in the library yet
)
