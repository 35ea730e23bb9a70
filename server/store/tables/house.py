"""The house itself: what it knows of itself, its counters, and the trail."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

meta = sa.Table(  # epoch, the server's replica name, whether this is a demo database
    "meta",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

counter = sa.Table(  # counters that a transaction locks as a row: no number is ever handed out before its commit
    "counter",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

trail = sa.Table(  # append-only by triggers; `leaf` is the canonical JSON that the log's tree will hash
    "trail",
    metadata,
    sa.Column("n", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("act", sa.String(64), nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("object", sa.String(160), nullable=False),
    sa.Column("before", sa.String(64)),
    sa.Column("after", sa.String(64)),
    sa.Column("detail", sa.LargeBinary),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Index("ix_trail_at", "at", "n"),
    sa.Index("ix_trail_act", "act", "at", "n"),
    sa.Index("ix_trail_actor", "actor", "at", "n"),
    sa.Index("ix_trail_object", "object", "at", "n"),
)

trail_number = (
    sa.Table(  # the numbers of documents that an entry's detail names, so that one finds what was done by them
        "trail_number",
        metadata,
        sa.Column("number", sa.String(120), primary_key=True),
        sa.Column("at", sa.String(32), primary_key=True),
        sa.Column("n", sa.BigInteger, primary_key=True),
    )
)
