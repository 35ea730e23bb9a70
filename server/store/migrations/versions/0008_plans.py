"""The annual plan, what was drawn, and inspections that are not random."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SENTENCE = "a released plan is never edited, only amended"
KEPT = "what was decided or received stays as it is"
IN_A_VERSION = ("plan_line", "plan_unit", "filing")
RELEASED = (
    "EXISTS (SELECT 1 FROM plan_version v"
    " WHERE v.year = {row}.year AND v.version = {row}.version AND v.released_at IS NOT NULL)"
)


def on_sqlite() -> list[str]:
    """A released version, and all that hangs on it, is neither changed nor added to; a decision stays as it is."""
    found = [
        _sqlite("plan_version", "UPDATE", "OLD.released_at IS NOT NULL", SENTENCE),
        _sqlite("plan_version", "DELETE", "OLD.released_at IS NOT NULL", SENTENCE),
        _sqlite("plan_override", "UPDATE", "OLD.state <> 'asked'", KEPT),
        _sqlite("plan_override", "DELETE", "1", KEPT),
        _sqlite("joint_list", "UPDATE", "1", KEPT),
        _sqlite("joint_list", "DELETE", "1", KEPT),
    ]
    for table in IN_A_VERSION:
        for verb, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            found.append(_sqlite(table, verb, RELEASED.format(row=row), SENTENCE))
    return found


def _sqlite(table: str, verb: str, when: str, sentence: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
    )


def on_postgres() -> list[str]:
    """The same on PostgreSQL."""
    kept = f"RAISE EXCEPTION '{KEPT}' USING ERRCODE = 'restrict_violation'"
    edited = f"RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'restrict_violation'"
    back = "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"
    found = [
        _function("plan_version_refuses", f"IF OLD.released_at IS NOT NULL THEN {edited}; END IF; {back}"),
        _function(
            "plan_part_refuses",
            f"IF TG_OP = 'INSERT' THEN IF {RELEASED.format(row='NEW')} THEN {edited}; END IF;"
            f" ELSIF {RELEASED.format(row='OLD')} THEN {edited}; END IF; {back}",
        ),
        _function("plan_override_refuses", f"IF OLD.state <> 'asked' OR TG_OP = 'DELETE' THEN {kept}; END IF; {back}"),
        _function("joint_list_refuses", f"{kept};"),
        _trigger("plan_version", "UPDATE OR DELETE", "plan_version_refuses"),
        _trigger("plan_override", "UPDATE OR DELETE", "plan_override_refuses"),
        _trigger("joint_list", "UPDATE OR DELETE", "joint_list_refuses"),
    ]
    return found + [_trigger(table, "INSERT OR UPDATE OR DELETE", "plan_part_refuses") for table in IN_A_VERSION]


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _trigger(table: str, verbs: str, function: str) -> str:
    return f"CREATE TRIGGER {table}_kept BEFORE {verbs} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"


def upgrade() -> None:
    """Makes the tables of this part, then the triggers that keep a released version as it is."""
    _make_plan()
    _make_drawn()
    for statement in on_sqlite() if op.get_bind().dialect.name == "sqlite" else on_postgres():
        op.execute(statement)


def _make_plan() -> None:
    op.create_table(
        "plan",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("supervision_plan", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_plan")),
    )
    op.create_table(
        "plan_version",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.Column("consolidated_by", sa.String(length=64), nullable=True),
        sa.Column("consolidated_at", sa.String(length=32), nullable=True),
        sa.Column("returned", sa.Text(), nullable=True),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("approved_at", sa.String(length=32), nullable=True),
        sa.Column("released_by", sa.String(length=64), nullable=True),
        sa.Column("released_at", sa.String(length=32), nullable=True),
        sa.Column("released_on", sa.String(length=10), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["year"], ["plan.year"], name=op.f("fk_plan_version_year")),
        sa.PrimaryKeyConstraint("year", "version", name=op.f("pk_plan_version")),
    )
    op.create_table(
        "plan_unit",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("other_days", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_plan_unit_unit_id")),
        sa.ForeignKeyConstraint(
            ["year", "version"], ["plan_version.year", "plan_version.version"], name=op.f("fk_plan_unit_year_version")
        ),
        sa.PrimaryKeyConstraint("year", "version", "unit_id", name=op.f("pk_plan_unit")),
    )
    op.create_table(
        "plan_line",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("list_version", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("window_from", sa.String(length=10), nullable=False),
        sa.Column("window_to", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("flagged_count", sa.Integer(), nullable=False),
        sa.Column("unified_share", sa.Integer(), nullable=False),
        sa.Column("own_share", sa.Integer(), nullable=False),
        sa.Column("joint", sa.String(length=16), nullable=True),
        sa.Column("partner", sa.Text(), nullable=True),
        sa.Column("months", sa.JSON(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.Column("signed_by", sa.String(length=64), nullable=True),
        sa.Column("signed_at", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "count >= 0 AND flagged_count >= 0 AND flagged_count <= count", name=op.f("ck_plan_line_count")
        ),
        sa.CheckConstraint("unified_share + own_share = 100", name=op.f("ck_plan_line_shares")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_plan_line_item_id")),
        sa.ForeignKeyConstraint(["list_version"], ["list_version.n"], name=op.f("fk_plan_line_list_version")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_plan_line_unit_id")),
        sa.ForeignKeyConstraint(
            ["year", "version"], ["plan_version.year", "plan_version.version"], name=op.f("fk_plan_line_year_version")
        ),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_plan_line")),
    )
    op.create_index("ix_plan_line_year_version", "plan_line", ["year", "version"], unique=False)
    op.create_table(
        "filing",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["year", "version"], ["plan_version.year", "plan_version.version"], name=op.f("fk_filing_year_version")
        ),
        sa.PrimaryKeyConstraint("year", "version", "kind", name=op.f("pk_filing")),
    )
    op.create_table(
        "plan_override",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("line_id", sa.String(length=36), nullable=True),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_plan_override_item_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_plan_override_unit_id")),
        sa.ForeignKeyConstraint(["year"], ["plan.year"], name=op.f("fk_plan_override_year")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_override")),
    )
    op.create_index("ix_plan_override_year", "plan_override", ["year"], unique=False)


def _make_drawn() -> None:
    op.create_table(
        "selection",
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("locked_on", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_selection_subject_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_selection_task_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_selection_unit_id")),
        sa.PrimaryKeyConstraint("task_id", "subject_id", name=op.f("pk_selection")),
    )
    op.create_index("ix_selection_locked_on", "selection", ["locked_on"], unique=False)
    op.create_index("ix_selection_subject_id_locked_on", "selection", ["subject_id", "locked_on"], unique=False)
    op.create_table(
        "joint_list",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("drawn_on", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_joint_list_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_list")),
        sa.UniqueConstraint("line_id", "sha256", name=op.f("uq_joint_list_line_id_sha256")),
    )
    op.create_table(
        "joint_list_row",
        sa.Column("list_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["joint_list.id"], name=op.f("fk_joint_list_row_list_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_joint_list_row_subject_id")),
        sa.PrimaryKeyConstraint("list_id", "place", name=op.f("pk_joint_list_row")),
    )


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
