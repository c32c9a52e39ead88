"""What lies on the counter: lines rung, codes shown, all swept away."""

from __future__ import annotations

from dataclasses import replace

from tillbox.agent.words import Word
from tillbox.contracts.codes import Code, GoodsCode, PaymentCode, SignedEnvelope
from tillbox.contracts.verdicts import Reason, Refused

from .coupons import coupon_shown
from .effects import Effect, Show, Step
from .events import CodesShown, CouponDropped, Event, LineRung, OrderPlaced
from .payments import payment_code
from .rights import let_go
from .state import AMOUNT_MAX, Idle, Moment, Ringing, Till, basket_of, phase_of
from .steps import busy, ids_used, say

LINES_MAX = 100  # what one receipt and one record hold; a bigger basket is two sales


def ring(till: Till, event: LineRung, _: Moment) -> Step:
    """One more line, unless the basket or its sum is beyond what one receipt holds."""
    if (reason := busy(till)) is not None:
        return say(till, reason)
    basket = basket_of(till)
    if len(basket.lines) >= LINES_MAX:
        return say(till, Reason.BASKET_FULL)
    basket = replace(basket, lines=(*basket.lines, event.line))
    if event.line.amount > AMOUNT_MAX.minor or basket.total > AMOUNT_MAX:
        return say(till, Reason.AMOUNT_TOO_LARGE, AMOUNT_MAX.decimal())
    return replace(till, phase=Ringing(basket)), (Show(Word.ADDED, (event.line.name, basket.total)),)


def place_order(till: Till, event: OrderPlaced, moment: Moment) -> Step:
    """Another program's goods, on a counter where nothing lies."""
    till, effects = ring(till, LineRung(event.line), moment)
    if isinstance(till.phase, Ringing):
        till = replace(till, phase=Ringing(replace(till.phase.basket, sale=event.sale)))
    return till, effects


def codes_shown(till: Till, event: CodesShown, moment: Moment) -> Step:
    """Take the codes of one scan in the order goods, coupon, payment, whatever order they were seen in.

    Where goods or a coupon beside it were refused, the payment code is held and not charged: it was shown
    for another sum, and the cashier decides."""
    if not event.codes:
        return say(till, Reason.NO_CODE)
    effects: tuple[Effect, ...] = ()
    for code in sorted(event.codes, key=_rank):
        if isinstance(code, PaymentCode):
            till, more = payment_code(till, code, moment, hold=any(map(_is_refusal, effects)))
        else:
            till, more = _code(till, code, moment)
        effects += more
        moment = moment.after(ids_used(more))
    return till, effects


def _code(till: Till, code: Code | Refused, moment: Moment) -> Step:
    if isinstance(code, Refused):
        return say(till, code.reason, code.detail)
    if isinstance(code, GoodsCode):
        line = till.setup.goods.get(code.gtin)
        return ring(till, LineRung(line), moment) if line else say(till, Reason.UNKNOWN_GOODS, code.gtin)
    if isinstance(code, SignedEnvelope):
        return coupon_shown(till, code, moment)
    return say(till, Reason.NOT_FOR_THIS_TILL)


_STRANGE = 4


def _rank(code: Code | Refused) -> int:
    if isinstance(code, Refused) and code.reason is not Reason.UNKNOWN_CODE:
        return 0  # something of ours that is damaged: perhaps the goods, perhaps the coupon
    ranked = {GoodsCode: 1, SignedEnvelope: 2, PaymentCode: 3}
    return ranked.get(type(code), _STRANGE)  # a poster behind the customer changes nothing


def _is_refusal(effect: Effect) -> bool:
    return isinstance(effect, Show) and isinstance(effect.what, Refused)


def clear(till: Till, _: Event, moment: Moment) -> Step:
    """Sweep the counter, and give a coupon that was asked for one by one back."""
    till, effects = let_go(till, moment)
    return replace(till, phase=Idle()), (*effects, Show(Word.CLEARED))


def drop_coupon(till: Till, _: CouponDropped, moment: Moment) -> Step:
    """Sell without the coupon after all."""
    till, effects = let_go(till, moment)
    return replace(till, phase=phase_of(replace(basket_of(till), coupon=None))), (
        *effects,
        Show(Word.COUPON_DROPPED),
    )
