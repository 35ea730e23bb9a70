"""Objections: what was filed, its papers, and every step since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEPT = ("objection_event", "objection_paper")
"""What is only ever added to."""

FILED = ("no", "code_hash", "publication_id", "version", "unit_id", "visit_id", "capacity", "name", "phone", "grounds",
         "wanted", "filed_at")  # fmt: skip
"""What of an objection never changes; nothing does once it is closed."""


def upgrade() -> None:
    """Makes the tables, then the triggers that keep what was filed and every step."""
    op.create_table(
        "objection_try",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection_try")),
    )
    op.create_index("ix_objection_try_kind", "objection_try", ["kind", "address", "at"], unique=False)
    op.create_table(
        "objection",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("no", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("publication_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("capacity", sa.String(length=16), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("grounds", sa.LargeBinary(), nullable=False),
        sa.Column("wanted", sa.LargeBinary(), nullable=False),
        sa.Column("filed_at", sa.String(length=32), nullable=False),
        sa.Column("papers_on", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_objection_publication_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_objection_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_objection_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_objection_code_hash")),
        sa.UniqueConstraint("no", name=op.f("uq_objection_no")),
    )
    op.create_index("ix_objection_publication_id", "objection", ["publication_id"], unique=False)
    op.create_index("ix_objection_state", "objection", ["state"], unique=False)
    op.create_index("ix_objection_unit_id_state", "objection", ["unit_id", "state"], unique=False)
    op.create_table(
        "objection_event",
        sa.Column("objection_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("document_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_objection_event_document_id")),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"], name=op.f("fk_objection_event_objection_id")),
        sa.PrimaryKeyConstraint("objection_id", "n", name=op.f("pk_objection_event")),
    )
    op.create_table(
        "objection_paper",
        sa.Column("objection_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mime", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"], name=op.f("fk_objection_paper_objection_id")),
        sa.PrimaryKeyConstraint("objection_id", "n", name=op.f("pk_objection_paper")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _on_sqlite() if is_sqlite else _on_postgres():
        op.execute(statement)


def _changed() -> str:
    """When an update of an objection is refused."""
    return " OR ".join(["OLD.state IN ('answered', 'refused')", *(f"OLD.{name} <> NEW.{name}" for name in FILED)])


def _on_sqlite() -> list[str]:
    refused = [(table, verb, "1") for table in KEPT for verb in ("UPDATE", "DELETE")]
    refused += [("objection", "DELETE", "1"), ("objection", "UPDATE", _changed())]
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table, verb, when in refused
    ]


def _on_postgres() -> list[str]:
    found = []
    for table, when in {**dict.fromkeys(KEPT, "true"), "objection": _changed()}.items():
        raised = f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'"
        body = f"IF TG_OP <> 'UPDATE' THEN {raised}; END IF; IF {when} THEN {raised}; END IF; RETURN NEW;"
        call = f"EXECUTE FUNCTION {table}_refuses()"
        found += [
            f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {call}",
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
        ]
    return found


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
