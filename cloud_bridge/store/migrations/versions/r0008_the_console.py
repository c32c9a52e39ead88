"""The console lists ten thousand places: saved views, and an index for each thing that a list is asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One table and three indices; nothing is moved."""
    op.create_table(
        "view",
        sa.Column("operator", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("wanted", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "name"),
    )
    op.create_index("position_group", "position", ["store_group"], unique=False)
    op.create_index("claim_position", "claim", ["position"], unique=False)
    op.create_index("audit_who", "audit", ["who"], unique=False)
