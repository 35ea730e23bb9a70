"""The item list in versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = (  # plain SQL, since Alembic adds a foreign key to an SQLite table only by making the table anew
    "item ADD COLUMN department TEXT NOT NULL DEFAULT ''",
    "item ADD COLUMN ratio INTEGER",
    "item ADD COLUMN unit_id VARCHAR(64) CONSTRAINT fk_item_unit_id REFERENCES unit (id)",
    "item ADD COLUMN scope JSON NOT NULL DEFAULT '{}'",
    "item ADD COLUMN rev INTEGER NOT NULL DEFAULT 1",
    "item ADD COLUMN entered_by JSON NOT NULL DEFAULT '[]'",
    "item ADD COLUMN changed_at VARCHAR(32)",
    "task ADD COLUMN list_version INTEGER CONSTRAINT fk_task_list_version REFERENCES list_version (n)",
)
APPEND_ONLY = ("list_version", "item_edition", "list_entry")
COMPLETE = "a released version of the list is complete"
LATE_ON_SQLITE = (
    "CREATE TRIGGER list_entry_no_late BEFORE INSERT ON list_entry "
    "WHEN EXISTS (SELECT 1 FROM list_version WHERE n = NEW.version) "
    f"BEGIN SELECT RAISE(ABORT, '{COMPLETE}'); END",
)
LATE_ON_POSTGRES = (
    "CREATE FUNCTION list_entry_is_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF EXISTS (SELECT 1 FROM list_version WHERE n = NEW.version) THEN "
    f"RAISE EXCEPTION '{COMPLETE}' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER list_entry_no_late BEFORE INSERT ON list_entry FOR EACH ROW EXECUTE FUNCTION list_entry_is_late()",
)


def _triggers(table: str) -> list[str]:
    sentence = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for verb in ("update", "delete")
        ]
    return [
        f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'restrict_violation'; END $$",
        f"CREATE TRIGGER {table}_no_edit BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuses()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuses()",
    ]


def upgrade() -> None:
    """Makes the tables of this part, adds what items and tasks hold beside, and the triggers."""
    op.create_table(
        "list_version",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("released_on", sa.String(length=10), nullable=False),
        sa.Column("released_at", sa.String(length=32), nullable=False),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_list_version")),
    )
    op.create_table(
        "item_edition",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["template"], ["template.sha256"], name=op.f("fk_item_edition_template")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_item_edition")),
    )
    op.create_index("ix_item_edition_item_id", "item_edition", ["item_id"], unique=False)
    op.create_table(
        "list_entry",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("edition", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["edition"], ["item_edition.sha256"], name=op.f("fk_list_entry_edition")),
        sa.ForeignKeyConstraint(
            ["version"],
            ["list_version.n"],
            name=op.f("fk_list_entry_version"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("version", "item_id", name=op.f("pk_list_entry")),
    )
    late = LATE_ON_SQLITE if op.get_bind().dialect.name == "sqlite" else LATE_ON_POSTGRES
    for change in COLUMNS:
        op.execute(f"ALTER TABLE {change}")
    for statement in [*(line for table in APPEND_ONLY for line in _triggers(table)), *late]:
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
