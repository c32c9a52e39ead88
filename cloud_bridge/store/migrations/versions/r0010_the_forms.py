"""What a box goes by until it has taken newer settings, and how it stood when it was accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Two columns, empty until the next decision; and one table."""
    op.add_column("desired", sa.Column("used_version", sa.Integer(), nullable=True))
    op.add_column("desired", sa.Column("used", sa.LargeBinary(), nullable=True))
    op.create_table(
        "photo",
        sa.Column("position", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.Column("taken_by", sa.String(length=48), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", "epoch"),
    )
    op.create_index("photo_device", "photo", ["device"], unique=False)
