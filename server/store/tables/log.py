"""The log: hashes of the tree in tiles, signed checkpoints, what witnesses put under them, and the keys."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

log_tile = sa.Table(  # made of the leaves and makeable again: 256 hashes a tile, so that a proof reads a few rows
    "log_tile",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),  # hashes of whole subtrees of 256^level
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

log_checkpoint = sa.Table(  # append-only
    "log_checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.String(64), nullable=False),
    sa.Column("note", sa.Text, nullable=False),  # as signed by the log
    sa.Column("at", sa.String(32), nullable=False),
)

log_cosignature = sa.Table(  # append-only; `line` is what stands under the note
    "log_cosignature",
    metadata,
    sa.Column("size", sa.ForeignKey("log_checkpoint.size"), primary_key=True),
    sa.Column("witness", sa.ForeignKey("log_witness.name"), primary_key=True),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Index("ix_log_cosignature_witness", "witness", "size"),
    sa.Index("ix_log_cosignature_at", "witness", "at"),
)

log_witness = sa.Table(  # whose cosignatures are taken: named by the office, outside of it
    "log_witness",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),  # name+hash+key
    sa.Column("who", sa.Text, nullable=False),  # as people are told
    sa.Column("added_at", sa.String(32), nullable=False),
    sa.Column("ended_at", sa.String(32)),
)

log_key = sa.Table(  # append-only: every key that the log signed with, the last one is in use
    "log_key",
    metadata,
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),  # name+hash+key
    sa.Column("size", sa.BigInteger, nullable=False),  # of the log when it came into use
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("note", sa.Text),  # signed by the key before and this one; null of the first, or where that one is lost
)
