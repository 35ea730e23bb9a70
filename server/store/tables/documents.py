"""Documents as they were numbered and printed, the series of their numbers, and the rechecks of orders."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

document_prefix = sa.Table(  # append-only: what a unit's numbers begin with, the newest row counts
    "document_prefix",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("at", sa.String(32), primary_key=True),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
)

document_series = sa.Table(  # the counter row that hands out the numbers: locked until the commit, so there is no hole
    "document_series",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("kind", sa.String(24), primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

document = sa.Table(  # append-only
    "document",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("visit_id", sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("no", sa.Text, nullable=False, unique=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("record", sa.String(64)),  # the digest of the record that it was made from
    sa.Column("sheet", sa.LargeBinary, nullable=False),  # what was printed, as canonical JSON
    sa.Column("problems", sa.JSON, nullable=False),  # of an order, or of the order that a recheck's opinion is on
    sa.Column("due_on", sa.String(10)),  # of an order: by when the first problem is to be corrected
    sa.Column("order_id", sa.ForeignKey("document.id")),  # of a recheck's opinion
    sa.Column("replaces", sa.ForeignKey("document.id"), unique=True),
    sa.Column("reason", sa.Text, nullable=False),  # why it replaces another
    sa.Column("sha256", sa.String(64), nullable=False),  # of the PDF: reprints are these bytes
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.UniqueConstraint("unit_id", "kind", "year", "n"),
    sa.Index("ix_document_visit_id", "visit_id"),
    sa.Index("ix_document_unit_id_due_on", "unit_id", "due_on"),
    sa.Index("ix_document_order_id", "order_id"),
)

recheck = sa.Table(  # append-only: the visits that look after an order
    "recheck",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("order_id", sa.ForeignKey("document.id"), nullable=False),
    sa.Column("opened_by", sa.String(64), nullable=False),
    sa.Column("opened_at", sa.String(32), nullable=False),
    sa.Index("ix_recheck_order_id", "order_id"),
)
