"""Tasks as they are set up before a draw, their requests and public notices; and draws."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TASK = (  # plain SQL, since Alembic adds a foreign key to an SQLite table only by making the table anew
    "no VARCHAR(16)",
    "filter JSON NOT NULL DEFAULT '{}'",
    "unified BOOLEAN NOT NULL DEFAULT FALSE",
    "joint_list VARCHAR(36) CONSTRAINT fk_task_joint_list REFERENCES joint_list (id)",
    "origin VARCHAR(16) NOT NULL DEFAULT 'temporary'",
    "plan_line_id VARCHAR(36)",
    "campaign TEXT",
    "methods JSON NOT NULL DEFAULT '[]'",
    "form VARCHAR(16)",
    "mode VARCHAR(8) NOT NULL DEFAULT 'total'",
    "n INTEGER NOT NULL DEFAULT 0",
    "shares JSON NOT NULL DEFAULT '{}'",
    "proposed INTEGER NOT NULL DEFAULT 0",
    "floor INTEGER NOT NULL DEFAULT 0",
    "population INTEGER NOT NULL DEFAULT 0",
    "disclosure VARCHAR(8) NOT NULL DEFAULT 'sealed'",
    "crew_size INTEGER NOT NULL DEFAULT 2",
    "state VARCHAR(16) NOT NULL DEFAULT 'dispatched'",
    "reason TEXT",
    "incident TEXT",
    "approval_number TEXT",
    "approval_on VARCHAR(10)",
    "approved_by VARCHAR(64)",
    "approved_at VARCHAR(32)",
    "entered_by VARCHAR(64)",
    "entered_at VARCHAR(32)",
    "executing_unit_id VARCHAR(64) CONSTRAINT fk_task_executing_unit_id REFERENCES unit (id)",
    "dispatched_by VARCHAR(64)",
    "dispatched_at VARCHAR(32)",
    "cancelled_by VARCHAR(64)",
    "cancelled_at VARCHAR(32)",
    "cancelled_why TEXT",
)
"""What a task holds beside; a task from before counts as dispatched."""

FIXED = "a dispatched task is never edited"
FIXED_COLUMNS = (
    "no, name, unit_id, joint, partner, draw, filter, unified, window_from, window_to, due_on, list_version,"
    " joint_list, origin, plan_line_id, campaign, methods, form, mode, n, shares, disclosure, crew_size, state,"
    " executing_unit_id, dispatched_by, dispatched_at"
)
NOTICE = "notice is append-only"


def upgrade() -> None:
    """Makes the tables of this part, adds what tasks hold beside, and the triggers."""
    _make_tasks()
    for statement in _on_sqlite() if op.get_bind().dialect.name == "sqlite" else _on_postgres():
        op.execute(statement)


def _make_tasks() -> None:
    for column in TASK:
        op.execute(f"ALTER TABLE task ADD COLUMN {column}")
    op.execute("ALTER TABLE task_item ADD COLUMN place INTEGER NOT NULL DEFAULT 0")
    op.create_index("ix_task_no", "task", ["no"], unique=True)
    op.create_index("ix_task_unit_id_state", "task", ["unit_id", "state"], unique=False)
    op.create_table(
        "task_override",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_override_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_override")),
    )
    op.create_index("ix_task_override_task_id", "task_override", ["task_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_withdrawal_subject_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_withdrawal_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
    )
    op.create_index("ix_withdrawal_task_id", "withdrawal", ["task_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("no", sa.String(length=16), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_notice_task_id")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_task_id", "notice", ["task_id"], unique=True)


def _on_sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER task_no_edit BEFORE UPDATE OF {FIXED_COLUMNS} ON task"
        f" WHEN OLD.state = 'dispatched' BEGIN SELECT RAISE(ABORT, '{FIXED}'); END",
        f"CREATE TRIGGER notice_no_update BEFORE UPDATE ON notice BEGIN SELECT RAISE(ABORT, '{NOTICE}'); END",
        f"CREATE TRIGGER notice_no_delete BEFORE DELETE ON notice BEGIN SELECT RAISE(ABORT, '{NOTICE}'); END",
    ]


def _on_postgres() -> list[str]:
    def function(name: str, sentence: str) -> str:
        return (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'restrict_violation'; END $$"
        )

    return [
        function("task_refuses", FIXED),
        f"CREATE TRIGGER task_no_edit BEFORE UPDATE OF {FIXED_COLUMNS} ON task"
        " FOR EACH ROW WHEN (OLD.state = 'dispatched') EXECUTE FUNCTION task_refuses()",
        function("notice_refuses", NOTICE),
        "CREATE TRIGGER notice_no_edit BEFORE UPDATE OR DELETE ON notice"
        " FOR EACH ROW EXECUTE FUNCTION notice_refuses()",
        "CREATE TRIGGER notice_no_truncate BEFORE TRUNCATE ON notice"
        " FOR EACH STATEMENT EXECUTE FUNCTION notice_refuses()",
    ]


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
