"""Results as published, version by version; what is kept from the public; corrections asked and signed."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

publication = sa.Table(  # the newest version of a visit's result for one task, as lists and searches read it
    "publication",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("place", sa.BigInteger, nullable=False),  # dense over all years: the order of lists
    sa.Column("no", sa.String(16), nullable=False),  # "2026-000123"
    sa.Column("visit_id", sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("uscc", sa.String(18), nullable=False),
    sa.Column("main", sa.String(32), nullable=False),
    sa.Column("visited_on", sa.String(10), nullable=False),
    sa.Column("published_on", sa.String(10), nullable=False),  # of the first version
    sa.Column("changed_at", sa.String(32), nullable=False),  # of the newest version
    sa.Column("corrected_on", sa.String(10)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("visit_id", "task_id"),
    sa.Index("ix_publication_no", "no", unique=True),
    sa.Index("ix_publication_place", "place", unique=True),
    sa.Index("ix_publication_changed_at", "changed_at", "place"),
    sa.Index("ix_publication_unit_id", "unit_id", "place"),
    sa.Index("ix_publication_main", "main", "place"),
    sa.Index("ix_publication_unit_id_main", "unit_id", "main", "place"),
    sa.Index("ix_publication_task_id", "task_id", "place"),
    sa.Index("ix_publication_uscc", "uscc", "place"),
)

publication_term = sa.Table(  # pairs of characters of the names, by which results are found
    "publication_term",
    metadata,
    sa.Column("term", sa.String(2), primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
)

publication_version = sa.Table(  # append-only: what the public reads, as canonical JSON
    "publication_version",
    metadata,
    sa.Column("publication_id", sa.ForeignKey("publication.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("correction_id", sa.String(36)),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
)

withholding = sa.Table(  # a request not to publish (R26.3), the principal's answer, and when it was lifted
    "withholding",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("visit_id", sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("ground", sa.String(32), nullable=False),
    sa.Column("basis", sa.Text, nullable=False),  # law and article
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("review_on", sa.String(10), nullable=False),
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | approved | refused | lifted
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Column("lifted_why", sa.Text),
    sa.Column("lifted_by", sa.String(64)),
    sa.Column("lifted_at", sa.String(32)),
    sa.Index("ix_withholding_visit_id", "visit_id", "task_id"),
    sa.Index("ix_withholding_state", "state", "unit_id"),
    sa.Index(  # a result has at most one that stands or waits
        "uq_withholding_open",
        "visit_id",
        "task_id",
        unique=True,
        sqlite_where=sa.text("state IN ('asked', 'approved')"),
        postgresql_where=sa.text("state IN ('asked', 'approved')"),
    ),
)

correction = sa.Table(  # a correction asked for, with the bytes that would be published, and the principal's signature
    "correction",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("publication_id", sa.ForeignKey("publication.id"), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # that it would make
    sa.Column("items", sa.JSON, nullable=False),
    sa.Column("main", sa.String(32), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # public
    sa.Column("source", sa.Text, nullable=False),  # what shows it: the recheck, the document
    sa.Column("objection_id", sa.String(36)),
    sa.Column("asked_by", sa.String(64), nullable=False),
    sa.Column("asked_at", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # asked | signed | refused
    sa.Column("answer", sa.Text),
    sa.Column("decided_by", sa.String(64)),
    sa.Column("decided_at", sa.String(32)),
    sa.Index("ix_correction_publication_id", "publication_id"),
    sa.Index("ix_correction_state", "state", "unit_id"),
    sa.Index(
        "uq_correction_open",
        "publication_id",
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    ),
)

ledger_entry = sa.Table(  # append-only: every subject that was ever drawn, under a salted digest until it is published
    "ledger_entry",
    metadata,
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),  # dense over all tasks
    sa.Column("task_id", sa.ForeignKey("task.id"), nullable=False),
    sa.Column("n", sa.Integer, nullable=False),  # dense within the task
    sa.Column("source", sa.String(64), nullable=False),  # the draw's id, or "list" of a participant's task
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("code", sa.String(18), nullable=False),
    sa.Column("salt", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 of salt and code
    sa.Column("drawn_at", sa.String(32), nullable=False),
    sa.Column("entry", sa.BigInteger, nullable=False),  # the number of the log's entry that has the digests
    sa.UniqueConstraint("source", "task_id", "subject_id"),
    sa.UniqueConstraint("task_id", "n"),
    sa.Index("ix_ledger_entry_digest", "digest", unique=True),
)
