"""The demo without a person: sells in every way, cuts the line, sells on, mends it, and compares the paper
with the book. One JSON line says how it went."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tillbox.cloud_bridge.payments.channels.sandbox_manners import write_code
from tillbox.cloud_bridge.store import tables
from tillbox.demo.counter.shelf import picture
from tillbox.demo.town import GOODS, Counter, Town
from tillbox.hardware.simulated.paper import paper_text

from .checkers import Evidence, Posted, book_balances

PATIENCE_S = 15.0


class SmokeFailed(Exception):
    """A step did not show what it must; the message says which."""


def run(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Play a short day in a shop."""
    began = time.monotonic()
    town = Town(folder)
    try:
        town.build()
        say("certificates and configurations are made")
        town.start()
        say("broker, wallet, core and two boxes are up")
        sold, offline = _day(town, say)
        report = _compare(town, sold, offline)
    finally:
        town.stop()
    return {**report, "seconds": round(time.monotonic() - began, 1)}


def _day(town: Town, say: Callable[[str], None]) -> tuple[int, int]:
    first, second = town.counters
    _until("rights", lambda: first.look().get("rights", {}).get("tea5", 0) > 0)
    _sell_cash(first, "50")
    say("sold for cash")
    first.press("pick", gtin=GOODS[0][0])
    first.press("pick", gtin=GOODS[1][0])
    _until("two products", lambda: first.look().get("total") == "30.00")
    first.hold_before_camera(picture((town.coupon(300), write_code(wallet="wechat", payer=7, serial=1))))
    _until("a sale by photo", lambda: len(first.papers()) == 2)
    if "优惠" not in paper_text(first.papers()[-1].data):
        raise SmokeFailed("the receipt of the photo sale shows no discount")
    say("sold by a payment code on a photo, with a coupon")
    second.press("pick", gtin=GOODS[2][0])
    _until("one product", lambda: second.look().get("total") == "15.00")
    second.scanner.show(write_code(wallet="alipay", payer=9, serial=2).encode())
    _until("a sale by scanner", lambda: len(second.papers()) == 1)
    say("sold by a payment code through the scanner's serial line")
    first.wire.cut()
    _until("offline", lambda: first.look().get("online") is False)
    _sell_cash(first, "20")
    first.press("pick", gtin=GOODS[1][0])
    first.press("pick", gtin=GOODS[0][0])
    _until("two products", lambda: first.look().get("total") == "30.00")
    first.scanner.show(town.coupon(None).encode())
    _until("a coupon under a lease", lambda: first.look().get("discount") == "5.00")
    _sell_cash(first, "100", pick=False)
    say("the line is cut: sold two more, one with a coupon under a right that the box holds")
    first.wire.mend()
    _until("drained", lambda: first.look().get("online") is True and first.look().get("pending") == 0)
    say("the line is back and the queue is empty")
    return 5, 2


def _sell_cash(counter: Counter, received: str, *, pick: bool = True) -> None:
    papers = len(counter.papers())
    if pick:
        counter.press("pick", gtin=GOODS[0][0])
        _until("a product", lambda: counter.look().get("total") == "12.00")
    counter.press("cash", amount=received)
    _until("a receipt", lambda: len(counter.papers()) == papers + 1)


def _compare(town: Town, sold: int, offline: int) -> dict[str, Any]:
    """The paper against the book."""
    slips = [paper_text(slip.data) for counter in town.counters for slip in counter.papers()]
    with town.book() as connection:
        sales = {row.tid: row for row in connection.execute(select(tables.sale))}
        kinds = {key: value for key, value in connection.execute(select(tables.txn.c.tid, tables.txn.c.kind))}
        postings = [Posted(t, a, u, m) for t, _, a, u, m in connection.execute(select(tables.posting))]
        balances = {(a, u): m for a, u, m in connection.execute(select(tables.balance))}
        booked = connection.execute(select(func.count()).where(tables.txn.c.kind == "sale")).scalar_one()
        unseen = connection.execute(select(func.count()).where(tables.sale.c.online == 0)).scalar_one()
    evidence = Evidence(
        papers=(), postings=postings, balances=balances, kinds=kinds, recorded=frozenset(kinds)
    )
    lost = sum(not any(tid in slip for tid in sales) for slip in slips)
    doubled = booked - len(slips)
    balanced = not book_balances(evidence)
    return {
        "ok": lost == 0 and doubled == 0 and balanced and len(slips) == sold and unseen == offline,
        "sales": booked,
        "receipts": len(slips),
        "offline_sales": unseen,
        "lost": lost,
        "duplicated": max(0, doubled),
        "book_balanced": balanced,
    }


def _until(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.05)
    raise SmokeFailed(f"waited {PATIENCE_S:.0f} s for {what}, in vain")
