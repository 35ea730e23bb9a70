"""Documents: their numbers, the bytes that were printed, and the rechecks of orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEPT = ("document", "document_prefix", "recheck")
"""What is only ever added to: a document is never edited, a new one replaces it."""


def upgrade() -> None:
    """Makes the tables, then the triggers that keep what was printed as it is."""
    op.create_table(
        "document_prefix",
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_document_prefix_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", "at", name=op.f("pk_document_prefix")),
    )
    op.create_table(
        "document_series",
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_document_series_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", "kind", "year", name=op.f("pk_document_series")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("no", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(length=64), nullable=True),
        sa.Column("sheet", sa.LargeBinary(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=True),
        sa.Column("order_id", sa.String(length=36), nullable=True),
        sa.Column("replaces", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["document.id"], name=op.f("fk_document_order_id")),
        sa.ForeignKeyConstraint(["replaces"], ["document.id"], name=op.f("fk_document_replaces")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_document_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_document_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("no", name=op.f("uq_document_no")),
        sa.UniqueConstraint("replaces", name=op.f("uq_document_replaces")),
        sa.UniqueConstraint("unit_id", "kind", "year", "n", name=op.f("uq_document_unit_id_kind_year_n")),
    )
    op.create_index("ix_document_order_id", "document", ["order_id"], unique=False)
    op.create_index("ix_document_unit_id_due_on", "document", ["unit_id", "due_on"], unique=False)
    op.create_index("ix_document_visit_id", "document", ["visit_id"], unique=False)
    op.create_table(
        "recheck",
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["document.id"], name=op.f("fk_recheck_order_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_recheck_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_recheck")),
    )
    op.create_index("ix_recheck_order_id", "recheck", ["order_id"], unique=False)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in KEPT:
        for statement in _on_sqlite(table) if is_sqlite else _on_postgres(table):
            op.execute(statement)


def _on_sqlite(table: str) -> list[str]:
    body = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {body}" for verb in ("UPDATE", "DELETE")
    ]


def _on_postgres(table: str) -> list[str]:
    body = f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation';"
    call = f"EXECUTE FUNCTION {table}_refuses()"
    return [
        f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {call}",
        f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
    ]


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
