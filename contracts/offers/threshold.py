"""The threshold discount (满减): from so much on, so much off. One coupon to a sale."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.contracts.money import Amount
from tillbox.contracts.verdicts import Reason, Refused


@dataclass(frozen=True, slots=True)
class ThresholdOffer:
    """`discount` off when the total reaches `threshold`; both in the unit of the sale."""

    threshold: Amount
    discount: Amount

    def off(self, total: Amount) -> Amount | Refused:
        """What comes off `total`; never more than the total itself."""
        if total < self.threshold:
            return Refused(Reason.COUPON_BELOW_THRESHOLD, (self.threshold - total).decimal())
        return self.discount if self.discount < total else total
