"""Bytes, uploads, and what names them."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

blob = sa.Table(  # bytes that are here, verified and fsynced, once each
    "blob",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("stored_at", sa.String(32), nullable=False),
)

media = sa.Table(  # who uploaded which bytes for which visit, and as what
    "media",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.ForeignKey("blob.sha256"), nullable=False),
    sa.Column("visit_id", sa.String(36)),  # null: uploaded without naming a visit
    sa.Column("mime", sa.String(127), nullable=False),
    sa.Column("of", sa.String(64)),  # a rendition: the original that it goes with
    sa.Column("account_id", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("rid", sa.String(32)),
    sa.Column("stored_at", sa.String(32), nullable=False),
    sa.Index("ix_media_sha256", "sha256"),
    sa.Index("ix_media_visit_id", "visit_id"),
    sa.Index("ix_media_of", "of"),
)

media_name = sa.Table(  # hashes that the ops of a visit name: as evidence, signature image or strokes
    "media_name",
    metadata,
    sa.Column("visit_id", sa.String(36), primary_key=True),
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), primary_key=True),  # attach | image | strokes
    sa.Column("rid", sa.String(32), primary_key=True),  # the replica whose op named it
    sa.Index("ix_media_name_sha256", "sha256"),
)

upload = sa.Table(  # a tus upload under way; its offset is the length of its file
    "upload",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("rid", sa.String(32)),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("visit_id", sa.String(36)),
    sa.Column("mime", sa.String(127), nullable=False),
    sa.Column("of", sa.String(64)),
    sa.Column("metadata", sa.Text, nullable=False, default=""),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("expires_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, default="open"),  # open | done | refused
)
