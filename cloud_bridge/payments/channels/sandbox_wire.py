"""What travels between the core and the sandbox wallet, as pydantic models. Signed; see sandbox_seal.py.

    POST /v1/pay            PayMessage          -> AnswerMessage
    POST /v1/query          QueryMessage        -> AnswerMessage
    POST /v1/reverse        ReverseMessage      -> AnswerMessage
    POST /v1/refund         RefundMessage       -> AnswerMessage
    POST /v1/refund/query   RefundQueryMessage  -> AnswerMessage
    POST /v1/admin/mood     Mood                -> Mood          (the office's secret)
    GET  /v1/statement?after=N                  -> Statement     (the office's secret)
    POST to the merchant    Notification        -> any 2xx

Parsed once, trusted afterwards. It refuses to know what the words do; that is sandbox_ledger.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from tillbox.contracts.messages import Wire
from tillbox.contracts.money import CNY, MINOR_MAX, Amount

from .port import Outcome
from .sandbox_manners import MannerName
from .sandbox_seal import Unproven, check_notification

BODY_BYTES_MAX = 8_192
"""The longest request or notification is a pay of 600 bytes; a mood with a full script is 4 KB."""
ANSWER_BYTES_MAX = 8_192
STATEMENT_LINES = 500
STATEMENT_BYTES_MAX = 1_048_576
"""500 lines of 400 bytes and the accounts of 5,000 customers fit."""
SCRIPT_MAX = 100

OFFICE = "office"
"""The name under which the wallet's own people sign. No merchant may have it."""

Number = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
AuthCode = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
Subject = Annotated[str, StringConstraints(max_length=80)]
Minor = Annotated[int, Field(ge=1, le=MINOR_MAX)]
Yuan = Literal["CNY/2"]
PerMille = Annotated[int, Field(ge=0, le=1_000)]


class PayMessage(Wire):
    """Charge a payment code once."""

    attempt_no: Number
    auth_code: AuthCode
    minor: Minor
    unit: Yuan = "CNY/2"
    subject: Subject = ""


class QueryMessage(Wire):
    """Where does the trade stand?"""

    attempt_no: Number


class ReverseMessage(Wire):
    """Close the trade if it is unpaid, pay it back if it is paid."""

    attempt_no: Number


class RefundMessage(Wire):
    """Pay a part back, once for each refund number."""

    attempt_no: Number
    refund_no: Number
    minor: Minor
    unit: Yuan = "CNY/2"


class RefundQueryMessage(Wire):
    """Was the refund done?"""

    refund_no: Number


Message = PayMessage | QueryMessage | ReverseMessage | RefundMessage | RefundQueryMessage


class AnswerMessage(Wire):
    """The answer to any verb. `number` repeats the attempt or refund that was asked for."""

    number: Number
    outcome: Outcome
    minor: Minor | None = None
    unit: Yuan = "CNY/2"
    channel_no: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,64}$")] | None = None
    payer: Annotated[str, StringConstraints(max_length=32)] | None = None
    detail: Annotated[str, StringConstraints(max_length=200)] = ""

    @property
    def amount(self) -> Amount | None:
        """The money, if the answer names any."""
        return None if self.minor is None else Amount(self.minor, CNY)


class Notification(Wire):
    """The wallet tells what became of a trade. It may come twice, late, or before the answer to the pay."""

    notice_no: Number
    attempt_no: Number
    state: Outcome
    minor: Minor
    unit: Yuan = "CNY/2"
    channel_no: str
    payer: str
    at_ms: int

    @property
    def amount(self) -> Amount:
        """The money of the trade. The core checks it against what it asked for."""
        return Amount(self.minor, CNY)


class Mood(Wire):
    """How the wallet misbehaves: the next payments by script, then the others by chance.

    `chances` gives each manner its share in a thousand; the rest is good. A payment code that asks for a
    manner (sandbox_manners.py) always gets it. `pace_percent` shortens all waits: 10 is ten times as fast.
    """

    script: Annotated[tuple[MannerName, ...], Field(max_length=SCRIPT_MAX)] = ()
    chances: dict[MannerName, PerMille] = Field(default_factory=dict)
    seed: int = 0
    pace_percent: Annotated[int, Field(ge=1, le=1_000)] = 100

    @model_validator(mode="after")
    def _shares_fit(self) -> Mood:
        if sum(self.chances.values()) > 1_000:
            raise ValueError("the chances are shares in a thousand, and together they are more")
        return self


class StatementLine(Wire):
    """One trade as the money saw it. `state` is USER_PAYING only while it may still be paid."""

    no: int
    merchant: str
    attempt_no: Number
    channel_no: str
    payer: str
    manner: str
    state: Outcome
    minor: int
    paid_minor: int
    refunded_minor: int
    made_ms: int


class Statement(Wire):
    """One page of trades, and every account. `next_after` asks for the next page; None was the last.

    Accounts sum to zero: what came in from outside (`bank`, negative), customers (`wallet:…`), merchants.
    """

    lines: tuple[StatementLine, ...]
    accounts: dict[str, int]
    notices_open: int
    next_after: int | None = None


class Trouble(Wire):
    """An answer without an outcome: what went wrong, why, and what to do now. To the core it is UNKNOWN."""

    what: str
    why: str
    advice: str


def verify_notification(
    headers: Mapping[str, str], body: bytes, secret: bytes, now_ms: int
) -> Notification | Unproven:
    """A notification that the wallet really sent, or why it is not taken. Answer 2xx only to the former."""
    if len(body) > BODY_BYTES_MAX:
        return Unproven("notification", "it is too long", "drop it")
    proven = check_notification(headers, body, secret, now_ms)
    if isinstance(proven, Unproven):
        return proven
    try:
        return Notification.model_validate_json(body)
    except ValidationError:
        return Unproven("notification", "it is signed and cannot be read", "compare both sides' versions")
