"""Checklists, tasks, requests about them, and the public notices."""

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

task = sa.Table(  # what a draw is for; a dispatched one is never edited but for the approval after an incident
    "task",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("no", sa.String(16)),  # "2026-007"; null of tasks from before there were draws
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("joint", sa.String(16)),  # null | lead | participant
    sa.Column("partner", sa.Text),
    sa.Column("draw", sa.String(16), nullable=False),  # undirected | directed
    sa.Column("filter", sa.JSON, nullable=False, default=dict),  # of a directed draw: domain/task.py Filter
    sa.Column("unified", sa.Boolean, nullable=False, default=False),  # drawn over all units' libraries
    sa.Column("window_from", sa.String(10), nullable=False),
    sa.Column("window_to", sa.String(10), nullable=False),
    sa.Column("due_on", sa.String(10), nullable=False),
    sa.Column("list_version", sa.ForeignKey("list_version.n")),  # the version that it froze (R5.3)
    sa.Column("joint_list", sa.ForeignKey("joint_list.id")),  # the lead's list, of a participant (R13.1)
    sa.Column("origin", sa.String(16), nullable=False, default="temporary"),  # plan | temporary
    sa.Column("plan_line_id", sa.String(36)),
    sa.Column("campaign", sa.Text),  # the document that orders it (R15a.3)
    sa.Column("methods", sa.JSON, nullable=False, default=list),  # R21.1
    sa.Column("form", sa.String(16)),  # null | comprehensive | risk_class | campaign
    sa.Column("mode", sa.String(8), nullable=False, default="total"),  # total | ratio
    sa.Column("n", sa.Integer, nullable=False, default=0),
    sa.Column("shares", sa.JSON, nullable=False, default=dict),  # stratum -> ratio per 10,000, or weight
    sa.Column("proposed", sa.Integer, nullable=False, default=0),  # as it was when the task was entered
    sa.Column("floor", sa.Integer, nullable=False, default=0),
    sa.Column("population", sa.Integer, nullable=False, default=0),
    sa.Column("disclosure", sa.String(8), nullable=False, default="sealed"),  # sealed | open
    sa.Column("crew_size", sa.Integer, nullable=False, default=2),
    sa.Column("state", sa.String(16), nullable=False, default="dispatched"),  # draft | approved | ... | cancelled
    sa.Column("reason", sa.Text),  # why fewer than proposed
    sa.Column("incident", sa.Text),  # why the head's approval comes after dispatch (R15b.3)
    sa.Column("approval_number", sa.Text),
    sa.Column("approval_on", sa.String(10)),
    sa.Column("approved_by", sa.String(64)),
    sa.Column("approved_at", sa.String(32)),
    sa.Column("entered_by", sa.String(64)),
    sa.Column("entered_at", sa.String(32)),
    sa.Column("executing_unit_id", sa.ForeignKey("unit.id")),
    sa.Column("dispatched_by", sa.String(64)),
    sa.Column("dispatched_at", sa.String(32)),
    sa.Column("cancelled_by", sa.String(64)),
    sa.Column("cancelled_at", sa.String(32)),
    sa.Column("cancelled_why", sa.Text),
    sa.Index("ix_task_no", "no", unique=True),
    sa.Index("ix_task_unit_id_state", "unit_id", "state"),
    sa.Index("ix_task_joint", "joint", "dispatched_at", "id"),
)

task_item = sa.Table(  # the first is the drawn one
    "task_item",
    metadata,
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False, default=0),
)

task_override = sa.Table(  # a request to draw fewer than the floor (R6.4), and the principal's answer
    "task_override",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("least", sa.Integer, nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused | gone
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_task_override_task_id", "task_id"),
)

withdrawal = sa.Table(  # a request to take a drawn subject out after the lock (R17.2), and the head's answer
    "withdrawal",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_withdrawal_task_id", "task_id"),
)

task_extension = sa.Table(  # a window that the head made longer, and why; append-only
    "task_extension",
    metadata,
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("was", sa.String(10), nullable=False),
    sa.Column("until", sa.String(10), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
)

notice = sa.Table(  # the public announcement of a dispatched task (R17.1), in versions; append-only
    "notice",
    metadata,
    sa.Column("no", sa.String(16), primary_key=True),  # the task's
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),  # a longer window is a new one
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("published_at", sa.String(32), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # what the public reads, as canonical JSON
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Index("ix_notice_task_id", "task_id", "version", unique=True),
    sa.Index("ix_notice_published_at", "published_at", "no", "version"),
)
