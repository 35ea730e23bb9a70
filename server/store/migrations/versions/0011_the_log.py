"""The log: the tree over the trail in tiles, checkpoints, cosignatures of witnesses, keys; a detail can be erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TRAIL = "the trail is append-only"
KEPT = ("log_checkpoint", "log_cosignature", "log_key")
SAME = ("n", "at", "act", "actor", "object", "leaf")
HIDDEN = ("before", "after", "detail")
ERASED_BY = "EXISTS (SELECT 1 FROM trail e WHERE e.act = 'trail.erase' AND e.object = 'entry:' || OLD.n)"


def _erasure(like: str, empty: str) -> str:
    """What an entry hides may go, with its salt, once an entry says so; all that the tree hashed stays."""
    same = " AND ".join(f'NEW."{name}" {like} OLD."{name}"' for name in SAME)
    gone = " AND ".join(f'NEW."{name}" IS NULL' for name in HIDDEN)
    return f"{gone} AND OLD.salt <> {empty} AND NEW.salt = {empty} AND {same} AND {ERASED_BY}"


def on_sqlite() -> list[str]:
    """Signed things stay as they are; of the trail nothing changes but what an erasure takes out."""
    erasure = _erasure("IS", "x''")
    found = [
        "DROP TRIGGER trail_no_update",
        f"CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail WHEN NOT ({erasure})"
        f" BEGIN SELECT RAISE(ABORT, '{TRAIL}'); END",
    ]
    for table in KEPT:
        for verb in ("UPDATE", "DELETE"):
            found.append(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return found


def on_postgres() -> list[str]:
    """The same on PostgreSQL."""
    refused = "USING ERRCODE = 'restrict_violation'"
    erasure = _erasure("IS NOT DISTINCT FROM", "''::bytea")
    found = [
        "CREATE FUNCTION trail_keeps() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF {erasure} THEN RETURN NEW; END IF; RAISE EXCEPTION '{TRAIL}' {refused}; END $$",
        "DROP TRIGGER trail_no_edit ON trail",
        "CREATE TRIGGER trail_no_edit BEFORE UPDATE ON trail FOR EACH ROW EXECUTE FUNCTION trail_keeps()",
        "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail FOR EACH ROW EXECUTE FUNCTION trail_refuses()",
        "CREATE FUNCTION log_refuses() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME {refused}; END $$",
    ]
    for table in KEPT:
        found += [
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION log_refuses()",
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION log_refuses()",
        ]
    return found


def upgrade() -> None:
    """Makes the tables of the log, the counter of what its tiles hold, and the triggers."""
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )
    op.create_table(
        "log_witness",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("added_at", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_log_witness")),
    )
    op.create_table(
        "log_cosignature",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoint.size"], name=op.f("fk_log_cosignature_size")),
        sa.ForeignKeyConstraint(["witness"], ["log_witness.name"], name=op.f("fk_log_cosignature_witness")),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_log_cosignature")),
    )
    op.create_table(
        "log_key",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_log_key")),
    )
    op.execute("INSERT INTO counter (name, value) VALUES ('log', 0)")
    for statement in on_sqlite() if op.get_bind().dialect.name == "sqlite" else on_postgres():
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Migrations only go forward; restore a backup instead.")
