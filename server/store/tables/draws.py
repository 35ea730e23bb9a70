"""Draws: what was committed, what came from outside, who was drawn, the published file in versions, exclusions."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

draw_chain = sa.Table(  # one row an algorithm: whoever commits holds it, and takes its head for the previous one
    "draw_chain",
    metadata,
    sa.Column("alg", sa.String(16), primary_key=True),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("length", sa.Integer, nullable=False),
)

draw = sa.Table(  # one attempt; what is committed or drawn never changes, by triggers
    "draw",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False, unique=True),  # in the bureau's chain, from 1
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),  # "2026-17" is year and seq; attempts share it
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # domain/drawing.py STATES
    sa.Column("prev", sa.String(64), nullable=False, unique=True),
    sa.Column("frame_digest", sa.String(64), nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("rules_digest", sa.String(64), nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("commit", sa.String(64), nullable=False, unique=True),
    sa.Column("committed_at", sa.String(32), nullable=False),
    sa.Column("committed_by", sa.String(64), nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("candidates", sa.Integer, nullable=False),
    sa.Column("exempt", sa.Integer, nullable=False),  # at the cap, and kept in by a flag or a campaign (R15a.3)
    sa.Column("other_case", sa.Integer, nullable=False),  # of the rows, left out since another case is open
    sa.Column("secret", sa.String(64)),  # in clear once it is drawn or void
    sa.Column("seed", sa.String(64)),
    sa.Column("drawn_at", sa.String(32)),
    sa.Column("drawn_by", sa.String(64)),
    sa.Column("quotas", sa.JSON, nullable=False),
    sa.Column("winners", sa.JSON, nullable=False),
    sa.Column("reserve", sa.JSON, nullable=False),
    sa.Column("excused", sa.JSON, nullable=False),
    sa.Column("locked_at", sa.String(32)),
    sa.Column("locked_by", sa.String(64)),
    sa.Column("void_reason", sa.Text),
    sa.Column("void_by", sa.String(64)),
    sa.Column("void_at", sa.String(32)),
    sa.UniqueConstraint("year", "seq", "attempt"),
    sa.Index("uq_draw_standing_task", "task_id", unique=True, sqlite_where=sa.text("state <> 'void'"),
             postgresql_where=sa.text("state <> 'void'")),
    sa.Index("ix_draw_task_id", "task_id"),
    sa.Index("ix_draw_unit_id", "unit_id", "state", "task_id", "rows", "other_case"),  # what rates are summed from
    sa.Index("ix_draw_committed_at", "attempt", "committed_at", "year", "seq"),
)  # fmt: skip

draw_frame = sa.Table(  # append-only: the list as it was committed, and what stands behind its lines
    "draw_frame",
    metadata,
    sa.Column("draw_id", sa.ForeignKey("draw.id"), primary_key=True),
    sa.Column("frame", sa.Text, nullable=False),
    sa.Column("subjects", sa.Text, nullable=False),  # ids, one a line, as the lines of the frame
    sa.Column("documents", sa.JSON, nullable=False),  # code -> the document behind its exclusion, where there is one
    sa.Column("kept", sa.JSON, nullable=False),  # code -> [ground, document] of who is exempt from the cap
)

draw_contribution = sa.Table(  # append-only
    "draw_contribution",
    metadata,
    sa.Column("draw_id", sa.ForeignKey("draw.id"), primary_key=True),
    sa.Column("k", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("v", sa.Text, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("evidence", sa.String(64)),
    sa.Column("evidence_name", sa.Text),
    sa.Column("evidence_mime", sa.String(64)),
    sa.Column("link", sa.Text),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
)

draw_file = sa.Table(  # append-only: every version of the published file
    "draw_file",
    metadata,
    sa.Column("draw_id", sa.ForeignKey("draw.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("why", sa.String(24), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
)

excuse = sa.Table(  # a drawn subject that turned out dead: asked by the clerk, confirmed by the head; a decision stays
    "excuse",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("draw_id", sa.ForeignKey("draw.id"), nullable=False),
    sa.Column("code", sa.String(18), nullable=False),
    sa.Column("document", sa.Text, nullable=False),  # of its status, as the library has it
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_excuse_draw_id", "draw_id"),
)

exclusion = sa.Table(  # a subject that another level supervises, or whose case is open; a decision stays as it is
    "exclusion",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),  # NO_AUTHORITY | UNDER_OTHER_CASE
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.String(10), nullable=False),
    sa.Column("until", sa.String(10)),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Column("answer", sa.Text),
    sa.Index("ix_exclusion_unit_id", "unit_id"),
    sa.Index("ix_exclusion_subject_id", "subject_id"),
)
