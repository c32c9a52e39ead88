"""What to send next: a pure table over the journal's positions. It refuses to know what MQTT is.

Three numbers tell everything: `settled <= sent <= committed`, all positions in the journal. A round
begins when the line comes up, or when the answer to a round is overdue: sending starts again after what
is settled (go-back-N: the core takes a record only after the one before it). Only the core's ack moves
`settled` (back, too, where a core was put back from an older copy); that the broker took a message proves nothing.

    settled         sent            committed
    ---|=== in flight ===|... waiting ...|

The table has a row for every pair of phase and event; a test proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

WINDOW = 200
"""Records under way at most: 2 s of the core's slowest ingest measured, 100 KB of memory."""

RESEND_MS = 10_000
RESEND_MAX_MS = 30_000
PATIENCE_MAX = 2
"""The wait for an ack doubles from 10 s (where ten thousand boxes come at once, acks take that and longer; a line that is up
loses little, and it is chiefly a core that died with a record in its hands that is waited for in vain) to 30 s (the
broker's keepalive). It stays doubled until an answer comes to what was sent once, within a quarter of it. What is sent again too
early makes a busy core busier, and its answer does not tell which of the two it answers (Karn and Partridge, "Improving
round-trip time estimates in reliable transport protocols", 1987)."""

UNHEARD_MS = 2_000
"""Where the broker says that nobody listens, nothing is under way, and it is tried again after 2, 4, 8, 16 and 30 s."""

SILENT_ROUNDS = 6
"""After six rounds without an ack (10 + 20 s, and four of 30, or six of 30) the connection itself is suspected and made anew. A dead
one is found by its keepalive long before; sooner, a core that ten thousand boxes come back to at once would be answered
with ten thousand handshakes, each dearer than a hundred records."""


class Phase(Enum):
    """Where delivery stands."""

    DOWN = auto()
    CALM = auto()
    SENDING = auto()


@dataclass(frozen=True, slots=True)
class Delivery:
    """The whole state."""

    phase: Phase = Phase.DOWN
    committed: int = 0
    settled: int = 0
    sent: int = 0
    credit: int = WINDOW
    silent_rounds: int = 0
    patience: int = 0
    """How often the wait for an ack is doubled."""
    unheard: bool = False
    """Whether nobody listened when this round was sent."""
    due_ms: int = 0

    def __post_init__(self) -> None:
        assert self.settled <= self.sent <= self.committed, self


# events


@dataclass(frozen=True, slots=True)
class LineUp:
    """Connected and subscribed; anything sent earlier may be lost."""


@dataclass(frozen=True, slots=True)
class LineDown:
    """The connection is gone."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The journal now ends at `position`."""

    position: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The core's ack moved the journal's `settled_through`, or confirmed it."""

    through: int
    credit: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The core has lost what it held: only what is up to `through` is settled now."""

    through: int


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """The broker says that nobody is listening (0x10), or refused the message (0x80 and above)."""


Event = LineUp | LineDown | Committed | Settled | Forgotten | Ticked | Unheard

# effects


@dataclass(frozen=True, slots=True)
class Publish:
    """Send the records in (after, through]."""

    after: int
    through: int


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The line looks up and is not: make a new connection."""


Effect = Publish | Reconnect
Step = tuple[Delivery, tuple[Effect, ...]]


def step(delivery: Delivery, event: Event, now_ms: int) -> Step:
    """What to do about an event at `now_ms` (a clock that never jumps)."""
    return TABLE[delivery.phase, type(event)](delivery, event, now_ms)


def _begin(delivery: Delivery, _: Event, now_ms: int) -> Step:
    return _send(
        replace(delivery, phase=Phase.CALM, sent=delivery.settled, silent_rounds=0, unheard=False), now_ms
    )


def _stop(delivery: Delivery, _: Event, __: int) -> Step:
    return replace(delivery, phase=Phase.DOWN, sent=delivery.settled), ()


def _note(delivery: Delivery, event: Event, _: int) -> Step:
    assert isinstance(event, Committed)
    return replace(delivery, committed=event.position), ()


def _more(delivery: Delivery, event: Event, now_ms: int) -> Step:
    assert isinstance(event, Committed)
    return _send(replace(delivery, committed=event.position), now_ms)


def _late_ack(delivery: Delivery, event: Event, _: int) -> Step:
    assert isinstance(event, Settled)
    through = max(delivery.settled, event.through)
    return replace(delivery, settled=through, sent=max(delivery.sent, through)), ()


def _ack(delivery: Delivery, event: Event, now_ms: int) -> Step:
    assert isinstance(event, Settled)
    delivery = replace(
        _moved(delivery, now_ms) if event.through > delivery.settled else delivery,
        settled=max(delivery.settled, event.through),
        sent=max(delivery.sent, event.through),
        credit=event.credit,
    )
    return _send(delivery, now_ms)


def _moved(delivery: Delivery, now_ms: int) -> Delivery:
    """The core goes on; where it was quick with what was sent once, less patience is enough."""
    wait_ms = _wait_ms(delivery.patience)
    quick = delivery.silent_rounds == 0 and delivery.due_ms - now_ms >= wait_ms - wait_ms // 4
    patience = max(0, delivery.patience - 1) if quick else delivery.patience
    due_ms = now_ms + _wait_ms(patience)
    return replace(delivery, silent_rounds=0, patience=patience, unheard=False, due_ms=due_ms)


def _forget(delivery: Delivery, event: Event, _: int) -> Step:
    assert isinstance(event, Forgotten)
    through = min(delivery.settled, event.through)
    return replace(delivery, settled=through, sent=through), ()


def _again_from(delivery: Delivery, event: Event, now_ms: int) -> Step:
    return _begin(_forget(delivery, event, now_ms)[0], event, now_ms)


def _look(delivery: Delivery, _: Event, now_ms: int) -> Step:
    return _again(delivery, now_ms) if now_ms >= delivery.due_ms else (delivery, ())


def _wait(delivery: Delivery, _: Event, now_ms: int) -> Step:
    """Nobody listens: no use to send the rest of the round. Begin again when it is due."""
    due_ms = now_ms + min(RESEND_MAX_MS, UNHEARD_MS << min(delivery.silent_rounds, 4))
    return replace(delivery, due_ms=due_ms, unheard=True), ()


def _nothing(delivery: Delivery, _: Event, __: int) -> Step:
    return delivery, ()


def _again(delivery: Delivery, now_ms: int) -> Step:
    rounds, unheard = delivery.silent_rounds + 1, delivery.unheard
    patience = delivery.patience if unheard else min(delivery.patience + 1, PATIENCE_MAX)
    delivery = replace(
        delivery, sent=delivery.settled, silent_rounds=rounds, patience=patience, unheard=False
    )
    if rounds % SILENT_ROUNDS == 0 and not unheard:
        return replace(delivery, due_ms=now_ms + _wait_ms(patience)), (Reconnect(),)
    return _send(delivery, now_ms)


def _send(delivery: Delivery, now_ms: int) -> Step:
    """Fill the window. One record is allowed even without credit, so that a credit is ever learned."""
    through = min(delivery.committed, delivery.settled + max(1, min(WINDOW, delivery.credit)))
    if through <= delivery.sent:
        calm = delivery.sent == delivery.settled
        return replace(delivery, phase=Phase.CALM if calm else Phase.SENDING), ()
    due_ms = now_ms + _wait_ms(delivery.patience) if delivery.sent == delivery.settled else delivery.due_ms
    publish = Publish(delivery.sent, through)
    return replace(delivery, phase=Phase.SENDING, sent=through, due_ms=due_ms), (publish,)


def _wait_ms(patience: int) -> int:
    return min(RESEND_MAX_MS, RESEND_MS << patience)


Row = Callable[[Delivery, Event, int], Step]

TABLE: dict[tuple[Phase, type], Row] = {
    (Phase.DOWN, LineUp): _begin,
    (Phase.DOWN, LineDown): _nothing,
    (Phase.DOWN, Committed): _note,
    (Phase.DOWN, Settled): _late_ack,
    (Phase.DOWN, Forgotten): _forget,
    (Phase.DOWN, Ticked): _nothing,
    (Phase.DOWN, Unheard): _nothing,
    (Phase.CALM, LineUp): _begin,
    (Phase.CALM, LineDown): _stop,
    (Phase.CALM, Committed): _more,
    (Phase.CALM, Settled): _ack,
    (Phase.CALM, Forgotten): _again_from,
    (Phase.CALM, Ticked): _nothing,
    (Phase.CALM, Unheard): _nothing,
    (Phase.SENDING, LineUp): _begin,
    (Phase.SENDING, LineDown): _stop,
    (Phase.SENDING, Committed): _more,
    (Phase.SENDING, Settled): _ack,
    (Phase.SENDING, Forgotten): _again_from,
    (Phase.SENDING, Ticked): _look,
    (Phase.SENDING, Unheard): _wait,
}
