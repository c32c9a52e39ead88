"""What a box can still do without the core, said so that a shopkeeper can plan by it. Pure.

It promises less rather than more: the busiest day of the last two weeks is taken for every day to come, and where fewer
than three days are known it says "at least".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tillbox.broker.journal import LOW_WATER_BYTES
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import Promise
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Text

from .offline import Lease
from .past import OwnSale

DAYS_ENOUGH = 3
DAYS_MOST = 999  # beyond that a number of days says nothing about this box
DAY_BYTES_MIN = 2_000_000  # some 2,000 sales: what a counter may come to that nobody has seen busy yet
ON_DISK = 3
"""Bytes of card per byte of record: the index, half-empty pages, the log before its checkpoint, and as much again in spare."""

HOUR_MS = 3_600_000


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
    return Promise(days=days, at_least=not known or days == DAYS_MOST, redeem=money, coupons=rest)


def sentence(said: Promise, *, oldest_age_ms: int | None) -> Text:
    """The tile on the till and in the console."""
    days = Text(f"还能收款 {said.days} 天", f"can sell {said.days} more day{'s' * (said.days != 1)}")
    if said.at_least:
        days = Text(
            f"至少还能收款 {said.days} 天",
            f"can sell at least {said.days} more day{'s' * (said.days != 1)}",
        )
    zh, en = [days.zh], [days.en]
    if said.redeem or not said.coupons:
        yuan = Amount(said.redeem, CNY).decimal()
        zh.append(f"还能抵扣 {yuan} 元")
        en.append(f"redeem {yuan} yuan more")
    if said.coupons:
        zh.append(f"还能核销 {said.coupons} 张券")
        en.append(f"redeem {said.coupons} more coupon{'s' * (said.coupons != 1)}")
    if oldest_age_ms is None:
        zh.append("销售已全部上传")
        en.append("every sale is with the core")
    else:
        zh.append(f"最早未上传的销售 {age(oldest_age_ms)}")
        en.append(f"oldest unsynced sale {age(oldest_age_ms)}")
    return Text("，".join(zh), ", ".join(en))


def age(span_ms: int) -> str:
    """Hours and minutes, as a clock shows them; days where it is days."""
    hours, minutes = divmod(max(0, span_ms) // 60_000, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}"
