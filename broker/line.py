"""The port to the line: what a box or the core needs of MQTT 5, and nothing more.

Two adapters keep one conformance suite: mqtt.py (paho, the real broker) and memory.py (loses, repeats,
reorders, partitions, on command). A line promises nothing: a message may be lost, doubled or late, and
what must not be lost is sent again by its owner until the other side's own answer settles it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for a client that is lost."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Up:
    """Connected, and every subscription is made anew."""


@dataclass(frozen=True, slots=True)
class Down:
    """The connection is gone or could not be made; `why` is a sentence for a log line. Said once for each
    reason until the line is up again."""

    why: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something arrived. `token` acknowledges it to the broker, where the line was told to wait for that."""

    topic: str
    payload: bytes
    correlation: bytes = b""
    token: int = 0


@dataclass(frozen=True, slots=True)
class Unheard:
    """The broker took a publish of ours and nobody listens (0x10), or refused it (0x80 and above)."""

    topic: str
    reason: int


Happening = Up | Down | Message | Unheard
Deliver = Callable[[Happening], None]


class Line(Protocol):
    """One client's connection. All methods may be called from any one thread; `deliver` is called from the
    line's own thread and must only put the happening on a queue."""

    def start(self, deliver: Deliver) -> None:
        """Connect, and go on connecting, until `stop`."""
        ...

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes = b"",
        expires_s: int | None = None,
        spare: bool = False,
    ) -> bool:
        """Hand a message to the broker now, or say False: it is too large, the line is down, or too many are
        unanswered; one that is to `spare` the line is taken only while nothing else is on its way there. True promises
        nothing, and nothing that was taken outlives the connection."""
        ...

    def acknowledge(self, token: int) -> None:
        """Tell the broker that a message is safe with us (PUBACK), after our commit: it sends only so many
        more than are acknowledged. A token counts for the connection that brought it. What was never
        acknowledged does not come again by itself: sessions are stateless, and its owner sends again."""
        ...

    def reconnect(self) -> None:
        """Throw the connection away and make a new one: it looks alive and is not. Does not wait for it."""
        ...

    def stop(self, *, goodbye: Will | None = None) -> None:
        """Say goodbye if there is something to say, and disconnect cleanly."""
        ...
