"""The line between boxes and core, with every fault a line has; and the virtual clock it all runs on."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tillbox.broker.line import Deliver, Down, Message, Unheard, Up, Will
from tillbox.contracts import topics


class Agenda:
    """What happens when, in virtual milliseconds. Same seed, same order."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, wait_ms: int, what: Callable[[], None]) -> None:
        """Do something later."""
        self._number += 1
        heapq.heappush(self._heap, (self.now_ms + max(0, wait_ms), self._number, what))

    def run_until(self, end_ms: int) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= end_ms:
            self.now_ms, _, what = heapq.heappop(self._heap)
            what()
        self.now_ms = max(self.now_ms, end_ms)


@dataclass(slots=True)
class Weather:
    """How bad the line is at the moment."""

    loss: float = 0.0
    double: float = 0.0
    delay_ms: int = 20


class Network:
    """A broker and the wires to it. It may forget everything, and nobody may rely on it."""

    def __init__(self, agenda: Agenda, random: Random) -> None:
        self.agenda, self.random = agenda, random
        self.weather = Weather()
        self.counts: Counter[str] = Counter()
        self.cut_off: set[str] = set()
        self.core: Callable[[str, bytes, bytes], bool] | None = None
        self.lines: dict[str, SimulatedLine] = {}

    def cut(self, client: str) -> None:
        """Cut a client's wire. It notices after a while, or when it comes back."""
        self.cut_off.add(client)
        self.counts["cuts"] += 1
        line = self.lines.get(client)
        if line is not None:
            self.agenda.after(self.random.randint(0, 3_000), line.notice)

    def mend(self, client: str) -> None:
        """The wire is whole again."""
        self.cut_off.discard(client)
        line = self.lines.get(client)
        if line is not None:
            self.agenda.after(self.random.randint(0, 500), line.connect)

    def amnesia(self) -> None:
        """The broker restarts and has forgotten everything: every connection is new."""
        self.counts["amnesias"] += 1
        for line in list(self.lines.values()):
            line.drop()
            self.agenda.after(self.random.randint(0, 1_000), line.connect)

    def send(self, client: str, deliver: Callable[[], None]) -> None:
        """Carry one message for a client: late, twice, or never."""
        weather, random = self.weather, self.random
        if client in self.cut_off or random.random() < weather.loss:
            self.counts["lost"] += 1
            return
        copies = 1 + (random.random() < weather.double)
        self.counts["doubled"] += copies - 1
        for _ in range(copies):
            self.agenda.after(random.randint(1, weather.delay_ms), deliver)

    def to_box(self, device: str, topic: str, payload: bytes, correlation: bytes = b"") -> None:
        """The core publishes to a box."""

        def deliver() -> None:
            line = self.lines.get(device)
            if line is not None and line.connected and device not in self.cut_off:
                line.hear(Message(topic, payload, correlation))

        self.send(device, deliver)


class SimulatedLine:
    """A box's line."""

    def __init__(self, network: Network, client: str) -> None:
        self.network, self.client = network, client
        self.connected = False
        self._deliver: Deliver | None = None

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self.network.lines[self.client] = self
        self.network.agenda.after(self.network.random.randint(1, 300), self.connect)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,  # noqa: ARG002
        retain: bool = False,  # noqa: ARG002
        correlation: bytes = b"",
        expires_s: int | None = None,  # noqa: ARG002
    ) -> bool:
        if not self.connected:
            return False

        def deliver() -> None:
            core = self.network.core
            heard = core is not None and core(topic, payload, correlation)
            if not heard and self.connected:
                self.hear(Unheard(topic, 0x10))

        self.network.send(self.client, deliver)
        return True

    def acknowledge(self, token: int) -> None:
        """A box acknowledges nothing to the broker."""

    def reconnect(self) -> None:
        self.drop()
        self.network.agenda.after(200, self.connect)

    def stop(self, *, goodbye: Will | None = None) -> None:  # noqa: ARG002
        self._deliver = None
        self.connected = False
        if self.network.lines.get(self.client) is self:
            del self.network.lines[self.client]

    def hear(self, happening: Message | Unheard) -> None:
        """Hand something to the box."""
        if self._deliver is not None:
            self._deliver(happening)

    def connect(self) -> None:
        """Connect, if the wire is whole and the box is on."""
        if self._deliver is not None and not self.connected and self.client not in self.network.cut_off:
            self.connected = True
            self._deliver(Up())

    def notice(self) -> None:
        """Notice that the wire is cut, if it still is."""
        if self.client in self.network.cut_off:
            self.drop()

    def drop(self) -> None:
        """Lose the connection."""
        if self.connected and self._deliver is not None:
            self.connected = False
            self._deliver(Down("the line was cut"))


def device_of(topic: str) -> str:
    """The device of a topic that a simulated box published to."""
    device = topics.device_of(topic)
    assert device is not None, topic
    return device
