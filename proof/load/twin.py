"""A box as the line and the core see it: a chained journal, go-back-N delivery, hello, telemetry, birth and will.

The journal is a list, for here nobody pulls the plug on a box; its records are made by the box's own `serialise`, and what
to send next is decided by the box's own table. It refuses to know how a message travels: `say` takes it or does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from pydantic import ValidationError

from tillbox.broker import delivery as courier
from tillbox.broker.journal import Draft, serialise
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import CHANCE_BYTES, INCARNATION_BYTES, uuid7
from tillbox.contracts.messages import (
    Ack,
    Alerts,
    Answer,
    HelloAsk,
    Line,
    Opened,
    Promise,
    Sale,
    State,
    Telemetry,
    Tender,
    Vitals,
    digest,
    genesis,
)
from tillbox.contracts.verdicts import Reason

BATCH_RECORDS = 50  # as a box's own runtime sends them
ASK_EXPIRES_S = 5  # the same
TELEMETRY_CALM_MS = 15_000  # the same
SOFTWARE = "loadtest"
VITALS = Vitals(
    uptime_s=86_400,
    disk_bytes=2**35,
    written_bytes_day=50_000_000,
    celsius=52,
    sent_bytes=10**7,
    heard_bytes=10**7,
)
GOODS = (("茉莉花茶 Jasmine tea", "6901234567892", 1200), ("豆沙饼 Bean cake", "6934567000002", 650))


class Say(Protocol):
    """Hand a message to the broker now, or say False."""

    def __call__(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes = b"",
        expires_s: int | None = None,
    ) -> bool: ...


@dataclass(slots=True)
class Kept:
    """One record of a journal. Its bytes are let go once the core has them."""

    tid: str
    hash: str
    made_ms: int
    bytes: bytes


class Twin:
    """One box in one boot. `now_ms` is a clock that never jumps; `hour_ms` is what time it is."""

    def __init__(
        self,
        device: str,
        *,
        random: Random,
        say: Say,
        anew: Callable[[], None],
        settled: Callable[[int], None],
        hour_ms: Callable[[], int],
    ) -> None:
        self.device = device
        self.inc = random.randbytes(INCARNATION_BYTES).hex()
        self.journal: list[Kept] = []
        self.delivery = courier.Delivery()
        self.proven = False
        self.up = False
        self.refused: dict[str, int] = {}
        self._reported: tuple[int, tuple[int, int, int]] = (0, (0, 0, 0))
        self._random, self._say, self._anew, self._on_settled = random, say, anew, settled
        self._hour_ms = hour_ms
        self._head = genesis(device, self.inc, None)
        self._ack_topic, self._answer_topic = topics.ack_down(device), topics.answer_down(device)
        self._records_topic, self._telemetry_topic = topics.records_up(device), topics.telemetry_up(device)
        self._alerts = Alerts(inc=self.inc, open=()).model_dump_json().encode()
        self._record("opened", Opened(software=SOFTWARE), 0)

    @property
    def pending(self) -> int:
        """Records that the core has not answered for."""
        return self.delivery.committed - self.delivery.settled

    @property
    def topics(self) -> tuple[str, str]:
        """What it listens to."""
        return self._ack_topic, self._answer_topic

    @property
    def will(self) -> bytes:
        """What the broker says for it when it is lost."""
        return self._state("lost")

    def line_up(self, now_ms: int) -> None:
        """Connected and subscribed: be born, greet, hand in what waits."""
        self.up = True
        self._say(topics.state_up(self.device), self._state("online"), retain=True)
        self._greet()
        self._deliver(courier.LineUp(), now_ms)
        self._say(topics.alerts_up(self.device), self._alerts, retain=True)

    def line_down(self, now_ms: int) -> None:
        """The connection is gone."""
        self.up = False
        self._deliver(courier.LineDown(), now_ms)

    def sell(self, now_ms: int) -> None:
        """One customer, with cash."""
        name, goods, price = self._random.choice(GOODS)
        quantity = self._random.randint(1, 3)
        total = price * quantity
        self._record(
            "sale",
            Sale(
                lines=(Line(name=name, price=price, quantity=quantity, goods=goods),),
                total=total,
                tender=Tender(type="cash", amount=total, received=total),
                online=self.up,
                number=len(self.journal),
            ),
            now_ms,
        )
        self._deliver(courier.Committed(len(self.journal)), now_ms)

    def tick(self, now_ms: int) -> None:
        """Time passed."""
        self._deliver(courier.Ticked(), now_ms)

    def unheard(self, now_ms: int) -> None:
        """Nobody listens to the records, or the broker refused them."""
        self._deliver(courier.Unheard(), now_ms)

    def report(self, now_ms: int) -> None:
        """Telemetry, as a box's own runtime makes it: less of it while nothing is new."""
        gist = len(self.journal), self.pending, sum(self.refused.values())
        then_ms, before = self._reported
        if gist == before and now_ms < then_ms + TELEMETRY_CALM_MS:
            return
        self._reported = now_ms, gist
        oldest = self.journal[self.delivery.settled].made_ms if self.pending else None
        said = Telemetry(
            inc=self.inc,
            seq=len(self.journal),
            head=self._head,
            pending=self.pending,
            oldest_pending_ms=oldest,
            free_bytes=2**35,
            refused=self.refused,
            unsynced_sales=self.pending,
            unsynced=self.pending * 1_200,
            oldest_money_ms=oldest,
            peripherals={"receipts": "ready", "counter": "ready"},
            flush_ms=(8, 31),
            clock_width_ms=40,
            vitals=VITALS,
            promise=Promise(days=90, redeem=31_200),
            alerts=0,
        )
        self._say(self._telemetry_topic, said.model_dump_json(exclude_none=True).encode(), qos=0)

    def hear(self, topic: str, payload: bytes, now_ms: int) -> None:
        """Something came from the core."""
        try:
            if topic == self._ack_topic:
                self._acked(Ack.model_validate_json(payload), now_ms)
            elif topic == self._answer_topic:
                self._answered(Answer.model_validate_json(payload))
            else:
                self._refuse(Reason.FOREIGN_DEVICE)
        except ValidationError:
            self._refuse(Reason.NOT_UNDERSTOOD)

    def _acked(self, ack: Ack, now_ms: int) -> None:
        """As the journal settles: a number counts only where our record there has the core's hash."""
        if ack.refused is not None:
            self._refuse(ack.refused)
        through = max(
            self._proven_by(ack, ack.wm, ack.head), self._proven_by(ack, ack.echo_seq, ack.echo_hash)
        )
        before = self.delivery.settled
        for position in range(before, through):
            kept = self.journal[position]
            kept.bytes = b""
            self._on_settled(now_ms - kept.made_ms)
        self._deliver(courier.Settled(max(before, through), ack.credit), now_ms)
        if before == 0 < through and not self.proven:
            self._greet()

    def _proven_by(self, ack: Ack, seq: int, found: str | None) -> int:
        mine = ack.inc == self.inc and 0 < seq <= len(self.journal)
        return seq if mine and self.journal[seq - 1].hash == found else 0

    def _answered(self, answer: Answer) -> None:
        if answer.name == "hello" and answer.body.get("standing") == "proven":
            self.proven = True

    def _greet(self) -> None:
        ask = HelloAsk(inc=self.inc).model_dump_json(exclude_none=True).encode()
        topic, correlation = topics.ask_up(self.device, "hello"), self._random.randbytes(16)
        self._say(topic, ask, correlation=correlation, expires_s=ASK_EXPIRES_S)

    def _record(self, kind: str, body: Opened | Sale, now_ms: int) -> None:
        hour_ms = self._hour_ms()
        tid = uuid7(hour_ms, self._random.randbytes(CHANCE_BYTES))
        draft = Draft(tid, kind, body, TimeInterval(hour_ms, hour_ms + 1))
        data = serialise(self.device, self.inc, len(self.journal) + 1, self._head, draft)
        self._head = digest(data)
        self.journal.append(Kept(tid, self._head, now_ms, data))
        if len(self.journal) == 1:
            self.delivery = courier.Delivery(committed=1)

    def _deliver(self, event: courier.Event, now_ms: int) -> None:
        self.delivery, effects = courier.step(self.delivery, event, now_ms)
        for effect in effects:
            match effect:
                case courier.Publish(after=after, through=through):
                    self._publish(after, through)
                case courier.Reconnect():
                    self._anew()

    def _publish(self, after: int, through: int) -> None:
        """In messages of bounded size. What the line does not take is sent again when the round is due."""
        while after < through:
            some = self.journal[after : min(through, after + BATCH_RECORDS)]
            if not self._say(self._records_topic, b"\n".join(kept.bytes for kept in some)):
                return
            after += len(some)

    def _state(self, what: str) -> bytes:
        return (
            State.model_validate({"s": what, "inc": self.inc, "software": SOFTWARE})
            .model_dump_json()
            .encode()
        )

    def _refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1
