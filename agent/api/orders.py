"""What has become of a payment that another program asked for. Pure: an order and what the till shows go in.

An order is known by the id of its sale, which is given before anything is on the counter. The truth is the till's own
journal: *succeeded* only when that sale is recorded, *failed* only when the till has given it up or lost it, and *unknown*
while nobody knows. A program that has lost its answer asks again with the same request id, and never with a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from tillbox.agent import till as shop
from tillbox.contracts.messages import Line
from tillbox.contracts.verdicts import Reason


class OrderState(StrEnum):
    """Where an order is."""

    CREATED = "created"  # written down, not at the till yet
    AWAIT_SCAN = "await_scan"  # on the till's counter; the customer shows a code, or pays cash
    IN_PROGRESS = "in_progress"  # the payment was asked for
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"  # asked for, or the power was cut, and nobody can say yet


FINAL = frozenset({OrderState.SUCCEEDED, OrderState.FAILED})


@dataclass(frozen=True, slots=True)
class Order:
    """One request for a payment. `amount` and `paid` in the smallest coin; a coupon, or what a cashier adds, makes them
    differ. `sale` is the sale's id for life."""

    request_id: str
    order_ref: str
    amount: int
    sale: str
    state: OrderState = OrderState.CREATED
    reason: str = ""
    tender: str = ""
    paid: int = 0

    @property
    def line(self) -> Line:
        """What lies on the till's counter for it: named by what the other program calls it."""
        return Line(name=self.order_ref, price=self.amount)

    def failed(self, reason: Reason) -> Order:
        """It came to nothing."""
        return replace(self, state=OrderState.FAILED, reason=reason)


def follow(order: Order, till: shop.Till) -> Order:
    """The order as the till shows it now; a final one stays as it is."""
    if order.state in FINAL:
        return order
    own = till.past.sales.get(order.sale)
    if own is not None:
        tender = own.sale.tender
        return replace(order, state=OrderState.SUCCEEDED, tender=tender.type, paid=tender.amount)
    phase = till.phase
    if isinstance(phase, (shop.Paying, shop.InDoubt)) and phase.asked.sale == order.sale:
        in_doubt = isinstance(phase, shop.InDoubt)
        return replace(order, state=OrderState.UNKNOWN if in_doubt else OrderState.IN_PROGRESS)
    open_payment = till.past.payment is not None and till.past.payment.sale == order.sale
    if isinstance(phase, shop.Stopped) or open_payment:
        # A till that cannot record decides nothing now; a payment that is open may still be paid.
        asked = open_payment or order.state is OrderState.IN_PROGRESS
        return replace(order, state=OrderState.UNKNOWN) if asked else order
    return (
        replace(order, state=OrderState.AWAIT_SCAN)
        if lies_on(order, till)
        else order.failed(Reason.ORDER_CLEARED)
    )


def lies_on(order: Order, till: shop.Till) -> bool:
    """Whether it is on the till's counter."""
    return shop.basket_of(till).sale == order.sale


def was_declined(order: Order, till: shop.Till) -> bool:
    """Whether it was asked for, came to nothing, and lies on the counter again: it is to be taken off before anybody is
    told that it failed, or the next code would be charged for it."""
    asked = order.state in (OrderState.IN_PROGRESS, OrderState.UNKNOWN)
    return asked and isinstance(till.phase, shop.Ringing) and lies_on(order, till)


def wish(order: Order) -> shop.Event | None:
    """What a till has to hear if an order is to be given up; None where there is nothing to give up."""
    match order.state:
        case OrderState.AWAIT_SCAN:
            return shop.Cleared()
        case OrderState.IN_PROGRESS | OrderState.UNKNOWN:
            return shop.GiveUpPressed()
    return None


def after_boot(order: Order) -> Order:
    """What is known of an order that was open when the power went: nothing, until the till's journal says it."""
    return order if order.state in FINAL else replace(order, state=OrderState.UNKNOWN)
