"""The line over MQTT 5: the one file that knows paho.

A connection is one paho client and one socket, and never comes back: what ends is thrown away and made anew,
certificates read again. One thread of ours carries it, so that nothing paho does can end the line, and paho's
callbacks only note what happened: `deliver` is called when paho holds none of its locks.

Sessions are stateless on purpose (clean start, no expiry): brokers lose queues, shared subscriptions and
expired heads of line in ways that differ by version; what must arrive is sent again by its owner. So a message
that was not acknowledged does not come again either: holding back acknowledgements holds back the broker, and
that is all. QoS 1, never 2: paho reports a QoS 2 publish that the broker refused as a success.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import select
import socket
import ssl
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tillbox.contracts.messages import BATCH_BYTES_MAX

from .line import Deliver, Down, Happening, Line, Message, Unheard, Up, Will

KEEPALIVE_S = 30
INFLIGHT_MAX = 20  # publishes on the wire without PUBACK: what brokers allow where they say nothing else
UNANSWERED_MAX = (
    200  # publishes given to paho and not answered: more than a box ever says at once is a dead line
)
SHAKE_S = 45.0  # for each step of a handshake: a broker that all boxes come back to at once shakes hands with all of them
ALERT_S = 1.0  # a broker that does not want us says so at once; a far line takes its time
CONNECT_S = 15.0  # TCP over a slow 4G line; and as long again for the broker's first answers
STEADY_S = 1.0  # a connection that lived shorter is no reason to hurry back: somebody throws us out
TURN_S = 1.0  # how often paho looks at its keepalive
GOODBYE_S = 2.0  # a goodbye that takes longer than three slow round trips will not arrive
STOP_S = (
    5.0  # then the thread is left to end by itself: at most CONNECT_S, it is only waiting for a dead network
)
HELD_MAX = (
    65_536  # written by paho and not by us: a turn's answers of a core; more, and the broker is not reading
)
TLS_RECORD = 16_384
PACKETS_A_TURN = 64  # between two looks at what is to be written
NOBODY_LISTENS = 0x10
REFUSED = 0x80
NOT_MQTT = "what answers there does not speak MQTT 5; is it our broker?"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is, and who we are to it: by a certificate and its key, or, at the door where boxes ask for their
    first one, by a name and a password. The two waits are the caller's to draw: a box that waits its own time between
    attempts does not come back in the same second as a thousand others."""

    host: str
    port: int
    client_id: str
    authority: Path
    certificate: Path | None
    key: Path | None
    subscriptions: tuple[tuple[str, int], ...]
    password: tuple[str, str] | None = None
    will: Will | None = None
    birth: Callable[[], Will] | None = None
    manual_ack: bool = False
    reconnect_min_s: float = 1
    reconnect_max_s: float = 60
    inflight_max: int = INFLIGHT_MAX
    unanswered_max: int = UNANSWERED_MAX


def _share_tables() -> None:
    """paho builds the same three tables anew for every packet, and looks for each of thirty properties in it before it reads
    them: a third of the time of a core with ten thousand boxes. The tables never change, so all may hold the first ones."""
    shared = vars(_properties(PacketTypes.PUBLISH)).copy()

    def begin(properties: Properties, packet_type: int) -> None:
        vars(properties).update({**shared, "packetType": packet_type})

    def clear(properties: Properties) -> None:
        held = vars(properties)
        for name in [name for name in held if name not in shared]:
            del held[name]

    Properties.__init__ = begin  # type: ignore[method-assign]
    Properties.clear = clear  # type: ignore[method-assign]


def own_waits(chance: bytes) -> tuple[float, float]:
    """A box's own least and longest wait between two attempts, in seconds, from two random bytes. Whole seconds would
    bring ten thousand boxes back in three bursts, each longer than a broker's queue of handshakes."""
    return 1 + chance[0] / 128, 10 + chance[1] * 50 / 256


class MqttLine(Line):
    """A `Line` to a real broker."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._deliver: Deliver | None = None
        self._worker: threading.Thread | None = None
        self._orders: _Orders | None = None
        self._connection: _Connection | None = None
        self._connections = 0
        self._is_up = False
        self._up_since: float | None = None
        self._said: list[str] = []

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._set_to_work()

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
        if len(payload) > BATCH_BYTES_MAX:
            # The broker would end the connection over it, and its owner send it again, for ever.
            log.error("line.too_large", topic=topic, size=len(payload), hint="bound it where it is made")
            return False
        connection = self._connection
        if connection is None or not self._is_up or (spare and not connection.is_idle):
            return False
        properties = None
        if correlation or expires_s is not None:
            properties = _properties(PacketTypes.PUBLISH)
            if correlation:
                properties.CorrelationData = correlation
            if expires_s is not None:
                properties.MessageExpiryInterval = expires_s
        return connection.publish(topic, payload, qos, retain, properties)

    def acknowledge(self, token: int) -> None:
        connection = self._connection
        # Packet ids begin at 1 with every connection: one of an earlier connection names another message now.
        if connection is not None and token >> 16 == connection.number:
            connection.client.ack(token & 0xFFFF, 1)

    def reconnect(self) -> None:
        if self._orders is not None:
            self._orders.give(anew=True)
        if self._deliver is not None and not self._works():
            log.error("line.worker_gone", hint="a fault of ours ended the line's thread; it is started again")
            self._set_to_work()

    def stop(self, *, goodbye: Will | None = None) -> None:
        self._deliver = None
        connection = self._connection
        said = goodbye is not None and self.publish(goodbye.topic, goodbye.payload, retain=True)
        if said and connection is not None:
            connection.wait_for_answers(GOODBYE_S)
        if self._orders is not None:
            self._orders.give(end=True)
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(STOP_S)

    def _works(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _set_to_work(self) -> None:
        self._orders = orders = _Orders()
        name = f"line {self._endpoint.client_id}"
        self._worker = threading.Thread(target=self._work, args=(orders,), name=name, daemon=True)
        self._worker.start()

    # the worker's thread

    def _work(self, orders: _Orders) -> None:
        endpoint = self._endpoint
        wait_s = endpoint.reconnect_min_s
        try:
            while not orders.end:
                why = self._live(orders)
                if orders.end:
                    break
                self._down(why)
                if self._up_since is not None and time.monotonic() - self._up_since >= STEADY_S:
                    wait_s = endpoint.reconnect_min_s
                orders.wait(wait_s)
                wait_s = min(2 * wait_s, endpoint.reconnect_max_s)
        finally:
            orders.close()

    def _live(self, orders: _Orders) -> str:
        """One connection from its first byte to its last, and why it ended."""
        endpoint, connection = self._endpoint, None
        self._connections += 1
        self._up_since = None
        orders.anew = False
        try:
            connection = _Connection(endpoint, self._connections, orders)
            connection.open()
            self._connection = connection
            return self._carry(connection, orders)
        except (OSError, ValueError) as fault:
            return _sentence(fault, endpoint)
        except Exception as fault:
            log.exception("line.fault", hint="the connection is made anew")
            return f"a fault in the line itself: {fault!r}"
        finally:
            self._connection, self._is_up = None, False
            if connection is not None:
                connection.close()

    def _carry(self, connection: _Connection, orders: _Orders) -> str:
        due = time.monotonic() + CONNECT_S
        while connection.is_open and not (orders.anew or orders.end):
            connection.turn(TURN_S)
            for one in connection.happened():
                if isinstance(one, Up):
                    self._greet(connection)
                    self._up_since = time.monotonic()
                    self._is_up = True
                self._say(one)
            if not self._is_up and time.monotonic() > due:
                return f"the broker took the connection and said nothing for {CONNECT_S:.0f} s"
        if orders.end:
            connection.part()
        return "made anew on request" if orders.anew else connection.why

    def _greet(self, connection: _Connection) -> None:
        if self._said:
            log.info("line.back", broker=f"{self._endpoint.host}:{self._endpoint.port}")
            self._said.clear()
        if self._endpoint.birth is not None:
            birth = self._endpoint.birth()
            connection.publish(birth.topic, birth.payload, 1, True, None)

    def _down(self, why: str) -> None:
        """Say once that the line is lost; a new reason meanwhile is said once, too."""
        if why not in self._said:
            if not self._said:
                log.warning("line.lost", why=why, hint="a box goes on selling; what waits is sent later")
            else:
                log.warning("line.still_lost", why=why)
            self._said.append(why)
            self._say(Down(why))

    def _say(self, happening: Happening) -> None:
        deliver = self._deliver
        if deliver is not None:
            try:
                deliver(happening)
            except Exception:
                log.exception("line.deliver_failed", happening=type(happening).__name__)


class _Connection:
    """One paho client from its CONNECT to its end. Only the worker touches its socket: a TLS connection must
    not be read and written by two threads at once."""

    def __init__(self, endpoint: Endpoint, number: int, orders: _Orders) -> None:
        self.number = number
        self.why = "the connection was lost"
        self._endpoint, self._orders = endpoint, orders
        self._noted: deque[Callable[[], Happening | None]] = deque()
        self._answered = threading.Condition()
        self._topics: dict[int, str] = {}
        self._poll = select.poll()
        self.client = self._new_client()

    def open(self) -> None:
        """Connect, and say CONNECT. Raises what went wrong on the way."""
        endpoint = self._endpoint
        self.client.connect(endpoint.host, endpoint.port, keepalive=KEEPALIVE_S, clean_start=True)
        wire = self.client.socket()
        assert isinstance(wire, ssl.SSLSocket)
        # A second small message would wait 40 ms for the broker's delayed TCP acknowledgement of the first.
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll.register(self._orders.fileno(), select.POLLIN)

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self.client.socket() is not None

    @property
    def is_idle(self) -> bool:
        """Whether all that was said is with the broker, to the last byte: what a slow network holds is on its way, too."""
        with contextlib.suppress(OSError, ValueError):
            wire = self.client.socket()
            if isinstance(wire, _Wire) and not (self._topics or wire.wants_write):
                found = fcntl.ioctl(wire.fileno(), termios.TIOCOUTQ, bytes(4))
                return int.from_bytes(found, sys.byteorder) == 0
        return False

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool, properties: Properties | None
    ) -> bool:
        """Give paho a message, unless too many are unanswered."""
        # The worker takes this lock outside of paho's callbacks only, so paho's own locks may be taken in here.
        with self._answered:
            if len(self._topics) >= self._endpoint.unanswered_max:
                return False
            info = self.client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
            if info.rc != paho.MQTT_ERR_SUCCESS:
                return False
            self._topics[info.mid] = topic
            return True

    def wait_for_answers(self, patience_s: float) -> None:
        """Wait until the broker has answered everything, or the connection is gone, or patience ends."""
        with self._answered:
            self._answered.wait_for(lambda: not self._topics, patience_s)

    def turn(self, wait_s: float) -> None:
        """Wait for something to read or write, and do it."""
        client, wire = self.client, self.client.socket()
        assert isinstance(wire, _Wire)
        writes = client.want_write() or wire.wants_write
        self._poll.register(wire, select.POLLIN | (select.POLLOUT if writes else 0))
        held_back = wire.pending()  # TLS may have decrypted more than was asked for
        ready = {number for number, _ in self._poll.poll(0 if held_back else wait_s * 1000)}
        self._orders.heard()
        if held_back or wire.fileno() in ready:
            self._read(wire)
        if client.want_write():
            client.loop_write()
        client.loop_misc()
        if wire.fileno() >= 0:
            wire.flush()

    def _read(self, wire: _Wire) -> None:
        """Everything that has come, up to a bound: paho takes a packet at a time, and a turn for each is dear."""
        for _ in range(PACKETS_A_TURN):
            found = self.client.loop_read()
            self.why = NOT_MQTT if found == paho.MQTT_ERR_PROTOCOL else self.why
            if self.client.socket() is not wire or wire.is_dry:
                return

    def happened(self) -> list[Happening]:
        """What the callbacks noted since the last turn."""
        found: list[Happening] = []
        while self._noted:
            happening = self._noted.popleft()()
            if happening is not None:
                found.append(happening)
        return found

    def part(self) -> None:
        """Tell the broker that we go, so that it keeps the will to itself."""
        self.client.disconnect()
        due = time.monotonic() + 1.0
        while self.is_open and time.monotonic() < due:
            self.turn(0.1)

    def close(self) -> None:
        """Let go of everything."""
        wire = self.client.socket()
        if wire is not None:
            wire.close()
        with self._answered:
            self._topics.clear()
            self._answered.notify_all()

    def _new_client(self) -> paho.Client:
        endpoint = self._endpoint
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=endpoint.client_id,
            protocol=paho.MQTTv5,
            manual_ack=endpoint.manual_ack,
        )
        client.suppress_exceptions = True
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(endpoint.inflight_max)
        client.tls_set_context(_context(endpoint))
        if endpoint.password is not None:
            client.username_pw_set(*endpoint.password)
        if endpoint.will is not None:
            # At once: mosquitto 2.0.11 frees a delayed will twice when its client is back, so that the core waits instead.
            client.will_set(endpoint.will.topic, endpoint.will.payload, 1, True)
        note = self._noted.append
        client.on_connect = lambda _c, _u, _f, reason, _p: note(lambda: self._connected(reason))
        client.on_subscribe = lambda _c, _u, _m, reasons, _p: note(lambda: self._subscribed(reasons))
        client.on_message = lambda _c, _u, message: note(lambda: self._message(message))
        client.on_publish = lambda _c, _u, mid, reason, _p: note(lambda: self._published(mid, reason))
        client.on_disconnect = lambda _c, _u, flags, reason, _p: self._ended(flags, reason)
        # With this set, paho leaves all writing to us; it need only wake us.
        client.on_socket_register_write = lambda *_: self._orders.ring()
        # What went wrong on the socket is told to a logger and nobody else, as the exception itself.
        ear = logging.Logger("paho", logging.ERROR)
        ear.addFilter(self._overheard)
        client.enable_logger(ear)
        return client

    def _connected(self, reason: ReasonCode) -> Happening | None:
        if reason.is_failure:
            self.why = f"the broker refused us: {reason}"
            return None
        if not self._endpoint.subscriptions:
            return Up()
        # Whatever the broker says of a session: subscribe anew, every time.
        self.client.subscribe(list(self._endpoint.subscriptions))
        return None

    def _subscribed(self, reasons: list[ReasonCode]) -> Happening | None:
        refused = [
            topic
            for (topic, _), reason in zip(self._endpoint.subscriptions, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            self.why = f"the broker refused to let us listen to {', '.join(refused)}"
            self.client.disconnect()
            return None
        return Up()

    def _message(self, message: paho.MQTTMessage) -> Happening:
        correlation = getattr(message.properties, "CorrelationData", b"")
        waits = self._endpoint.manual_ack and message.qos
        token = self.number << 16 | message.mid if waits else 0
        return Message(message.topic, bytes(message.payload), bytes(correlation), token)

    def _published(self, mid: int, reason: ReasonCode) -> Happening | None:
        with self._answered:
            topic = self._topics.pop(mid, None)
            if not self._topics:
                self._answered.notify_all()
        heard = topic is None or (reason.value != NOBODY_LISTENS and reason.value < REFUSED)
        return None if heard or topic is None else Unheard(topic, reason.value)

    def _ended(self, flags: paho.DisconnectFlags, reason: ReasonCode) -> None:
        if flags.is_disconnect_packet_from_server:
            self.why = f"the broker ended the connection: {reason}"

    def _overheard(self, record: logging.LogRecord) -> bool:
        faults = [one for one in record.args or () if isinstance(one, Exception)]
        if faults:
            self.why = _sentence(faults[0], self._endpoint)
        return False


class _Orders:
    """What one worker is told from other threads, and what wakes it while it waits for the network."""

    def __init__(self) -> None:
        self.anew = self.end = False
        self._rung = False
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)

    def give(self, *, anew: bool = False, end: bool = False) -> None:
        """Tell it to make the connection anew, or to end."""
        self.anew |= anew
        self.end |= end
        self.ring()

    def ring(self) -> None:
        """Wake it. A worker that is awake, or gone, is fine; one that was rung and has not come round comes all the same."""
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):
                self._far.send(b"!")

    def fileno(self) -> int:
        """What to wait for."""
        return self._near.fileno()

    def heard(self) -> None:
        """It is awake."""
        with contextlib.suppress(OSError):
            self._near.recv(4_096)
        self._rung = False  # what is rung for from here on, this round may have missed

    def wait(self, wait_s: float) -> None:
        """Wait between two attempts, or until told otherwise."""
        poll = select.poll()
        poll.register(self._near, select.POLLIN)
        due = time.monotonic() + wait_s
        while not (self.anew or self.end) and (left_s := due - time.monotonic()) > 0:
            poll.poll(left_s * 1000)
            self.heard()

    def close(self) -> None:
        """Nobody listens any more."""
        self._near.close()
        self._far.close()


class _Complaint(ValueError):
    """What went wrong, as a sentence already."""


class _Wire(ssl.SSLSocket):
    """Closes itself where the handshake fails: paho forgets it then. And holds back what paho writes, a packet at a time,
    until the turn is over: a broker reads one TLS record of a client in a turn of its own, and in a storm has few of them."""

    _held = b""
    _come, _taken = b"", 0
    is_dry = False
    """Whether there was nothing to read any more when somebody last tried."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:  # noqa: ARG002 (paho gives none)
        """As much as is wanted, out of a whole TLS record: paho asks for a packet's first bytes one by one."""
        if self._taken >= len(self._come):
            self.is_dry = True
            self._come, self._taken = super().recv(TLS_RECORD), 0
            self.is_dry = not self._come
        piece = self._come[self._taken : self._taken + buflen]
        self._taken += len(piece)
        return piece

    def pending(self) -> int:
        """What has come and was not asked for yet."""
        return len(self._come) - self._taken + super().pending()

    @property
    def wants_write(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def send(self, data: Any, flags: int = 0) -> int:  # noqa: ARG002 (paho gives none)
        """Hold it back, unless too much is held already."""
        if len(self._held) >= HELD_MAX:
            self.flush()
        if len(self._held) >= HELD_MAX:
            raise ssl.SSLWantWriteError
        self._held += bytes(data)
        return len(bytes(data))

    def flush(self) -> None:
        """Write what was held back, as far as there is room."""
        with contextlib.suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
            while self._held:
                self._held = self._held[super().send(self._held[:TLS_RECORD]) :]

    def close(self) -> None:
        """Let go, after a last try: paho closes as soon as it has said goodbye."""
        with contextlib.suppress(OSError, ValueError):
            self.flush()
        super().close()

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, or close. Whoever gives up sooner begins anew behind everybody else, and nobody ever comes in."""
        self.settimeout(SHAKE_S)
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    for path in (endpoint.authority, endpoint.certificate, endpoint.key):
        if path is not None:
            path.open("rb").close()  # so that the fault names the file: ssl's own does not
    try:
        context = ssl.create_default_context(cafile=str(endpoint.authority))
        if endpoint.certificate is not None:
            context.load_cert_chain(endpoint.certificate, endpoint.key)
    except ssl.SSLError as fault:
        folder = (endpoint.certificate or endpoint.authority).parent
        raise _Complaint(
            f"our certificate or key is damaged ({fault.reason}); enrol anew: {folder}"
        ) from fault
    context.sslsocket_class = _Wire
    return context


_ALERTS = {
    "UNKNOWN_CA": "the broker does not know who signed our certificate; ask for a new one",
    "CERTIFICATE_EXPIRED": "the broker says that our certificate has expired; ask for a new one",
    "CERTIFICATE_REVOKED": "our certificate was revoked; this box must be enrolled again",
    "CERTIFICATE_REQUIRED": "the broker wants a certificate and we have none; enrol this box",
    "BAD_CERTIFICATE": "the broker does not accept our certificate; enrol this box again",
}
"""What a broker's TLS alert means for whoever reads the log."""


def reach(endpoint: Endpoint) -> str:
    """Whether the broker can be reached with this box's certificate: empty, or what is wrong in a sentence. It says nothing
    there, so a running box keeps its line."""
    try:
        context = _context(endpoint)
        with (
            socket.create_connection((endpoint.host, endpoint.port), CONNECT_S) as line,
            context.wrap_socket(line, server_hostname=endpoint.host) as wire,
        ):
            wire.settimeout(ALERT_S)
            # A broker that does not accept our certificate says so after the handshake.
            with contextlib.suppress(TimeoutError):
                if not wire.recv(1):
                    return f"{endpoint.host}:{endpoint.port} hung up; does it know this box?"
    except (OSError, ValueError) as fault:
        return _sentence(fault, endpoint)
    return ""


def _sentence(fault: Exception, endpoint: Endpoint) -> str:
    """What went wrong, for a log line: what, why, what now."""
    where = f"{endpoint.host}:{endpoint.port}"
    if isinstance(fault, _Complaint):
        return str(fault)
    if isinstance(fault, UnicodeDecodeError):
        return NOT_MQTT
    if isinstance(fault, ssl.SSLCertVerificationError):
        said = fault.verify_message.rstrip(".")
        return f"the certificate of {where} is not accepted: {said}; is it our broker, is our clock right?"
    if isinstance(fault, ssl.SSLError):
        reason = fault.reason or str(fault)
        found = [text for alert, text in _ALERTS.items() if alert in reason.upper()]
        return found[0] if found else f"TLS with {where} failed: {reason}"
    if isinstance(fault, OSError) and fault.filename is not None:
        return f"our certificate or key cannot be read: {fault.strerror}: {fault.filename}"
    if isinstance(fault, socket.gaierror):
        return f"the name {endpoint.host} cannot be found; is there a network?"
    if isinstance(fault, ConnectionRefusedError):
        return f"nobody answers at {where}; is the broker up?"
    if isinstance(fault, TimeoutError):
        return f"no answer from {where} within the time a slow line takes; is the cable in?"
    return f"the connection to {where} failed: {fault}"


def _properties(kind: int) -> Properties:
    properties: Properties = Properties(kind)  # type: ignore[no-untyped-call]
    return properties


_share_tables()
