"""What a box promises that it can still do: the arithmetic, and the words."""

from __future__ import annotations

import pytest

from tillbox.agent.offline import Lease
from tillbox.agent.past import OwnSale
from tillbox.agent.promise import ON_DISK, promise
from tillbox.broker.journal import LOW_WATER_BYTES
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import CouponUse, Line, Promise, Sale, Tender
from tillbox.contracts.promises import age, sentence

NOW = 1_790_000_000_000
AT = TimeInterval(NOW, NOW)
ID = "0199a000-0000-7000-8000-000000000000"
DAYS = {20_000: 400_000, 20_001: 1_000_000, 20_002: 200_000}


def lease(template: str, left: int, *, ends_ms: int = NOW + 1, single: bool = False) -> Lease:
    return Lease(f"{template}-{left}-{single}", template, 1, left, frozenset(), ends_ms, single)


def sold(template: str, discount: int) -> OwnSale:
    use = CouponUse(template=template, serial=1, lease=ID, discount=discount, rights_count=1)
    line = Line(name="tea", price=3_000)
    tender = Tender(type="cash", amount=3_000 - discount)
    return OwnSale(ID, Sale(lines=(line,), total=3_000, discount=discount, tender=tender, coupon=use))


def promised(
    *leases: Lease,
    free: int = 0,
    days: dict[int, int] = DAYS,
    sales: tuple[OwnSale, ...] = (),
    live: bool = True,
) -> Promise:
    return promise(
        free_bytes=LOW_WATER_BYTES + free, bytes_by_day=days, leases=leases, sales=sales, live=live, at=AT
    )


def test_the_busiest_day_is_taken_for_every_day_to_come() -> None:
    assert promised(free=9 * 1_000_000 * ON_DISK).days == 9
    assert promised(free=9 * 1_000_000 * ON_DISK - 1).days == 8
    assert not promised(free=9 * 1_000_000 * ON_DISK).at_least


def test_a_box_that_knows_two_days_says_at_least_and_counts_with_a_busy_one() -> None:
    young = promised(free=60_000_000, days={20_000: 1_000, 20_001: 1_000})
    assert (young.days, young.at_least) == (10, True)
    assert promised(free=60_000_000, days={}).at_least


def test_below_the_low_water_there_is_no_day_left() -> None:
    assert promised(free=-1).days == 0


def test_rights_are_money_where_their_worth_is_known_and_coupons_where_not() -> None:
    found = promised(lease("off5", 60), lease("new", 4), sales=(sold("off5", 300), sold("off5", 520)))
    assert (found.redeem, found.coupons) == (60 * 520, 4), "what it was worth last"


@pytest.mark.parametrize(
    "none", [lease("off5", 60, ends_ms=NOW - 1), lease("off5", 60, single=True)], ids=["ended", "one coupon"]
)
def test_rights_that_it_may_not_spend_alone_are_not_promised(none: Lease) -> None:
    found = promised(none, sales=(sold("off5", 520),))
    assert (found.redeem, found.coupons) == (0, 0)


def test_frozen_rights_are_promised_to_nobody() -> None:
    assert promised(lease("off5", 60), sales=(sold("off5", 520),), live=False).redeem == 0


def test_the_tile_reads_as_a_sentence_in_both_languages() -> None:
    text = sentence(Promise(days=9, redeem=31_200), oldest_age_ms=42 * 60_000)
    assert text.en == "can sell 9 more days, redeem 312.00 yuan more, oldest unsynced sale 00:42"
    assert text.zh == "还能收款 9 天，还能抵扣 312.00 元，最早未上传的销售 00:42"
    calm = sentence(Promise(days=1, at_least=True, coupons=1), oldest_age_ms=None)
    assert calm.en == "can sell at least 1 more day, redeem 1 more coupon, every sale is with the core"


def test_an_age_is_read_as_a_clock() -> None:
    assert [age(ms) for ms in (-5, 0, 59_999, 3_661_000, 90_000_000)] == [
        "00:00", "00:00", "00:00", "01:01", "1d 01:00",
    ]  # fmt: skip
