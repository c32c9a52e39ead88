"""Everything that can happen to a till."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tillbox.agent.offline import Lease
from tillbox.contracts.codes import Code
from tillbox.contracts.messages import CommandState, Line, Tapped
from tillbox.contracts.money import Amount
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason, Refused


@dataclass(frozen=True, slots=True)
class LineRung:
    """A product picked or an amount typed."""

    line: Line


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """Another program puts something on the empty counter; `sale` is the id by which it will know the sale."""

    sale: str
    line: Line


@dataclass(frozen=True, slots=True)
class CodesShown:
    """Everything one scan or one camera frame showed, classified. Empty where somebody showed a picture on
    purpose and there is no code on it."""

    codes: tuple[Code | Refused, ...]


@dataclass(frozen=True, slots=True)
class CashTaken:
    """The cashier took so much cash for the basket."""

    received: Amount


@dataclass(frozen=True, slots=True)
class ChargePressed:
    """Charge the payment code that is held."""


@dataclass(frozen=True, slots=True)
class CouponDropped:
    """Take the coupon off the basket."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """Sweep the counter."""


@dataclass(frozen=True, slots=True)
class GiveUpPressed:
    """The cashier will not wait for the payment any longer."""


@dataclass(frozen=True, slots=True)
class AskAgainPressed:
    """The cashier asks for the payment's result."""


@dataclass(frozen=True, slots=True)
class VoidPressed:
    """Take one's own sale back whole."""

    sale: str


@dataclass(frozen=True, slots=True)
class RefundPressed:
    """Pay a part of one's own sale back. `left` is what the cashier saw could still be paid back: a press that
    was meant for an earlier state of the sale, such as the second of two, is then found out."""

    sale: str
    amount: Amount
    left: Amount


@dataclass(frozen=True, slots=True)
class DrawerPressed:
    """Open the drawer without a sale: to give change, to count it. Whoever asks says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class PaperTapped:
    """Another program's till printed a paper through this box. `id` is the record's, given before, since the paper may
    carry it."""

    id: str
    paper: Tapped


@dataclass(frozen=True, slots=True)
class CanaryAsked:
    """Somebody wants to see that this till sells: a basket, a coupon's offer and cash, of which nothing is sold."""

    mark: str
    lines: tuple[Line, ...]
    offer: ThresholdOffer | None
    received: Amount


@dataclass(frozen=True, slots=True)
class CommandMoved:
    """A command of head office has come a step further, and the journal is to hold that."""

    said: CommandState


@dataclass(frozen=True, slots=True)
class ReprintPressed:
    """The receipt once more."""

    sale: str


@dataclass(frozen=True, slots=True)
class PaymentTold:
    """The core says where a payment stands."""

    attempt: str
    state: Literal["submitted", "user_paying", "unknown", "paid", "declined", "reversing", "reversed"]


@dataclass(frozen=True, slots=True)
class RightGranted:
    """The core answers a request for rights with a lease."""

    request: str
    lease: Lease


@dataclass(frozen=True, slots=True)
class RightRefused:
    """The core answers a request for rights with a no."""

    request: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class HelloAnswered:
    """The core compared journals: `proven`, `waiting` for our records, or `rolled_back`."""

    standing: Literal["proven", "waiting", "rolled_back"]


@dataclass(frozen=True, slots=True)
class WitnessRead:
    """The count of rights that the witness outside the medium holds; None where there is no witness."""

    count: int | None


@dataclass(frozen=True, slots=True)
class RightsDue:
    """Time to look after the rights: an answer may have been lost, a lease may have ended."""


@dataclass(frozen=True, slots=True)
class OpeningSettled:
    """The core has this boot's first record: it can now vouch for the journal."""


@dataclass(frozen=True, slots=True)
class PatienceEnded:
    """The wait for `of` (an attempt or a request) is over."""

    of: str


@dataclass(frozen=True, slots=True)
class LineChanged:
    """The line to the core went up or down."""

    up: bool


@dataclass(frozen=True, slots=True)
class JournalFailed:
    """A commit failed: nothing of that step happened."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class PutOut:
    """The core says that this box is of no place any more: it hands in what it has, and sells nothing."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class JournalMended:
    """The journal was opened again, verified, and records."""


Event = (
    LineRung | OrderPlaced | CodesShown | CashTaken | ChargePressed | CouponDropped | Cleared | GiveUpPressed | AskAgainPressed
    | VoidPressed | RefundPressed | ReprintPressed | DrawerPressed | PaperTapped | CanaryAsked | CommandMoved | PaymentTold | RightGranted | RightRefused | HelloAnswered
    | WitnessRead | RightsDue | OpeningSettled | PatienceEnded | LineChanged | JournalFailed | JournalMended | PutOut
)  # fmt: skip
