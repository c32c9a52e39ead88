"""Rights: made once per template, lent to a box, given back by that box's own record only."""

from __future__ import annotations

from tillbox.contracts.money import coupon_unit
from tillbox.contracts.verdicts import Reason

from .accounts import issued, lease, stock
from .engine import Entry, Part, leg


def issue(template: str, quantity: int) -> Entry:
    """New coupons of a template."""
    unit = coupon_unit(template)
    return Entry((Part((leg(issued(template), -quantity, unit), leg(stock(template), quantity, unit))),))


def grant(template: str, lease_id: str, quantity: int) -> Entry:
    """Rights out of the stock into one box's lease. Refused where the stock has not so many."""
    unit = coupon_unit(template)
    legs = (leg(stock(template), -quantity, unit), leg(lease(lease_id), quantity, unit))
    return Entry((Part(legs, reason=Reason.NO_RIGHT),))


def close(template: str, lease_id: str, left: int) -> Entry:
    """What is left of a lease back into the stock. Refused where the box claims more than it held."""
    unit = coupon_unit(template)
    legs = (leg(lease(lease_id), -left, unit), leg(stock(template), left, unit))
    return Entry((Part(legs, reason=Reason.NO_RIGHT),))
