"""Carries orders to the till and brings back what became of them. It decides nothing: `orders.py` does."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from tillbox.agent import till as shop
from tillbox.agent.runtime import Runtime
from tillbox.contracts.codes import CodeRead, PaymentCode, ScannerMode, Symbology, classify
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.ports import DeviceBack, DeviceTrouble

from .orders import Order, OrderState, after_boot, follow
from .store import Store

if TYPE_CHECKING:
    from tillbox.agent.app import Box

log = structlog.get_logger(__name__)

TILL_S = 3.0  # the till's thread takes milliseconds; a box that needs seconds is in trouble and says so
LOOK_S = 0.5


class Desk:
    """Between the local door and one box."""

    def __init__(self, box: Box, store: Store, *, wall_ms: Callable[[], int]) -> None:
        self._box, self._store, self._wall_ms = box, store, wall_ms
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="api", daemon=True)
        self.news = threading.Condition()
        for order in store.open_orders():
            self._keep(order, after_boot(order))

    def start(self) -> None:
        """Begin to follow the till."""
        self._thread.start()

    def stop(self) -> None:
        """End promptly."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def pay(self, order: Order, body: str, code: str | None) -> Order | Refused:
        """Put an order on the till's counter, and the customer's code with it if there is one. The same request again
        is answered with what became of the first."""
        last = self._box.view.till.past.last_sale if self._box.view else None
        order = replace(order, before=last.id if last else "")
        kept = self._store.begin(order, body)
        if kept is None:
            return Refused(Reason.REQUEST_DIFFERS)
        if kept is not order:
            return kept
        done: Future[shop.Till | Refused] = Future()
        if not self._box.work(lambda runtime: done.set_result(_put_on(runtime, order, code))):
            return self._fail(order, Reason.QUEUE_FULL)
        try:
            till = done.result(TILL_S)
        except NotInTime:
            return self._fail(order, Reason.QUEUE_FULL) if done.cancel() else order
        if isinstance(till, Refused):
            return self._fail(order, till.reason)
        return self._keep(order, follow(replace(order, state=OrderState.AWAIT_SCAN), till))

    def find(self, request_id: str) -> Order | None:
        """What became of an order."""
        return self._store.find(request_id)

    def cancel(self, request_id: str) -> Order | None:
        """Ask the till to give an order up. Its end is whatever the till then says."""
        order = self._store.find(request_id)
        if order is not None and order.state is OrderState.AWAIT_SCAN:
            self._box.offer(shop.Cleared())
        elif order is not None and order.state in (OrderState.IN_PROGRESS, OrderState.UNKNOWN):
            self._box.offer(shop.GiveUpPressed())
        return order

    def trouble(self, what: DeviceTrouble | DeviceBack) -> None:
        """A device went, or is back."""
        body = (
            {"device": what.device, "state": "back"}
            if isinstance(what, DeviceBack)
            else {"device": what.device, "state": what.kind, "hint": what.hint}
        )
        try:
            self._store.say("device.changed", body, self._wall_ms())
        except sqlite3.Error as why:
            log.warning("api.disk", why=str(why))
        with self.news:
            self.news.notify_all()

    def _watch(self) -> None:
        while not self._ended.is_set():
            with self._box.changed:
                self._box.changed.wait(LOOK_S)
            view = self._box.view
            if view is None:
                continue
            try:
                for order in self._store.open_orders():
                    if order.state is not OrderState.CREATED:
                        self._swept(self._keep(order, follow(order, view.till)), view.till)
            except sqlite3.Error as why:
                log.warning("api.disk", why=str(why))

    def _swept(self, order: Order, till: shop.Till) -> None:
        """What was not paid does not stay on the counter: the other program asks anew, or does not."""
        if order.state is OrderState.FAILED and shop.basket_of(till).lines == (order.line,):
            self._box.offer(shop.Cleared())

    def _fail(self, order: Order, reason: Reason) -> Order:
        return self._keep(order, replace(order, state=OrderState.FAILED, reason=reason))

    def _keep(self, before: Order, after: Order) -> Order:
        if after != before:
            if OrderState.AWAIT_SCAN in (before.state, after.state) and before.state is not after.state:
                self._box.pull_triggers(after.state is OrderState.AWAIT_SCAN)
            self._store.change(after, "payment.changed", self._wall_ms())
            with self.news:
                self.news.notify_all()
        return after


def _put_on(runtime: Runtime, order: Order, code: str | None) -> shop.Till | Refused:
    """On the till's thread: nobody else's basket is touched, and nothing is charged that was not put on just now."""
    if not isinstance(runtime.till.phase, shop.Idle):
        return Refused(Reason.TILL_BUSY)
    shown = None
    if code is not None:
        shown = classify(CodeRead(code.encode(), Symbology.UNKNOWN, "api"), ScannerMode.PAYMENT)
        if isinstance(shown, Refused):
            return shown
        if not isinstance(shown, PaymentCode):
            return Refused(Reason.NOT_A_PAYMENT_CODE)
    runtime.happen(shop.LineRung(order.line))
    if shown is not None:
        runtime.happen(shop.CodesShown((shown,)))
        if isinstance(runtime.till.phase, shop.Ringing):
            # Not charged: the line is down, or the till said why not. Take it off again; the program is told.
            runtime.happen(shop.Cleared())
            return Refused(Reason.NOT_NOW if runtime.till.line_up else Reason.OFFLINE_PAYMENT_CODE)
    return runtime.till
