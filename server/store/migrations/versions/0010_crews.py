"""Crews: plans, matches, ways out of a shortage, replacements, recusals; who may lead, and whom a neighbour lends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FROZEN = ("commit", "prev", "frame", "rules", "visits", "left_out", "ways", "experts", "officers", "sealed_secret")
ONCE = ("seed", "teams", "filled", "leaders", "drawn_experts")
DECIDED = ("crew_way", "crew_change", "recusal")


def on_sqlite() -> list[str]:
    """What is committed or drawn never changes, a decision stays, a contribution is neither changed nor taken back."""
    match = f"OLD.state = 'void' OR {_differ(FROZEN, 'IS NOT')} OR OLD.seed IS NOT NULL AND ({_differ(ONCE, 'IS NOT')})"
    found = [_sqlite("crew_match", "UPDATE", match), _sqlite("crew_match", "DELETE", "1")]
    found += [_sqlite("crew_contribution", verb, "1") for verb in ("UPDATE", "DELETE")]
    for table in DECIDED:
        found += [_sqlite(table, "UPDATE", "OLD.state <> 'asked'"), _sqlite(table, "DELETE", "1")]
    return found


def _differ(columns: tuple[str, ...], unlike: str, cast: str = "") -> str:
    return " OR ".join(f'NEW."{name}"{cast} {unlike} OLD."{name}"{cast}' for name in columns)


def _sqlite(table: str, verb: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def on_postgres() -> list[str]:
    """The same on PostgreSQL."""
    unlike = "IS DISTINCT FROM"
    match = (
        f"TG_OP = 'DELETE' OR OLD.state = 'void' OR {_differ(FROZEN, unlike, '::text')}"
        f" OR OLD.seed IS NOT NULL AND ({_differ(ONCE, unlike, '::text')})"
    )
    found = [_function("crew_match_refuses", match), _function("crew_contribution_refuses", "true")]
    found += [_function(f"{table}_refuses", "TG_OP = 'DELETE' OR OLD.state <> 'asked'") for table in DECIDED]
    return found + [
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {table}_refuses()"
        for table in ("crew_match", "crew_contribution", *DECIDED)
    ]


def _function(name: str, when: str) -> str:
    table = name.removesuffix("_refuses")
    raised = f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'"
    body = f"IF {when} THEN {raised}; END IF; RETURN NEW;"
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def upgrade() -> None:
    """Makes the tables, then the triggers that keep what was decided."""
    op.add_column("officer", sa.Column("may_lead", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("officer", sa.Column("home_office", sa.Text(), nullable=True))
    _make_tables()
    for statement in on_sqlite() if op.get_bind().dialect.name == "sqlite" else on_postgres():
        op.execute(statement)


def _make_tables() -> None:
    op.create_table(
        "crew_match",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("frame_digest", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("rules_digest", sa.String(length=64), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("visits", sa.JSON(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("ways", sa.JSON(), nullable=False),
        sa.Column("experts", sa.JSON(), nullable=False),
        sa.Column("officers", sa.JSON(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("committed_at", sa.String(length=32), nullable=False),
        sa.Column("committed_by", sa.String(length=64), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=True),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.Column("teams", sa.JSON(), nullable=False),
        sa.Column("filled", sa.Integer(), nullable=False),
        sa.Column("leaders", sa.JSON(), nullable=False),
        sa.Column("skips", sa.JSON(), nullable=False),
        sa.Column("drawn_experts", sa.JSON(), nullable=False),
        sa.Column("matched_at", sa.String(length=32), nullable=True),
        sa.Column("matched_by", sa.String(length=64), nullable=True),
        sa.Column("assigned_at", sa.String(length=32), nullable=True),
        sa.Column("assigned_by", sa.String(length=64), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("void_by", sa.String(length=64), nullable=True),
        sa.Column("void_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_crew_match_task_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_crew_match_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_match")),
        sa.UniqueConstraint("commit", name=op.f("uq_crew_match_commit")),
        sa.UniqueConstraint("place", name=op.f("uq_crew_match_place")),
        sa.UniqueConstraint("prev", name=op.f("uq_crew_match_prev")),
        sa.UniqueConstraint("task_id", "attempt", name=op.f("uq_crew_match_task_id_attempt")),
    )
    op.create_index("ix_crew_match_unit_id", "crew_match", ["unit_id", "state", "filled"], unique=False)
    op.create_table(
        "crew_plan",
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("half_day", sa.String(length=13), nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("experts", sa.Integer(), nullable=False),
        sa.Column("expert_reason", sa.Text(), nullable=False),
        sa.Column("appointed", sa.JSON(), nullable=False),
        sa.Column("planned_by", sa.String(length=64), nullable=False),
        sa.Column("planned_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_crew_plan_task_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_crew_plan_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_crew_plan")),
    )
    op.create_index("ix_crew_plan_half_day", "crew_plan", ["half_day"], unique=False)
    op.create_index("ix_crew_plan_task_id", "crew_plan", ["task_id"], unique=False)
    op.create_table(
        "crew_way",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=True),
        sa.Column("officers", sa.JSON(), nullable=False),
        sa.Column("leader", sa.String(length=64), nullable=True),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_crew_way_task_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_crew_way_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_crew_way_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_way")),
    )
    op.create_index("ix_crew_way_task_id", "crew_way", ["task_id"], unique=False)
    op.create_index("ix_crew_way_unit_id", "crew_way", ["unit_id", "state", "kind"], unique=False)
    op.create_table(
        "recusal",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("officer_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("asked_on", sa.String(length=10), nullable=False),
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_recusal_officer_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_recusal_subject_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_recusal_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_recusal_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recusal")),
    )
    op.create_index("ix_recusal_officer_id_subject_id", "recusal", ["officer_id", "subject_id"], unique=False)
    op.create_index("ix_recusal_visit_id", "recusal", ["visit_id"], unique=False)
    op.create_table(
        "crew_change",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("match_id", sa.String(length=36), nullable=True),
        sa.Column("s", sa.String(length=18), nullable=False),
        sa.Column("out_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("wanted_id", sa.String(length=64), nullable=True),
        sa.Column("why_wanted", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("in_id", sa.String(length=64), nullable=True),
        sa.Column("designated", sa.Boolean(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["in_id"], ["officer.id"], name=op.f("fk_crew_change_in_id")),
        sa.ForeignKeyConstraint(["match_id"], ["crew_match.id"], name=op.f("fk_crew_change_match_id")),
        sa.ForeignKeyConstraint(["out_id"], ["officer.id"], name=op.f("fk_crew_change_out_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_crew_change_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_crew_change_visit_id")),
        sa.ForeignKeyConstraint(["wanted_id"], ["officer.id"], name=op.f("fk_crew_change_wanted_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew_change")),
        sa.UniqueConstraint("visit_id", "attempt", name=op.f("uq_crew_change_visit_id_attempt")),
    )
    op.create_index("ix_crew_change_unit_id_state", "crew_change", ["unit_id", "state"], unique=False)
    op.create_index("ix_crew_change_match_id", "crew_change", ["match_id", "state"], unique=False)
    op.create_table(
        "crew_contribution",
        sa.Column("match_id", sa.String(length=36), nullable=False),
        sa.Column("k", sa.String(length=120), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("v", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["match_id"], ["crew_match.id"], name=op.f("fk_crew_contribution_match_id")),
        sa.PrimaryKeyConstraint("match_id", "k", name=op.f("pk_crew_contribution")),
    )


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
