"""A box that somebody has broken into: its certificate is good, its words are not.

The broker carries what it says, for the topics are its own. It sends bytes that are no records, records of
other boxes, messages of a version that is still to come, and, in a chain without a fault, claims on what
belongs to others: their payments, their leases, their sales. None of it may cost anybody else anything.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from pydantic import BaseModel

from tillbox.broker.journal import Draft, serialise
from tillbox.broker.line import Happening
from tillbox.broker.memory import MemoryBroker
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import CHANCE_BYTES, INCARNATION_BYTES, uuid7
from tillbox.contracts.messages import (
    LEASE_MAX,
    CommandState,
    CouponUse,
    LeaseAsk,
    LeaseClosed,
    Line,
    Opened,
    PaymentEnded,
    Refund,
    Sale,
    Tender,
    Void,
    digest,
    genesis,
)

from .checkers import Paper

DEVICE = "stranger"
SENT_AGAIN = 20
NOISE = (
    b"",
    b"\x00\xff\xfe",
    b"{" * 2_000,
    b"[" * 60_000,
    b'{"v":1,"dev":"stranger"}',
    b'{"v":99,"dev":"stranger","inc":"0"}',
    b'{"v":1e400}',
    b"9" * 5_000,
    "二".encode() * 5_000,
)


class Stranger:
    """One hostile box. `papers` are the slips it found in a bin; `records` what it read from a stolen card."""

    def __init__(
        self,
        broker: MemoryBroker,
        random: Random,
        *,
        now: Callable[[], TimeInterval],
        papers: Callable[[], list[Paper]],
        records: Callable[[], list[bytes]],
        leases: Callable[[], list[str]],
        commands: Callable[[], list[tuple[str, str]]],
    ) -> None:
        self.random, self._now = random, now
        self._papers, self._records, self._leases, self._commands = papers, records, leases, commands
        self.tids: set[str] = set()
        self.said = 0
        self._line = broker.line(DEVICE)
        self._inc = random.randbytes(INCARNATION_BYTES).hex()
        self._chain: list[bytes] = []
        self._head = genesis(DEVICE, self._inc, None)

    def start(self) -> None:
        """Connect."""
        self._line.start(_deaf)
        self._claim("opened", Opened())

    def speak(self) -> None:
        """Say something that is not true."""
        papers = self._papers()
        roll = self.random.random()
        if roll < 0.2 or not papers:  # no slip yet: nothing to lie about
            self._send(self.random.choice(NOISE))
        elif roll < 0.35:
            self._send(*self.random.sample(self._records(), 1))
        elif roll < 0.45:
            self._ask(self.random.choice(papers))
        elif roll < 0.5:
            self._want_rights()
        else:
            kind, body = self._lie(self.random.choice(papers))
            self._claim(kind, body)
            self._send(*self._chain[-SENT_AGAIN:])

    def command(self, device: str, sealed: bytes) -> None:
        """Say a command to a box, as nobody but the core may."""
        self.said += self._line.publish(topics.command_down(device), sealed)

    def _lie(self, paper: Paper) -> tuple[str, BaseModel]:
        leases = self._leases()
        tender: Any = paper.tender
        lies: list[tuple[str, BaseModel]] = [
            ("void", Void(of=paper.sale, amount=paper.amount, tender_type=tender, attempt=paper.attempt)),
            ("refund", Refund(of=paper.sale, amount=1, tender_type=tender, attempt=paper.attempt)),
            ("sale", self._sale(paper.attempt, None)),
        ]  # fmt: skip
        if paper.attempt:
            lies.append(("payment_ended", PaymentEnded(attempt=paper.attempt, outcome="abandoned")))
        if commands := self._commands():
            command, verb = self.random.choice(commands)
            states: tuple[Any, ...] = ("executing", "successful", "failed")
            state = self.random.choice(states)
            lies.append(("command_state", CommandState(command=command, verb=verb, state=state)))
        if leases:
            lease = self.random.choice(leases)
            use = CouponUse(
                template="tea", serial=self.random.randint(1, 60), lease=lease, discount=200, rights_count=1
            )
            lies.append(("sale", self._sale(None, use)))
            lies.append(("lease_closed", LeaseClosed(lease=lease, left=0, rights_count=1)))
        return self.random.choice(lies)

    def _sale(self, attempt: str | None, use: CouponUse | None) -> Sale:
        off = use.discount if use else 0
        tender = Tender(type="merchant_scan" if attempt else "cash", amount=800 - off, attempt=attempt)
        return Sale(lines=(Line(name="x", price=800),), total=800, discount=off, tender=tender, coupon=use)

    def _claim(self, kind: str, body: BaseModel) -> None:
        at = self._now()
        tid = uuid7(at.lo_ms, self.random.randbytes(CHANCE_BYTES))
        seq = len(self._chain) + 1
        data = serialise(DEVICE, self._inc, seq, self._head, Draft(tid, kind, body, at))
        self._chain.append(data)
        self._head = digest(data)
        self.tids.add(tid)

    def _ask(self, paper: Paper) -> None:
        name = self.random.choice(topics.ASKS)
        noise = self.random.choice(NOISE)
        known = f'{{"attempt":"{paper.attempt or paper.id}"}}'.encode()
        self._line.publish(topics.ask_up(DEVICE, name), self.random.choice((noise, known)))
        self.said += 1

    def _want_rights(self) -> None:
        """As many as it can get: no more than one box's share of a stock."""
        request = uuid7(self._now().lo_ms, self.random.randbytes(CHANCE_BYTES))
        ask = LeaseAsk(request=request, template="tea", quantity=self.random.choice((1, 20, LEASE_MAX)))
        self._line.publish(topics.ask_up(DEVICE, "lease"), ask.model_dump_json(exclude_none=True).encode())
        self.said += 1

    def _send(self, *lines: bytes) -> None:
        self.said += self._line.publish(topics.records_up(DEVICE), b"\n".join(lines))


def _deaf(_: Happening) -> None:
    """It listens to nobody."""
