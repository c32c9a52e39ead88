"""The console lists records of a kind, newest first: other tills' papers, drawers that were opened."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One index; nothing is moved."""
    op.create_index("inbox_kind", "inbox", ["kind", "received_ms"], unique=False)
