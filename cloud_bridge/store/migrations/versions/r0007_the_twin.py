"""What a box says of the settings that it uses, and when it was sent those that it should have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One table and one column; nothing is moved."""
    op.create_table(
        "reported",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("refused", sa.String(length=80), nullable=False),
        sa.Column("refused_version", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.add_column("desired", sa.Column("sent_ms", sa.BigInteger(), nullable=False, server_default="0"))
