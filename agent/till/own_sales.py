"""The till's own earlier sales: taken back, paid back in part, printed once more."""

from __future__ import annotations

from tillbox.agent.past import OwnSale
from tillbox.agent.words import Word
from tillbox.contracts.messages import Refund, Void
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused

from .effects import Kick, Print, Show, Slip, Step, Witness
from .events import RefundPressed, ReprintPressed, VoidPressed
from .rights import recount
from .state import Moment, Till
from .steps import record, say


def void_sale(till: Till, event: VoidPressed, moment: Moment) -> Step:
    """Take one's own sale back whole: the money, and the right to its coupon."""
    own = _own(till, event.sale)
    if isinstance(own, Refused):
        return say(till, own.reason)
    tender = own.sale.tender
    if own.refunded:
        return say(till, Reason.PARTLY_REFUNDED)
    if tender.type == "merchant_scan" and not till.line_up:
        return say(till, Reason.REFUND_NEEDS_LINE)
    use = recount(till, own.sale.coupon)
    void = Void(of=own.id, amount=tender.amount, tender_type=tender.type, attempt=tender.attempt, coupon=use)
    till, effects = record(till, moment, (moment.fresh[0], "void", void))
    witness = (Witness(use.rights_count),) if use else ()
    slip = Print(Slip("void", moment.fresh[0], own.id, own.sale, tender.amount))
    kick = (Kick("void"),) if tender.type == "cash" else ()
    show = Show(Word.VOIDED, (str(own.sale.number), Amount(tender.amount, CNY)))
    return till, (*effects, *witness, slip, *kick, show)


def refund_sale(till: Till, event: RefundPressed, moment: Moment) -> Step:
    """Pay a part of one's own sale back, never more than is left of it."""
    own = _own(till, event.sale)
    if isinstance(own, Refused):
        return say(till, own.reason)
    tender = own.sale.tender
    if event.left.minor != own.left:
        return say(till, Reason.SALE_CHANGED, Amount(own.left, CNY).decimal())
    if not 0 < event.amount.minor <= own.left:
        return say(till, Reason.REFUND_TOO_LARGE, Amount(own.left, CNY).decimal())
    if tender.type == "merchant_scan" and not till.line_up:
        return say(till, Reason.REFUND_NEEDS_LINE)
    refund = Refund(of=own.id, amount=event.amount.minor, tender_type=tender.type, attempt=tender.attempt)
    till, effects = record(till, moment, (moment.fresh[0], "refund", refund))
    slip = Print(Slip("refund", moment.fresh[0], own.id, own.sale, event.amount.minor))
    kick = (Kick("refund"),) if tender.type == "cash" else ()
    return till, (*effects, slip, *kick, Show(Word.REFUNDED, (str(own.sale.number), event.amount)))


def reprint(till: Till, event: ReprintPressed, moment: Moment) -> Step:
    """The receipt once more, marked as a copy."""
    own = till.past.sales.get(event.sale)
    if own is None:
        return say(till, Reason.UNKNOWN_SALE)
    slip = Slip("copy", moment.fresh[0], own.id, own.sale, own.sale.tender.amount, own.voided, own.refunded)
    return till, (Print(slip), Show(Word.REPRINTED, (str(own.sale.number),)))


def _own(till: Till, sale: str) -> OwnSale | Refused:
    own = till.past.sales.get(sale)
    if own is None:
        return Refused(Reason.UNKNOWN_SALE)
    return own if own.left or (not own.voided and not own.refunded) else Refused(Reason.ALREADY_VOIDED)
