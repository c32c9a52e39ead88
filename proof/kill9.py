"""`tillbox prove kill9`: real processes, killed with SIGKILL whenever chance says so, over lines that are cut
inside a packet. The same checkers as in the simulator judge from the paper and the wallet's statement."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from tillbox.cloud_bridge.clock import wall_ms
from tillbox.cloud_bridge.payments.channels.sandbox_manners import ROUGH, write_code
from tillbox.cloud_bridge.payments.channels.sandbox_office import OfficeSilent, SandboxOffice
from tillbox.cloud_bridge.payments.channels.sandbox_seal import read_secret
from tillbox.cloud_bridge.payments.channels.sandbox_wire import Mood
from tillbox.cloud_bridge.payments.machine import FINAL
from tillbox.cloud_bridge.store import tables
from tillbox.contracts.money import CNY, parse_amount
from tillbox.demo.town import GOODS, Town
from tillbox.demo.town import Counter as Till
from tillbox.hardware.simulated.paper import paper_text
from tillbox.hardware.simulated.printer import Slip

from .checkers import Evidence, Paper, Posted, Trade, judge

DRAIN_S = 60.0
_TID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_AMOUNT = re.compile(r"应付 Total\s+￥?(\d+\.\d\d)")
_COUPON = re.compile(r"券 (\S+) #(\d+)")


def run(folder: Path, seconds: int, boxes: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Sell and kill, then mend, drain and compare."""
    random = Random(seed)
    town = Town(folder, boxes=boxes, fast_payments=True)
    kills: Counter[str] = Counter()
    papers: dict[str, list[bytes]] = {}
    try:
        town.build()
        for counter in town.counters:
            # The queue of papers on the twin is bounded; the customers' own hands are not.
            papers[counter.device] = []
            counter.printer.on_paper = _Hand(papers[counter.device]).take
        town.start()
        office = _office(town)
        office.set_mood(Mood(chances=ROUGH, seed=seed, pace_percent=20))
        say(f"{boxes} boxes, core, wallet and broker are up; killing for {seconds} s")
        _storm(town, random, seconds, kills)
        say(f"mending after {sum(kills.values())} kills: {dict(kills)}")
        drained_s = _calm(town)
        say(f"everything is handed in after {drained_s:.1f} s; comparing")
        evidence = _evidence(town, papers, office)
        office.close()
    finally:
        town.stop()
    found = judge(evidence)
    counts = {name: len(complaints) for name, complaints in found.items()}
    complaints = [one for some in found.values() for one in some][:10]
    return {
        "receipts": len({paper.id for paper in evidence.papers}),
        "kills": sum(kills.values()),
        "killed": dict(kills),
        "wires_cut": sum(counter.wire.cuts for counter in town.counters),
        "lost": counts["lost"],
        "duplicated": counts["duplicated"],
        "coupon_double": counts["coupon_double"],
        "uncharged": counts["uncharged"],
        "balanced": not counts["unbalanced"],
        "stuck": counts["stuck"],
        "drain_seconds": round(drained_s, 1),
        "complaints": complaints,
        "ok": not complaints,
    }


class _Hand:
    """A customer's hand: what it holds, it holds."""

    def __init__(self, papers: list[bytes]) -> None:
        self._papers = papers

    def take(self, slip: Slip) -> None:
        self._papers.append(slip.data)


def _storm(town: Town, random: Random, seconds: int, kills: Counter[str]) -> None:
    end = time.monotonic() + seconds
    next_kill = time.monotonic() + 2.0
    serial = 0
    while time.monotonic() < end:
        serial += 1
        for counter in town.counters:
            if counter.process.alive:
                _customer(town, counter, random, serial)
        if time.monotonic() >= next_kill:
            _kill(town, random, kills)
            next_kill = time.monotonic() + random.uniform(0.3, 1.3)
        _revive(town)


def _customer(town: Town, counter: Till, random: Random, serial: int) -> None:
    """A part of one customer's visit; the till's own state says which."""
    state = counter.look()
    phase = state.get("phase")
    if phase == "Idle":
        counter.press("pick", gtin=random.choice(GOODS)[0])
        if random.random() < 0.4:
            counter.press("pick", gtin=GOODS[1][0])
            counter.scanner.show(
                town.coupon(None if random.random() < 0.5 else random.randint(1, 400)).encode()
            )
    elif phase == "Ringing":
        if random.random() < 0.4 and state.get("online"):
            code = write_code(wallet="wechat", payer=random.randint(1, 9_000), serial=serial, manner=None)
            counter.scanner.show(code.encode())
        else:
            counter.press("cash", amount="500")
    elif phase == "InDoubt":
        counter.press("ask_again" if random.random() < 0.6 else "give_up")


def _kill(town: Town, random: Random, kills: Counter[str]) -> None:
    """One of them, at a moment of nobody's choosing."""
    kind = random.choices(("box", "core", "broker", "wallet", "wire", "inside"), (5, 3, 2, 1, 1, 2))[0]
    counter = random.choice(town.counters)
    if kind == "box" and counter.process.alive:
        counter.process.kill()
    elif kind == "core" and town.core.alive:
        town.core.kill()
    elif kind == "wallet" and town.wallet.alive:
        town.wallet.kill()
    elif kind == "broker" and town.broker.alive:
        town.broker.kill()
    elif kind == "inside":
        counter.wire.cut_after(random.randint(1, 3_000))
        return
    elif kind == "wire":
        counter.wire.cut()
        return
    else:
        return
    kills[kind] += 1


def _revive(town: Town) -> None:
    """Power comes back at once: whatever was killed starts from its disk."""
    if not town.broker.alive:
        town.broker.start()
    town.wallet.start()
    town.core.start()
    for counter in town.counters:
        counter.process.start()
        if not counter.wire.whole and time.monotonic() % 1.0 < 0.3:
            counter.wire.mend()


def _calm(town: Town) -> float:
    """Mend everything; how long until every box has handed everything in and no payment is open."""
    began = time.monotonic()
    for counter in town.counters:
        counter.wire.mend()
    while time.monotonic() - began < DRAIN_S:
        _revive(town)
        states = [counter.look() for counter in town.counters]
        for counter, state in zip(town.counters, states, strict=True):
            if state.get("phase") == "InDoubt":
                counter.press("ask_again" if time.monotonic() - began < DRAIN_S / 2 else "give_up")
        idle = all(
            state.get("online") and state.get("pending") == 0 and state.get("phase") in ("Idle", "Ringing")
            for state in states
        )
        if idle and not _open_payments(town):
            break
        time.sleep(0.25)
    return time.monotonic() - began


def _open_payments(town: Town) -> list[str]:
    payment, refund = tables.payment.c, tables.channel_refund.c
    with town.book() as connection:
        still = (
            connection.execute(select(payment.attempt).where(payment.state.not_in(sorted(FINAL))))
            .scalars()
            .all()
        )
        owed = connection.execute(select(refund.refund_no).where(refund.state == "open")).scalars().all()
    return [*still, *owed]


def _evidence(town: Town, papers: dict[str, list[bytes]], office: SandboxOffice) -> Evidence:
    with town.book() as connection:
        attempts = {
            key: value for key, value in connection.execute(select(tables.sale.c.tid, tables.sale.c.attempt))
        }
        postings = [Posted(t, a, u, m) for t, _, a, u, m in connection.execute(select(tables.posting))]
        balances = {(a, u): m for a, u, m in connection.execute(select(tables.balance))}
        kinds = {key: value for key, value in connection.execute(select(tables.txn.c.tid, tables.txn.c.kind))}
        recorded = frozenset(connection.execute(select(tables.inbox.c.tid)).scalars())
    slips = [_paper(device, data, attempts) for device, some in papers.items() for data in some]
    return Evidence(
        papers=[slip for slip in slips if slip is not None],
        postings=postings,
        balances=balances,
        kinds=kinds,
        recorded=recorded,
        trades=_statement(office),
        undrained={counter.device: int(counter.look().get("pending", 1)) for counter in town.counters},
        open_payments=_open_payments(town),
    )


def _statement(office: SandboxOffice) -> list[Trade]:
    for _ in range(20):
        try:
            lines = office.statement().lines
            return [Trade(line.attempt_no, line.paid_minor, line.refunded_minor) for line in lines]
        except OfficeSilent:
            time.sleep(0.5)
    raise OfficeSilent("the wallet's office does not answer")


def _paper(device: str, data: bytes, attempts: dict[str, str | None]) -> Paper | None:
    """A slip as its customer reads it."""
    text = paper_text(data)
    tid, amount = _TID.search(text), _AMOUNT.search(text)
    if tid is None or amount is None or "补打" in text:
        return None
    coupon = _COUPON.search(text)
    return Paper(
        device=device,
        kind="receipt",
        id=tid[0],
        sale=tid[0],
        amount=parse_amount(amount[1], CNY).minor,
        tender="merchant_scan" if "付款码" in text else "cash",
        attempt=attempts.get(tid[0]),
        template=coupon[1] if coupon else None,
        serial=int(coupon[2]) if coupon else None,
    )


def _office(town: Town) -> SandboxOffice:
    secret = read_secret(town.folder / "wallet" / "office.secret")
    return SandboxOffice(town.wallet_url, secret, now_ms=wall_ms, chance=os.urandom)
