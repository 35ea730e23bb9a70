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
    "no, name, unit_id, joint, partner, draw, filter, unified, window_from, due_on, list_version,"
    " joint_list, origin, plan_line_id, campaign, methods, form, mode, n, shares, disclosure, crew_size, state,"
    " executing_unit_id, dispatched_by, dispatched_at"
)
GROWS = "the window of a dispatched task only grows"
NOTICE = "notice is append-only"

STANDING = "state <> 'void'"
FROZEN = (
    "place",
    "year",
    "seq",
    "attempt",
    "task_id",
    "prev",
    "frame_digest",
    "rules",
    "sources",
    "commit",
    "committed_at",
    "committed_by",
    "sealed_secret",
    "other_case",
)
"""What never changes once a draw is committed."""

ONCE = ("secret", "seed", "drawn_at", "drawn_by", "quotas", "winners", "reserve")
"""What never changes once it is drawn."""

DECIDED = ("exclusion", "excuse")
"""Requests: what was decided stays."""

APPENDED = ("draw_frame", "draw_contribution", "draw_file", "task_extension", "subject_status")


def upgrade() -> None:
    """Makes the tables of this part, adds what tasks hold beside, and the triggers."""
    _make_tasks()
    _make_draws()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _on_sqlite() + _draws_on_sqlite() if is_sqlite else _on_postgres() + _draws_on_postgres():
        op.execute(statement)


def _make_tasks() -> None:
    for column in TASK:
        op.execute(f"ALTER TABLE task ADD COLUMN {column}")
    op.execute("ALTER TABLE task_item ADD COLUMN place INTEGER NOT NULL DEFAULT 0")
    op.create_index("ix_task_no", "task", ["no"], unique=True)
    op.create_index("ix_task_unit_id_state", "task", ["unit_id", "state"], unique=False)
    op.create_index("ix_task_joint", "task", ["joint", "dispatched_at", "id"], unique=False)
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
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_notice_task_id")),
        sa.PrimaryKeyConstraint("no", "version", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_task_id", "notice", ["task_id", "version"], unique=True)
    op.create_index("ix_notice_published_at", "notice", ["published_at", "no", "version"], unique=False)
    op.create_table(
        "task_extension",
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("was", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_extension_task_id")),
        sa.PrimaryKeyConstraint("task_id", "n", name=op.f("pk_task_extension")),
    )


def _make_draws() -> None:
    op.create_table(
        "draw_chain",
        sa.Column("alg", sa.String(length=16), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("alg", name=op.f("pk_draw_chain")),
    )
    op.create_table(
        "draw",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("frame_digest", sa.String(length=64), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("rules_digest", sa.String(length=64), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("committed_at", sa.String(length=32), nullable=False),
        sa.Column("committed_by", sa.String(length=64), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("exempt", sa.Integer(), nullable=False),
        sa.Column("other_case", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=True),
        sa.Column("drawn_at", sa.String(length=32), nullable=True),
        sa.Column("drawn_by", sa.String(length=64), nullable=True),
        sa.Column("quotas", sa.JSON(), nullable=False),
        sa.Column("winners", sa.JSON(), nullable=False),
        sa.Column("reserve", sa.JSON(), nullable=False),
        sa.Column("excused", sa.JSON(), nullable=False),
        sa.Column("locked_at", sa.String(length=32), nullable=True),
        sa.Column("locked_by", sa.String(length=64), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("void_by", sa.String(length=64), nullable=True),
        sa.Column("void_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_draw_task_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_draw_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw")),
        sa.UniqueConstraint("commit", name=op.f("uq_draw_commit")),
        sa.UniqueConstraint("place", name=op.f("uq_draw_place")),
        sa.UniqueConstraint("prev", name=op.f("uq_draw_prev")),
        sa.UniqueConstraint("year", "seq", "attempt", name=op.f("uq_draw_year_seq_attempt")),
    )
    op.create_index("ix_draw_task_id", "draw", ["task_id"], unique=False)
    summed = ["unit_id", "state", "task_id", "rows", "other_case"]
    op.create_index("ix_draw_unit_id", "draw", summed, unique=False)
    op.create_index("ix_draw_committed_at", "draw", ["attempt", "committed_at", "year", "seq"], unique=False)
    op.create_index(
        "uq_draw_standing_task",
        "draw",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text(STANDING),
        postgresql_where=sa.text(STANDING),
    )
    op.create_table(
        "draw_frame",
        sa.Column("draw_id", sa.String(length=36), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_frame_draw_id")),
        sa.PrimaryKeyConstraint("draw_id", name=op.f("pk_draw_frame")),
    )
    op.create_table(
        "draw_contribution",
        sa.Column("draw_id", sa.String(length=36), nullable=False),
        sa.Column("k", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("v", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=True),
        sa.Column("evidence_name", sa.Text(), nullable=True),
        sa.Column("evidence_mime", sa.String(length=64), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_contribution_draw_id")),
        sa.PrimaryKeyConstraint("draw_id", "k", name=op.f("pk_draw_contribution")),
    )
    op.create_table(
        "draw_file",
        sa.Column("draw_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(length=24), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_file_draw_id")),
        sa.PrimaryKeyConstraint("draw_id", "version", name=op.f("pk_draw_file")),
    )
    op.create_table(
        "subject_status",
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("on", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "at", name=op.f("pk_subject_status")),
    )
    op.create_table(
        "excuse",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("draw_id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=18), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_excuse_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excuse")),
    )
    op.create_index("ix_excuse_draw_id", "excuse", ["draw_id"], unique=False)
    op.create_table(
        "exclusion",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_exclusion_subject_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_exclusion_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index("ix_exclusion_subject_id", "exclusion", ["subject_id"], unique=False)
    op.create_index("ix_exclusion_unit_id", "exclusion", ["unit_id"], unique=False)


def _differ(columns: tuple[str, ...], unlike: str, cast: str = "") -> str:
    return " OR ".join(f'NEW."{name}"{cast} {unlike} OLD."{name}"{cast}' for name in columns)


def _draws_on_sqlite() -> list[str]:
    changed = (
        f"OLD.state = 'void' OR {_differ(FROZEN, 'IS NOT')} OR OLD.seed IS NOT NULL AND ({_differ(ONCE, 'IS NOT')})"
    )
    found = [_sqlite("draw", "UPDATE", changed), _sqlite("draw", "DELETE", "1")]
    found += [_sqlite(table, verb, "1") for table in APPENDED for verb in ("UPDATE", "DELETE")]
    for table in DECIDED:
        found += [_sqlite(table, "UPDATE", "OLD.state <> 'asked'"), _sqlite(table, "DELETE", "1")]
    return found


def _sqlite(table: str, verb: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _draws_on_postgres() -> list[str]:
    unlike = "IS DISTINCT FROM"
    changed = (
        f"TG_OP = 'DELETE' OR OLD.state = 'void' OR {_differ(FROZEN, unlike, '::text')}"
        f" OR OLD.seed IS NOT NULL AND ({_differ(ONCE, unlike, '::text')})"
    )
    decided = "TG_OP = 'DELETE' OR OLD.state <> 'asked'"
    kept = {"draw": changed} | dict.fromkeys(DECIDED, decided) | dict.fromkeys(APPENDED, "true")
    return [statement for table, when in kept.items() for statement in _postgres(table, when)]


def _postgres(table: str, when: str) -> list[str]:
    raised = f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'"
    body = f"IF TG_OP = 'TRUNCATE' THEN {raised}; ELSIF {when} THEN {raised}; END IF; RETURN NEW;"
    call = f"EXECUTE FUNCTION {table}_refuses()"
    return [
        f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {call}",
        f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
    ]


def _on_sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER task_no_edit BEFORE UPDATE OF {FIXED_COLUMNS} ON task"
        f" WHEN OLD.state = 'dispatched' BEGIN SELECT RAISE(ABORT, '{FIXED}'); END",
        "CREATE TRIGGER task_window_grows BEFORE UPDATE OF window_to ON task WHEN OLD.state = 'dispatched'"
        f" AND NEW.window_to < OLD.window_to BEGIN SELECT RAISE(ABORT, '{GROWS}'); END",
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
        function("task_window_refuses", GROWS),
        "CREATE TRIGGER task_window_grows BEFORE UPDATE OF window_to ON task FOR EACH ROW"
        " WHEN (OLD.state = 'dispatched' AND NEW.window_to < OLD.window_to) EXECUTE FUNCTION task_window_refuses()",
        function("notice_refuses", NOTICE),
        "CREATE TRIGGER notice_no_edit BEFORE UPDATE OR DELETE ON notice"
        " FOR EACH ROW EXECUTE FUNCTION notice_refuses()",
        "CREATE TRIGGER notice_no_truncate BEFORE TRUNCATE ON notice"
        " FOR EACH STATEMENT EXECUTE FUNCTION notice_refuses()",
    ]


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
