"""The library of subjects, searchable, with its history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    "registration VARCHAR(15)",
    "rev INTEGER NOT NULL DEFAULT 1",
    "changed_at VARCHAR(32) NOT NULL DEFAULT ''",
    "no INTEGER NOT NULL DEFAULT 0",
    "name_key TEXT NOT NULL DEFAULT ''",
    "address_key TEXT NOT NULL DEFAULT ''",
    "pinyin TEXT NOT NULL DEFAULT ''",
    "initials TEXT NOT NULL DEFAULT ''",
)
INDEXES = (
    ("uq_subject_registration", ["registration"], True),
    ("uq_subject_no", ["no"], True),
    ("ix_subject_name_key", ["name_key"], False),
    ("ix_subject_address_key", ["address_key"], False),
    ("ix_subject_pinyin_no", ["pinyin", "no"], False),
    ("ix_subject_changed_at_no", ["changed_at", "no"], False),
)
HAS_CODE = "CONSTRAINT ck_subject_has_code CHECK (uscc IS NOT NULL OR registration IS NOT NULL)"


def upgrade() -> None:
    """Adds what subjects hold beside, and the tables of history and search.

    A phone that was kept in the clear comes through as a zero byte and its text: `store.subjects.take_over` seals it,
    and makes the terms, when the server with its key starts.
    """
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for column in COLUMNS:
        op.execute(f"ALTER TABLE subject ADD COLUMN {column}")
    _number()
    (_phones_on_sqlite if on_sqlite else _phones_on_postgres)()
    (_codes_on_sqlite if on_sqlite else _codes_on_postgres)()
    for name, columns, unique in INDEXES:
        op.create_index(name, "subject", columns, unique=unique)
    op.create_index("ix_unit_subject_subject_id", "unit_subject", ["subject_id"])
    _tables()
    for statement in _append_only(on_sqlite):
        op.execute(statement)


def _number() -> None:
    conn = op.get_bind()
    ids = conn.execute(sa.text("SELECT id FROM subject ORDER BY id")).scalars().all()
    for no, id in enumerate(ids, 1):
        conn.execute(sa.text("UPDATE subject SET no = :no WHERE id = :id"), {"no": no, "id": id})
    conn.execute(sa.text("INSERT INTO counter (name, value) VALUES ('subject', :last)"), {"last": len(ids)})


def _phones_on_sqlite() -> None:
    op.execute("ALTER TABLE subject ADD COLUMN sealed BLOB NOT NULL DEFAULT x''")
    op.execute("UPDATE subject SET sealed = CAST(x'00' || phone AS BLOB)")
    op.execute("ALTER TABLE subject DROP COLUMN phone")
    op.execute("ALTER TABLE subject RENAME COLUMN sealed TO phone")


def _phones_on_postgres() -> None:
    op.execute(
        "ALTER TABLE subject ALTER COLUMN phone TYPE BYTEA USING decode('00', 'hex') || convert_to(phone, 'UTF8')"
    )


def _codes_on_sqlite() -> None:
    """The way that SQLite's manual gives for a constraint whose going changes nothing on the disk.

    Making the table anew would end the foreign keys that point to it, which can't be set aside in a transaction.
    """
    version = op.get_bind().exec_driver_sql("PRAGMA schema_version").scalar()
    op.execute("PRAGMA writable_schema = ON")
    op.execute(
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'uscc VARCHAR(18) NOT NULL', 'uscc VARCHAR(18)'), "
        f"'CONSTRAINT pk_subject', '{HAS_CODE}, CONSTRAINT pk_subject') WHERE type = 'table' AND name = 'subject'"
    )
    op.execute(f"PRAGMA schema_version = {int(version or 0) + 1}")
    op.execute("PRAGMA writable_schema = OFF")


def _codes_on_postgres() -> None:
    op.execute("ALTER TABLE subject ALTER COLUMN uscc DROP NOT NULL")
    op.execute(f"ALTER TABLE subject ADD {HAS_CODE}")


def _tables() -> None:
    op.create_table(
        "subject_history",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64)),
        sa.Column("reason", sa.Text()),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_subject_history")),
    )
    op.create_index("ix_subject_history_subject_id_n", "subject_history", ["subject_id", "n"])
    op.create_table(
        "subject_term",
        sa.Column("term", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("term", "no", name=op.f("pk_subject_term")),
        sqlite_with_rowid=False,
    )


def _append_only(on_sqlite: bool) -> list[str]:
    sentence = "the history of subjects is append-only"
    if on_sqlite:
        return [
            f"CREATE TRIGGER subject_history_no_{verb} BEFORE {verb.upper()} ON subject_history "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for verb in ("update", "delete")
        ]
    return [
        "CREATE FUNCTION subject_history_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'restrict_violation'; END $$",
        "CREATE TRIGGER subject_history_no_edit BEFORE UPDATE OR DELETE ON subject_history "
        "FOR EACH ROW EXECUTE FUNCTION subject_history_refuses()",
        "CREATE TRIGGER subject_history_no_truncate BEFORE TRUNCATE ON subject_history "
        "FOR EACH STATEMENT EXECUTE FUNCTION subject_history_refuses()",
    ]


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
