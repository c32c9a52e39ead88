"""The first tables: what came in, the book, what is derived from it, and what people are told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tillbox.cloud_bridge.store.append_only import protect

revision = "0001"
down_revision = None

APPEND_ONLY = ("inbox", "txn", "posting", "payment_event", "alarm", "sale", "reversal")


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "alarm",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alarm_device", "alarm", ["device", "ref"], unique=False)
    op.create_table(
        "balance",
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=48), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "unit"),
    )
    op.create_table(
        "box",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("inc", sa.String(length=16), nullable=False),
        sa.Column("telemetry", sa.LargeBinary(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "channel_refund",
        sa.Column("refund_no", sa.String(length=64), nullable=False),
        sa.Column("attempt", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("refund_no"),
    )
    op.create_table(
        "free_range",
        sa.Column("template", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("template", "first"),
    )
    op.create_table(
        "inbox",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("inc", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tid", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "inc", "seq"),
    )
    op.create_index("inbox_tid", "inbox", ["tid"], unique=False)
    op.create_table(
        "incarnation",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("inc", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "inc"),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("template", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("granted_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request"),
    )
    op.create_index("lease_device", "lease", ["device"], unique=False)
    op.create_table(
        "operator",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "payment",
        sa.Column("attempt", sa.String(length=36), nullable=False),
        sa.Column("sale", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("owed", sa.Integer(), nullable=False),
        sa.Column("inc", sa.String(length=16), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attempt"),
    )
    op.create_index("payment_due", "payment", ["state", "due_ms"], unique=False)
    op.create_table(
        "payment_event",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("attempt", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("payment_event_attempt", "payment_event", ["attempt"], unique=False)
    op.create_table(
        "posting",
        sa.Column("tid", sa.String(length=64), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=48), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "leg"),
    )
    op.create_index("posting_account", "posting", ["account"], unique=False)
    op.create_table(
        "refused",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("sample", sa.String(length=200), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "reason"),
    )
    op.create_table(
        "reversal",
        sa.Column("tid", sa.String(length=36), nullable=False),
        sa.Column("of", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tid"),
    )
    op.create_index("reversal_of", "reversal", ["of"], unique=False)
    op.create_table(
        "sale",
        sa.Column("tid", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tender", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.String(length=36), nullable=True),
        sa.Column("template", sa.String(length=32), nullable=True),
        sa.Column("serial", sa.BigInteger(), nullable=True),
        sa.Column("online", sa.Integer(), nullable=False),
        sa.Column("sold_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("sold_to_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tid"),
    )
    op.create_index("sale_attempt", "sale", ["attempt"], unique=False)
    op.create_index("sale_received", "sale", ["received_ms"], unique=False)
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "template",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("lease_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "txn",
        sa.Column("tid", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("variances", sa.String(length=128), nullable=False),
        sa.Column("posted_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tid"),
    )
    for table in APPEND_ONLY:
        protect(op.get_bind(), table)
