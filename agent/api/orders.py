"""What has become of a payment that another program asked for. Pure: an order and what the till shows go in.

The truth is the till's own journal. An order says *succeeded* only when the sale is recorded, *failed* only when the
till has given the payment up or lost it, and *unknown* while nobody knows: after a time-out, after a power cut. A program
that has lost its answer asks again with the same request id, and never with a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tillbox.agent import till as shop
from tillbox.contracts.messages import Line


class OrderState(StrEnum):
    """Where an order is."""

    CREATED = "created"  # written down, not at the till yet
    AWAIT_SCAN = "await_scan"  # on the till's counter; the customer shows a code, or pays cash
    IN_PROGRESS = "in_progress"  # the payment was asked for
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"  # asked for, and nobody can say yet


FINAL = frozenset({OrderState.SUCCEEDED, OrderState.FAILED})


@dataclass(frozen=True, slots=True)
class Order:
    """One request for a payment. `amount` in the smallest coin. `attempt` and `sale` are the till's ids, as soon as there
    are some; `before` is the till's last sale when it was asked for, so that an earlier one for the same table and the same
    money is never taken for it."""

    request_id: str
    order_ref: str
    amount: int
    state: OrderState = OrderState.CREATED
    reason: str = ""
    attempt: str = ""
    sale: str = ""
    tender: str = ""
    before: str = ""

    @property
    def line(self) -> Line:
        """What lies on the till's counter for it: named by what the other program calls it."""
        return Line(name=self.order_ref, price=self.amount)


def follow(order: Order, till: shop.Till) -> Order:
    """The order as the till shows it now; a final one stays as it is."""
    if order.state in FINAL:
        return order
    phase = till.phase
    if isinstance(phase, (shop.Paying, shop.InDoubt)) and _is_for(
        order, phase.asked.lines, phase.asked.attempt
    ):
        state = OrderState.UNKNOWN if isinstance(phase, shop.InDoubt) else OrderState.IN_PROGRESS
        return replace(order, state=state, attempt=phase.asked.attempt, sale=phase.asked.sale)
    if order.attempt:
        return _ended(order, till)
    basket = shop.basket_of(till)
    if basket.lines == (order.line,):
        return replace(order, state=OrderState.AWAIT_SCAN)
    if order.state is OrderState.AWAIT_SCAN:
        return _left_the_counter(order, till)
    return order


def after_boot(order: Order) -> Order:
    """What is known of an order that was open when the power went: nothing, until the till's journal says it."""
    if order.state in FINAL:
        return order
    return replace(order, state=OrderState.UNKNOWN if order.attempt else OrderState.AWAIT_SCAN)


def _is_for(order: Order, lines: tuple[Line, ...], attempt: str) -> bool:
    return attempt == order.attempt if order.attempt else tuple(lines) == (order.line,)


def _ended(order: Order, till: shop.Till) -> Order:
    """The payment is not open at the till any more: it became a sale, or it did not."""
    own = till.past.sales.get(order.sale)
    if own is not None:
        return replace(order, state=OrderState.SUCCEEDED, tender=own.sale.tender.type)
    return replace(
        order, state=OrderState.FAILED, reason="the customer did not pay, or the cashier gave it up"
    )


def _left_the_counter(order: Order, till: shop.Till) -> Order:
    """It lay on the counter and does not any more: sold, swept away, or lost with the power."""
    ids = list(till.past.sales)
    since = ids[ids.index(order.before) + 1 :] if order.before in till.past.sales else ids
    for own in (till.past.sales[tid] for tid in since):
        if tuple(own.sale.lines) == (order.line,):
            return replace(order, state=OrderState.SUCCEEDED, sale=own.id, tender=own.sale.tender.type)
    reason = "it was cleared at the till, or the box was switched off, before anybody paid"
    return replace(order, state=OrderState.FAILED, reason=reason)
