"""Accounts are names; the part before the first colon is the kind, and the kind has limits.

cash:box-1             money in a drawer                      sales:box-1       what was sold (negative)
channel:sandbox        what a wallet company owes us          discount:tea      what coupons gave away
payment:<attempt>      paid by a customer, not yet a sale: never above zero
issued:tea             coupons ever made (negative)           stock:tea         rights nobody holds
lease:<id>             rights that one box holds              coupon:tea:17     1 once number 17 is spent
variance:box-1         what a record said and its own sums deny
risk:tea               given away without a right: must stay empty, and is shouted about if not
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most an account may hold; None where there is no bound."""

    floor: int | None = None
    ceiling: int | None = None

    def allow(self, minor: int) -> bool:
        """Whether a balance is within."""
        return (self.floor is None or minor >= self.floor) and (self.ceiling is None or minor <= self.ceiling)


FREE = Limits()

KINDS: dict[str, Limits] = {
    "cash": FREE,
    "channel": FREE,
    "sales": FREE,
    "discount": FREE,
    "variance": FREE,
    "risk": FREE,
    "issued": Limits(ceiling=0),
    "payment": Limits(ceiling=0),
    "stock": Limits(floor=0),
    "lease": Limits(floor=0),
    "coupon": Limits(floor=0, ceiling=1),
}


def limits_of(account: str) -> Limits:
    """The limits of an account by its kind. KeyError for a kind that the book does not know."""
    return KINDS[account.partition(":")[0]]


def cash(device: str) -> str:
    """The drawer of a box."""
    return f"cash:{device}"


def sales(device: str) -> str:
    """What a box sold."""
    return f"sales:{device}"


def channel(name: str) -> str:
    """What a payment channel owes the merchant."""
    return f"channel:{name}"


def payment(attempt: str) -> str:
    """What one customer paid that is not a sale yet."""
    return f"payment:{attempt}"


def discount(template: str) -> str:
    """What a coupon template gave away."""
    return f"discount:{template}"


def issued(template: str) -> str:
    """Where a template's coupons come from."""
    return f"issued:{template}"


def stock(template: str) -> str:
    """Rights that no box holds."""
    return f"stock:{template}"


def lease(lease_id: str) -> str:
    """Rights that one box holds."""
    return f"lease:{lease_id}"


def coupon(template: str, serial: int) -> str:
    """One coupon, 0 before and 1 after it is spent."""
    return f"coupon:{template}:{serial}"


def variance(device: str) -> str:
    """Where the sums of a box's record did not close."""
    return f"variance:{device}"


def risk(template: str) -> str:
    """What was given away without a right."""
    return f"risk:{template}"
