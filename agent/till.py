"""The till: `step(till, event, moment) -> (till, effects)`, and nothing else.

Two rules. Everything that decides what a till does lives in this file. Nothing in it touches a device, a
file, a clock or a random number: those are effects and moments, and the runtime deals in them.

    event ──> TRANSITIONS[event][phase] ──> handler ──> (till', effects)
                                                           Record   one commit, before all that follows
                                                           Witness  the count of rights, outside the medium
                                                           Ask      a question to the core
                                                           Patience wake me when it is too late
                                                           Show Print Kick  what a person sees

`Record` comes first among the effects. If the commit fails the runtime drops the whole step, effects and
new state alike, and tells the till `JournalFailed`: so a till never believes what its disk does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel

from tillbox.broker.journal import Draft
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import Code, CouponClaims, GoodsCode, PaymentCode, SignedEnvelope, verify_coupon
from tillbox.contracts.messages import (
    CouponUse,
    LeaseAsk,
    LeaseAsked,
    LeaseClosed,
    LeaseHeld,
    LeaseRefused,
    Line,
    PayAsk,
    PaymentAsked,
    PaymentEnded,
    PayStatusAsk,
    Refund,
    RightsLost,
    Sale,
    Tender,
    Void,
    Wire,
)
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason, Refused

from .offline import Lease, Right, covering, left_of, next_right
from .past import OwnSale, Past, remember
from .words import Word

LINES_MAX = 100  # what one receipt and one record hold; a bigger basket is two sales
AMOUNT_MAX = Amount(5_000_000, CNY)  # 50,000.00: a typing slip, not a sale
PAYMENT_PATIENCE_MS = 10_000  # then the cashier hears that it is unknown; the core goes on for itself
USER_PAYING_PATIENCE_MS = 50_000  # a customer types a password; the core asks for 45 s
COUPON_PATIENCE_MS = 3_000  # one round trip on a slow line; a queue is waiting
PAYMENT_CODE_MS = 55_000  # a payment code lives about a minute; an older one would only be declined
SINGLE_LEASE = 1


# what the till is


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
    """What lies on the counter."""

    lines: tuple[Line, ...] = ()
    coupon: Coupon | None = None
    held: HeldCode | None = None

    @property
    def total(self) -> Amount:
        """Before any discount."""
        return Amount(sum(line.amount for line in self.lines), CNY)

    def off(self) -> Amount | Refused:
        """The coupon's discount on this basket; zero without a coupon."""
        return self.coupon.offer.off(self.total) if self.coupon else Amount(0, CNY)


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
    """Patience with a payment ended. It is open until the core knows or the cashier gives it up."""

    asked: PaymentAsked


@dataclass(frozen=True, slots=True)
class Stopped:
    """The journal cannot record. Nothing is sold; `basket` waits."""

    reason: Reason
    basket: Basket


Phase = Idle | Ringing | Checking | Paying | InDoubt | Stopped
PHASES: tuple[type, ...] = (Idle, Ringing, Checking, Paying, InDoubt, Stopped)


class Rights(Enum):
    """Whether leases may be spent. After a boot they are frozen until somebody vouches for the medium."""

    FROZEN = "frozen"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Setup:
    """What the shop decided about this box."""

    device: str
    tenant: str
    keys: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    goods: Mapping[str, Line] = field(default_factory=dict)
    stocks: Mapping[str, int] = field(default_factory=dict)
    """Coupon templates that this box keeps rights to, and how many at a time."""


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


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step happens, and the fresh ids it may use. A step never uses more than `IDS_PER_STEP`."""

    at: TimeInterval
    boot_ms: int
    fresh: tuple[str, ...]


IDS_PER_STEP = 12


# events


@dataclass(frozen=True, slots=True)
class LineRung:
    """A product picked or an amount typed."""

    line: Line


@dataclass(frozen=True, slots=True)
class CodesShown:
    """Everything one scan or one camera frame showed, classified."""

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
    """Pay a part of one's own sale back."""

    sale: str
    amount: Amount


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
class JournalMended:
    """The journal was opened again, verified, and records."""


Event = (
    LineRung | CodesShown | CashTaken | ChargePressed | CouponDropped | Cleared | GiveUpPressed | AskAgainPressed
    | VoidPressed | RefundPressed | ReprintPressed | PaymentTold | RightGranted | RightRefused | HelloAnswered
    | WitnessRead | OpeningSettled | PatienceEnded | LineChanged | JournalFailed | JournalMended
)  # fmt: skip


# effects


@dataclass(frozen=True, slots=True)
class Record:
    """Commit these records in one transaction, before any later effect."""

    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """Raise the witness to this count before anybody sees the result."""

    count: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the core; answers come back as events, or not at all."""

    name: str
    body: Wire


@dataclass(frozen=True, slots=True)
class Greet:
    """Say hello to the core: where this boot's journal stands, and what time is it?"""


@dataclass(frozen=True, slots=True)
class Patience:
    """Send `PatienceEnded(of)` after so long."""

    of: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Show:
    """Tell the cashier."""

    what: Word | Refused
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slip:
    """What is to be printed; receipts.py makes a document of it."""

    kind: Literal["receipt", "copy", "void", "refund"]
    id: str
    sale: str
    content: Sale
    amount: int


@dataclass(frozen=True, slots=True)
class Print:
    """Print a slip. The job's name is the slip's id."""

    slip: Slip


@dataclass(frozen=True, slots=True)
class Kick:
    """Open the drawer, and say why."""

    reason: str


Effect = Record | Witness | Ask | Greet | Patience | Show | Print | Kick
Step = tuple[Till, tuple[Effect, ...]]
Handler = Callable[[Till, Any, Moment], Step]
"""A handler takes the one event of its row; that the event is of its row's type is the table's doing."""


def boot(setup: Setup, past: Past) -> Till:
    """The till as it stands after power-on. An open payment is in doubt, whatever happened to the screen."""
    return Till(setup, past, InDoubt(past.payment) if past.payment else Idle())


def step(till: Till, event: Event, moment: Moment) -> Step:
    """What the till does about an event."""
    row = TRANSITIONS[type(event)]
    return row[PHASES.index(type(till.phase))](till, event, moment)


def basket_of(till: Till) -> Basket:
    """What lies on the counter, in any phase."""
    return getattr(till.phase, "basket", Basket())


# Handlers of the basket


def _ring(till: Till, event: LineRung, _: Moment) -> Step:
    basket = basket_of(till)
    if len(basket.lines) >= LINES_MAX:
        return _say(till, Reason.BASKET_FULL)
    basket = replace(basket, lines=(*basket.lines, event.line))
    if basket.total > AMOUNT_MAX:
        return _say(till, Reason.AMOUNT_TOO_LARGE, AMOUNT_MAX.decimal())
    return replace(till, phase=Ringing(basket)), (
        Show(Word.ADDED, (event.line.name, basket.total.decimal())),
    )


def _codes(till: Till, event: CodesShown, moment: Moment) -> Step:
    """Take the codes of one scan in the order goods, coupon, payment, whatever order they were seen in."""
    effects: tuple[Effect, ...] = ()
    for code in sorted(event.codes, key=_rank):
        till, more = _code(till, code, moment)
        effects += more
        moment = replace(moment, fresh=moment.fresh[_ids_used(more) :])
    return till, effects


def _code(till: Till, code: Code | Refused, moment: Moment) -> Step:
    if isinstance(code, Refused):
        return _say(till, code.reason, code.detail)
    if isinstance(code, GoodsCode):
        line = till.setup.goods.get(code.gtin)
        return _ring(till, LineRung(line), moment) if line else _say(till, Reason.UNKNOWN_GOODS, code.gtin)
    if isinstance(code, SignedEnvelope):
        return _coupon(till, code, moment)
    if isinstance(code, PaymentCode):
        return _payment_code(till, code, moment)
    return _say(till, Reason.NOT_FOR_THIS_TILL)


def _rank(code: Code | Refused) -> int:
    return (
        (GoodsCode, SignedEnvelope, PaymentCode).index(type(code)) if type(code) in _RANKED else len(_RANKED)
    )


_RANKED = (GoodsCode, SignedEnvelope, PaymentCode)


def _clear(till: Till, _: Event, moment: Moment) -> Step:
    till, effects = _let_go(till, moment)
    return replace(till, phase=Idle()), (*effects, Show(Word.CLEARED))


def _drop_coupon(till: Till, _: CouponDropped, moment: Moment) -> Step:
    till, effects = _let_go(till, moment)
    return replace(till, phase=_phase_of(replace(basket_of(till), coupon=None))), (
        *effects,
        Show(Word.COUPON_DROPPED),
    )


# Handlers of coupons and rights


def _coupon(till: Till, envelope: SignedEnvelope, moment: Moment) -> Step:
    basket = basket_of(till)
    if not isinstance(till.phase, (Idle, Ringing)):
        return _say(
            till, Reason.ASK_UNDER_WAY if isinstance(till.phase, Checking) else Reason.PAYMENT_UNDER_WAY
        )
    if basket.coupon:
        return _say(till, Reason.COUPON_ALREADY_ATTACHED)
    claims = verify_coupon(envelope, keys=till.setup.keys, tenant=till.setup.tenant, now=moment.at)
    if isinstance(claims, Refused):
        return _say(till, claims.reason, claims.detail)
    found = _right_to(till, claims, moment)
    if isinstance(found, Right):
        return _attach(till, basket, claims, found)
    if found.reason is not Reason.NO_RIGHT or not till.line_up or claims.serial is None:
        return _say(till, found.reason, found.detail)
    return _ask_right(till, basket, claims, moment)


def _right_to(till: Till, claims: CouponClaims, moment: Moment) -> Right | Refused:
    """The right this box holds to a coupon, or why it holds none."""
    leases = till.past.leases.values()
    if till.rights is Rights.FROZEN:
        return Refused(Reason.RIGHTS_FROZEN)
    if claims.serial is None:
        return next_right(leases, claims.template, moment.at) or Refused(Reason.NO_RIGHT)
    lease = covering(leases, claims.template, claims.serial)
    if lease is not None and claims.serial in lease.spent:
        return Refused(Reason.COUPON_SPENT)
    if lease is None or lease.is_over(moment.at):
        return Refused(Reason.NO_RIGHT)
    return Right(lease.id, claims.template, claims.serial)


def _attach(till: Till, basket: Basket, claims: CouponClaims, right: Right) -> Step:
    offer = ThresholdOffer(claims.threshold, claims.discount)
    basket = replace(basket, coupon=Coupon(right, offer, claims.title))
    off = basket.off()
    show = Show(Word.COUPON_NEEDS_MORE, (off.detail,)) if isinstance(off, Refused) else None
    show = show or Show(Word.COUPON_ATTACHED, (offer.discount.decimal(),))
    return replace(till, phase=Ringing(basket)), (show,)


def _ask_right(till: Till, basket: Basket, claims: CouponClaims, moment: Moment) -> Step:
    """The core alone can say whose this serial is: ask it for a lease of just this one."""
    assert claims.serial is not None
    asked = LeaseAsked(template=claims.template, quantity=SINGLE_LEASE, serial=claims.serial)
    known = next((request for request, one in till.past.requests.items() if one == asked), None)
    request = known or moment.fresh[0]
    till, effects = (till, ()) if known else _record(till, moment, (request, "lease_asked", asked))
    ask = Ask("lease", LeaseAsk(request=request, **asked.model_dump()))
    till = replace(till, phase=Checking(basket, request, claims))
    return till, (*effects, ask, Patience(request, COUPON_PATIENCE_MS), Show(Word.CHECKING_COUPON))


def _granted(till: Till, event: RightGranted, moment: Moment) -> Step:
    """Hold a lease, if this very journal asked for it. A grant that is not asked for any more may already
    have been held, and spent, by a journal that was lost: it is left alone."""
    asked = till.past.requests.get(event.request)
    if asked is None or event.lease.id in till.past.leases:
        return till, ()
    count = till.past.rights_count + 1
    held = LeaseHeld(
        lease=event.lease.id,
        request=event.request,
        template=asked.template,
        first=event.lease.first,
        last=event.lease.last,
        spent=tuple(sorted(event.lease.spent)),
        expires_ms=event.lease.expires_ms,
        single=asked.serial is not None,
        rights_count=count,
    )
    till, effects = _record(till, moment, (moment.fresh[0], "lease_held", held))
    phase = till.phase
    if isinstance(phase, Checking) and phase.request == event.request:
        return _go_on(till, phase, (*effects, Witness(count)), replace(moment, fresh=moment.fresh[1:]))
    if held.single:
        # The customer has gone: give it back, so that another box may redeem it.
        till, closing = _close(till, till.past.leases[held.lease], replace(moment, fresh=moment.fresh[1:]))
        return till, (*effects, *closing)
    return till, (*effects, Witness(count))


def _go_on(till: Till, phase: Checking, effects: tuple[Effect, ...], moment: Moment) -> Step:
    """The right came while the customer waits: attach the coupon, then charge what was held for it."""
    assert phase.claims.serial is not None
    found = _right_to(till, phase.claims, moment)
    if isinstance(found, Refused):
        till, more = _say(replace(till, phase=_phase_of(phase.basket)), found.reason)
    else:
        till, more = _attach(till, phase.basket, phase.claims, found)
        if _can_charge(till):
            till, charging = _charge_held(till, moment)
            more += charging
    return till, (*effects, *more)


def _right_refused(till: Till, event: RightRefused, moment: Moment) -> Step:
    if event.request not in till.past.requests:
        return till, ()
    refused = LeaseRefused(request=event.request, reason=event.reason)
    till, effects = _record(till, moment, (moment.fresh[0], "lease_refused", refused))
    phase = till.phase
    if isinstance(phase, Checking) and phase.request == event.request:
        till = replace(till, phase=_phase_of(phase.basket))
        effects = (*effects, Show(Refused(event.reason)))
    return till, effects


def _coupon_too_late(till: Till, event: PatienceEnded, _: Moment) -> Step:
    phase = till.phase
    assert isinstance(phase, Checking)
    if event.of != phase.request:
        return till, ()
    return _say(replace(till, phase=_phase_of(phase.basket)), Reason.CORE_SILENT)


def _hello(till: Till, event: HelloAnswered, moment: Moment) -> Step:
    if till.vouched or event.standing == "waiting":
        return till, ()
    till = replace(till, vouched=True)
    if event.standing == "rolled_back":
        return _lose_rights(till, till.past.rights_count + 1, moment)
    return _renew(replace(till, rights=Rights.LIVE), moment)


def _witness(till: Till, event: WitnessRead, moment: Moment) -> Step:
    """The witness lives outside the medium. If it counted further than the journal, the medium is old."""
    if event.count is None or till.vouched:
        return till, ()
    if event.count > till.past.rights_count:
        return _lose_rights(till, event.count + 1, moment)
    return replace(till, rights=Rights.LIVE), (Witness(till.past.rights_count),)


def _lose_rights(till: Till, count: int, moment: Moment) -> Step:
    lost = RightsLost(leases=tuple(till.past.leases), rights_count=count)
    till, effects = _record(till, moment, (moment.fresh[0], "rights_lost", lost))
    show = (Show(Word.RIGHTS_LOST),) if lost.leases else ()
    return replace(till, rights=Rights.LIVE), (*effects, Witness(count), *show)


def _renew(till: Till, moment: Moment) -> Step:
    """Repeat open requests, close what has expired, and top up what runs low. Needs the line."""
    effects: tuple[Effect, ...] = tuple(
        Ask("lease", LeaseAsk(request=request, **asked.model_dump()))
        for request, asked in till.past.requests.items()
    )
    if not till.line_up or till.rights is Rights.FROZEN or not till.vouched:
        return till, ()
    pledged = _pledged(till)
    expired = [one for one in till.past.leases.values() if one.is_over(moment.at) and one.id not in pledged]
    for lease in expired[:2]:
        till, more = _close(till, lease, moment)
        effects, moment = (*effects, *more), replace(moment, fresh=moment.fresh[1:])
    for template, size in list(till.setup.stocks.items())[:4]:
        asked = any(one.template == template and one.serial is None for one in till.past.requests.values())
        if not asked and left_of(till.past.leases.values(), template, moment.at) * 2 < size:
            body = LeaseAsked(template=template, quantity=size)
            till, more = _record(till, moment, (moment.fresh[0], "lease_asked", body))
            ask = Ask("lease", LeaseAsk(request=moment.fresh[0], **body.model_dump()))
            effects, moment = (*effects, *more, ask), replace(moment, fresh=moment.fresh[1:])
    return till, effects


def _pledged(till: Till) -> set[str]:
    """Leases that the basket or an open payment counts on: they are not given back meanwhile."""
    coupon, payment = basket_of(till).coupon, till.past.payment
    pledged = {coupon.right.lease} if coupon else set()
    return pledged | ({payment.coupon.lease} if payment and payment.coupon else set())


def _close(till: Till, lease: Lease, moment: Moment) -> Step:
    count = till.past.rights_count + 1
    closed = LeaseClosed(lease=lease.id, left=lease.left, rights_count=count)
    till, effects = _record(till, moment, (moment.fresh[0], "lease_closed", closed))
    return till, (*effects, Witness(count))


def _let_go(till: Till, moment: Moment) -> Step:
    """The basket's coupon is not used after all: give a single right back, keep a stock right."""
    coupon = basket_of(till).coupon
    lease = till.past.leases.get(coupon.right.lease) if coupon else None
    return _close(till, lease, moment) if lease and lease.single else (till, ())


# Handlers of being paid


def _cash(till: Till, event: CashTaken, moment: Moment) -> Step:
    phase = till.phase
    assert isinstance(phase, Ringing)
    off = phase.basket.off()
    if isinstance(off, Refused):
        return _say(till, off.reason, off.detail)
    if not phase.basket.lines:
        return _say(till, Reason.NOTHING_TO_PAY)
    due = phase.basket.total - off
    if event.received < due:
        return _say(till, Reason.TOO_LITTLE_CASH, due.decimal())
    tender = Tender(type="cash", amount=due.minor, received=event.received.minor)
    sale = _sale_of(
        till, phase.basket.lines, phase.basket.total.minor, off.minor, tender, _use(till, phase.basket, off)
    )
    change = (event.received - due).decimal()
    shown = (Kick("cash sale"), Show(Word.CHANGE, (event.received.decimal(), change)))
    return _settle(till, moment.fresh[0], sale, shown, moment)


def _payment_code(till: Till, code: PaymentCode, moment: Moment) -> Step:
    phase = till.phase
    held = HeldCode(code, moment.boot_ms)
    if isinstance(phase, Checking):
        return replace(till, phase=replace(phase, basket=replace(phase.basket, held=held))), ()
    if not isinstance(phase, (Idle, Ringing)):
        return _say(till, Reason.PAYMENT_UNDER_WAY)
    if not till.line_up:
        return _say(till, Reason.OFFLINE_PAYMENT_CODE)
    till = replace(till, phase=Ringing(replace(basket_of(till), held=held)))
    return _charge_held(till, moment) if _can_charge(till) else (till, (Show(Word.CODE_HELD),))


def _can_charge(till: Till) -> bool:
    basket = basket_of(till)
    return basket.held is not None and bool(basket.lines) and not isinstance(basket.off(), Refused)


def _charge_held(till: Till, moment: Moment) -> Step:
    """Ask for the money. The attempt is durable before the first byte leaves, with the whole draft in it."""
    phase = till.phase
    assert isinstance(phase, Ringing)
    basket, off = phase.basket, phase.basket.off()
    if not basket.lines or basket.held is None:
        return _say(till, Reason.NOTHING_TO_PAY)
    if isinstance(off, Refused):
        return _say(till, off.reason, off.detail)
    if not till.line_up:
        return _say(_without_code(till), Reason.OFFLINE_PAYMENT_CODE)
    if moment.boot_ms - basket.held.boot_ms > PAYMENT_CODE_MS:
        return _say(_without_code(till), Reason.EXPIRED)
    due, code = basket.total - off, basket.held.code
    if not due:
        return _say(till, Reason.NOTHING_TO_PAY)
    asked = PaymentAsked(
        attempt=moment.fresh[0],
        sale=moment.fresh[1],
        amount=due.minor,
        wallet=code.wallet,
        code_hint=code.masked,
        lines=basket.lines,
        coupon=_use(till, basket, off),
    )
    till, effects = _record(till, moment, (moment.fresh[2], "payment_asked", asked))
    ask = Ask("pay", PayAsk(attempt=asked.attempt, sale=asked.sale, amount=asked.amount, code=code.digits))
    till = replace(till, phase=Paying(replace(basket, held=None), asked))
    patience = Patience(asked.attempt, PAYMENT_PATIENCE_MS)
    return till, (*effects, ask, patience, Show(Word.CHARGING, (due.decimal(),)))


def _charge(till: Till, _: ChargePressed, moment: Moment) -> Step:
    return _charge_held(till, moment)


def _paid_or_not(till: Till, event: PaymentTold, moment: Moment) -> Step:
    phase = till.phase
    assert isinstance(phase, (Paying, InDoubt))
    asked = phase.asked
    if event.attempt != asked.attempt:
        return till, ()
    if event.state == "paid":
        return _paid(till, asked, moment)
    if event.state in ("declined", "reversed"):
        return _not_paid(till, asked, "declined" if event.state == "declined" else "reversed", moment)
    if event.state == "user_paying":
        return till, (Patience(asked.attempt, USER_PAYING_PATIENCE_MS), Show(Word.USER_PAYING))
    return till, ()


def _paid(till: Till, asked: PaymentAsked, moment: Moment) -> Step:
    discount = asked.coupon.discount if asked.coupon else 0
    tender = Tender(type="merchant_scan", amount=asked.amount, attempt=asked.attempt)
    use = _recount(till, asked.coupon)
    sale = _sale_of(till, asked.lines, asked.amount + discount, discount, tender, use)
    return _settle(till, asked.sale, sale, (Show(Word.PAID, (Amount(asked.amount, CNY).decimal(),)),), moment)


def _not_paid(
    till: Till, asked: PaymentAsked, outcome: Literal["declined", "reversed"], moment: Moment
) -> Step:
    ended = PaymentEnded(attempt=asked.attempt, outcome=outcome)
    basket = _basket_again(till, asked)
    till, effects = _record(till, moment, (moment.fresh[0], "payment_ended", ended))
    reason = Reason.PAYMENT_DECLINED if outcome == "declined" else Reason.PAYMENT_REVERSED
    return replace(till, phase=_phase_of(basket)), (*effects, Show(Refused(reason)))


def _payment_too_late(till: Till, event: PatienceEnded, _: Moment) -> Step:
    phase = till.phase
    assert isinstance(phase, Paying)
    if event.of != phase.asked.attempt:
        return till, ()
    till, effects = _say(replace(till, phase=InDoubt(phase.asked)), Reason.PAYMENT_UNKNOWN)
    return till, (Ask("pay_status", PayStatusAsk(attempt=phase.asked.attempt)), *effects)


def _ask_again(till: Till, _: Event, __: Moment) -> Step:
    phase = till.phase
    assert isinstance(phase, (Paying, InDoubt))
    if not till.line_up:
        return _say(till, Reason.PAYMENT_UNKNOWN)
    return till, (Ask("pay_status", PayStatusAsk(attempt=phase.asked.attempt)), Show(Word.STILL_ASKING))


def _give_up(till: Till, _: GiveUpPressed, moment: Moment) -> Step:
    """The cashier decides; the record makes the core reverse or refund, even if the box is never seen again."""
    phase = till.phase
    assert isinstance(phase, (Paying, InDoubt))
    ended = PaymentEnded(attempt=phase.asked.attempt, outcome="abandoned")
    basket = _basket_again(till, phase.asked)
    till, effects = _record(till, moment, (moment.fresh[0], "payment_ended", ended))
    return replace(till, phase=_phase_of(basket)), (*effects, Show(Word.GIVEN_UP))


# Handlers of one's own sales


def _void(till: Till, event: VoidPressed, moment: Moment) -> Step:
    own = _own(till, event.sale)
    if isinstance(own, Refused):
        return _say(till, own.reason)
    tender = own.sale.tender
    if own.refunded:
        return _say(till, Reason.ALREADY_VOIDED)
    if tender.type == "merchant_scan" and not till.line_up:
        return _say(till, Reason.REFUND_NEEDS_LINE)
    use = _recount(till, own.sale.coupon)
    void = Void(of=own.id, amount=tender.amount, tender_type=tender.type, attempt=tender.attempt, coupon=use)
    till, effects = _record(till, moment, (moment.fresh[0], "void", void))
    witness = (Witness(use.rights_count),) if use else ()
    slip = Print(Slip("void", moment.fresh[0], own.id, own.sale, tender.amount))
    kick = (Kick("void"),) if tender.type == "cash" else ()
    show = Show(Word.VOIDED, (str(own.sale.number), Amount(tender.amount, CNY).decimal()))
    return till, (*effects, *witness, slip, *kick, show)


def _refund(till: Till, event: RefundPressed, moment: Moment) -> Step:
    own = _own(till, event.sale)
    if isinstance(own, Refused):
        return _say(till, own.reason)
    tender = own.sale.tender
    if not 0 < event.amount.minor <= own.left:
        return _say(till, Reason.REFUND_TOO_LARGE, Amount(own.left, CNY).decimal())
    if tender.type == "merchant_scan" and not till.line_up:
        return _say(till, Reason.REFUND_NEEDS_LINE)
    refund = Refund(of=own.id, amount=event.amount.minor, tender_type=tender.type, attempt=tender.attempt)
    till, effects = _record(till, moment, (moment.fresh[0], "refund", refund))
    slip = Print(Slip("refund", moment.fresh[0], own.id, own.sale, event.amount.minor))
    kick = (Kick("refund"),) if tender.type == "cash" else ()
    return till, (*effects, slip, *kick, Show(Word.REFUNDED, (str(own.sale.number), event.amount.decimal())))


def _reprint(till: Till, event: ReprintPressed, moment: Moment) -> Step:
    own = till.past.sales.get(event.sale)
    if own is None:
        return _say(till, Reason.UNKNOWN_SALE)
    slip = Slip("copy", moment.fresh[0], own.id, own.sale, own.sale.tender.amount)
    return till, (Print(slip), Show(Word.REPRINTED, (str(own.sale.number),)))


def _own(till: Till, sale: str) -> OwnSale | Refused:
    own = till.past.sales.get(sale)
    if own is None:
        return Refused(Reason.UNKNOWN_SALE)
    return own if own.left or (not own.voided and not own.refunded) else Refused(Reason.ALREADY_VOIDED)


# Handlers of line and journal


def _line(till: Till, event: LineChanged, moment: Moment) -> Step:
    """A line that comes up is greeted: who am I, what time is it, and what became of the open payment."""
    if not event.up:
        return replace(till, line_up=False), (Show(Word.LINE_DOWN),)
    till = replace(till, line_up=True)
    effects: tuple[Effect, ...] = (Greet(), Show(Word.LINE_UP))
    if isinstance(till.phase, (Paying, InDoubt)):
        effects += (Ask("pay_status", PayStatusAsk(attempt=till.phase.asked.attempt)),)
    till, more = _renew(till, moment)
    return till, effects + more


def _greet(till: Till, _: OpeningSettled, __: Moment) -> Step:
    return till, (Greet(),) if till.line_up and not till.vouched else ()


def _journal_failed(till: Till, event: JournalFailed, _: Moment) -> Step:
    phase = till.phase
    kept = phase if isinstance(phase, (Paying, InDoubt)) and event.reason is Reason.DISK_FULL else None
    till = till if kept else replace(till, phase=Stopped(event.reason, basket_of(till)))
    return _say(till, event.reason)


def _mended(till: Till, _: JournalMended, __: Moment) -> Step:
    if till.past.payment is not None:
        return replace(till, phase=InDoubt(till.past.payment)), (Show(Word.READY),)
    return replace(till, phase=_phase_of(basket_of(till))), (Show(Word.READY),)


# Handlers of no, and why


def _say(till: Till, reason: Reason, detail: str = "") -> Step:
    return till, (Show(Refused(reason, detail)),)


def _no(reason: Reason) -> Handler:
    def handler(till: Till, _: Event, __: Moment) -> Step:
        return _say(till, reason)

    handler.__name__ = f"no_{reason}"
    return handler


def _stopped(till: Till, _: Event, __: Moment) -> Step:
    phase = till.phase
    assert isinstance(phase, Stopped)
    return _say(till, phase.reason)


def _ignore(till: Till, _: Event, __: Moment) -> Step:
    """A late or stray event that is nobody's business in this phase."""
    return till, ()


# helpers


def _record(till: Till, moment: Moment, *facts: tuple[str, str, BaseModel]) -> Step:
    """Remember facts and ask for their commit: the past folds the very records that are written."""
    past = till.past
    for tid, kind, body in facts:
        past = remember(past, tid, kind, body)
    drafts = tuple(Draft(tid, kind, body, moment.at) for tid, kind, body in facts)
    return replace(till, past=past), (Record(drafts),)


def _settle(till: Till, tid: str, sale: Sale, shown: tuple[Effect, ...], moment: Moment) -> Step:
    till, effects = _record(till, moment, (tid, "sale", sale))
    witness = (Witness(sale.coupon.rights_count),) if sale.coupon else ()
    slip = Print(Slip("receipt", tid, tid, sale, sale.tender.amount))
    till, renewal = _renew(replace(till, phase=Idle()), replace(moment, fresh=moment.fresh[4:]))
    return till, (*effects, *witness, slip, *shown, *renewal)


def _sale_of(
    till: Till, lines: tuple[Line, ...], total: int, discount: int, tender: Tender, coupon: CouponUse | None
) -> Sale:
    return Sale(
        lines=lines,
        total=total,
        discount=discount,
        tender=tender,
        coupon=coupon,
        online=till.line_up,
        number=till.past.number + 1,
    )


def _use(till: Till, basket: Basket, off: Amount) -> CouponUse | None:
    coupon = basket.coupon
    if coupon is None:
        return None
    return CouponUse(
        template=coupon.right.template,
        serial=coupon.right.serial,
        lease=coupon.right.lease,
        discount=off.minor,
        rights_count=till.past.rights_count + 1,
    )


def _recount(till: Till, use: CouponUse | None) -> CouponUse | None:
    """The same use, counted where it is recorded: other rights may have moved since it was planned."""
    return use.model_copy(update={"rights_count": till.past.rights_count + 1}) if use else None


def _basket_again(till: Till, asked: PaymentAsked) -> Basket:
    """The basket of a payment that came to nothing. After a reboot the coupon must be shown again."""
    phase = till.phase
    return phase.basket if isinstance(phase, Paying) else Basket(asked.lines)


def _without_code(till: Till) -> Till:
    return replace(till, phase=_phase_of(replace(basket_of(till), held=None)))


def _phase_of(basket: Basket) -> Phase:
    return Ringing(basket) if basket.lines or basket.coupon or basket.held else Idle()


def _ids_used(effects: tuple[Effect, ...]) -> int:
    """How many fresh ids effects may have taken, counted generously."""
    return sum(3 * len(effect.drafts) for effect in effects if isinstance(effect, Record))


_checking = _no(Reason.ASK_UNDER_WAY)
_paying = _no(Reason.PAYMENT_UNDER_WAY)
_nothing = _no(Reason.NOTHING_TO_PAY)
_not_now = _no(Reason.NOT_NOW)

TRANSITIONS: dict[type, tuple[Handler, ...]] = {
    #                 Idle            Ringing         Checking            Paying             InDoubt          Stopped
    LineRung:        (_ring,          _ring,          _checking,          _paying,           _paying,         _stopped),
    CodesShown:      (_codes,         _codes,         _codes,             _codes,            _codes,          _stopped),
    CashTaken:       (_nothing,       _cash,          _checking,          _paying,           _paying,         _stopped),
    ChargePressed:   (_nothing,       _charge,        _checking,          _paying,           _paying,         _stopped),
    CouponDropped:   (_ignore,        _drop_coupon,   _checking,          _paying,           _paying,         _stopped),
    Cleared:         (_ignore,        _clear,         _clear,             _paying,           _paying,         _stopped),
    GiveUpPressed:   (_ignore,        _ignore,        _ignore,            _give_up,          _give_up,        _stopped),
    AskAgainPressed: (_ignore,        _ignore,        _ignore,            _ask_again,        _ask_again,      _stopped),
    VoidPressed:     (_void,          _not_now,       _not_now,           _paying,           _paying,         _stopped),
    RefundPressed:   (_refund,        _not_now,       _not_now,           _paying,           _paying,         _stopped),
    ReprintPressed:  (_reprint,       _reprint,       _reprint,           _reprint,          _reprint,        _reprint),
    PaymentTold:     (_ignore,        _ignore,        _ignore,            _paid_or_not,      _paid_or_not,    _ignore),
    RightGranted:    (_granted,       _granted,       _granted,           _granted,          _granted,        _ignore),
    RightRefused:    (_right_refused, _right_refused, _right_refused,     _right_refused,    _right_refused,  _ignore),
    HelloAnswered:   (_hello,         _hello,         _hello,             _hello,            _hello,          _ignore),
    WitnessRead:     (_witness,       _witness,       _witness,           _witness,          _witness,        _ignore),
    OpeningSettled:  (_greet,         _greet,         _greet,             _greet,            _greet,          _greet),
    PatienceEnded:   (_ignore,        _ignore,        _coupon_too_late,   _payment_too_late, _ignore,         _ignore),
    LineChanged:     (_line,          _line,          _line,              _line,             _line,           _line),
    JournalFailed:   (_journal_failed,) * 6,
    JournalMended:   (_ignore,        _ignore,        _ignore,            _ignore,           _ignore,         _mended),
}  # fmt: skip
