"""The item list: its working draft, and its released versions, which nobody edits."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

item = sa.Table(  # the working draft: one row an item
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
    sa.Column("state", sa.String(16), nullable=False),  # draft | ready | released | withdrawing | withdrawn
    sa.Column("needs_review", sa.Boolean, nullable=False, default=False),
    sa.Column("checklist", sa.JSON, nullable=False),  # the points of its current checklist, as in a template's item
    sa.Column("phrases", sa.JSON, nullable=False),  # the phrase library: [{point: id | null, text}]
    sa.Column("department", sa.Text, nullable=False, server_default=""),
    sa.Column("ratio", sa.Integer),  # the statutory one, per 10,000
    sa.Column("unit_id", sa.ForeignKey("unit.id")),  # who is responsible
    sa.Column("scope", sa.JSON, nullable=False, server_default="{}"),  # whom it covers
    sa.Column("rev", sa.Integer, nullable=False, server_default="1"),  # counts the changes: of two at once one is lost
    sa.Column("entered_by", sa.JSON, nullable=False, server_default="[]"),  # who changed it since it was last released
    sa.Column("changed_at", sa.String(32)),
)

list_version = sa.Table(  # append-only: a change of the list takes effect with its release (R5.2)
    "list_version",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("released_on", sa.String(10), nullable=False),
    sa.Column("released_at", sa.String(32), nullable=False),
    sa.Column("released_by", sa.String(64), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),  # over the ids and editions of its items
)

item_edition = sa.Table(  # append-only: an item as a version has it, named by the SHA-256 of `body`
    "item_edition",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("item_id", sa.String(64), nullable=False, index=True),
    sa.Column("template", sa.ForeignKey("template.sha256"), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

list_entry = sa.Table(  # append-only, and complete before its version is: a trigger refuses a later one
    "list_entry",
    metadata,
    sa.Column(
        "version",
        sa.ForeignKey("list_version.n", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("item_id", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("edition", sa.ForeignKey("item_edition.sha256"), nullable=False),
)
