"""Objections: receipt, recheck, outcome."""

from __future__ import annotations

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet: the tables come with what writes them."""
