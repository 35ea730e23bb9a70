"""The journal of operations, and the record that is its fold."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

op = sa.Table(  # the truth: every operation for ever. No foreign key to `visit`: an op for an unknown visit is kept too
    "op",
    metadata,
    sa.Column("visit_id", sa.String(36), primary_key=True),
    sa.Column("rid", sa.String(32), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.BigInteger),  # null while held or kept apart
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("author", sa.String(64)),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # the op as JCS, `sig` included (of a tombstone: the raw bytes)
    sa.Column("received_at", sa.String(32), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),  # as at release: ok | quarantined | late | dead; held before
    sa.Column("reason", sa.String(32)),  # a quarantine reason, or a flag beside ok
    sa.Column("standing", sa.String(16), nullable=False),  # as changed since by `rule` and `admit`
    sa.Column("standing_reason", sa.String(32)),
    sa.Column("waits_for", sa.String(64)),  # of a held op: the op id that it waits for
    sa.Column("carrier", sa.String(32)),  # the replica that brought it, where it isn't its own
    sa.UniqueConstraint("visit_id", "n"),
    sa.Index(  # by it refused signatures are found
        "ix_op_sign",
        "visit_id",
        sqlite_where=sa.text("kind = 'sign'"),
        postgresql_where=sa.text("kind = 'sign'"),
    ),
)

apart = sa.Table(  # bodies that have no place in the journal: forks, and what could not be read
    "apart",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),  # fork | dead
    sa.Column("visit_id", sa.String(36), nullable=False),
    sa.Column("rid", sa.String(32), nullable=False),
    sa.Column("seq", sa.BigInteger),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("received_at", sa.String(32), nullable=False),
    sa.Column("carrier", sa.String(32)),
    sa.UniqueConstraint("visit_id", "rid", "seq", "sha256"),
)

replica = sa.Table(  # per visit and replica: how far it came without a hole
    "replica",
    metadata,
    sa.Column("visit_id", sa.String(36), primary_key=True),
    sa.Column("rid", sa.String(32), primary_key=True),
    sa.Column("acked", sa.BigInteger, nullable=False),
    sa.Column("last_hash", sa.String(64), nullable=False),  # of the op at `acked`; "" where prev isn't checked next
)

record = sa.Table(  # the fold of the journal as far as `head`: a cache that can be thrown away
    "record",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("head", sa.BigInteger, nullable=False),
    sa.Column("media_rev", sa.BigInteger, nullable=False),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(64)),
    sa.Column("view", sa.LargeBinary, nullable=False),  # the JSON of GET /api/visits/<id>/view
    sa.Column("summary", sa.JSON, nullable=False),  # what the inbox shows of it
)

review = sa.Table(
    "review",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),  # approved | returned
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("comment", sa.Text),
)

refusal_note = sa.Table(  # append-only: that the unit head has heard of a refused signature
    "refusal_note",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("rid", sa.String(32), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
)

set_aside = sa.Table(  # append-only: quarantined or late material that the reviewer looked at and left without effect
    "set_aside",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("rid", sa.String(32), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
)
