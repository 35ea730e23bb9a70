"""The library of subjects: who is in it, in whose library, how it came to be so, and how it is found."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

subject = sa.Table(  # `no`, the keys and the pinyin are made from the rest: what searching and sorting stand on
    "subject",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("uscc", sa.String(18), unique=True),
    sa.Column("registration", sa.String(15)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("legal_representative", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("phone", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("industry", sa.String(16), nullable=False),  # GB/T 4754
    sa.Column("region", sa.String(6), nullable=False),  # GB/T 2260
    sa.Column("risk", sa.String(16), nullable=False),
    sa.Column("credit", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("lat_e7", sa.Integer),
    sa.Column("lon_e7", sa.Integer),
    sa.Column("flags", sa.JSON, nullable=False),  # attention flags: kind, document, from, to
    sa.Column("traits", sa.JSON, nullable=False),  # what an item looks at: hazardous_chemicals, confined_space ...
    sa.Column("rev", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.String(32), nullable=False),
    sa.Column("no", sa.Integer, nullable=False),  # the short number that the search table knows it by
    sa.Column("name_key", sa.Text, nullable=False),  # the name without width, case, blanks and punctuation
    sa.Column("address_key", sa.Text, nullable=False),
    sa.Column("pinyin", sa.Text, nullable=False),
    sa.Column("initials", sa.Text, nullable=False),
    sa.CheckConstraint("uscc IS NOT NULL OR registration IS NOT NULL", name="has_code"),
    sa.Index("uq_subject_registration", "registration", unique=True),
    sa.Index("uq_subject_no", "no", unique=True),
    sa.Index("ix_subject_name_key", "name_key"),
    sa.Index("ix_subject_address_key", "address_key"),
    sa.Index("ix_subject_pinyin_no", "pinyin", "no"),
    sa.Index("ix_subject_changed_at_no", "changed_at", "no"),
)

unit_subject = sa.Table(  # R8.3: each unit keeps its library; a subject is one record with several memberships
    "unit_subject",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), primary_key=True),
    sa.Index("ix_unit_subject_subject_id", "subject_id"),
)

subject_status = sa.Table(  # append-only: the document by which a status was set; outlives an import that was undone
    "subject_status",
    metadata,
    sa.Column("subject_id", sa.String(64), primary_key=True),
    sa.Column("at", sa.String(32), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("on", sa.String(10), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
)

subject_history = sa.Table(  # append-only by triggers; outlives the subject whose import was undone, so no foreign key
    "subject_history",
    metadata,
    sa.Column("n", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("subject_id", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # entered | changed | joined | left | removed
    sa.Column("source", sa.String(64), nullable=False),  # form | demo | import:<batch> | undo:<batch>
    sa.Column("unit_id", sa.String(64)),  # whose library, of joined and left
    sa.Column("reason", sa.Text),
    sa.Column("changes", sa.JSON, nullable=False),  # field, before, after; of a phone only its mask
    sa.Index("ix_subject_history_subject_id_n", "subject_id", "n"),
)

subject_term = sa.Table(  # every beginning by which a subject may be looked for: prefixes of its parts' suffixes
    "subject_term",
    metadata,
    sa.Column("term", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
    sa.Column("no", sa.Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
