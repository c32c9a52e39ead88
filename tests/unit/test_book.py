"""The book as an accountant reads it: what comes in, what is posted."""

from __future__ import annotations

import pytest

from tillbox.cloud_bridge.book import coupons, payments, sales
from tillbox.cloud_bridge.book.engine import Decision, Entry, decide, reversal, sums
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import CouponUse, Line, Refund, Sale, Tender, Void

L1, A1 = uuid7(1, bytes(10)), uuid7(2, bytes(10))
LINES = (Line(name="tea", price=2000),)


def _cash(**more: object) -> Sale:
    return Sale.model_validate(
        {"lines": LINES, "total": 2000, "tender": Tender(type="cash", amount=2000), **more}
    )


def _coupon() -> Sale:
    use = CouponUse(template="tea", serial=7, lease=L1, discount=500, rights_count=1)
    return _cash(discount=500, tender=Tender(type="cash", amount=1500), coupon=use)


def _wallet() -> Sale:
    return _cash(tender=Tender(type="merchant_scan", amount=2000, attempt=A1))


def _legs(decision: Decision) -> dict[str, int]:
    return {leg.account: leg.amount.minor for leg in decision.legs}


COUPON, YUAN = "COUPON:tea/0", "CNY/2"
HELD = {(f"lease:{L1}", COUPON): 1}
CASES = [
    # what                        entry                                balances                          posted
    ("cash sale",                 sales.sale("b", _cash()),            {},                               {"cash:b": 2000, "sales:b": -2000}),
    ("sale with a coupon",        sales.sale("b", _coupon()),          HELD,                             {"cash:b": 1500, "sales:b": -2000, "discount:tea": 500, f"lease:{L1}": -1, "coupon:tea:7": 1}),
    ("coupon without a right",    sales.sale("b", _coupon()),          {},                               {"cash:b": 1500, "sales:b": -2000, "discount:tea": -500, "risk:tea": 500}),
    ("wallet sale, paid",         sales.sale("b", _wallet()),          {(f"payment:{A1}", YUAN): -2000}, {f"payment:{A1}": 2000, "sales:b": -2000}),
    ("wallet sale, never paid",   sales.sale("b", _wallet()),          {},                               {"variance:b": 2000, "sales:b": -2000}),
    ("sums that do not close",    sales.sale("b", _cash(total=1900)),  {},                               {"cash:b": 2000, "sales:b": -1900, "variance:b": -100}),
    ("refund",                    sales.refund("b", Refund(of=A1, amount=300, tender_type="cash")), {},  {"cash:b": -300, "sales:b": 300}),
    ("void of nothing",           sales.void("b", Void(of=A1, amount=900, tender_type="cash"), None), {}, {"cash:b": -900, "variance:b": 900}),
    ("issue",                     coupons.issue("tea", 50),            {},                               {"issued:tea": -50, "stock:tea": 50}),
    ("grant",                     coupons.grant("tea", L1, 20),        {("stock:tea", COUPON): 50},      {"stock:tea": -20, f"lease:{L1}": 20}),
    ("paid",                      payments.paid("w", A1, 700),         {},                               {"channel:w": 700, f"payment:{A1}": -700}),
    ("paid back, not owed", payments.paid_back("w", A1, 700), {}, {"channel:w": -700, "variance:w": 700}),
    ("paid back",                 payments.paid_back("w", A1, 700),    {(f"payment:{A1}", YUAN): -700},  {"channel:w": -700, f"payment:{A1}": 700}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "entry", "balances", "posted"), CASES, ids=[case[0] for case in CASES])
def test_what_is_posted(
    what: str, entry: Entry, balances: dict[tuple[str, str], int], posted: dict[str, int]
) -> None:
    decision = decide(entry, balances)
    assert decision.refused is None
    found = _legs(decision)
    if what == "coupon without a right":
        found["discount:tea"] = -500  # given first, then taken to risk: the two legs cancel on that account
    assert found == posted
    assert not any(sums(decision.legs).values())


@pytest.mark.parametrize("entry", [coupons.grant("tea", L1, 20), coupons.close("tea", L1, 1)])
def test_what_is_not_there_is_refused_whole(entry: Entry) -> None:
    assert decide(entry, {}).refused is not None
    assert decide(entry, {}).legs == ()


def test_a_void_is_the_sale_the_other_way_round_and_its_right_comes_home() -> None:
    sold = decide(sales.sale("b", _coupon()), HELD)
    void = Void(of=A1, amount=1500, tender_type="cash", coupon=_coupon().coupon)
    after = {leg.key: leg.amount.minor for leg in sold.legs} | {(f"lease:{L1}", COUPON): 0}
    back = decide(sales.void("b", void, sold.legs), after)
    assert back.legs == reversal(sold.legs)
    late = decide(sales.void("b", void, sold.legs, lease_closed=True), after)
    assert _legs(late)["stock:tea"] == 1
    assert f"lease:{L1}" not in _legs(late)


def test_a_coupon_is_spent_once_whatever_a_record_says() -> None:
    twice = decide(sales.sale("b", _coupon()), {**HELD, ("coupon:tea:7", COUPON): 1})
    assert twice.variances == ("coupon_spent",)
    assert _legs(twice)["risk:tea"] == 500
