"""From a code that was read to the first thing that is seen, offline: classify, decide, commit. p50 and p99, beside
the commit alone."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from _say import say

from tillbox.agent import till as shop
from tillbox.agent.past import Past
from tillbox.agent.runtime import Parts, Runtime
from tillbox.agent.witness import NoWitness
from tillbox.broker.journal import Draft, open_journal
from tillbox.broker.line import Will
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeBelief, TimeInterval
from tillbox.contracts.codes import CodeRead, Symbology, classify
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Line, Sale, Tender
from tillbox.contracts.money import CNY, Amount

SALES = 500
AT = TimeInterval(1, 2)


class Hands:
    """Notes when the first thing is seen."""

    def __init__(self) -> None:
        self.seen_at = 0.0

    def show(self, show: shop.Show) -> None:
        self.seen_at = self.seen_at or time.perf_counter()

    def print(self, slip: shop.Slip) -> None:
        self.seen_at = self.seen_at or time.perf_counter()

    def kick(self, reason: str) -> None:
        pass


class NoLine:
    """The line is down."""

    def start(self, deliver: object) -> None: ...
    def publish(self, topic: str, payload: bytes, **_: object) -> bool:
        return False

    def acknowledge(self, token: int) -> None: ...
    def reconnect(self) -> None: ...
    def stop(self, *, goodbye: Will | None = None) -> None: ...


class Clock:
    def boot_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


def main() -> None:
    with tempfile.TemporaryDirectory(dir=".") as folder:
        medium = FileMedium(Path(folder) / "journal.db")
        tid = uuid7(1, os.urandom(10))
        journal, opening = open_journal(medium, device="box-1", incarnation="0" * 16, tid=tid, at=AT)
        hands = Hands()
        parts = Parts("box-1", NoLine(), hands, NoWitness(), Clock(), os.urandom)
        goods = {"6901234567892": Line(name="茶", price=1200, goods="6901234567892")}
        till = shop.boot(shop.Setup("box-1", "town", goods=goods), Past())
        runtime = Runtime(parts, journal, opening, till, TimeBelief(1))
        times, commits = [], []
        for _ in range(SALES):
            began = time.perf_counter()
            code = classify(CodeRead(b"6901234567892", Symbology.EAN_13, "bench"))
            runtime.happen(shop.CodesShown((code,)))
            hands.seen_at = 0.0
            runtime.happen(shop.CashTaken(Amount(1200, CNY)))
            times.append((hands.seen_at - began) * 1000)
            body = Sale(lines=(goods["6901234567892"],), total=1200, tender=Tender(type="cash", amount=1200))
            began = time.perf_counter()
            journal.record([Draft(uuid7(1, os.urandom(10)), "sale", body, AT)])
            commits.append((time.perf_counter() - began) * 1000)
        journal.close()
    figures = {
        "decision_ms_p50": _at(times, 50),
        "decision_ms_p99": _at(times, 99),
        "commit_alone_ms_p50": _at(commits, 50),
        "commit_alone_ms_p99": _at(commits, 99),
    }
    say("till", figures)


def _at(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100)[percent - 1], 2)


main()
