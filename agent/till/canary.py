"""A canary sale: the till's own way from the first product to the change, and nothing of it happens but a record.

It refuses to have arithmetic of its own: what it would find out would then be about itself.
"""

from __future__ import annotations

from dataclasses import replace

from tillbox.agent.offline import Right
from tillbox.agent.words import Word
from tillbox.contracts.messages import Canary, Sale
from tillbox.contracts.money import Amount
from tillbox.contracts.verdicts import Reason, Refused

from .counter import ring
from .effects import Effect, Print, Record, Show, Slip, Step
from .events import CanaryAsked, CashTaken, LineRung
from .payments import take_cash
from .state import Coupon, Idle, Moment, Ringing, Till, basket_of
from .steps import record, say

TEMPLATE = "canary"


def canary(till: Till, event: CanaryAsked, moment: Moment) -> Step:
    """Sell it to nobody, keep what came out, and leave the till as it was."""
    found = rehearse(till, event, moment)
    if isinstance(found, Refused):
        return say(till, found.reason, found.detail)
    return record(till, moment, (moment.fresh[0], "canary", found[0]))


def rehearse(till: Till, event: CanaryAsked, moment: Moment) -> tuple[Canary, Slip] | Refused:
    """What the till would book, and the slip that it would print."""
    shopping = replace(till, phase=Idle())
    for line in event.lines:
        shopping, _ = ring(shopping, LineRung(line), moment)
    basket = basket_of(shopping)
    if event.offer is not None:
        right = Right(moment.fresh[1], TEMPLATE, 1)
        basket = replace(basket, coupon=Coupon(right, event.offer, TEMPLATE))
    _, effects = take_cash(replace(shopping, phase=Ringing(basket)), CashTaken(event.received), moment)
    sale, slip, change = _sale(effects), _slip(effects), _change(effects)
    if sale is None or slip is None or change is None:
        said = (one.what for one in effects if isinstance(one, Show))
        return next((what for what in said if isinstance(what, Refused)), Refused(Reason.NOTHING_TO_PAY))
    found = Canary(
        mark=event.mark,
        total=sale.total,
        discount=sale.discount,
        amount=sale.tender.amount,
        received=sale.tender.received,
        change=change.minor,
    )
    return found, slip


def _sale(effects: tuple[Effect, ...]) -> Sale | None:
    drafts = [draft for one in effects if isinstance(one, Record) for draft in one.drafts]
    return next((draft.body for draft in drafts if isinstance(draft.body, Sale)), None)


def _slip(effects: tuple[Effect, ...]) -> Slip | None:
    return next((one.slip for one in effects if isinstance(one, Print)), None)


def _change(effects: tuple[Effect, ...]) -> Amount | None:
    """As the cashier reads it."""
    told = next((one.values for one in effects if isinstance(one, Show) and one.what is Word.CHANGE), ())
    return next((value for value in told[1:] if isinstance(value, Amount)), None)
