"""Crews: half-days planned, matches by lot, the two lawful ways out of a shortage, replacements, recusals."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

crew_plan = sa.Table(  # when a visit is to be made, and by how many; changed only before the commitment
    "crew_plan",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("half_day", sa.String(13), nullable=False),  # "2026-09-08/am"
    sa.Column("k", sa.Integer, nullable=False),  # officers, two at least (R18.2)
    sa.Column("experts", sa.Integer, nullable=False),
    sa.Column("expert_reason", sa.Text, nullable=False),
    sa.Column("appointed", sa.JSON, nullable=False),  # ids of experts who are asked by name (R18.3)
    sa.Column("planned_by", sa.String(64), nullable=False),
    sa.Column("planned_at", sa.String(32), nullable=False),
    sa.Index("ix_crew_plan_task_id", "task_id"),
    sa.Index("ix_crew_plan_half_day", "half_day"),
)

crew_match = sa.Table(  # one attempt of the lot `omatch1`; what is committed never changes
    "crew_match",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False, unique=True),  # in the chain of the bureau, from 1
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),  # the executing unit
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # committed | contributed | matched | assigned | void
    sa.Column("prev", sa.String(64), nullable=False, unique=True),
    sa.Column("frame", sa.Text, nullable=False),
    sa.Column("frame_digest", sa.String(64), nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("rules_digest", sa.String(64), nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("visits", sa.JSON, nullable=False),  # [{s, k, half_day, elig, lead}] as the file has them
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("left_out", sa.JSON, nullable=False),  # {s: [{o, reason}]}: of the frame's `E` rows, who isn't in `elig`
    sa.Column("ways", sa.JSON, nullable=False),  # {merged, direct} as the file has them
    sa.Column("experts", sa.JSON, nullable=False),  # {s: {n, elig, appointed, reason}}: fixed before the lot
    sa.Column("officers", sa.JSON, nullable=False),  # {o: officer's id}: whose numbers they were then
    sa.Column("commit", sa.String(64), nullable=False, unique=True),
    sa.Column("committed_at", sa.String(32), nullable=False),
    sa.Column("committed_by", sa.String(64), nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("secret", sa.String(64)),  # in clear once it is matched or void
    sa.Column("seed", sa.String(64)),
    sa.Column("cap", sa.Integer, nullable=False),
    sa.Column("teams", sa.JSON, nullable=False),
    sa.Column("filled", sa.Integer, nullable=False, default=0),  # how many places `teams` has
    sa.Column("leaders", sa.JSON, nullable=False),
    sa.Column("skips", sa.JSON, nullable=False),
    sa.Column("drawn_experts", sa.JSON, nullable=False),
    sa.Column("matched_at", sa.String(32)),
    sa.Column("matched_by", sa.String(64)),
    sa.Column("assigned_at", sa.String(32)),
    sa.Column("assigned_by", sa.String(64)),
    sa.Column("void_reason", sa.Text),
    sa.Column("void_by", sa.String(64)),
    sa.Column("void_at", sa.String(32)),
    sa.UniqueConstraint("task_id", "attempt"),
    sa.Index("ix_crew_match_unit_id", "unit_id", "state", "filled"),
)

crew_contribution = sa.Table(  # append-only
    "crew_contribution",
    metadata,
    sa.Column("match_id", sa.ForeignKey("crew_match.id"), primary_key=True),
    sa.Column("k", sa.String(120), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("v", sa.Text, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("evidence", sa.String(64)),
    sa.Column("link", sa.Text),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
)

crew_way = sa.Table(  # R18.4: a way out of a shortage; a decision stays as it is
    "crew_way",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),  # merged_pool | direct_assignment
    sa.Column("visit_id", sa.ForeignKey("visit.id")),  # of a direct assignment
    sa.Column("officers", sa.JSON, nullable=False),  # ids
    sa.Column("leader", sa.String(64)),  # of a direct assignment
    sa.Column("office", sa.Text, nullable=False),  # of a merged pool: whose officers, and the paper of their consent
    sa.Column("consent", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("explanation", sa.JSON, nullable=False),  # why the match was infeasible when this was asked
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_crew_way_task_id", "task_id"),
    sa.Index("ix_crew_way_unit_id", "unit_id", "state", "kind"),
)

crew_change = sa.Table(  # R20.1: a drawn officer replaced; a decision stays as it is
    "crew_change",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("visit_id", sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("match_id", sa.ForeignKey("crew_match.id")),  # whose seed orders the substitutes; null: drawn elsewhere
    sa.Column("s", sa.String(18), nullable=False),
    sa.Column("out_id", sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # post_change | work_conflict | health | other | recusal
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("wanted_id", sa.ForeignKey("officer.id")),  # of a designation
    sa.Column("why_wanted", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Column("attempt", sa.Integer),  # counts the replacements of one visit, from 1
    sa.Column("in_id", sa.ForeignKey("officer.id")),
    sa.Column("designated", sa.Boolean, nullable=False),
    sa.Column("record", sa.JSON),  # as the file has it: s, out, in, attempt, kind, elig, left_out ...
    sa.UniqueConstraint("visit_id", "attempt"),
    sa.Index("ix_crew_change_unit_id_state", "unit_id", "state"),
    sa.Index("ix_crew_change_match_id", "match_id", "state"),
)

recusal = sa.Table(  # R20.3, R20.4: declared by the officer, or asked by the subject; a decision stays as it is
    "recusal",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("visit_id", sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # declared | asked
    sa.Column("asked_on", sa.String(10), nullable=False),
    sa.Column("asker", sa.Text, nullable=False),  # who asked for the subject; empty where declared
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # declared | asked | upheld | dismissed
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_recusal_visit_id", "visit_id"),
    sa.Index("ix_recusal_officer_id_subject_id", "officer_id", "subject_id"),
)
