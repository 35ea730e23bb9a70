"""Objections to published results: what was filed (sealed), its papers, and every step since."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

objection = sa.Table(  # what was filed stays; only state, outcome and the day of the papers move, until it is closed
    "objection",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("no", sa.String(16), nullable=False, unique=True),  # "2026-0003"
    sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("publication_id", sa.ForeignKey("publication.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # of the result that is objected to
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("visit_id", sa.ForeignKey("visit.id"), nullable=False),  # the first inspection
    sa.Column("capacity", sa.String(16), nullable=False),  # representative | authorised
    sa.Column("name", sa.LargeBinary, nullable=False),  # this and the next three: sealed
    sa.Column("phone", sa.LargeBinary, nullable=False),
    sa.Column("grounds", sa.LargeBinary, nullable=False),
    sa.Column("wanted", sa.LargeBinary, nullable=False),
    sa.Column("filed_at", sa.String(32), nullable=False),
    sa.Column("papers_on", sa.String(10), nullable=False),  # the day of the last papers: the recheck's days run from it
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(16)),
    sa.Column("changed_at", sa.String(32), nullable=False),
    sa.Index("ix_objection_publication_id", "publication_id"),
    sa.Index("ix_objection_unit_id_state", "unit_id", "state"),
    sa.Index("ix_objection_state", "state"),
)

objection_paper = sa.Table(  # append-only: evidence of who objects; the bytes lie sealed in the store of files
    "objection_paper",
    metadata,
    sa.Column("objection_id", sa.ForeignKey("objection.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("mime", sa.String(32), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # of what was sent
    sa.Column("sha256", sa.String(64), nullable=False),  # of the sealed bytes
    sa.Column("at", sa.String(32), nullable=False),
)

objection_event = sa.Table(  # append-only: every step, the filing the first
    "objection_event",
    metadata,
    sa.Column("objection_id", sa.ForeignKey("objection.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("act", sa.String(16), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # after it
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("document_id", sa.ForeignKey("document.id")),  # the letter that went out with it
)

objection_try = sa.Table(  # of the last hour: what an address filed, and the codes that it tried in vain
    "objection_try",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Index("ix_objection_try_kind", "kind", "address", "at"),
)
