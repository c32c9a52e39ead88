"""What a till is: the phase of the moment, the past that its journal holds, and what the shop decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tillbox.agent.offline import Right
from tillbox.agent.past import Past
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import CouponClaims, PaymentCode
from tillbox.contracts.messages import Line, PaymentAsked
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason, Refused

AMOUNT_MAX = Amount(5_000_000, CNY)
"""50,000.00: more is a typing slip, or a bar code in the wrong field, and not a sale."""


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon on the counter, with the right to spend it."""

    right: Right
    offer: ThresholdOffer
    title: str


@dataclass(frozen=True, slots=True)
class HeldCode:
    """A payment code that came before there was anything to pay."""

    code: PaymentCode
    boot_ms: int


@dataclass(frozen=True, slots=True)
class Basket:
    """What lies on the counter. `sale` is the id that its sale will have, where another program has given one; else the
    till gives one when it is paid for."""

    lines: tuple[Line, ...] = ()
    coupon: Coupon | None = None
    held: HeldCode | None = None
    sale: str = ""

    @property
    def total(self) -> Amount:
        """Before any discount."""
        return Amount(sum(line.amount for line in self.lines), CNY)

    def off(self) -> Amount | Refused:
        """The coupon's discount on this basket; zero without a coupon."""
        return self.coupon.offer.off(self.total) if self.coupon else Amount(0, CNY)

    def due(self) -> Amount | Refused:
        """What is to be paid, or why it cannot be told: a coupon that needs more."""
        off = self.off()
        return off if isinstance(off, Refused) else self.total - off


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing on the counter."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """Something on the counter."""

    basket: Basket


@dataclass(frozen=True, slots=True)
class Checking:
    """Asking the core for the right to one coupon."""

    basket: Basket
    request: str
    claims: CouponClaims


@dataclass(frozen=True, slots=True)
class Paying:
    """A payment was asked for; its result is awaited."""

    basket: Basket
    asked: PaymentAsked


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Patience with a payment ended. It is open until the core knows or the cashier gives it up. After a power
    cut the basket is what the record of the payment says: the coupon must be shown again."""

    basket: Basket
    asked: PaymentAsked

    @classmethod
    def after_boot(cls, asked: PaymentAsked) -> InDoubt:
        """The doubt that a journal holds."""
        return cls(Basket(asked.lines), asked)


@dataclass(frozen=True, slots=True)
class Stopped:
    """The journal cannot record, or the box was put out of service. Nothing is sold; `basket` waits."""

    reason: Reason
    basket: Basket


Phase = Idle | Ringing | Checking | Paying | InDoubt | Stopped
PHASES: tuple[type, ...] = (Idle, Ringing, Checking, Paying, InDoubt, Stopped)


class Rights(Enum):
    """Whether leases may be spent. After a boot they are frozen until somebody vouches for the medium."""

    FROZEN = "frozen"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Caps:
    """What a box may take before the core has taken it in, in fen: in one sale, and in all."""

    sale_max: int
    total_max: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What the shop decided about this box."""

    device: str
    tenant: str
    keys: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    goods: Mapping[str, Line] = field(default_factory=dict)
    stocks: Mapping[str, int] = field(default_factory=dict)
    """Coupon templates that this box keeps rights to, and how many at a time."""
    caps: Caps | None = None
    """None for a box that the core knows."""


@dataclass(frozen=True, slots=True)
class Till:
    """The whole state: the phase of the moment, and the past that the journal holds."""

    setup: Setup
    past: Past
    phase: Phase
    line_up: bool = False
    rights: Rights = Rights.FROZEN
    vouched: bool = False
    """The core has compared this boot's journal with what it knows."""
    empty_until: Mapping[str, int] = field(default_factory=dict)
    """Templates whose stock gave nothing: not asked again before this boot time. A boot asks once more."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step happens, and the fresh ids it may use. A step never uses more than `IDS_PER_STEP`."""

    at: TimeInterval
    boot_ms: int
    fresh: tuple[str, ...]

    def after(self, used: int) -> Moment:
        """The same moment with so many of its ids used."""
        return replace(self, fresh=self.fresh[used:])


IDS_PER_STEP = 12


def basket_of(till: Till) -> Basket:
    """What lies on the counter, in any phase."""
    return getattr(till.phase, "basket", Basket())


def phase_of(basket: Basket) -> Phase:
    """Ringing where anything lies on the counter, else idle."""
    return Ringing(basket) if basket.lines or basket.coupon or basket.held else Idle()
