"""One box in a crowd: its twin, and the connection that it has at this moment.

It keeps the habits of the product's own line: a wait of its own that doubles, a bound on every step of coming up, at
most twenty messages on the wire without an answer, and a connection that is thrown away where it is silent.
"""

from __future__ import annotations

import select
import ssl
import time
from collections import Counter, deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tillbox.broker.delivery import Phase
from tillbox.broker.mqtt import (
    CONNECT_S,
    INFLIGHT_MAX,
    KEEPALIVE_S,
    NOBODY_LISTENS,
    REFUSED,
    SHAKE_S,
    STEADY_S,
    own_waits,
)
from tillbox.contracts import topics
from tillbox.proof.agenda import Agenda

from . import packets
from .packets import Acknowledged, Connected, Disconnected, Malformed, Packet, Published, Subscribed
from .twin import Twin
from .wire import Stage, Wire, WireLost

TICK_MS = 400  # how often a box looks whether an answer is overdue; the product's looks as often
LOOK_MS = 10_000  # how often a box looks at its keepalive: a third of it
SOURCES = 16  # loopback addresses to come from: each has its own 28,000 ports
UP_MS = int((CONNECT_S + 2 * SHAKE_S) * 1_000)  # TCP, and the two steps of a handshake
GREETING_MS = int(CONNECT_S * 1_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crowd is made of, and where the broker is."""

    devices: tuple[str, ...]
    certificates: Path
    port: int
    seed: int
    telemetry_ms: int
    at_once: int
    host: str = "127.0.0.1"


class Street:
    """What all boxes of a process share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.random = Random(plan.seed)
        self.agenda = Agenda()
        self.poll = select.epoll()
        self.members: dict[int, Member] = {}
        self.counts: Counter[str] = Counter()
        self.waited_ms: list[int] = []
        self.spoke: set[Member] = set()
        self._coming: set[Member] = set()
        self._queue: deque[Member] = deque()
        self._began = time.monotonic()

    def now_ms(self) -> int:
        """Milliseconds since this process began."""
        return int((time.monotonic() - self._began) * 1_000)

    def may_come(self, member: Member) -> bool:
        """Whether a box may begin to come up now; it is called again when it may. Ten thousand boxes have ten thousand
        processors for their half of a handshake, and this process has a part of one."""
        if member not in self._coming and len(self._coming) >= self.plan.at_once:
            self._queue.append(member)
            return False
        self._coming.add(member)
        return True

    def came(self, member: Member) -> None:
        """A box is up, or has given up: the next one may begin."""
        if member in self._coming:
            self._coming.discard(member)
            if self._queue:
                self.agenda.after(0, self._queue.popleft().begin)


class Member:
    """One box."""

    def __init__(self, street: Street, device: str, number: int) -> None:
        self.street = street
        self.away = False
        self._source = f"127.0.0.{2 + number % SOURCES}"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._wire: Wire | None = None
        self._reader = packets.Reader()
        self._inflight: dict[int, str] = {}
        self._packet_id = 0
        self._life = self._events = 0
        self._ticks = False
        self._up_since_ms = self._heard_ms = self._said_ms = self._pinged_ms = 0
        self._least_ms, self._most_ms = (
            int(wait_s * 1_000) for wait_s in own_waits(street.random.randbytes(2))
        )
        self._wait_ms = self._least_ms
        self._records_topic = topics.records_up(device)
        self.twin = Twin(
            device,
            random=street.random,
            say=self.say,
            anew=partial(self.down, "silent"),
            settled=self.street.waited_ms.append,
            hour_ms=lambda: time.time_ns() // 1_000_000,
        )

    def dress(self) -> None:
        """Read the box's own certificate."""
        home = self.street.plan.certificates / self.twin.device
        self._context.load_verify_locations(home / "ca.crt")
        self._context.load_cert_chain(home / "client.crt", home / "client.key")

    def begin(self) -> None:
        """Make a connection, unless there is one or there shall be none."""
        if self.away or self._wire is not None or not self.street.may_come(self):
            return
        street = self.street
        self._life += 1
        self._reader, self._inflight, self._packet_id = packets.Reader(), {}, 0
        self._ticks, self._pinged_ms = False, 0
        try:
            self._wire = Wire(self._context, street.plan.host, street.plan.port, self._source)
        except WireLost:
            street.came(self)
            self._again("unreachable")
            return
        street.members[self._wire.fileno()] = self
        self._events = self._wire.events
        street.poll.register(self._wire, self._events)
        self._wire.send(self._hello())
        street.agenda.after(UP_MS, partial(self._give_up, self._life, Stage.SHAKING))

    def turn(self) -> None:
        """Something can be read or written."""
        wire = self._wire
        if wire is None:
            return
        stage = wire.stage
        try:
            for packet in self._reader.feed(wire.turn()):
                self._take(packet)
                if self._wire is not wire:
                    return
            if wire.stage is Stage.OPEN and stage is not Stage.OPEN:
                self.street.agenda.after(GREETING_MS, partial(self._give_up, self._life, Stage.OPEN))
            self._wait_for(wire)
        except WireLost:
            self.down("lost")
        except Malformed:
            self.down("malformed")

    def say(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes = b"",
        expires_s: int | None = None,
    ) -> bool:
        """The twin's way to the broker."""
        if topic == self._records_topic and not self._ticks:
            self._ticks = True
            self.street.agenda.after(TICK_MS, partial(self._tick, self._life))
        if self._wire is None or not self.twin.up or (qos and len(self._inflight) >= INFLIGHT_MAX):
            return False
        number = self._number(topic) if qos else 0
        self._send(
            packets.publish(
                topic, payload, packet_id=number, retain=retain, correlation=correlation, expires_s=expires_s
            )
        )
        self.street.counts["said" if qos else "telemetry"] += 1
        return self._wire is not None

    def down(self, why: str) -> None:
        """The connection is over; another is made after a wait."""
        was_up = self.twin.up
        self.street.came(self)
        if self._wire is not None:
            self._let_go()
            self.street.counts[why] += 1
        if was_up:
            self.twin.line_down(self.street.now_ms())
            if self.street.now_ms() - self._up_since_ms >= STEADY_S * 1_000:
                self._wait_ms = self._least_ms
        if not self.away:
            self._again()

    def stand_still(self) -> None:
        """Vanish: the connection stays open, and nobody is behind it."""
        if self._wire is not None:
            self.street.poll.unregister(self._wire)
            self._life += 1
            self.twin.line_down(self.street.now_ms())

    def _hello(self) -> bytes:
        return packets.connect(
            self.twin.device,
            keepalive_s=KEEPALIVE_S,
            will_topic=topics.state_up(self.twin.device),
            will=self.twin.will,
        )

    def _take(self, packet: Packet) -> None:
        now_ms = self._heard_ms = self.street.now_ms()
        match packet:
            case Connected(reason=reason) if reason < REFUSED:
                self._packet_id += 1
                self._send(packets.subscribe(self._packet_id, self.twin.topics))
            case Subscribed(reasons=reasons) if max(reasons) < REFUSED:
                self._come_up(now_ms)
            case Published():
                if packet.qos:
                    self._send(packets.acknowledge(packet.packet_id))
                self.twin.hear(packet.topic, packet.payload, now_ms)
            case Acknowledged():
                self._acknowledged(packet, now_ms)
            case Connected() | Subscribed() | Disconnected():
                self.down("turned_away")

    def _acknowledged(self, packet: Acknowledged, now_ms: int) -> None:
        topic = self._inflight.pop(packet.packet_id, "")
        if packet.reason == NOBODY_LISTENS or packet.reason >= REFUSED:
            self.street.counts["unheard"] += 1
            if topic == self._records_topic:
                self.twin.unheard(now_ms)

    def _come_up(self, now_ms: int) -> None:
        street, life = self.street, self._life
        self._up_since_ms = now_ms
        street.came(self)
        self.twin.line_up(now_ms)
        street.counts["came_up"] += 1
        street.agenda.after(street.random.randint(0, street.plan.telemetry_ms), partial(self._report, life))
        street.agenda.after(LOOK_MS, partial(self._keep_alive, life))

    def _report(self, life: int) -> None:
        if life == self._life:
            self.twin.report(self.street.now_ms())
            self.street.agenda.after(self.street.plan.telemetry_ms, partial(self._report, life))

    def _tick(self, life: int) -> None:
        """Look whether an answer is overdue, for as long as one is awaited."""
        if life != self._life:
            return
        self.twin.tick(self.street.now_ms())
        if self.twin.delivery.phase is Phase.SENDING:
            self.street.agenda.after(TICK_MS, partial(self._tick, life))
        else:
            self._ticks = False

    def _keep_alive(self, life: int) -> None:
        """Ping where one side was silent for a keepalive, as paho does; a broker that lets two of them pass is gone."""
        if life != self._life:
            return
        now_ms, most_ms = self.street.now_ms(), KEEPALIVE_S * 1_000
        if self._pinged_ms and self._heard_ms < self._pinged_ms and now_ms - self._pinged_ms >= most_ms:
            self.down("deaf")
            return
        if now_ms - min(self._said_ms, max(self._heard_ms, self._pinged_ms)) >= most_ms:
            self._pinged_ms = now_ms
            self._send(packets.PING)
        self.street.agenda.after(LOOK_MS, partial(self._keep_alive, life))

    def _give_up(self, life: int, stage: Stage) -> None:
        """It takes too long to come up."""
        if life != self._life or self._wire is None or self.twin.up:
            return
        if stage is Stage.OPEN or self._wire.stage is not Stage.OPEN:
            self.down("too_slow")

    def _again(self, why: str = "") -> None:
        if why:
            self.street.counts[why] += 1
        self.street.agenda.after(self._wait_ms, self.begin)
        self._wait_ms = min(2 * self._wait_ms, self._most_ms)

    def flush(self) -> None:
        """Write what was said in this turn, as the product's own line does: one TLS record for all of it."""
        if self._wire is None:
            return
        try:
            self._wire.flush()
            self._wait_for(self._wire)
        except WireLost:
            self.down("lost")

    def _send(self, data: bytes) -> None:
        if self._wire is not None:
            self._said_ms = self.street.now_ms()
            self._wire.send(data)
            self.street.spoke.add(self)

    def _wait_for(self, wire: Wire) -> None:
        """Wait for what the connection waits for now."""
        if self._wire is wire and wire.events != self._events:
            self._events = wire.events
            self.street.poll.modify(wire, self._events)

    def _number(self, topic: str) -> int:
        """A packet id that is not under way."""
        self._packet_id = self._packet_id % 65_535 + 1
        while self._packet_id in self._inflight:
            self._packet_id = self._packet_id % 65_535 + 1
        self._inflight[self._packet_id] = topic
        return self._packet_id

    def _let_go(self) -> None:
        assert self._wire is not None
        self._life += 1
        self.street.members.pop(self._wire.fileno(), None)
        self._wire.close()
        self._wire = None
