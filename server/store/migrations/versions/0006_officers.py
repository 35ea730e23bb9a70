"""Officers, experts, agencies, interests and leave; sealed fields."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SENTENCE = "the history of people is append-only"
ON_SQLITE = [
    f"CREATE TRIGGER personnel_history_no_{verb} BEFORE {verb.upper()} ON personnel_history "
    f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    for verb in ("update", "delete")
]
ON_POSTGRES = [
    f"CREATE FUNCTION personnel_history_refuses() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{SENTENCE}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER personnel_history_no_edit BEFORE UPDATE OR DELETE ON personnel_history "
    "FOR EACH ROW EXECUTE FUNCTION personnel_history_refuses()",
    "CREATE TRIGGER personnel_history_no_truncate BEFORE TRUNCATE ON personnel_history "
    "FOR EACH STATEMENT EXECUTE FUNCTION personnel_history_refuses()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON personnel_history FROM PUBLIC",
]


def upgrade() -> None:
    """Adds the sealed fields to officers and experts, then the tables of this part and what keeps the history."""
    for table in ("officer", "expert"):
        _seal(table)
    op.add_column("expert", sa.Column("sex", sa.String(length=8), nullable=True))
    # Both databases take this as it is; Alembic would add the key apart, which SQLite can't.
    op.execute("ALTER TABLE expert ADD COLUMN unit_id VARCHAR(64) CONSTRAINT fk_expert_unit_id REFERENCES unit (id)")
    _agency()
    _interest()
    _leave()
    _history()


def _seal(table: str) -> None:
    for name in ("phone", "id_number"):
        op.add_column(table, sa.Column(name, sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column(f"{name}_blind", sa.String(length=64), nullable=True))
    op.add_column(table, sa.Column("entered_by", sa.String(length=64), nullable=True))
    op.add_column(table, sa.Column("entered_at", sa.String(length=32), nullable=True))
    op.add_column(table, sa.Column("rev", sa.Integer(), server_default="1", nullable=False))
    op.create_index(f"ix_{table}_phone_blind", table, ["phone_blind"], unique=False)
    op.create_index(f"ix_{table}_id_number_blind", table, ["id_number_blind"], unique=True)


def _agency() -> None:
    op.create_table(
        "agency",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("contract_from", sa.String(length=10), nullable=False),
        sa.Column("contract_to", sa.String(length=10), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.Column("rev", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_agency_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("uscc", "contract", name=op.f("uq_agency_uscc_contract")),
    )


def _interest() -> None:
    op.create_table(
        "interest",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("officer_id", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("from_on", sa.String(length=10), nullable=False),
        sa.Column("to_on", sa.String(length=10), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_interest_officer_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.id"], name=op.f("fk_interest_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest")),
        sa.UniqueConstraint(
            "officer_id",
            "subject_id",
            "kind",
            "from_on",
            name=op.f("uq_interest_officer_id_subject_id_kind_from_on"),
        ),
    )
    op.create_index("ix_interest_subject_id", "interest", ["subject_id"], unique=False)


def _leave() -> None:
    op.create_table(
        "leave",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("officer_id", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.String(length=10), nullable=False),
        sa.Column("to_on", sa.String(length=10), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("entered_at", sa.String(length=32), nullable=False),
        sa.Column("cancelled_by", sa.String(length=64), nullable=True),
        sa.Column("cancelled_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_leave_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave")),
    )
    op.create_index("ix_leave_officer_id_from_on", "leave", ["officer_id", "from_on"], unique=False)


def _history() -> None:
    op.create_table(
        "personnel_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("object", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personnel_history")),
    )
    op.create_index("ix_personnel_history_object", "personnel_history", ["object"], unique=False)
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRES:
        op.execute(statement)
