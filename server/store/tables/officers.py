"""Officers, experts, agencies, interests and leave; phones and ID numbers sealed, with blind indexes beside."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

officer = sa.Table(
    "officer",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sex", sa.String(8), nullable=False),  # female | male
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("certificate", sa.String(32), nullable=False, unique=True),
    sa.Column("certificate_from", sa.String(10), nullable=False),
    sa.Column("certificate_to", sa.String(10), nullable=False),
    sa.Column("domains", sa.JSON, nullable=False),
    sa.Column("left_on", sa.String(10)),  # the first day on which he is no longer eligible
    sa.Column("phone", sa.LargeBinary),  # sealed
    sa.Column("phone_blind", sa.String(64)),
    sa.Column("id_number", sa.LargeBinary),  # sealed
    sa.Column("id_number_blind", sa.String(64)),
    sa.Column("entered_by", sa.String(64)),  # who wrote what stands here now
    sa.Column("entered_at", sa.String(32)),
    sa.Column("rev", sa.Integer, nullable=False, default=1, server_default="1"),
    sa.Column("may_lead", sa.Boolean, nullable=False, default=True, server_default=sa.true()),  # a crew
    sa.Column("home_office", sa.Text),  # a neighbour's officer, lent for matches (R18.4): never of our own library
    sa.Index("ix_officer_phone_blind", "phone_blind"),
    sa.Index("ix_officer_id_number_blind", "id_number_blind", unique=True),
)

expert = sa.Table(
    "expert",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("employer", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("domains", sa.JSON, nullable=False),
    sa.Column("left_on", sa.String(10)),
    sa.Column("sex", sa.String(8)),
    sa.Column("unit_id", sa.String(64), sa.ForeignKey("unit.id")),  # who keeps the entry; null: nobody yet
    sa.Column("phone", sa.LargeBinary),  # sealed
    sa.Column("phone_blind", sa.String(64)),
    sa.Column("id_number", sa.LargeBinary),  # sealed
    sa.Column("id_number_blind", sa.String(64)),
    sa.Column("entered_by", sa.String(64)),
    sa.Column("entered_at", sa.String(32)),
    sa.Column("rev", sa.Integer, nullable=False, default=1, server_default="1"),
    sa.Index("ix_expert_phone_blind", "phone_blind"),
    sa.Index("ix_expert_id_number_blind", "id_number_blind", unique=True),
)

agency = sa.Table(  # R25.2: a commissioned agency, under the contract that it works by
    "agency",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("uscc", sa.String(18), nullable=False),
    sa.Column("contract", sa.String(64), nullable=False),
    sa.Column("contract_from", sa.String(10), nullable=False),
    sa.Column("contract_to", sa.String(10), nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),  # who commissioned it
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("rev", sa.Integer, nullable=False, default=1, server_default="1"),
    sa.UniqueConstraint("uscc", "contract"),
)

interest = sa.Table(  # R20.2: who must not inspect whom, and since when
    "interest",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # kinship | former_employer | shareholding | other
    sa.Column("source", sa.String(16), nullable=False),  # declared | found | reported
    sa.Column("from_on", sa.String(10), nullable=False),
    sa.Column("to_on", sa.String(10)),  # its last day; null: until further notice
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.UniqueConstraint("officer_id", "subject_id", "kind", "from_on"),
    sa.Index("ix_interest_subject_id", "subject_id"),
)

leave = sa.Table(
    "leave",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("from_on", sa.String(10), nullable=False),
    sa.Column("to_on", sa.String(10), nullable=False),  # its last day
    sa.Column("part", sa.String(16), nullable=False),  # whole | morning | afternoon
    sa.Column("kind", sa.String(16), nullable=False),  # annual | sick | private | training | duty | other
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("entered_by", sa.String(64), nullable=False),
    sa.Column("entered_at", sa.String(32), nullable=False),
    sa.Column("cancelled_by", sa.String(64)),
    sa.Column("cancelled_at", sa.String(32)),
    sa.Index("ix_leave_officer_id_from_on", "officer_id", "from_on"),
)

personnel_history = sa.Table(  # append-only; of a sealed field only that it changed
    "personnel_history",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("object", sa.String(80), nullable=False),  # "officer:<id>", "expert:<id>", "agency:<id>" ...
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("act", sa.String(32), nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),  # [{field, before, after}]
    sa.Index("ix_personnel_history_object", "object"),
)
