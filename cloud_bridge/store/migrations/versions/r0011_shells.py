"""Remote shells are recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tillbox.cloud_bridge.store.append_only import protect

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """One table; nothing is moved."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "shell_chunk",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("shell", sa.String(length=36), nullable=False),
        sa.Column("way", sa.String(length=1), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("shell_chunk_shell", "shell_chunk", ["shell"], unique=False)
    protect(op.get_bind(), "shell_chunk")
