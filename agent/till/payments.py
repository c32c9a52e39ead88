"""Being paid: by cash, and by a payment code through the core, to whatever end that comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from tillbox.agent.words import Word
from tillbox.contracts.codes import PaymentCode
from tillbox.contracts.messages import (
    CouponUse,
    Line,
    PayAsk,
    PaymentAsked,
    PaymentEnded,
    PayStatusAsk,
    Sale,
    Tender,
)
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Ask, Effect, Kick, Patience, Print, Show, Slip, Step, Witness
from .events import CashTaken, ChargePressed, Event, GiveUpPressed, PatienceEnded, PaymentTold
from .rights import recount, renew
from .state import (
    AMOUNT_MAX,
    Basket,
    Checking,
    HeldCode,
    Idle,
    InDoubt,
    Moment,
    Paying,
    Ringing,
    Till,
    basket_of,
    phase_of,
)
from .steps import busy, record, say

PAYMENT_PATIENCE_MS = 10_000  # then the cashier hears that it is unknown; the core goes on for itself
DOUBT_MS = 5_000  # between two questions about a payment in doubt: a customer stands there
USER_PAYING_PATIENCE_MS = 50_000  # a customer types a password; the core asks for 45 s
PAYMENT_CODE_MS = 55_000  # a payment code lives about a minute; an older one would only be declined


def take_cash(till: Till, event: CashTaken, moment: Moment) -> Step:
    """Sell for cash: one record, the drawer, the change."""
    phase = till.phase
    assert isinstance(phase, Ringing)
    due = phase.basket.due()
    if isinstance(due, Refused):
        return say(till, due.reason, due.detail)
    if not phase.basket.lines:
        return say(till, Reason.NOTHING_TO_PAY)
    if event.received > AMOUNT_MAX:
        return say(till, Reason.AMOUNT_TOO_LARGE, AMOUNT_MAX.decimal())
    if event.received < due:
        return say(till, Reason.TOO_LITTLE_CASH, (due - event.received).decimal())
    if (too_much := _above_caps(till, due)) is not None:
        return say(till, too_much)
    tender = Tender(type="cash", amount=due.minor, received=event.received.minor)
    off = phase.basket.total - due
    use = _use(till, phase.basket, off)
    sale = _sale_of(till, phase.basket.lines, phase.basket.total.minor, off.minor, tender, use)
    shown = (Kick("cash sale"), Show(Word.CHANGE, (event.received, event.received - due)))
    return _settle(till, phase.basket.sale or moment.fresh[0], sale, shown, moment)


def _above_caps(till: Till, due: Amount) -> Reason | None:
    """Why a box that the core has not taken in yet may not take this; None where it may."""
    caps = till.setup.caps
    if caps is None:
        return None
    if due.minor > caps.sale_max:
        return Reason.PROVISIONAL_SALE
    return Reason.PROVISIONAL_TOTAL if till.past.taken + due.minor > caps.total_max else None


def payment_code(till: Till, code: PaymentCode, moment: Moment, *, hold: bool) -> Step:
    """A payment code was shown: charge it, or hold it until there is something to pay, or the cashier says so."""
    phase = till.phase
    held = HeldCode(code, moment.boot_ms)
    if isinstance(phase, Checking):
        return replace(till, phase=replace(phase, basket=replace(phase.basket, held=held))), ()
    if (reason := busy(till)) is not None:
        return say(till, reason)
    if not till.line_up:
        return say(till, Reason.OFFLINE_PAYMENT_CODE)
    till = replace(till, phase=Ringing(replace(basket_of(till), held=held)))
    return charge_held(till, moment) if can_charge(till) and not hold else (till, (Show(Word.CODE_HELD),))


def can_charge(till: Till) -> bool:
    """Whether a code is held and a sum is due."""
    basket = basket_of(till)
    return basket.held is not None and bool(basket.lines) and isinstance(basket.due(), Amount)


def charge_held(till: Till, moment: Moment) -> Step:
    """Ask for the money. The attempt is durable before the first byte leaves, with the whole draft in it."""
    phase = till.phase
    assert isinstance(phase, Ringing)
    basket, due = phase.basket, phase.basket.due()
    if not basket.lines or basket.held is None:
        return say(till, Reason.NOTHING_TO_PAY)
    if isinstance(due, Refused):
        return say(till, due.reason, due.detail)
    if not till.line_up:
        return say(_without_code(till), Reason.OFFLINE_PAYMENT_CODE)
    if moment.boot_ms - basket.held.boot_ms > PAYMENT_CODE_MS:
        return say(_without_code(till), Reason.EXPIRED)
    code = basket.held.code
    if not due:
        return say(_without_code(till), Reason.NOTHING_LEFT_TO_PAY)
    asked = PaymentAsked(
        attempt=moment.fresh[0],
        sale=basket.sale or moment.fresh[1],
        amount=due.minor,
        wallet=code.wallet,
        code_hint=code.masked,
        lines=basket.lines,
        coupon=_use(till, basket, basket.total - due),
    )
    till, effects = record(till, moment, (moment.fresh[2], "payment_asked", asked))
    ask = Ask("pay", PayAsk(attempt=asked.attempt, sale=asked.sale, amount=asked.amount, code=code.digits))
    till = replace(till, phase=Paying(replace(basket, held=None), asked))
    patience = Patience(asked.attempt, PAYMENT_PATIENCE_MS)
    return till, (*effects, ask, patience, Show(Word.CHARGING, (due,)))


def charge(till: Till, _: ChargePressed, moment: Moment) -> Step:
    """The cashier asks for the held code to be charged."""
    return charge_held(till, moment)


def paid_or_not(till: Till, event: PaymentTold, moment: Moment) -> Step:
    """The core says where the payment stands; what it says of another attempt is not for us."""
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
    # A medium that lost its rights lost this one too, and a newer one may have spent it meanwhile. What the
    # customer paid stands; the discount is then the shop's own loss, and no coupon is spent for it.
    held = asked.coupon if asked.coupon and asked.coupon.lease in till.past.leases else None
    use = recount(till, held)
    sale = _sale_of(till, asked.lines, asked.amount + discount, discount, tender, use)
    return _settle(till, asked.sale, sale, (Show(Word.PAID, (Amount(asked.amount, CNY),)),), moment)


def _not_paid(
    till: Till, asked: PaymentAsked, outcome: Literal["declined", "reversed"], moment: Moment
) -> Step:
    ended = PaymentEnded(attempt=asked.attempt, outcome=outcome)
    basket = _basket_again(till)
    till, effects = record(till, moment, (moment.fresh[0], "payment_ended", ended))
    reason = Reason.PAYMENT_DECLINED if outcome == "declined" else Reason.PAYMENT_REVERSED
    return replace(till, phase=phase_of(basket)), (*effects, Show(Refused(reason)))


def payment_too_late(till: Till, event: PatienceEnded, _: Moment) -> Step:
    """Patience ends and the payment does not: it is in doubt until somebody knows."""
    phase = till.phase
    assert isinstance(phase, Paying)
    if event.of != phase.asked.attempt:
        return till, ()
    till, effects = say(replace(till, phase=InDoubt(phase.basket, phase.asked)), Reason.PAYMENT_UNKNOWN)
    return till, (*effects, *ask_status(phase.asked))


def ask_status(asked: PaymentAsked) -> tuple[Effect, ...]:
    """Ask what became of a payment, and again in a while: the question or its answer may be lost."""
    return Ask("pay_status", PayStatusAsk(attempt=asked.attempt)), Patience(asked.attempt, DOUBT_MS)


def still_in_doubt(till: Till, event: PatienceEnded, _: Moment) -> Step:
    """No answer yet. Without a line nobody is asked; when it comes up, everybody is."""
    phase = till.phase
    assert isinstance(phase, InDoubt)
    return till, ask_status(phase.asked) if event.of == phase.asked.attempt and till.line_up else ()


def ask_again(till: Till, _: Event, __: Moment) -> Step:
    """Ask the core what became of the payment."""
    phase = till.phase
    assert isinstance(phase, (Paying, InDoubt))
    if not till.line_up:
        return say(till, Reason.PAYMENT_UNKNOWN)
    return till, (Ask("pay_status", PayStatusAsk(attempt=phase.asked.attempt)), Show(Word.STILL_ASKING))


def give_up(till: Till, _: GiveUpPressed, moment: Moment) -> Step:
    """The cashier decides; the record makes the core reverse or refund, even if the box is never seen again."""
    phase = till.phase
    assert isinstance(phase, (Paying, InDoubt))
    ended = PaymentEnded(attempt=phase.asked.attempt, outcome="abandoned")
    basket = _basket_again(till)
    till, effects = record(till, moment, (moment.fresh[0], "payment_ended", ended))
    return replace(till, phase=phase_of(basket)), (*effects, Show(Word.GIVEN_UP))


def _settle(till: Till, tid: str, sale: Sale, shown: tuple[Effect, ...], moment: Moment) -> Step:
    till, effects = record(till, moment, (tid, "sale", sale))
    witness = (Witness(sale.coupon.rights_count),) if sale.coupon else ()
    slip = Print(Slip("receipt", tid, tid, sale, sale.tender.amount))
    till, renewal = renew(replace(till, phase=Idle()), moment.after(4))
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


def _basket_again(till: Till) -> Basket:
    """The basket of a payment that came to nothing, without a coupon whose right was lost meanwhile."""
    basket = basket_of(till)
    lost = basket.coupon is not None and basket.coupon.right.lease not in till.past.leases
    return replace(basket, coupon=None) if lost else basket


def _without_code(till: Till) -> Till:
    return replace(till, phase=phase_of(replace(basket_of(till), held=None)))
