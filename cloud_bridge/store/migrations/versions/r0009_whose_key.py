"""A key belongs to a person, what a person commands in an hour is counted, and what a box that was put out hands in a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Keys end, for nobody can say whose they were; and so do their saved views, and the bulks of theirs that wait."""
    op.drop_table("api_token")
    op.execute("DELETE FROM view WHERE operator LIKE 'key %'")
    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.execute(
        "UPDATE bulk SET state = 'stopped', why = 'Its key had no owner. Ask for it again.' "
        "WHERE state = 'awaiting' AND made_by LIKE 'key %'"
    )
    op.create_index("command_made", "command", ["made_by", "made_ms"], unique=False)
    op.create_table(
        "handed_in",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("sort", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "sort"),
    )
