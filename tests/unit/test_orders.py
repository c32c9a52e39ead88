"""What has become of a payment that another program asked for, whatever the till shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tillbox.agent import till as shop
from tillbox.agent.api.orders import FINAL, Order, OrderState, after_boot, follow, was_declined, wish
from tillbox.agent.past import OwnSale, Past
from tillbox.contracts.messages import Line, PaymentAsked, Sale, Tender
from tillbox.contracts.verdicts import Reason, Refused

ATTEMPT, SALE = "0199a000-0001-7000-8000-000000000001", "0199a000-0002-7000-8000-000000000002"
OTHER = "0199a000-0003-7000-8000-000000000003"
ORDER = Order("r1", "table 7", 1250, sale=SALE)
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


def asked(sale: str = SALE) -> PaymentAsked:
    return PaymentAsked(
        attempt=ATTEMPT, sale=sale, amount=1250, wallet="wechat", code_hint="13*", lines=(ORDER.line,)
    )


BASKET = shop.Basket((ORDER.line,), sale=SALE)
AND_A_TEA = shop.Basket((ORDER.line, TEA), sale=SALE)
OTHERS = shop.Basket((ORDER.line,))
WAITING = replace(ORDER, state=OrderState.AWAIT_SCAN)
ASKED = replace(ORDER, state=OrderState.IN_PROGRESS)


@pytest.mark.parametrize(
    ("order", "phase", "sold", "state"),
    [
        (WAITING, shop.Ringing(BASKET), {}, OrderState.AWAIT_SCAN),
        (WAITING, shop.Ringing(AND_A_TEA), {}, OrderState.AWAIT_SCAN),
        (WAITING, shop.Paying(BASKET, asked()), {}, OrderState.IN_PROGRESS),
        (WAITING, shop.Idle(), {SALE: ORDER.line}, OrderState.SUCCEEDED),
        (WAITING, shop.Idle(), {OTHER: ORDER.line}, OrderState.FAILED),
        (WAITING, shop.Ringing(OTHERS), {}, OrderState.FAILED),
        (WAITING, shop.Idle(), {}, OrderState.FAILED),
        (ASKED, shop.Paying(BASKET, asked()), {}, OrderState.IN_PROGRESS),
        (ASKED, shop.InDoubt(OTHERS, asked()), {}, OrderState.UNKNOWN),
        (ASKED, shop.Idle(), {SALE: ORDER.line}, OrderState.SUCCEEDED),
        (ASKED, shop.Ringing(BASKET), {}, OrderState.AWAIT_SCAN),
        (ASKED, shop.Stopped(Reason.DISK_FULL, BASKET), {}, OrderState.UNKNOWN),
        (WAITING, shop.Stopped(Reason.DISK_FULL, shop.Basket()), {}, OrderState.AWAIT_SCAN),
        (ASKED, shop.Idle(), {OTHER: ORDER.line}, OrderState.FAILED),
        (ASKED, shop.Paying(OTHERS, asked(OTHER)), {}, OrderState.FAILED),
    ],
)
def test_an_order_is_what_the_till_shows_of_its_sale(
    order: Order, phase: shop.Phase, sold: dict[str, Line], state: OrderState
) -> None:
    assert follow(order, till(phase, sold=sold)).state is state


def test_what_was_paid_is_told_where_a_cashier_added_something() -> None:
    done = follow(WAITING, till(shop.Idle(), sold={SALE: Line(name="both", price=1350)}))
    assert (done.state, done.amount, done.paid, done.tender) == (OrderState.SUCCEEDED, 1250, 1350, "cash")


def test_what_has_ended_stays_as_it_is() -> None:
    for state in FINAL:
        order = replace(ASKED, state=state)
        assert follow(order, till(shop.Paying(BASKET, asked()))) == order
        assert after_boot(order) == order
        assert wish(order) is None


def test_after_a_power_cut_nobody_claims_to_know_until_the_journal_says() -> None:
    for order in (ASKED, WAITING, ORDER):
        assert after_boot(order).state is OrderState.UNKNOWN
        sold = till(shop.Idle(), sold={SALE: ORDER.line})
        assert follow(after_boot(order), sold).state is OrderState.SUCCEEDED
        assert follow(after_boot(order), till(shop.InDoubt(OTHERS, asked()))).state is OrderState.UNKNOWN
        assert follow(after_boot(order), till(shop.Idle())).state is OrderState.FAILED


def test_every_reason_of_a_failed_order_is_a_word_with_two_languages() -> None:
    failed = follow(ASKED, till(shop.Idle()))
    assert Refused(Reason(failed.reason)).say("zh")


def test_what_was_declined_is_told_apart_from_what_waits() -> None:
    """It lies on the counter again, and comes off it before anybody is told."""
    assert was_declined(ASKED, till(shop.Ringing(BASKET)))
    assert not was_declined(WAITING, till(shop.Ringing(BASKET)))
    assert not was_declined(ASKED, till(shop.Ringing(OTHERS)))
    assert not was_declined(ASKED, till(shop.Paying(BASKET, asked())))


def test_a_journal_that_is_out_of_reach_ends_no_order_whose_payment_is_open() -> None:
    stopped = till(shop.Stopped(Reason.JOURNAL_BROKEN, shop.Basket()))
    stopped = replace(stopped, past=replace(stopped.past, payment=asked()))
    assert follow(ASKED, stopped).state is OrderState.UNKNOWN
