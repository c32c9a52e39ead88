"""Every record that a box made is in the core exactly once, and the book balances. It judges from the boxes' own lists
against the core's tables, and believes no count that the core keeps of itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from tillbox.cloud_bridge.store import tables
from tillbox.proof.checkers import Evidence, Posted, book_balances

SHOWN = 5


@dataclass(slots=True)
class Verdict:
    """What came of it. `lost` and `doubled` count records; a complaint is a sentence."""

    made: int = 0
    settled: int = 0
    held: int = 0
    posted: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    unbalanced: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing lost, nothing doubled, nothing false."""
        return not (self.lost or self.doubled or self.changed or self.unbalanced)


def judge(connection: Connection, lists: Iterable[Path]) -> Verdict:
    """Compare."""
    verdict = Verdict()
    held, times = _held(connection)
    posted = Counter(connection.execute(select(tables.sale.c.tid)).scalars())
    known: set[str] = set()
    for device, _, tid, found, settled in _lines(lists):
        verdict.made += 1
        verdict.settled += int(settled)
        known.add(tid)
        if tid not in held:
            verdict.lost += 1
            _complain(
                verdict, f"lost: {tid} of {device}" + (", which its box had settled" if int(settled) else "")
            )
        elif held[tid] != (device, found):
            verdict.changed += 1
            _complain(verdict, f"changed: {tid} of {device} is held with another content or name")
    _doubles(verdict, times, posted, known)
    verdict.held, verdict.posted = len(held), sum(posted.values())
    _sales(verdict, connection, posted)
    unbalanced = _unbalanced(connection)
    verdict.unbalanced = len(unbalanced)
    verdict.complaints += unbalanced[:SHOWN]
    return verdict


def _held(connection: Connection) -> tuple[dict[str, tuple[str, str]], Counter[str]]:
    inbox = tables.inbox.c
    held: dict[str, tuple[str, str]] = {}
    times: Counter[str] = Counter()
    for device, tid, found in connection.execute(select(inbox.device, inbox.tid, inbox.hash)):
        held[tid] = device, found
        times[tid] += 1
    return held, times


def _doubles(verdict: Verdict, times: Counter[str], posted: Counter[str], known: set[str]) -> None:
    for tid in {tid for counts in (times, posted) for tid, count in counts.items() if count > 1}:
        verdict.doubled += 1
        _complain(verdict, f"doubled: {tid} is held {times[tid]} times and posted {posted[tid]} times")
    for tid in times.keys() - known:
        verdict.doubled += 1
        _complain(verdict, f"doubled: {tid} is held, and no box ever made it")


def _sales(verdict: Verdict, connection: Connection, posted: Counter[str]) -> None:
    """What was recorded as a sale is a sale of the book."""
    inbox = tables.inbox.c
    for tid in connection.execute(select(inbox.tid).where(inbox.kind == "sale")).scalars():
        if tid not in posted:
            verdict.lost += 1
            _complain(verdict, f"lost: sale {tid} is held and not posted")


def _unbalanced(connection: Connection) -> list[str]:
    postings = [Posted(t, a, u, m) for t, _, a, u, m in connection.execute(select(tables.posting))]
    balances = {(a, u): m for a, u, m in connection.execute(select(tables.balance))}
    evidence = Evidence(papers=(), postings=postings, balances=balances, kinds={}, recorded=frozenset())
    return book_balances(evidence)


def _lines(lists: Iterable[Path]) -> Iterable[list[str]]:
    for path in lists:
        with path.open() as file:
            for line in file:
                yield line.split()


def _complain(verdict: Verdict, what: str) -> None:
    if len(verdict.complaints) < SHOWN:
        verdict.complaints.append(what)
