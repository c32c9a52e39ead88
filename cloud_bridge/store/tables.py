"""The tables. What has happened is only ever inserted; what is derived (balances, watermarks) is marked so.

Times are Unix milliseconds, amounts are integers in the smallest part of their unit, hashes hexadecimal.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

Key = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that is exactly INTEGER."""


def _ms(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


inbox = Table(
    "inbox",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("inc", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tid", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    Column("outcome", String(32), nullable=False),
    _ms("received_ms"),
    Index("inbox_tid", "tid"),
    Index("inbox_kind", "kind", "received_ms"),
)
"""Every record as it came. `outcome`: applied, replay, or the reason why it was set aside."""

incarnation = Table(
    "incarnation",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("inc", String(16), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("watermark", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("standing", String(16), nullable=False),
    _ms("opened_ms"),
)
"""Derived: how far each incarnation of a box is held without a gap, and how it stood when it opened."""

txn = Table(
    "txn",
    metadata,
    Column("tid", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("content", String(64), nullable=False),
    Column("variances", String(128), nullable=False),
    _ms("posted_ms"),
)
"""One row per thing that happened, for ever: its id is what is deduplicated on."""

posting = Table(
    "posting",
    metadata,
    Column("tid", String(64), primary_key=True),
    Column("leg", Integer, primary_key=True),
    Column("account", String(80), nullable=False),
    Column("unit", String(48), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Index("posting_account", "account"),
)

balance = Table(
    "balance",
    metadata,
    Column("account", String(80), primary_key=True),
    Column("unit", String(48), primary_key=True),
    Column("minor", BigInteger, nullable=False),
)
"""Derived: the sum of an account's postings. A checker recomputes it."""

sale = Table(
    "sale",
    metadata,
    Column("tid", String(36), primary_key=True),
    Column("device", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("discount", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("tender", String(16), nullable=False),
    Column("attempt", String(36)),
    Column("template", String(32)),
    Column("serial", BigInteger),
    Column("online", Integer, nullable=False),
    _ms("sold_from_ms"),
    _ms("sold_to_ms"),
    _ms("received_ms"),
    Index("sale_received", "received_ms"),
    Index("sale_attempt", "attempt"),
)
"""A sale, laid out for lists; the truth is its record in the inbox."""

reversal = Table(
    "reversal",
    metadata,
    Column("tid", String(36), primary_key=True),
    Column("of", String(36), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("amount", BigInteger, nullable=False),
    _ms("received_ms"),
    Index("reversal_of", "of"),
)
"""A void or a refund: a sale that was taken back is a row here, not a flag there."""

template = Table(
    "template",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("title", String(80), nullable=False),
    Column("issued", Integer, nullable=False),
    Column("lease_ms", BigInteger, nullable=False),
)

free_range = Table(
    "free_range",
    metadata,
    Column("template", String(32), primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)
"""Derived: serial numbers that no lease covers."""

lease = Table(
    "lease",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request", String(36), nullable=False, unique=True),
    Column("device", String(32), nullable=False),
    Column("template", String(32), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("spent", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    _ms("expires_ms"),
    _ms("granted_ms"),
    Index("lease_device", "device"),
)
"""`spent` is the JSON list sent with the grant. `state`: held, closed (given back by its box), lost."""

payment = Table(
    "payment",
    metadata,
    Column("attempt", String(36), primary_key=True),
    Column("sale", String(36), nullable=False),
    Column("device", String(32), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("owed", Integer, nullable=False),
    Column("inc", String(16), nullable=False, default=""),
    _ms("created_ms"),
    _ms("due_ms"),
    Index("payment_due", "state", "due_ms"),
)

payment_event = Table(
    "payment_event",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("attempt", String(36), nullable=False),
    Column("event", String(48), nullable=False),
    Column("state", String(16), nullable=False),
    _ms("at_ms"),
    Index("payment_event_attempt", "attempt"),
)

channel_refund = Table(
    "channel_refund",
    metadata,
    Column("refund_no", String(64), primary_key=True),
    Column("attempt", String(36), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    _ms("due_ms"),
)
"""Money on its way back to a wallet. `state`: open until the channel says refunded."""

box = Table(
    "box",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("inc", String(16), nullable=False),
    Column("telemetry", LargeBinary, nullable=False),
    _ms("since_ms"),
    _ms("heard_ms"),
)
"""Derived: presence and the newest telemetry of a box."""

alarm = Table(
    "alarm",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("ref", String(64), nullable=False),
    Column("detail", String(200), nullable=False),
    _ms("at_ms"),
    Index("alarm_device", "device", "ref"),
)

refused = Table(
    "refused",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("sample", String(200), nullable=False),
    _ms("last_ms"),
)

operator = Table(
    "operator",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("password_hash", String(200), nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("operator", String(32), nullable=False),
    Column("csrf", String(64), nullable=False),
    _ms("opened_ms"),
    _ms("seen_ms"),
)

APPEND_ONLY = (inbox, txn, posting, payment_event, alarm, sale, reversal)
"""What has happened. Triggers refuse to change or delete a row of these, on both databases."""
