"""The fleet: places, claims, boxes by their keys, what they were bound to, what each level decides, and who did what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tillbox.cloud_bridge.store.append_only import protect

revision = "0004"
down_revision = "0003"

APPEND_ONLY = ("claim_use", "recovered", "setting", "audit")


def upgrade() -> None:
    """Make the tables. Whoever could sign in before may do everything, as before."""
    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("who", sa.String(length=48), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.String(length=400), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_subject", "audit", ["subject"], unique=False)
    op.create_table(
        "binding",
        sa.Column("position", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("why_ended", sa.String(length=16), server_default="", nullable=False),
        sa.Column("accepted_by", sa.String(length=32), nullable=True),
        sa.Column("birth", sa.LargeBinary(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted_ms", sa.BigInteger(), nullable=True),
        sa.Column("fenced_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", "epoch"),
    )
    op.create_index("binding_device", "binding", ["device"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("serial", sa.String(length=48), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("not_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("kicked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial"),
    )
    op.create_index("certificate_device", "certificate", ["device"], unique=False)
    op.create_index("certificate_revoked", "certificate", ["revoked_ms"], unique=False)
    op.create_table(
        "claim",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.String(length=64), nullable=False),
        sa.Column("uses_max", sa.Integer(), nullable=False),
        sa.Column("replaces", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=False),
        sa.Column("revoked_by", sa.String(length=32), nullable=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("not_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "claim_use",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", "device"),
    )
    op.create_table(
        "desired",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "device",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("hardware", sa.String(length=80), nullable=False),
        sa.Column("software", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "position",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("lane", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("store_group", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("planned_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("position_store", "position", ["store"], unique=False)
    op.create_table(
        "recovered",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("inc", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tid", sa.String(length=36), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("quiet", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "inc", "seq"),
    )
    op.create_table(
        "setting",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "version"),
    )
    op.add_column("operator", sa.Column("role", sa.String(length=16), server_default="admin", nullable=False))
    for table in APPEND_ONLY:
        protect(op.get_bind(), table)
