"""What has become of a payment that another program asked for, whatever the till shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tillbox.agent import till as shop
from tillbox.agent.api.orders import FINAL, Order, OrderState, after_boot, follow
from tillbox.agent.past import OwnSale, Past
from tillbox.contracts.messages import Line, PaymentAsked, Sale, Tender

ATTEMPT, SALE = "0199a000-0001-7000-8000-000000000001", "0199a000-0002-7000-8000-000000000002"
OTHER = "0199a000-0003-7000-8000-000000000003"
ORDER = Order("r1", "table 7", 1250)
TEA = Line(name="tea", price=100)


def till(phase: shop.Phase, *, sold: dict[str, Line] | None = None) -> shop.Till:
    sales = {
        tid: OwnSale(
            tid,
            Sale(
                lines=(line,),
                total=line.price,
                tender=Tender(type="cash", amount=line.price),
                online=True,
                number=1,
            ),
        )
        for tid, line in (sold or {}).items()
    }
    return shop.Till(shop.Setup("box-1", "tea", {}, {}, {}), Past(sales=sales), phase)


def asked(line: Line, attempt: str = ATTEMPT) -> PaymentAsked:
    return PaymentAsked(
        attempt=attempt, sale=SALE, amount=line.price, wallet="wechat", code_hint="13*", lines=(line,)
    )


ON_THE_COUNTER = shop.Ringing(shop.Basket((ORDER.line,)))
PAYING = shop.Paying(shop.Basket((ORDER.line,)), asked(ORDER.line))
IN_DOUBT = shop.InDoubt(shop.Basket((ORDER.line,)), asked(ORDER.line))
WAITING = replace(ORDER, state=OrderState.AWAIT_SCAN)
ASKED = replace(ORDER, state=OrderState.IN_PROGRESS, attempt=ATTEMPT, sale=SALE)


@pytest.mark.parametrize(
    ("order", "phase", "sold", "state"),
    [
        (WAITING, ON_THE_COUNTER, {}, OrderState.AWAIT_SCAN),
        (WAITING, PAYING, {}, OrderState.IN_PROGRESS),
        (WAITING, shop.Idle(), {SALE: ORDER.line}, OrderState.SUCCEEDED),
        (WAITING, shop.Idle(), {SALE: TEA}, OrderState.FAILED),
        (WAITING, shop.Idle(), {}, OrderState.FAILED),
        (ASKED, PAYING, {}, OrderState.IN_PROGRESS),
        (ASKED, IN_DOUBT, {}, OrderState.UNKNOWN),
        (ASKED, shop.Idle(), {SALE: ORDER.line}, OrderState.SUCCEEDED),
        (ASKED, ON_THE_COUNTER, {}, OrderState.FAILED),
        (ASKED, shop.Idle(), {OTHER: ORDER.line}, OrderState.FAILED),
        (ASKED, shop.Paying(shop.Basket((TEA,)), asked(TEA, OTHER)), {}, OrderState.FAILED),
    ],
)
def test_an_order_is_what_the_till_shows(
    order: Order, phase: shop.Phase, sold: dict[str, Line], state: OrderState
) -> None:
    assert follow(order, till(phase, sold=sold)).state is state


def test_what_has_ended_stays_as_it_is() -> None:
    for state in FINAL:
        order = replace(ASKED, state=state)
        assert follow(order, till(PAYING)) == order
        assert after_boot(order) == order


def test_after_a_power_cut_nobody_claims_to_know() -> None:
    assert after_boot(ASKED).state is OrderState.UNKNOWN
    assert follow(after_boot(ASKED), till(shop.Idle(), sold={SALE: ORDER.line})).state is OrderState.SUCCEEDED
    for order in (WAITING, ORDER):
        assert after_boot(order).state not in FINAL
        assert follow(after_boot(order), till(IN_DOUBT)).state is OrderState.UNKNOWN
        assert follow(after_boot(order), till(shop.Idle())).state is OrderState.FAILED
        assert (
            follow(after_boot(order), till(shop.Idle(), sold={SALE: ORDER.line})).state
            is OrderState.SUCCEEDED
        )


def test_the_same_table_paid_the_same_before_is_another_order() -> None:
    later = replace(WAITING, before=OTHER)
    assert follow(later, till(shop.Idle(), sold={OTHER: ORDER.line})).state is OrderState.FAILED
    sold = {OTHER: ORDER.line, SALE: ORDER.line}
    assert follow(later, till(shop.Idle(), sold=sold)).sale == SALE
