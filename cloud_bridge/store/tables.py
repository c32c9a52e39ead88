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
    Column("inc", String(16), nullable=False),
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
"""Derived: presence and the newest telemetry of a box. `state`: online, leaving, offline, lost."""

LEAVING = "leaving"
"""A box whose connection broke a moment ago. For people it is there."""
PRESENT = ("online", LEAVING)

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
    Column("role", String(16), nullable=False, server_default="admin"),
)
"""Who may sign in. `role`: viewer, engineer, operator, admin."""

api_token = Table(
    "api_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("name", String(32), nullable=False),
    Column("role", String(16), nullable=False),
    Column("owner", String(32), nullable=False),
    _ms("made_ms"),
)
"""A program's key to the API; only its hash is here. `owner` is the operator who answers for it."""

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("operator", String(32), nullable=False),
    Column("csrf", String(64), nullable=False),
    _ms("opened_ms"),
    _ms("seen_ms"),
)

position = Table(
    "position",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("store", String(32), nullable=False),
    Column("lane", String(32), nullable=False),
    Column("title", String(40), nullable=False),
    Column("store_group", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    _ms("planned_ms"),
    Index("position_store", "store"),
    Index("position_group", "store_group"),
)
"""What the merchant knows: a lane of a store. `epoch` is the number of its newest binding, 0 before the first."""

claim = Table(
    "claim",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("number", Key, nullable=False, unique=True),
    Column("position", String(64), nullable=False),
    Column("uses_max", Integer, nullable=False),
    Column("replaces", Integer, nullable=False),
    Column("made_by", String(32), nullable=False),
    Column("revoked_by", String(32)),
    _ms("made_ms"),
    _ms("not_after_ms"),
    _ms("revoked_ms", nullable=True),
    Index("claim_position", "position"),
)
"""A right to become a box of a position, or of a store. The token itself is on paper only. `number` is its name for
people."""

claim_use = Table(
    "claim_use",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("device", String(32), primary_key=True),
    _ms("at_ms"),
)

device = Table(
    "device",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("hardware", String(80), nullable=False),
    Column("software", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    _ms("enrolled_ms"),
)
"""A machine by its key. `state`: live, fenced (replaced), revoked, retired."""

binding = Table(
    "binding",
    metadata,
    Column("position", String(64), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("device", String(32), nullable=False),
    Column("why_ended", String(16), nullable=False, server_default=""),
    Column("accepted_by", String(32)),
    Column("birth", LargeBinary),
    _ms("since_ms"),
    _ms("accepted_ms", nullable=True),
    _ms("fenced_ms", nullable=True),
    _ms("closed_ms", nullable=True),
    Index("binding_device", "device"),
)
"""Which box stood where, in which epoch of the place. Until `closed_ms` records from before `fenced_ms` are still
taken. `birth` is the self-test as the box reported it."""

certificate = Table(
    "certificate",
    metadata,
    Column("serial", String(48), primary_key=True),
    Column("device", String(32), nullable=False),
    _ms("issued_ms"),
    _ms("not_after_ms"),
    _ms("revoked_ms", nullable=True),
    _ms("kicked_ms", nullable=True),
    Index("certificate_device", "device"),
    Index("certificate_revoked", "revoked_ms"),
)
"""Every certificate of a box. `kicked_ms`: when its owner was thrown out and did not come back."""

recovered = Table(
    "recovered",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("inc", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tid", String(36), nullable=False),
    Column("way", String(16), nullable=False),
    Column("quiet", Integer, nullable=False),
    _ms("at_ms"),
)
"""Records that came back in another form than their own bytes: from a paper slip. `quiet` is how many records without
money lie directly before it."""

setting = Table(
    "setting",
    metadata,
    Column("scope", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("settings", LargeBinary, nullable=False),
    Column("made_by", String(32), nullable=False),
    _ms("made_ms"),
)
"""What a level of the fleet decides; the newest version counts, the older ones can be gone back to."""

desired = Table(
    "desired",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("settings", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sent_ms", BigInteger, nullable=False, server_default="0"),
    Column("used_version", Integer),
    Column("used", LargeBinary),
    _ms("made_ms"),
)
"""Derived: the signed settings that a box is to have, and when they were last sent. `used`: the earlier ones that it goes by
until it has taken these, so that the two can be compared."""

reported = Table(
    "reported",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("refused", String(80), nullable=False),
    Column("refused_version", Integer, nullable=False),
    _ms("at_ms"),
)
"""Derived: the settings that a box says it uses, and why it did not take newer ones."""

photo = Table(
    "photo",
    metadata,
    Column("position", String(64), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("device", String(32), nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
    Column("taken_by", String(48), nullable=False),
    _ms("at_ms"),
    Index("photo_device", "device"),
)
"""How a box stood when it was accepted: a small picture of our own making, without what a camera notes about the place."""

view = Table(
    "view",
    metadata,
    Column("operator", String(48), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("wanted", LargeBinary, nullable=False),
    _ms("made_ms"),
)
"""A list of the fleet that somebody looks at often: its filters under a name of their own."""

audit = Table(
    "audit",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("who", String(48), nullable=False),
    Column("act", String(32), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("detail", String(400), nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    _ms("at_ms"),
    Index("audit_subject", "subject"),
    Index("audit_who", "who"),
)
"""Who did what. Each row commits to the one before it, so that a row taken out of a copy is missed."""

command = Table(
    "command",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("device", String(32), nullable=False),
    Column("position", String(64), nullable=False),
    Column("verb", String(32), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("made_by", String(48), nullable=False),
    Column("bulk", String(36)),
    Column("wave", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(160), nullable=False),
    Column("sends", Integer, nullable=False),
    Column("guessed", Integer, nullable=False),
    _ms("made_ms"),
    _ms("expires_ms"),
    _ms("due_ms", nullable=True),
    _ms("sent_ms", nullable=True),
    _ms("ended_ms", nullable=True),
    Index("command_device", "device"),
    Index("command_bulk", "bulk"),
    Index("command_due", "due_ms"),
    Index("command_made", "made_by", "made_ms"),
)
"""A command for one box, signed. `due_ms`: when it is to be sent, again; None while its wave waits, and once it has
ended. `guessed`: the core thinks it over, and the box has not said so."""

command_event = Table(
    "command_event",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("command", String(36), nullable=False),
    Column("device", String(32), nullable=False),
    Column("told_by", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(160), nullable=False),
    Column("result", LargeBinary, nullable=False),
    Column("part", Integer, nullable=False),
    _ms("at_ms"),
    Index("command_event_command", "command"),
)
"""What was heard of a command, from its box or, where that is silent, from the core (`told_by`)."""

shell_chunk = Table(
    "shell_chunk",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("shell", String(36), nullable=False),
    Column("way", String(1), nullable=False),
    Column("data", LargeBinary, nullable=False),
    _ms("at_ms"),
    Index("shell_chunk_shell", "shell"),
)
"""The recording of remote shells, each named by its command: what was shown (`way` o), typed (i), and the window's size (r)."""

bulk = Table(
    "bulk",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("verb", String(32), nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("boxes", LargeBinary, nullable=False),
    Column("made_by", String(48), nullable=False),
    Column("approved_by", String(48)),
    Column("state", String(16), nullable=False),
    Column("why", String(160), nullable=False),
    Column("wave", Integer, nullable=False),
    _ms("made_ms"),
    _ms("wave_ms", nullable=True),
    Index("bulk_state", "state"),
)
"""One command for many boxes. `state`: awaiting (a second person), running, stopped, done. `boxes` are fixed when it is
asked for: who approves it approves just those."""

alert = Table(
    "alert",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("subject", String(32), primary_key=True),
    Column("detail", String(200), nullable=False),
    Column("source", String(8), nullable=False),
    _ms("since_ms"),
    _ms("raised_ms"),
)
"""Derived: what is open now. `source`: box or core, whoever raised it clears it. `since_ms` is the box's word for when it
began, `raised_ms` is when the core heard of it. `device` is empty for what concerns them all."""

alert_event = Table(
    "alert_event",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("device", String(32), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("subject", String(32), nullable=False),
    Column("what", String(8), nullable=False),
    Column("detail", String(200), nullable=False),
    _ms("at_ms"),
    Index("alert_event_device", "device", "at_ms"),
)
"""Raised, and cleared."""

alert_route = Table(
    "alert_route",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("through_id", BigInteger, nullable=False),
)
"""Derived: how far the events have gone out on each way."""

handed_in = Table(
    "handed_in",
    metadata,
    Column("device", String(32), primary_key=True),
    Column("sort", String(8), primary_key=True),
    Column("day", Integer, nullable=False),
    Column("records", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
"""Derived: how much of each sort a box that was put out has handed in on its latest `day`, in days since 1970."""

APPEND_ONLY = (
    inbox, txn, posting, payment_event, alarm, sale, reversal,
    claim_use, recovered, setting, audit, command_event, alert_event, shell_chunk,
)  # fmt: skip
"""What has happened. Triggers refuse to change or delete a row of these, on both databases."""
