"""`tillbox prove powercut`: the product's journal on a disk that loses power, cut after cut.

A box records and acknowledges; the power goes at some write; the journal is opened again and judged. What
was acknowledged must be there, whole and in its chain. The same with synchronous=NORMAL must fail: a disk
on which nothing can go wrong proves nothing. A strictly POSIX directory is tried too, where the order of
the two pragmas decides over the whole file.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from random import Random
from typing import Any
from unittest.mock import patch

import apsw

from tillbox.broker import journal as journals
from tillbox.broker.journal import Draft, Journal, JournalBroken, open_journal
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import CHANCE_BYTES, INCARNATION_BYTES, uuid7
from tillbox.contracts.messages import Line, Sale, Tender

from .crash.connection import CrashMedium
from .crash.disk import CrashDisk

AT = TimeInterval(0, 1)
CUTS_PER_DISK = 40
OPERATIONS_MAX = 90
GOOD = journals.PRAGMAS
NORMAL = tuple(pragma.replace("=EXTRA", "=NORMAL") for pragma in GOOD)
LATE = (GOOD[1], GOOD[0], *GOOD[2:])
SALE = Sale(lines=(Line(name="茶", price=1_250),), total=1_250, tender=Tender(type="cash", amount=1_250))


def run(cuts: int, seed: int) -> dict[str, Any]:
    """The journal as shipped, then the same without its protections, which must be seen."""
    began = time.perf_counter()
    good = _suffer(cuts * 3 // 4, seed, GOOD, strict=False)
    strict = _suffer(cuts - cuts * 3 // 4, seed + 1, GOOD, strict=True)
    normal = _suffer(min(cuts, 2_000), seed, NORMAL, strict=False)
    late = _suffer(min(cuts, 2_000), seed + 1, LATE, strict=True)
    total = {name: good[name] + strict[name] for name in good}
    clean = not (total["lost"] or total["torn"] or total["corrupt"])
    return {
        **total,
        "synchronous": "EXTRA",
        "normal": normal,
        "wrong_order_strict_directory": late,
        "seconds": round(time.perf_counter() - began, 1),
        "ok": clean and normal["lost"] > 0,
    }


def _suffer(cuts: int, seed: int, pragmas: tuple[str, ...], *, strict: bool) -> dict[str, int]:
    random = Random(seed)
    report = {"cuts": 0, "records": 0, "lost": 0, "torn": 0, "corrupt": 0}
    with patch.object(journals, "PRAGMAS", pragmas) if pragmas != GOOD else nullcontext():
        while report["cuts"] < cuts:
            _one_disk(random, min(CUTS_PER_DISK, cuts - report["cuts"]), report, strict=strict)
    return report


def _one_disk(random: Random, cuts: int, report: dict[str, int], *, strict: bool) -> None:
    disk = CrashDisk(random, strict=strict)
    medium = CrashMedium(disk)
    acknowledged: set[str] = set()
    for _ in range(cuts):
        disk.cut_after(random.randint(1, OPERATIONS_MAX))
        _work(medium, random, acknowledged, report)
        if not disk.is_down:
            disk.power_cut()
        report["cuts"] += 1
        disk.power_up()
        _judge(medium, random, acknowledged, report)
    medium.close()


def _open(medium: CrashMedium, random: Random) -> Journal:
    tid = uuid7(0, random.randbytes(CHANCE_BYTES))
    incarnation = random.randbytes(INCARNATION_BYTES).hex()
    return open_journal(medium, device="box-1", incarnation=incarnation, tid=tid, at=AT)[0]


def _work(medium: CrashMedium, random: Random, acknowledged: set[str], report: dict[str, int]) -> None:
    """Record until the power goes."""
    try:
        journal = _open(medium, random)
        for _ in range(OPERATIONS_MAX):
            tid = uuid7(0, random.randbytes(CHANCE_BYTES))
            journal.record([Draft(tid, "sale", SALE, AT)])
            acknowledged.add(tid)
            report["records"] += 1
    except JournalBroken:
        return


def _judge(medium: CrashMedium, random: Random, acknowledged: set[str], report: dict[str, int]) -> None:
    """Open it again, with all the boot's own checks, and look for every acknowledged record."""
    try:
        found = {entry.tid for entry in _open(medium, random).entries()}
    except (JournalBroken, apsw.Error) as broken:
        kind = "torn" if "chain" in str(broken) else "corrupt"
        report[kind] += 1
        medium.disk.restore({})
        acknowledged.clear()
        return
    report["lost"] += len(acknowledged - found)
    acknowledged &= found
