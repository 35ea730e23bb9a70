"""Publication: results as published, versions, withheld results, corrections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXES = {
    "changed_at": ("changed_at",),
    "unit_id": ("unit_id",),
    "main": ("main",),
    "unit_id_main": ("unit_id", "main"),
    "task_id": ("task_id",),
    "uscc": ("uscc",),
}

DECIDED = {
    "withholding": "OLD.state IN ('refused', 'lifted') OR OLD.state = 'approved' AND NEW.state <> 'lifted'",
    "correction": "OLD.state <> 'asked'",
}


def on_sqlite() -> list[str]:
    """What was published never changes, nor does a decision."""
    found = [_sqlite("publication_version", verb, "1") for verb in ("UPDATE", "DELETE")]
    found += [_sqlite("ledger_entry", verb, "1") for verb in ("UPDATE", "DELETE")]
    found += [_sqlite("set_aside", verb, "1") for verb in ("UPDATE", "DELETE")]
    found += [_sqlite("code_set", verb, "1") for verb in ("UPDATE", "DELETE")]
    found += [_sqlite("refusal_note", verb, "1") for verb in ("UPDATE", "DELETE")]
    found.append(_sqlite("publication", "DELETE", "1"))
    for table, when in DECIDED.items():
        found += [_sqlite(table, "UPDATE", when), _sqlite(table, "DELETE", "1")]
    return found


def _sqlite(table: str, verb: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} WHEN {when}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def on_postgres() -> list[str]:
    """The same on PostgreSQL."""
    refused = {"publication_version": "true", "ledger_entry": "true", "publication": "TG_OP = 'DELETE'"}
    refused |= {"set_aside": "true", "code_set": "true", "refusal_note": "true"}
    refused |= {table: f"TG_OP = 'DELETE' OR {when}" for table, when in DECIDED.items()}
    return [_function(table, when) for table, when in refused.items()] + [
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {table}_refuses()"
        for table in refused
    ]


def _function(table: str, when: str) -> str:
    raised = f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'"
    body = f"IF {when} THEN {raised}; END IF; RETURN NEW;"
    return f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def upgrade() -> None:
    """Makes the tables, then the triggers that keep what was published."""
    _make_tables()
    for statement in on_sqlite() if op.get_bind().dialect.name == "sqlite" else on_postgres():
        op.execute(statement)


def _make_tables() -> None:
    op.create_index("ix_visit_task_task_id", "visit_task", ["task_id", "visit_id"], unique=False)
    op.create_index("ix_log_cosignature_witness", "log_cosignature", ["witness", "size"], unique=False)
    op.create_index("ix_log_cosignature_at", "log_cosignature", ["witness", "at"], unique=False)
    is_open = sa.text("state = 'open'")
    op.create_index("ix_visit_open", "visit", ["id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "publication",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.String(length=16), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("main", sa.String(length=32), nullable=False),
        sa.Column("visited_on", sa.String(length=10), nullable=False),
        sa.Column("published_on", sa.String(length=10), nullable=False),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.Column("corrected_on", sa.String(length=10), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_publication_subject_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_publication_task_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_publication_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_publication_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("visit_id", "task_id", name=op.f("uq_publication_visit_id_task_id")),
    )
    op.create_index("ix_publication_no", "publication", ["no"], unique=True)
    op.create_index("ix_publication_place", "publication", ["place"], unique=True)
    for name, columns in INDEXES.items():
        op.create_index(f"ix_publication_{name}", "publication", [*columns, "place"], unique=False)
    op.create_table(
        "publication_term",
        sa.Column("term", sa.String(length=2), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("term", "place", name=op.f("pk_publication_term")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=18), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("drawn_at", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_ledger_entry_subject_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_ledger_entry_task_id")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("source", "task_id", "subject_id", name=op.f("uq_ledger_entry_source_task_id_subject_id")),
        sa.UniqueConstraint("task_id", "n", name=op.f("uq_ledger_entry_task_id_n")),
    )
    op.create_index("ix_ledger_entry_digest", "ledger_entry", ["digest"], unique=True)
    op.create_table(
        "withholding",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("review_on", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lifted_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_withholding_task_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_withholding_unit_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_withholding_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withholding")),
    )
    op.create_index("ix_withholding_state", "withholding", ["state", "unit_id"], unique=False)
    op.create_index("ix_withholding_visit_id", "withholding", ["visit_id", "task_id"], unique=False)
    op.create_index(
        "uq_withholding_open",
        "withholding",
        ["visit_id", "task_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('asked', 'approved')"),
        postgresql_where=sa.text("state IN ('asked', 'approved')"),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("publication_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("main", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("objection_id", sa.String(length=36), nullable=True),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name=op.f("fk_correction_publication_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_correction_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index("ix_correction_publication_id", "correction", ["publication_id"], unique=False)
    op.create_index("ix_correction_state", "correction", ["state", "unit_id"], unique=False)
    op.create_index(
        "uq_correction_open",
        "correction",
        ["publication_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "code_set",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_code_set")),
    )
    op.create_index(
        "ix_op_sign",
        "op",
        ["visit_id"],
        unique=False,
        sqlite_where=sa.text("kind = 'sign'"),
        postgresql_where=sa.text("kind = 'sign'"),
    )
    op.create_table(
        "refusal_note",
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("rid", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_refusal_note_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "rid", "seq", name=op.f("pk_refusal_note")),
    )
    op.create_table(
        "set_aside",
        sa.Column("visit_id", sa.String(length=36), nullable=False),
        sa.Column("rid", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_set_aside_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "rid", "seq", name=op.f("pk_set_aside")),
    )
    op.create_table(
        "publication_version",
        sa.Column("publication_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("correction_id", sa.String(length=36), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_publication_version_publication_id")
        ),
        sa.PrimaryKeyConstraint("publication_id", "version", name=op.f("pk_publication_version")),
    )
