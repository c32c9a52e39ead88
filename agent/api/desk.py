"""Carries orders to the till and brings back what became of them. What an order is, `orders.py` says."""

from __future__ import annotations

import contextlib
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
from tillbox.contracts.verdicts import Reason
from tillbox.hardware.ports import DeviceBack, DeviceTrouble

from .orders import FINAL, Order, OrderState, after_boot, follow, lies_on, was_declined, wish
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
        self._at_till: set[str] = set()  # orders that this process has taken to the till
        self._lock = threading.Lock()  # a request's thread and the watcher follow the same orders
        self._thread = threading.Thread(target=self._watch, name="api", daemon=True)
        self.listeners: list[Callable[[], object]] = []
        """Rung, on any thread, when there are new events."""
        for order in store.open_orders():
            self._keep(order, after_boot(order))

    def start(self) -> None:
        """Begin to follow the till."""
        self._thread.start()

    def pay(self, order: Order, body: str, code: str | None) -> Order | None:
        """Put an order on the till's counter, and the customer's code with it if there is one. The same request again
        is answered with what became of the first; None for the same id and another body."""
        kept = self._store.begin(order, body)
        if kept is None or kept is not order:
            return kept
        shown = _code(code)
        if isinstance(shown, Reason):
            return self._keep(order, order.failed(shown))
        self._at_till.add(order.request_id)
        try:
            after = self._on_till(lambda runtime: _put_on(runtime, order, shown))
        except NotInTime:
            after = replace(order, state=OrderState.UNKNOWN)  # the watcher will see what came of it
        return self._keep(order, after or order.failed(Reason.QUEUE_FULL))

    def find(self, request_id: str) -> Order | None:
        """What became of an order."""
        return self._store.find(request_id)

    def cancel(self, request_id: str) -> Order | None:
        """Ask the till to give an order up. Its end is whatever the till then says."""
        order = self._store.find(request_id)
        event = wish(order) if order else None
        if order is not None and event is not None:
            self._box.work(lambda runtime: _give_up(runtime, order, event))
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
        self._tell()

    def _watch(self) -> None:
        while True:
            with self._box.changed:
                self._box.changed.wait(LOOK_S)
            try:
                for order in self._store.open_orders():
                    if order.state is not OrderState.CREATED or order.request_id in self._at_till:
                        self._follow(order)
            except sqlite3.Error as why:
                log.warning("api.disk", why=str(why))

    def _follow(self, order: Order) -> None:
        """Look at the till itself: what its screen shows may be older than the order."""
        with contextlib.suppress(NotInTime):
            after = self._on_till(lambda runtime: _look(runtime, order))
            if after is not None:
                self._keep(order, after)

    def _on_till(self, work: Callable[[Runtime], Order]) -> Order | None:
        """Something on the till's thread, and what it says of an order; None where the till has not begun with it and never
        will. `NotInTime` where it has, and is slow."""
        done: Future[Order] = Future()

        def at_the_till(runtime: Runtime) -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(work(runtime))
            except Exception as fault:
                done.set_exception(fault)
                raise

        if not self._box.work(at_the_till):
            return None
        try:
            return done.result(TILL_S)
        except NotInTime:
            return None if done.cancel() else done.result(TILL_S)

    def _keep(self, before: Order, after: Order) -> Order:
        """Write down what has become of an order, unless somebody has written down its end meanwhile."""
        with self._lock:
            now = self._store.find(before.request_id)
            if now is None or now.state in FINAL or after == now:
                return now or after
            self._store.change(after, self._wall_ms())
        if after.state in FINAL:
            self._at_till.discard(after.request_id)
        if OrderState.AWAIT_SCAN in (now.state, after.state):
            self._box.pull_triggers(after.state is OrderState.AWAIT_SCAN)
        self._tell()
        return after

    def _tell(self) -> None:
        for ring in tuple(self.listeners):
            with contextlib.suppress(RuntimeError):  # its loop has ended
                ring()


def _look(runtime: Runtime, order: Order) -> Order:
    """On the till's thread: what has become of it; what was declined is taken off the counter first."""
    if was_declined(order, runtime.till):
        runtime.happen(shop.Cleared())
        return order.failed(Reason.PAYMENT_DECLINED)
    return follow(order, runtime.till)


def _code(code: str | None) -> PaymentCode | Reason | None:
    if code is None:
        return None
    found = classify(CodeRead(code.encode(), Symbology.UNKNOWN, "api"), ScannerMode.PAYMENT)
    return found if isinstance(found, PaymentCode) else Reason.NOT_A_PAYMENT_CODE


def _put_on(runtime: Runtime, order: Order, code: PaymentCode | None) -> Order:
    """On the till's thread: nobody else's basket is touched, and nothing is charged that was not put on just now."""
    runtime.happen(shop.OrderPlaced(order.sale, order.line))
    if not lies_on(order, runtime.till):
        phase = runtime.till.phase
        return order.failed(phase.reason if isinstance(phase, shop.Stopped) else Reason.TILL_BUSY)
    if code is not None:
        runtime.happen(shop.CodesShown((code,)))
        if isinstance(runtime.till.phase, shop.Ringing):
            # Not charged; the program is told why, and the counter is left as it was found.
            why = Reason.NOT_NOW if runtime.till.line_up else Reason.OFFLINE_PAYMENT_CODE
            runtime.happen(shop.Cleared())
            return order.failed(why)
    return follow(order, runtime.till)


def _give_up(runtime: Runtime, order: Order, event: shop.Event) -> None:
    """On the till's thread, and only while it is this order's: a cashier may have begun another sale."""
    phase = runtime.till.phase
    open_payment = isinstance(phase, (shop.Paying, shop.InDoubt)) and phase.asked.sale == order.sale
    if lies_on(order, runtime.till) or open_payment:
        runtime.happen(event)
