"""What a box can still do without the core: the arithmetic. Its words are in contracts/promises.py. Pure.

It promises less rather than more: the busiest day of the last two weeks is taken for every day to come, and where fewer
than three days are known it says "at least".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tillbox.broker.journal import LOW_WATER_BYTES
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import SUM_MAX, Promise

from .offline import Lease
from .past import OwnSale

DAYS_ENOUGH = 3
DAYS_MOST = 999  # beyond that a number of days says nothing about this box
DAY_BYTES_MIN = 2_000_000  # some 2,000 sales: what a counter may come to that nobody has seen busy yet
ON_DISK = 3
"""Bytes of card per byte of record: the index, half-empty pages, the log before its checkpoint, and as much again in spare."""


def promise(
    *,
    free_bytes: int,
    bytes_by_day: Mapping[int, int],
    leases: Iterable[Lease],
    sales: Iterable[OwnSale],
    live: bool,
    at: TimeInterval,
) -> Promise:
    """What the box can do from now on. `live`: whether its rights may be spent at all."""
    # Today is not over, and the day of the first sale may have begun at noon: neither is a whole day by itself.
    known = len(bytes_by_day) >= DAYS_ENOUGH
    busiest = max(bytes_by_day.values(), default=0)
    a_day = (busiest if known else max(busiest, DAY_BYTES_MIN)) * ON_DISK
    room = max(0, free_bytes - LOW_WATER_BYTES)
    days = min(DAYS_MOST, room // max(1, a_day))
    worth = {own.sale.coupon.template: own.sale.coupon.discount for own in sales if own.sale.coupon}
    usable = [lease for lease in leases if live and not lease.single and not lease.is_over(at)]
    money = sum(lease.left * worth[lease.template] for lease in usable if lease.template in worth)
    rest = sum(lease.left for lease in usable if lease.template not in worth)
    return Promise(
        days=days, at_least=not known or days == DAYS_MOST, redeem=min(SUM_MAX, money), coupons=rest
    )
