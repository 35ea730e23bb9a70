"""Units, accounts, phones and sessions."""

from __future__ import annotations

import sqlalchemy as sa

from server.store.tables.base import metadata

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # bureau | section | legal_unit | brigade
    sa.Column("parent_id", sa.ForeignKey("unit.id")),
    sa.Column("closed_at", sa.String(32)),
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
    sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false()),  # a one-time password was given
    sa.Column("password_at", sa.String(32)),
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
    sa.Column("revoked_why", sa.Text),
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
    sa.Column("proved_at", sa.String(32)),  # when the password was given last: acts of weight ask it again
    sa.Index("ix_session_account_id", "account_id"),
)
