"""A box as a process, on real parts: start time, memory, scan to verdict online, and draining 10,000 records."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _say import say

from tillbox.broker.journal import Draft, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.cloud_bridge.payments.channels.sandbox_manners import write_code
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Line, Sale, Tender
from tillbox.demo.town import GOODS, Counter, Town

SCANS, BACKLOG = 40, 10_000


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tillbox-bench-") as folder:
        town = Town(Path(folder), boxes=2)
        try:
            town.build()
            _without_readers(town.counters[1])
            _backlog(town.counters[1])
            began = time.perf_counter()
            town.broker.start()
            town.wallet.start()
            town.core.start()
            time.sleep(4.0)
            figures = _start(town.counters[0]) | _scans(town.counters[0]) | _drain(town.counters[1])
            figures["reference_whole_run_s"] = round(time.perf_counter() - began, 1)
        finally:
            town.stop()
    say("box", figures)


def _start(counter: Counter) -> dict[str, float]:
    began = time.perf_counter()
    counter.process.start()
    _until(lambda: counter.look().get("online") is True)
    return {"start_to_online_s": round(time.perf_counter() - began, 2)}


def _scans(counter: Counter) -> dict[str, float]:
    """From the last byte of a payment code on the scanner's line to the receipt at the printer."""
    times = []
    for n in range(SCANS):
        papers = len(counter.papers())
        counter.press("pick", gtin=GOODS[0][0])
        _until(lambda: counter.look().get("total") == "12.00")
        began = time.perf_counter()
        counter.scanner.show(write_code(wallet="wechat", payer=n + 1, serial=n).encode())
        _until(lambda papers=papers: len(counter.papers()) > papers, 0.002)
        times.append((time.perf_counter() - began) * 1000)
    quantiles = statistics.quantiles(times, n=100)
    rss = _rss_mb(counter)
    return {
        "scan_to_paper_ms_p50": round(quantiles[49]),
        "scan_to_paper_ms_p99": round(quantiles[98]),
        "rss_mb_with_camera": rss,
    }


def _drain(counter: Counter) -> dict[str, float]:
    counter.process.start()
    _until(lambda: counter.look().get("online") is True)
    began = time.perf_counter()
    _until(lambda: counter.look().get("pending") == 0, 0.02)
    seconds = time.perf_counter() - began
    drained = {"drain_10000_s": round(seconds, 1), "drain_records_per_s": round(BACKLOG / seconds)}
    return drained | {"rss_mb_without_camera_after_drain": _rss_mb(counter)}


def _without_readers(counter: Counter) -> None:
    """A box that has no camera and no scanner."""
    path = counter.state.parent / "box.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"readers": []}))


def _backlog(counter: Counter) -> None:
    """Ten thousand sales that a box made alone."""
    at = TimeInterval(1, 2)
    medium = FileMedium(counter.state / "journal.db")
    journal, _ = open_journal(
        medium, device=counter.device, incarnation=os.urandom(8).hex(), tid=uuid7(1, os.urandom(10)), at=at
    )
    for start in range(0, BACKLOG, 500):
        drafts = []
        for n in range(start, start + 500):
            body = Sale(
                lines=(Line(name="茶", price=1250),),
                total=1250,
                tender=Tender(type="cash", amount=1250),
                number=n + 1,
            )
            drafts.append(Draft(uuid7(n + 1, os.urandom(10)), "sale", body, at))
        journal.record(drafts)
    journal.close()


def _rss_mb(counter: Counter) -> int:
    assert counter.process.running is not None
    status = Path(f"/proc/{counter.process.running.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def _until(ready: Callable[[], bool], step_s: float = 0.02) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(step_s)
    raise SystemExit("a box did not do within a minute what it should")


main()
