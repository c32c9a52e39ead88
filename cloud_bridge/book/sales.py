"""What a sale, a void and a refund become. They have happened: the book never says no, it says variance."""

from __future__ import annotations

from collections.abc import Iterable

from tillbox.contracts.messages import Refund, Sale, Void
from tillbox.contracts.money import CNY, coupon_unit, template_of
from tillbox.contracts.verdicts import Reason

from .accounts import cash, coupon, discount, lease, payment, risk, sales, stock, variance
from .engine import Entry, Leg, Part, leg, reversal


def sale(device: str, body: Sale) -> Entry:
    """Money in, goods out, a discount, and one coupon spent under a lease."""
    parts = [_tender(device, body), _goods(device, body)]
    if body.coupon is not None:
        parts.append(_discount(body))
        parts.append(_coupon(body))
    elif body.discount:
        parts.append(Part((leg(variance(device), body.discount, CNY),)))
    return Entry(tuple(parts))


def _tender(device: str, body: Sale) -> Part:
    amount = body.tender.amount
    if body.tender.type == "cash" or body.tender.attempt is None:
        return Part((leg(cash(device), amount, CNY),))
    # No more can be sold on a payment than the customer paid: the account may not rise above zero.
    unpaid = (leg(variance(device), amount, CNY),)
    return Part((leg(payment(body.tender.attempt), amount, CNY),), unpaid, Reason.PAYMENT_UNKNOWN)


def _goods(device: str, body: Sale) -> Part:
    """What was sold. Sums that do not close go to the variance of the box, never into anybody's pocket."""
    gap = body.total - body.discount - body.tender.amount
    return Part((leg(sales(device), -body.total, CNY), leg(variance(device), gap, CNY)))


def _discount(body: Sale) -> Part:
    assert body.coupon is not None
    return Part((leg(discount(body.coupon.template), body.discount, CNY),))


def _coupon(body: Sale) -> Part:
    assert body.coupon is not None
    use, unit = body.coupon, coupon_unit(body.coupon.template)
    spent = (leg(lease(use.lease), -1, unit), leg(coupon(use.template, use.serial), 1, unit))
    # A serial spent twice, or without a lease. The customer has the goods: book it as a loss, and shout.
    lost = (leg(discount(use.template), -body.discount, CNY), leg(risk(use.template), body.discount, CNY))
    return Part(spent, lost, Reason.COUPON_SPENT)


def void(device: str, body: Void, original: Iterable[Leg] | None, *, lease_closed: bool = False) -> Entry:
    """The sale's own legs the other way round. A variance where that cannot be: the core never saw the
    sale, or it was voided before (a box with an old card may void it again, and has paid out again).

    A right returns to its lease, or to the stock where the box has given that lease back meanwhile. Which
    right that is the sale says, not the void."""
    out = (leg(_paid_from(device, body), -body.amount, CNY), leg(variance(device), body.amount, CNY))
    if original is None:
        return Entry((Part(out),))
    back = reversal(original)
    if lease_closed:
        back = tuple(_to_stock(one) if one.account.startswith("lease:") else one for one in back)
    return Entry((Part(back, out, Reason.ALREADY_VOIDED),))


def _to_stock(right: Leg) -> Leg:
    return Leg(stock(template_of(right.amount.unit)), right.amount)


def refund(device: str, body: Refund) -> Entry:
    """A part of a sale paid back."""
    return Entry(
        (Part((leg(_paid_from(device, body), -body.amount, CNY), leg(sales(device), body.amount, CNY))),)
    )


def _paid_from(device: str, body: Void | Refund) -> str:
    return payment(body.attempt) if body.tender_type == "merchant_scan" and body.attempt else cash(device)
