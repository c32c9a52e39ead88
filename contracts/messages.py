"""What travels, as pydantic models. Parsed once at the edge, trusted afterwards; unknown fields are kept.

A **record** is one line of canonical JSON: the journal stores those bytes, the line carries those bytes,
and its hash is the SHA-256 of those bytes. A batch is records joined by line feeds (canonical JSON
escapes line feeds, so a split is exact). Nothing is ever serialised twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

VERSION = 1
RECORD_BYTES_MAX = 65_536
"""A basket of 100 lines with the longest names is 37 KB, and 55 KB if every character needs an escape."""
BATCH_BYTES_MAX = 131_072
"""Half of the broker's max_packet_size: paho would retry an oversized packet for ever."""

Device = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$")]
Id = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
Incarnation = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Template = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Name = Annotated[str, StringConstraints(max_length=80)]
Milliseconds = Annotated[int, Field(ge=0, lt=2**48)]
SUM_MAX = 10**12
"""Ten billion yuan: no sum of a record, and no difference of a few of them, leaves what an amount can be."""

Minor = Annotated[int, Field(ge=0, le=SUM_MAX)]
Serial = Annotated[int, Field(ge=1, le=2**31)]
LEASE_MAX = 4_000
"""Rights in one lease: all of them spent are 44 KB in a record."""

RIGHTS_NAMED_MAX = 1_000
"""Leases named in the record that they are lost: more would not fit, and the core goes by the box's name."""

Count = Annotated[int, Field(ge=0, le=2**31)]
Bytes = Annotated[int, Field(ge=0, le=2**48)]


class Wire(BaseModel):
    """Frozen, and tolerant of fields that a newer side added."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


# bodies of records


class Opened(Wire):
    """A journal began a new incarnation. `prior_head` ties it to the one before; None on an empty medium."""

    prior: Incarnation | None = None
    prior_seq: Count = 0
    prior_head: Hash | None = None
    software: Name = ""


class Line(Wire):
    """One line of a basket. `price` and `amount` in the smallest part of the sale's unit."""

    name: Name
    price: Minor
    quantity: Annotated[int, Field(ge=1, le=9_999)] = 1
    goods: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,14}$")] = ""

    @property
    def amount(self) -> int:
        """Price times quantity."""
        return self.price * self.quantity


class CouponUse(Wire):
    """One coupon spent in a sale, under a right that the box held."""

    template: Template
    serial: Serial
    lease: Id
    discount: Minor
    rights_count: Count


class Tender(Wire):
    """How it was paid. `attempt` names the payment attempt of a merchant scan."""

    type: Literal["cash", "merchant_scan"]
    amount: Minor
    received: Minor = 0
    attempt: Id | None = None


class Sale(Wire):
    """A settled sale; its id is the record's tid."""

    unit: Literal["CNY/2"] = "CNY/2"
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100, strict=False)]
    total: Minor
    discount: Minor = 0
    tender: Tender
    coupon: CouponUse | None = None
    online: bool = False
    number: Count = 0


class PaymentAsked(Wire):
    """A payment is about to be asked for: durable before the first byte leaves. Holds the whole draft."""

    attempt: Id
    sale: Id
    amount: Minor
    wallet: Name
    code_hint: Name
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100, strict=False)]
    coupon: CouponUse | None = None


class PaymentEnded(Wire):
    """A payment that brought no sale: declined, reversed, or given up here (the core then reverses it)."""

    attempt: Id
    outcome: Literal["declined", "reversed", "abandoned"]


class Void(Wire):
    """One's own sale taken back whole."""

    of: Id
    amount: Minor
    tender_type: Literal["cash", "merchant_scan"]
    attempt: Id | None = None
    coupon: CouponUse | None = None


class Refund(Wire):
    """A part of one's own sale paid back; the record's tid is the refund number."""

    of: Id
    amount: Minor
    tender_type: Literal["cash", "merchant_scan"]
    attempt: Id | None = None


class LeaseAsked(Wire):
    """The box asks for rights: the next `quantity` of a stock, or one named serial. tid = request."""

    template: Template
    quantity: Annotated[int, Field(ge=1, le=LEASE_MAX)]
    serial: Serial | None = None


class LeaseHeld(Wire):
    """A grant arrived for a request that this journal holds: from here on the box may spend it."""

    lease: Id
    request: Id
    template: Template
    first: Serial
    last: Serial
    spent: Annotated[tuple[Serial, ...], Field(max_length=LEASE_MAX, strict=False)] = ()
    expires_ms: Milliseconds
    single: bool = False
    rights_count: Count


class LeaseRefused(Wire):
    """The core said no to a request; it is not asked again."""

    request: Id
    reason: Name


class LeaseClosed(Wire):
    """The box gives back what is left of a lease and will never spend it again."""

    lease: Id
    left: Count
    rights_count: Count


class RightsLost(Wire):
    """The medium is older than the box's memory of its rights: every right from before is void."""

    leases: Annotated[tuple[Id, ...], Field(max_length=RIGHTS_NAMED_MAX, strict=False)]
    rights_count: Count


class DrawerOpened(Wire):
    """Somebody opened the drawer without a sale, and said why. A sale's own record says that it opened for that."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Canary(Wire):
    """A basket that the till priced, discounted, took cash for and changed, and that nobody bought: what came out of it. It is
    in the journal and with the core like a sale, and in the book it is nothing."""

    mark: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,64}$")]
    """What the asker knows it by."""
    total: Minor
    discount: Minor
    amount: Minor
    received: Minor
    change: Minor


CommandVerb = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
RESULT_CHARACTERS_MAX = 2_000
"""What one record tells of a command's result; a larger one comes in parts."""


class CommandState(Wire):
    """What became of a command of head office, step by step. `part` counts the pieces of a large result from 1."""

    command: Id
    verb: CommandVerb
    state: Literal["init", "executing", "blocked", "successful", "failed", "expired"]
    reason: Annotated[str, StringConstraints(max_length=160)] = ""
    result: Annotated[str, StringConstraints(max_length=RESULT_CHARACTERS_MAX)] = ""
    part: Annotated[int, Field(ge=0, le=1_000)] = 0


Signed = Annotated[int, Field(ge=-SUM_MAX, le=SUM_MAX)]
TAPPED_LINES_MAX = 100
"""A longer receipt of a strange till is kept by its sums alone: with all its lines it may not fit into a record."""


class TappedLine(Wire):
    """One line on another till's paper. `quantity_milli` in thousandths of a piece or a unit of weight; what the paper
    does not say is None. `goods` is the product of this shop's list that its code or name is, if there is one."""

    name: Name
    sku: Annotated[str, StringConstraints(max_length=24)] = ""
    quantity_milli: Annotated[int, Field(ge=-(10**9), le=10**9)] | None = None
    price: Signed | None = None
    amount: Signed
    goods: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,14}$")] = ""


class Tapped(Wire):
    """A paper that another program's till printed through this box. Only a reconciled sale may be used for money, and
    nothing of it is in the book: that money went through the other till."""

    till: Name
    paper: Literal["sale", "refund", "void", "reprint", "prebill", "kitchen", "nothing"]
    verdict: Literal["reconciled", "unreconciled", "no_receipt"]
    why: Annotated[str, StringConstraints(max_length=160)] = ""
    number: Annotated[str, StringConstraints(max_length=40)] = ""
    lines: Annotated[tuple[TappedLine, ...], Field(max_length=TAPPED_LINES_MAX, strict=False)] = ()
    subtotal: Signed | None = None
    discount: Signed = 0
    tax: Signed = 0
    total: Signed | None = None


BODIES: dict[str, type[Wire]] = {
    "opened": Opened,
    "sale": Sale,
    "payment_asked": PaymentAsked,
    "payment_ended": PaymentEnded,
    "void": Void,
    "refund": Refund,
    "lease_asked": LeaseAsked,
    "lease_held": LeaseHeld,
    "lease_refused": LeaseRefused,
    "lease_closed": LeaseClosed,
    "rights_lost": RightsLost,
    "drawer_opened": DrawerOpened,
    "tapped": Tapped,
    "canary": Canary,
    "command_state": CommandState,
}
"""Every kind of record and its body. A kind that is not here comes from a newer box."""


class Record(Wire):
    """The envelope of one journal record, as stored and as sent."""

    v: Annotated[int, Field(ge=1)]
    dev: Device
    inc: Incarnation
    seq: Annotated[int, Field(ge=1, le=2**40)]
    tid: Id
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
    at: Annotated[tuple[Milliseconds, Milliseconds], Field(strict=False)]
    prev: Hash
    body: dict[str, Any]


class Ack(Wire):
    """What the core holds of one incarnation. The echo lets a restored box settle what it still has; it is left out where it
    would say what the watermark says."""

    v: int = VERSION
    inc: Incarnation
    wm: Count
    head: Hash
    echo_seq: Count = 0
    echo_hash: Hash | None = None
    credit: Annotated[int, Field(ge=0, le=10_000)]
    refused: Name | None = None


# questions and answers


class HelloAsk(Wire):
    """A box that came up: where its journal stands."""

    inc: Incarnation
    prior: Incarnation | None = None
    prior_seq: Count = 0
    prior_head: Hash | None = None


class HelloAnswer(Wire):
    """The core's time, and how this journal stands against what the core knows of the box."""

    core_ms: Annotated[int, Field(ge=0, lt=2**47)]
    """Below the last hour that an id can carry, for the box's own clock goes on from here."""
    standing: Literal["proven", "waiting", "rolled_back"]


class PayAsk(Wire):
    """Charge a payment code. `attempt` is the idempotency key; the same attempt is never charged twice.

    `inc` is the asking boot: its answers, however late, are no news to another boot with another past."""

    attempt: Id
    inc: Incarnation | None = None
    sale: Id
    amount: Annotated[int, Field(ge=1, le=SUM_MAX)]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{16,24}$"), Field(repr=False)]
    subject: Name = ""


class PayStatusAsk(Wire):
    """What became of an attempt. An attempt that the core never saw is closed by asking."""

    attempt: Id
    inc: Incarnation | None = None


class PayAnswer(Wire):
    """Where a payment stands, for the boot that asked last. The core sends another one whenever that changes."""

    attempt: Id
    inc: Incarnation | None = None
    state: Literal["submitted", "user_paying", "unknown", "paid", "declined", "reversing", "reversed"]
    detail: Name = ""


class LeaseAsk(Wire):
    """The online form of `LeaseAsked`, with the journal's request id; granted once per request."""

    request: Id
    template: Template
    quantity: Annotated[int, Field(ge=1, le=LEASE_MAX)]
    serial: Serial | None = None


class LeaseAnswer(Wire):
    """A grant, or the reason why not."""

    request: Id
    refused: Name | None = None
    lease: Id | None = None
    template: Template | None = None
    first: Serial | None = None
    last: Serial | None = None
    spent: Annotated[tuple[Serial, ...], Field(max_length=LEASE_MAX, strict=False)] = ()
    expires_ms: Milliseconds = 0

    @model_validator(mode="after")
    def _is_possible(self) -> LeaseAnswer:
        """A box holds what it is granted for ever in its journal, so an impossible grant stops here."""
        if self.lease is None:
            return self
        if self.template is None or self.first is None or self.last is None or self.last < self.first:
            raise ValueError("a grant names a template and a range of numbers")
        if self.last - self.first >= LEASE_MAX or len(set(self.spent)) != len(self.spent):
            raise ValueError("a grant is of bounded size, and names a spent number once")
        if any(not self.first <= serial <= self.last for serial in self.spent):
            raise ValueError("a spent number lies within the grant")
        return self


class BornAsk(Wire):
    """A box stands at its place and has tested itself. `report` is canonical JSON, of which the paper in the engineer's
    hand bears the box's signature."""

    inc: Incarnation | None = None
    epoch: Count
    report: Annotated[str, StringConstraints(max_length=3_000)]


class BornAnswer(Wire):
    """Noted. `accept_url` is the page on which an engineer accepts the box."""

    epoch: Count
    accept_url: Annotated[str, StringConstraints(max_length=300)] = ""


class SlipAsk(Wire):
    """Somebody brings a paper of another box, and this one has read it."""

    code: Annotated[str, StringConstraints(max_length=1_000)]


class SlipAnswer(Wire):
    """What became of it: `new`, `known`, or a reason; and how many records of that box are missing still."""

    outcome: Name
    missing: Count = 0


ASK_BODIES: dict[str, tuple[type[Wire], type[Wire]]] = {
    "hello": (HelloAsk, HelloAnswer),
    "pay": (PayAsk, PayAnswer),
    "pay_status": (PayStatusAsk, PayAnswer),
    "lease": (LeaseAsk, LeaseAnswer),
    "born": (BornAsk, BornAnswer),
    "slip": (SlipAsk, SlipAnswer),
}


REQUEST_CHARACTERS_MAX = 2_000
"""A signing request of an elliptic curve key has some 500."""


class EnrolAsk(Wire):
    """A box asks for its certificate: the first with a claim's token, and a fresh one in time without. The request is
    signed with the box's own key, and its name is that key's."""

    v: int = VERSION
    token: str | None = Field(default=None, pattern=r"^[0-9A-Z-]{16,24}$", repr=False)
    request: Annotated[str, StringConstraints(max_length=REQUEST_CHARACTERS_MAX)]
    hardware: Name = ""
    software: Name = ""


class EnrolAnswer(Wire):
    """A certificate with its chain, where the box stands, and the settings for it; or why not. `detail` names who used
    a claim and when."""

    v: int = VERSION
    refused: Name | None = None
    detail: Annotated[str, StringConstraints(max_length=160)] = ""
    certificate: Annotated[str, StringConstraints(max_length=8_000)] | None = None
    position: Annotated[str, StringConstraints(max_length=64)] = ""
    epoch: Count = 0
    host: Name = ""
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where the core is heard with this certificate."""
    desired: str = ""


class LateRecords(Wire):
    """Records of a box that is not there to say them: it was put out, or it died. They are as its journal has them, joined
    by line feeds and packed (packing.py), and it signed them as they were."""

    v: int = VERSION
    device: Device
    records: Annotated[str, StringConstraints(max_length=BATCH_BYTES_MAX)]
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{86}$")]


class Answer(Wire):
    """The envelope of every answer: which question, and its body."""

    name: Literal["hello", "pay", "pay_status", "lease", "born", "slip"]
    body: dict[str, Any]


class State(Wire):
    """Birth, clean stop, or (as the will) loss of one connection of one boot."""

    s: Literal["online", "offline", "lost"]
    inc: Incarnation
    software: Name = ""
    twin: Count | None = None
    """The version of the settings in use; None for a box that gets none from its fleet."""
    twin_refused: Name | None = None
    """Why the newest settings were not taken, if they were not; `twin_said` is their version."""
    twin_said: Count | None = None


class Vitals(Wire):
    """How the machine under a box is doing. What a machine cannot say is None; sizes are since its start."""

    uptime_s: Count | None = None
    disk_bytes: Bytes | None = None
    written_bytes_day: Bytes | None = None
    """What goes to the card in a day, at the pace since the start."""
    wear_percent: Annotated[int, Field(ge=0, le=110)] | None = None
    """How much of its life the card says is used: in steps of ten, and 110 for over."""
    celsius: Annotated[int, Field(ge=-60, le=200)] | None = None
    sent_bytes: Bytes | None = None
    heard_bytes: Bytes | None = None


class Promise(Wire):
    """What a box can still do without the core."""

    days: Count
    at_least: bool = False
    """Too few days are known for more than a lower bound."""
    redeem: Minor = 0
    """The discounts that it may still give alone, where their worth is known, in fen."""
    coupons: Count = 0
    """Coupons that it may redeem alone besides, whose worth it does not know."""


class Updating(Wire):
    """Where a box's updates stand, and what it waits for."""

    runs: Name
    state: Name
    release: Name = ""
    """The one that is under way."""
    blocked_by: Annotated[tuple[Name, ...], Field(max_length=16, strict=False)] = ()
    refused: Name = ""
    """Why the last offer came to nothing, as a word of the box's list."""
    back_from: Name = ""
    """The release whose trial failed last, where the box is back on the one before it."""
    back_zh: Annotated[str, StringConstraints(max_length=160)] = ""
    back_en: Annotated[str, StringConstraints(max_length=160)] = ""


class Telemetry(Wire):
    """How a box is doing. Droppable; the newest counts. Heads let the core see a tail it lacks."""

    inc: Incarnation
    seq: Count
    head: Hash | None = None
    pending: Count
    oldest_pending_ms: Milliseconds | None = None
    free_bytes: Bytes | None = None
    refused: dict[str, int] = Field(default_factory=dict)
    printer: Name = ""
    dropped: Count = 0
    unsynced_sales: Count | None = None
    unsynced: Minor | None = None
    """The sum of the sales that the core lacks."""
    oldest_money_ms: Milliseconds | None = None
    """When the oldest of them was made; `oldest_pending_ms` may be of a record without money."""
    peripherals: Annotated[dict[str, Name], Field(max_length=16)] | None = None
    """Devices by their names, and how each is: `ready`, or what is wrong."""
    flush_ms: Annotated[tuple[Count, Count] | None, Field(strict=False)] = None
    """How long a record takes to the card: the usual and the worst of the latest."""
    clock_width_ms: Milliseconds | None = None
    """How exactly it knows the hour; None where it does not know it."""
    vitals: Vitals | None = None
    promise: Promise | None = None
    alerts: Count | None = None
    """How many alerts are open on it."""
    updates: Updating | None = None
    """None for a box that takes no releases by itself."""


ALERTS_MAX = 32


class Alert(Wire):
    """One thing that somebody must see to. `kind` is of the closed list in alerts.py, or of a newer box's."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,24}$")]
    subject: Annotated[str, StringConstraints(max_length=32)] = ""
    """Which of several devices."""
    detail: Annotated[str, StringConstraints(max_length=80)] = ""
    since_ms: Milliseconds


class Alerts(Wire):
    """All that is open on a box, retained. What is not in it is over: one word says both, in whatever order they come."""

    inc: Incarnation
    open: Annotated[tuple[Alert, ...], Field(max_length=ALERTS_MAX, strict=False)]


LIVE_CHARACTERS_MAX = 120_000
"""Packed: a till with two hundred products on its buttons has some 13,000, and a thousand have 50,000."""
LIVE_BYTES_MAX = LIVE_CHARACTERS_MAX + 1_024
"""The whole message."""
SCREEN_BYTES_MAX = 1_048_576
"""A till's screen unpacked: whoever watches shows it to a browser as it is, and looks at nothing in it."""
LINES_AT_ONCE = 40
LINES_BYTES_MAX = 131_072


class Live(Wire):
    """What head office watches of a box at this moment, packed (packing.py): its screen as HTML, or lines of its log.
    `command` asked for it. Droppable; the newest screen counts, and `lost` lines of the log were let go before these."""

    what: Literal["screen", "log"]
    command: Id
    data: Annotated[str, StringConstraints(max_length=LIVE_CHARACTERS_MAX)]
    lost: Count = 0


class LogLine(Wire):
    """One line of a box's log, masked. `at_ms` is what its machine believed the hour to be."""

    at_ms: Milliseconds
    level: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,12}$")]
    text: Annotated[str, StringConstraints(max_length=300)]


class LogLines(Wire):
    """Lines of a log, oldest first."""

    lines: Annotated[tuple[LogLine, ...], Field(max_length=LINES_AT_ONCE, strict=False)]


def canonical(document: dict[str, Any]) -> bytes:
    """The one byte form of a JSON document: sorted keys, no spaces, UTF-8, no NaN."""
    return _ENCODER.encode(document).encode("utf-8")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(data: bytes) -> str:
    """The hash of a record's bytes, as hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def genesis(device: str, incarnation: str, prior_head: str | None) -> str:
    """The `prev` of an incarnation's first record: it commits to whose it is and what came before."""
    return digest(f"{device}|{incarnation}|{prior_head or ''}".encode())
