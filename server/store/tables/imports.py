"""Imports as batches with their rows and faults, and what the province's platform holds."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

import_batch = sa.Table(
    "import_batch",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("layout", sa.String(16), nullable=False),  # subjects | officers | experts | agencies
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # reading checked applying applied undoing undone abandoned
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # where the file comes from, in the clerk's words (R7.2)
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("form", sa.JSON, nullable=False),  # kind, encoding, delimiter, row of the header, its columns
    sa.Column("total", sa.Integer),  # rows to do in this state; null: not known yet
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),  # rows by kind, faults by code
    sa.Column("choices", sa.JSON),  # what the clerk ticked when he applied it
    sa.Column("held", sa.JSON),  # why it stands where it stands: rows that stopped it, each with its reason
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("applied_by", sa.String(64)),
    sa.Column("applied_at", sa.String(32)),
    sa.Column("undone_by", sa.String(64)),
    sa.Column("undone_at", sa.String(32)),
    sa.Index("ix_import_batch_unit_id_entered_at", "unit_id", "entered_at"),
)

import_row = sa.Table(
    "import_row",
    metadata,
    sa.Column("batch_id", sa.ForeignKey("import_batch.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),  # new | changed | same | faulty | duplicate
    sa.Column("object_id", sa.String(64)),  # who it is, or will be
    sa.Column("changed", sa.JSON),  # the names of the fields that differ
    sa.Column("sealed", sa.LargeBinary),  # what is to be, and what was before: JSON
    sa.Index("ix_import_row_batch_id_kind", "batch_id", "kind", "row"),
)

import_fault = sa.Table(
    "import_fault",
    metadata,
    sa.Column("batch_id", sa.ForeignKey("import_batch.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("field", sa.String(32), nullable=False),
    sa.Column("code", sa.String(32), nullable=False),
    sa.Column("values", sa.JSON, nullable=False),  # never a phone or ID number: at most its mask
    sa.Column("warning", sa.Boolean, nullable=False),
    sa.Index("ix_import_fault_batch_id_code", "batch_id", "code", "n"),
)

province_mapping = sa.Table(  # the province's layout, as versions that a clerk writes
    "province_mapping",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
)

code_set = sa.Table(  # append-only: versions of the sets of codes by which other platforms call the ten results
    "code_set",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
)

province_state = sa.Table(  # R7.3: what the province's platform has of each row that it must hold
    "province_state",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),  # item subject officer expert plan task draw result
    sa.Column("object", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),  # exported | confirmed; no row: not sent
    sa.Column("digest", sa.String(64), nullable=False),  # of what was sent: a later change must be sent again
    sa.Column("number", sa.String(64)),  # the platform's own, from its receipt
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.CheckConstraint("state != 'confirmed' OR number IS NOT NULL", name="confirmed_has_number"),
    sa.UniqueConstraint("kind", "number"),
)
