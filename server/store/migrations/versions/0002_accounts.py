"""Units that close, passwords that must change, what a session proved last, and the trail's ways to be searched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ON_SQLITE = [
    f"CREATE TRIGGER trail_number_no_{verb} BEFORE {verb.upper()} ON trail_number "
    "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
    for verb in ("update", "delete")
]
ON_POSTGRES = [
    "CREATE FUNCTION trail_number_refuses() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the trail is append-only' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER trail_number_no_edit BEFORE UPDATE OR DELETE ON trail_number "
    "FOR EACH ROW EXECUTE FUNCTION trail_number_refuses()",
    "CREATE TRIGGER trail_number_no_truncate BEFORE TRUNCATE ON trail_number "
    "FOR EACH STATEMENT EXECUTE FUNCTION trail_number_refuses()",
]


def upgrade() -> None:
    """Adds the columns and indexes; a session of before proved its password when it was opened."""
    op.add_column("unit", sa.Column("closed_at", sa.String(length=32), nullable=True))
    op.add_column("account", sa.Column("must_change", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("account", sa.Column("password_at", sa.String(length=32), nullable=True))
    op.add_column("device", sa.Column("revoked_why", sa.Text(), nullable=True))
    op.add_column("session", sa.Column("proved_at", sa.String(length=32), nullable=True))
    op.execute("UPDATE session SET proved_at = created_at")
    op.drop_index("ix_trail_object", table_name="trail")
    op.create_index("ix_trail_at", "trail", ["at", "n"], unique=False)
    op.create_index("ix_trail_act", "trail", ["act", "at", "n"], unique=False)
    op.create_index("ix_trail_actor", "trail", ["actor", "at", "n"], unique=False)
    op.create_index("ix_trail_object", "trail", ["object", "at", "n"], unique=False)
    op.create_table(
        "trail_number",
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", "at", "n", name=op.f("pk_trail_number")),
    )
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
