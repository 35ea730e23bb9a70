"""The tables of Suijian, as the migrations make them (`server/store/migrations`).

Times are RFC 3339 text in UTC with milliseconds ("2026-11-24T02:12:00.000Z"): equal on SQLite and PostgreSQL, sortable,
and what people see in an export. Days are "YYYY-MM-DD". Bytes that a digest or a signature stands on are kept as bytes.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- the house itself -------------------------------------------------------------------------------------------------

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
    sa.Index("ix_trail_object", "object"),
)

# --- people -----------------------------------------------------------------------------------------------------------

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # bureau | section | legal_unit | brigade
    sa.Column("parent_id", sa.ForeignKey("unit.id")),
)

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
    sa.Column("left_on", sa.String(10)),
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
)

account = sa.Table(  # the account of an officer has the officer's id; that id is the `author` of what he does
    "account",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("username", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), unique=True),
    sa.Column("is_demo", sa.Boolean, nullable=False, default=False),
    sa.Column("disabled_at", sa.String(32)),
)

sign_in_failure = sa.Table(  # slows down guessing, by account and by address; survives a restart
    "sign_in_failure",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("username", sa.String(64), nullable=False),
    sa.Column("address", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Index("ix_sign_in_failure_username_at", "username", "at"),
    sa.Index("ix_sign_in_failure_address_at", "address", "at"),
)

device = sa.Table(  # one enrolled replica: rid and key are one, for ever
    "device",
    metadata,
    sa.Column("rid", sa.String(32), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.JSON, nullable=False),  # JWK, P-256
    sa.Column("enrolled_at", sa.String(32), nullable=False),
    sa.Column("revoked_at", sa.String(32)),
    sa.Column("revoked_by", sa.String(64)),
    sa.Column("frozen_at", sa.String(32)),  # a fork was proved: sync page, verdict `fork`
    sa.Column("seen_at", sa.String(32)),
    sa.Column("app", sa.String(64)),
    sa.Column("pending", sa.JSON),  # what the phone last said it still holds
    sa.Index("ix_device_account_id", "account_id"),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("account.id"), nullable=False),
    sa.Column("rid", sa.ForeignKey("device.rid")),  # set when a phone enrols: then 30 days, no idle limit
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("seen_at", sa.String(32), nullable=False),
    sa.Column("expires_at", sa.String(32), nullable=False),
    sa.Index("ix_session_account_id", "account_id"),
)

# --- registries -------------------------------------------------------------------------------------------------------

subject = sa.Table(
    "subject",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("uscc", sa.String(18), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("legal_representative", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("phone", sa.String(32), nullable=False),
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
)

unit_subject = sa.Table(  # R8.3: each unit keeps its library; a subject is one record with several memberships
    "unit_subject",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), primary_key=True),
)

template = sa.Table(  # a checklist, immutable, named by the SHA-256 of `body`
    "template",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

item = sa.Table(
    "item",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("category", sa.String(16), nullable=False),  # key | general
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("sector", sa.String(32), nullable=False),
    sa.Column("judged", sa.String(16), nullable=False),  # findings | standard (R24.5)
    sa.Column("basis", sa.JSON, nullable=False),  # [{document, number, article, from, to}]
    sa.Column("state", sa.String(16), nullable=False),  # draft | released
    sa.Column("needs_review", sa.Boolean, nullable=False, default=False),
    sa.Column("checklist", sa.JSON, nullable=False),  # the points of its current checklist, as in a template's item
    sa.Column("phrases", sa.JSON, nullable=False),  # the phrase library: [{point: id | null, text}]
)

task = sa.Table(
    "task",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("joint", sa.String(16)),  # null | lead | participant
    sa.Column("partner", sa.Text),
    sa.Column("draw", sa.String(16), nullable=False),  # undirected | directed
    sa.Column("window_from", sa.String(10), nullable=False),
    sa.Column("window_to", sa.String(10), nullable=False),
    sa.Column("due_on", sa.String(10), nullable=False),
)

task_item = sa.Table(
    "task_item",
    metadata,
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
    sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
)

# --- visits -----------------------------------------------------------------------------------------------------------

visit = sa.Table(  # `head` is the counter row that hands out `op.n` (sync page, section 7)
    "visit",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("subject_id", sa.ForeignKey("subject.id"), nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),  # frozen at dispatch, with subject_uscc and tpl
    sa.Column("subject_uscc", sa.String(18), nullable=False),
    sa.Column("tpl", sa.ForeignKey("template.sha256"), nullable=False),
    sa.Column("window_from", sa.String(10), nullable=False),
    sa.Column("window_to", sa.String(10), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("dispatched_at", sa.String(32), nullable=False),
    sa.Column("head", sa.BigInteger, nullable=False, default=0),
    sa.Column("round", sa.Integer, nullable=False, default=1),
    sa.Column("state", sa.String(16), nullable=False, default="open"),  # open | final | void
    sa.Column("standing", sa.LargeBinary, nullable=False),  # what intake asks: crew, interests, proposals
    sa.Index("ix_visit_unit_id", "unit_id"),
)

visit_task = sa.Table(
    "visit_task",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("task_id", sa.ForeignKey("task.id"), primary_key=True),
)

visit_crew = sa.Table(  # projection of the `assign` ops: who may see what, found by index
    "visit_crew",
    metadata,
    sa.Column("visit_id", sa.ForeignKey("visit.id"), primary_key=True),
    sa.Column("officer_id", sa.ForeignKey("officer.id"), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),  # leader | member | removed
    sa.Column("removed_n", sa.BigInteger),  # the `n` of the op that removed him: he sees ops up to it
    sa.Index("ix_visit_crew_officer_id", "officer_id"),
)

assignments = sa.Table(  # the revision of an officer's assignment list (`assignments_rev`)
    "assignments",
    metadata,
    sa.Column("officer_id", sa.ForeignKey("officer.id"), primary_key=True),
    sa.Column("rev", sa.BigInteger, nullable=False),
)

# --- the journal ------------------------------------------------------------------------------------------------------

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

# --- media ------------------------------------------------------------------------------------------------------------

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
