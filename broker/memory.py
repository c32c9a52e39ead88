"""The simulated line: a broker and its wires on a virtual clock, as bad as it is told to be.

Everything happens in callbacks of the `schedule` it is given, and every choice is drawn from one `Random`:
same seed, same story. It keeps the conformance suite of the real line, and adds what a real one does too
seldom to be tested: it loses, doubles and delays messages (so that they overtake each other), cuts wires,
lets each end notice in its own time, and forgets. It refuses to know accounts and access lists, and to log:
it carries millions of messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from tillbox.contracts.messages import BATCH_BYTES_MAX

from .line import Deliver, Down, Happening, Line, Message, Unheard, Up, Will

INFLIGHT_MAX = 20  # messages that a client may leave unacknowledged, as mosquitto's max_inflight_messages
QUEUE_MAX = 20_000  # messages that wait behind those, as mosquitto's max_queued_messages; more are dropped
UNANSWERED_MAX = 200  # publishes into a cut wire before the line says False, as on the real one
ROUTES_MAX = 65_536  # topics whose listeners are remembered: a town of 10,000 boxes has five each
NOBODY_LISTENS = 0x10

Schedule = Callable[[int, Callable[[], None]], None]
"""Do something after so many virtual milliseconds."""


@dataclass(slots=True)
class Weather:
    """How bad it is at the moment. May be changed at any time, and holds for what is sent from then on."""

    loss: float = 0.0
    """The chance that a message is lost, on each of its two ways: to the broker, and to each listener."""
    double: float = 0.0
    """The chance that it is carried twice, on each way."""
    delay_min_ms: int = 1
    delay_max_ms: int = 20
    """Drawn for each message and way: a wide range makes messages overtake each other."""
    notice_max_ms: int = 45_000
    """Each end of a cut wire notices within this time: one and a half keepalives of 30 s."""
    reconnect_max_ms: int = 1_000
    tells_unheard: bool = True
    """Whether the broker says that nobody listens. Not every broker does."""


@dataclass(slots=True)
class Fired:
    """How often each fault really happened. A history in which nothing fired has proved nothing."""

    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    cut: int = 0
    amnesias: int = 0


@dataclass(slots=True, eq=False)
class _Session:
    """One connection, as the broker sees it."""

    line: MemoryLine
    open: bool = True
    sent: int = 0
    newest: int = 0
    unanswered: int = 0
    unacknowledged: set[int] = field(default_factory=set)
    waiting: deque[Message] = field(default_factory=deque)


_Subscription = tuple[_Session, int]


class MemoryBroker:
    """One broker and the wires to it."""

    def __init__(self, random: Random, schedule: Schedule) -> None:
        self.weather = Weather()
        self.fired = Fired()
        self.schedule = schedule
        self._chance = random.random
        self._cut: set[str] = set()
        self._lines: dict[str, MemoryLine] = {}
        self._sessions: dict[str, _Session] = {}
        self._retained: dict[str, bytes] = {}
        self._exact: dict[str, list[_Subscription]] = {}
        self._wild: list[tuple[str, _Subscription]] = []
        self._routes: dict[str, tuple[_Subscription, ...]] = {}

    def line(
        self,
        client_id: str,
        *subscriptions: tuple[str, int],
        will: Will | None = None,
        birth: Callable[[], Will] | None = None,
        manual_ack: bool = False,
    ) -> MemoryLine:
        """A client's line, not yet started."""
        return MemoryLine(self, client_id, subscriptions, will, birth, manual_ack)

    # the faults

    def cut(self, client_id: str) -> None:
        """Cut a client's wire. Both ends believe in it for a while, each for its own."""
        if client_id in self._cut:
            return
        self._cut.add(client_id)
        self.fired.cut += 1
        session = self._sessions.get(client_id)
        if session is not None:
            self.schedule(self._soon(self.weather.notice_max_ms), partial(self._notice, session))
        line = self._lines.get(client_id)
        if line is not None:
            self.schedule(self._soon(self.weather.notice_max_ms), partial(line.notice, line.session))

    def mend(self, client_id: str) -> None:
        """The wire is whole again. Who noticed connects anew; who is alone on a connection learns it now."""
        self._cut.discard(client_id)
        line = self._lines.get(client_id)
        if line is None:
            return
        session = line.session
        if session is None:
            self.schedule(self._soon(self.weather.reconnect_max_ms), line.connect)
        elif session.open:
            session.unanswered = 0
        else:
            self.schedule(self._delay(), partial(line.lose, session, "the broker knows us no more"))

    def amnesia(self, *, keeps_retained: bool = False) -> None:
        """The broker restarts: connections, wills and what was under way are gone, and what was retained
        too, unless it has a disk."""
        self.fired.amnesias += 1
        sessions = list(self._sessions.values())
        for session in sessions:
            self._forget(session)
            self.schedule(self._delay(), partial(session.line.lose, session, "the broker ended"))
        if not keeps_retained:
            self._retained.clear()

    def is_cut(self, client_id: str) -> bool:
        """Whether a client's wire is cut."""
        return client_id in self._cut

    # what lines call

    def enter(self, line: MemoryLine) -> None:
        """A line wants to be connected from now on."""
        self._lines[line.client_id] = line
        self.schedule(self._soon(self.weather.reconnect_max_ms), line.connect)

    def leave(self, line: MemoryLine) -> None:
        """A line is stopped, or its process is dead."""
        if self._lines.get(line.client_id) is line:
            del self._lines[line.client_id]

    def accept(self, line: MemoryLine) -> _Session:
        """A new connection. An older one under the same name ends, and its will is said."""
        older = self._sessions.get(line.client_id)
        if older is not None:
            self._lost(older)
            self.schedule(self._delay(), partial(older.line.lose, older, "another took our name"))
        session = self._sessions[line.client_id] = _Session(line)
        for topic, qos in line.subscriptions:
            self._subscribe(topic, (session, qos))
        return session

    def welcome(self, session: _Session) -> None:
        """Send a new connection what is retained for it."""
        for pattern, qos in session.line.subscriptions:
            for topic in [topic for topic in self._retained if matches(pattern, topic)]:
                self._send((session, qos), Message(topic, self._retained[topic]), 1)

    def carry(self, session: _Session, message: Message, qos: int, retain: bool) -> None:
        """From a client to the broker: late, twice, or never."""
        if session.line.client_id in self._cut or not session.open:
            session.unanswered += 1
            self.fired.lost += 1
            return
        for _ in range(self._copies()):
            self.schedule(self._delay(), partial(self.arrive, session, message, qos, retain))

    def arrive(self, session: _Session, message: Message, qos: int, retain: bool) -> None:
        """The broker has it, if it still has the connection."""
        if not session.open:
            self.fired.lost += 1
            return
        if not self._spread(message, qos, retain) and qos and self.weather.tells_unheard:
            unheard = Unheard(message.topic, NOBODY_LISTENS)
            self.schedule(self._delay(), partial(session.line.hear, session, unheard))

    def hang_up(self, session: _Session, *, after_ms: int, said_goodbye: bool) -> None:
        """The client is gone; the broker learns it now or later. Without a goodbye it says the will."""
        if said_goodbye:
            self._forget(session)
        else:
            self.schedule(after_ms, partial(self._lost, session))

    def next_attempt(self, line: MemoryLine) -> None:
        """Connect again after a while."""
        self.schedule(self._soon(self.weather.reconnect_max_ms), line.connect)

    def ending_ms(self, client_id: str) -> int:
        """How long the broker takes to see that a client's socket is gone."""
        return self._soon(self.weather.notice_max_ms) if client_id in self._cut else self._delay()

    # inside

    def _notice(self, session: _Session) -> None:
        if session.line.client_id in self._cut:
            self._lost(session)

    def _lost(self, session: _Session) -> None:
        if not session.open:
            return
        self._forget(session)
        if session.line.will is not None:
            self._spread(Message(session.line.will.topic, session.line.will.payload), 1, True)

    def _forget(self, session: _Session) -> None:
        if not session.open:
            return
        session.open = False
        del self._sessions[session.line.client_id]
        for topic, qos in session.line.subscriptions:
            self._unsubscribe(topic, (session, qos))

    def _subscribe(self, topic: str, subscription: _Subscription) -> None:
        if "+" in topic or "#" in topic:
            self._wild.append((topic, subscription))
            self._routes.clear()
        else:
            self._exact.setdefault(topic, []).append(subscription)
            self._routes.pop(topic, None)

    def _unsubscribe(self, topic: str, subscription: _Subscription) -> None:
        if "+" in topic or "#" in topic:
            self._wild.remove((topic, subscription))
            self._routes.clear()
        else:
            self._exact[topic].remove(subscription)
            if not self._exact[topic]:
                del self._exact[topic]
            self._routes.pop(topic, None)

    def _spread(self, message: Message, qos: int, retain: bool) -> bool:
        """To everybody who listens; whether anybody does."""
        topic = message.topic
        if retain and message.payload:
            self._retained[topic] = message.payload
        elif retain:
            self._retained.pop(topic, None)
        route = self._routes.get(topic)
        if route is None:
            route = self._route(topic)
        for subscription in route:
            self._send(subscription, message, qos)
        return bool(route)

    def _route(self, topic: str) -> tuple[_Subscription, ...]:
        """Overlapping subscriptions bring a message more than once, as mosquitto does it."""
        wild = (subscription for pattern, subscription in self._wild if matches(pattern, topic))
        if len(self._routes) >= ROUTES_MAX:
            self._routes.clear()
        route = self._routes[topic] = (*self._exact.get(topic, ()), *wild)
        return route

    def _send(self, subscription: _Subscription, message: Message, qos: int) -> None:
        session, granted = subscription
        for _ in range(self._copies()):
            session.sent += 1
            late = partial(self._hand_over, session, session.sent, message, min(qos, granted))
            self.schedule(self._delay(), late)

    def _hand_over(self, session: _Session, number: int, message: Message, qos: int) -> None:
        line = session.line
        if line.session is not session or not session.open or line.client_id in self._cut:
            self.fired.lost += 1
            return
        if number < session.newest:
            self.fired.reordered += 1
        else:
            session.newest = number
        if not line.take(session, message, qos):
            self.fired.lost += 1

    def _copies(self) -> int:
        weather = self.weather
        if weather.loss and self._chance() < weather.loss:
            self.fired.lost += 1
            return 0
        if weather.double and self._chance() < weather.double:
            self.fired.doubled += 1
            return 2
        return 1

    def _delay(self) -> int:
        low, high = self.weather.delay_min_ms, self.weather.delay_max_ms
        return low + int(self._chance() * (high - low + 1))

    def _soon(self, most_ms: int) -> int:
        return int(self._chance() * (most_ms + 1))


class MemoryLine(Line):
    """A client's line. `session` is its own belief that it is connected; the broker may know better."""

    def __init__(
        self,
        broker: MemoryBroker,
        client_id: str,
        subscriptions: tuple[tuple[str, int], ...],
        will: Will | None,
        birth: Callable[[], Will] | None,
        manual_ack: bool,
    ) -> None:
        self.client_id, self.subscriptions, self.will = client_id, subscriptions, will
        self.session: _Session | None = None
        self._broker, self._birth, self._manual_ack = broker, birth, manual_ack
        self._deliver: Deliver | None = None
        self._said_down = False
        self._tokens = 0

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._broker.enter(self)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes = b"",
        expires_s: int | None = None,  # noqa: ARG002 (only what waits expires, and here nothing waits)
        spare: bool = False,
    ) -> bool:
        session = self.session
        if session is None or len(payload) > BATCH_BYTES_MAX or session.unanswered >= UNANSWERED_MAX:
            return False
        if spare and session.unanswered:
            return False
        self._broker.carry(session, Message(topic, payload, correlation), qos, retain)
        return True

    def acknowledge(self, token: int) -> None:
        session = self.session
        if session is not None and token in session.unacknowledged:
            session.unacknowledged.remove(token)
            if session.waiting:
                self._broker.schedule(1, partial(self._take_next, session))

    def reconnect(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            after_ms = self._broker.ending_ms(self.client_id)
            self._broker.hang_up(session, after_ms=after_ms, said_goodbye=False)
            self._broker.schedule(0, partial(self._down, "made anew on request"))
            self._broker.next_attempt(self)

    def stop(self, *, goodbye: Will | None = None) -> None:
        session = self._vanish()
        if session is None:
            return
        arrives = not self._broker.is_cut(self.client_id)
        if arrives and goodbye is not None:
            self._broker.arrive(session, Message(goodbye.topic, goodbye.payload), 1, True)
        after_ms = self._broker.ending_ms(self.client_id)
        self._broker.hang_up(session, after_ms=after_ms, said_goodbye=arrives)

    def die(self) -> None:
        """The process was killed: nothing is said, and the broker says the will."""
        session = self._vanish()
        if session is not None:
            after_ms = self._broker.ending_ms(self.client_id)
            self._broker.hang_up(session, after_ms=after_ms, said_goodbye=False)

    # what the broker calls

    def connect(self) -> None:
        """Try to connect. On a cut wire that fails, and `mend` brings the next attempt."""
        if self._deliver is None or self.session is not None:
            return
        if self._broker.is_cut(self.client_id):
            self._down("no answer from the broker")
            return
        self.session = session = self._broker.accept(self)
        self._said_down = False
        if self._birth is not None:
            # Birth and subscriptions travel on one connection, in order: chance has no hand in this.
            birth = self._birth()
            self._broker.arrive(session, Message(birth.topic, birth.payload), 1, True)
        self._say(Up())
        self._broker.welcome(session)

    def lose(self, session: _Session, why: str) -> None:
        """This connection is gone, if it still is the one; try again soon."""
        if self.session is session:
            self.session = None
            self._down(why)
            self._broker.next_attempt(self)

    def notice(self, session: _Session | None) -> None:
        """The keepalive ran out, if the wire is still cut."""
        if session is not None and self._broker.is_cut(self.client_id):
            self.lose(session, "no answer from the broker")

    def hear(self, session: _Session, happening: Happening) -> None:
        """Something came on a connection."""
        if self.session is session:
            self._say(happening)

    def take(self, session: _Session, message: Message, qos: int) -> bool:
        """A message came. False where too many wait for acknowledgements already."""
        if not (self._manual_ack and qos):
            self._say(message)
            return True
        if len(session.waiting) >= QUEUE_MAX:
            return False
        session.waiting.append(message)
        self._take_next(session)
        return True

    def _take_next(self, session: _Session) -> None:
        if session.waiting and self.session is session and len(session.unacknowledged) < INFLIGHT_MAX:
            message = session.waiting.popleft()
            self._tokens += 1
            session.unacknowledged.add(self._tokens)
            self._say(Message(message.topic, message.payload, message.correlation, self._tokens))

    def _vanish(self) -> _Session | None:
        self._deliver = None
        self._broker.leave(self)
        session, self.session = self.session, None
        return session

    def _down(self, why: str) -> None:
        if not self._said_down:
            self._said_down = True
            self._say(Down(why))

    def _say(self, happening: Happening) -> None:
        if self._deliver is not None:
            self._deliver(happening)


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic is one of a filter's. `+` is one level, `#` is all that follow and the level above."""
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    levels = iter(topic.split("/"))
    for wanted in pattern.split("/"):
        if wanted == "#":
            return True
        found = next(levels, None)
        if found is None or wanted not in ("+", found):
            return False
    return next(levels, None) is None
