"""Publication: results as published, versions, withheld results, dates."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet: the tables come with what writes them."""
