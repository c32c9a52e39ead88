"""The line over MQTT 5: the one file that knows paho.

Sessions are stateless on purpose (clean start, no expiry): brokers lose queues, shared subscriptions and
expired heads of line in ways that differ by version; what must arrive is sent again by its owner. paho
queues nothing for us: a publish happens on a live connection or not at all. QoS 1 throughout, never 2 (paho
reports a QoS 2 publish that the broker refused as a success).
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from .line import Deliver, Down, Message, Unheard, Up, Will

KEEPALIVE_S = 30
WILL_DELAY_S = 8  # a box that is back within 8 s was never gone
UNACKED_MAX = 200  # publishes without PUBACK; more means a dead connection, and paho must not hoard them
PAYLOAD_MAX = 262_000  # the broker's max_packet_size less the header; a larger one would be retried for ever
NOBODY_LISTENS = 0x10
REFUSED = 0x80
CONNECT_TIMEOUT_S = 15.0  # TLS over a slow 4G line

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the broker is, and who we are to it."""

    host: str
    port: int
    client_id: str
    authority: Path
    certificate: Path
    key: Path
    subscriptions: tuple[tuple[str, int], ...]
    will: Will | None = None
    birth: Callable[[], Will] | None = None
    manual_ack: bool = False
    reconnect_min_s: int = 1
    reconnect_max_s: int = 60


@dataclass(slots=True)
class _Open:
    """The publishes that one client object has under way. Its lock is never held while paho is called: paho
    answers on its own thread, and holds its own locks then."""

    topics: dict[int, str] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, mid: int, topic: str) -> None:
        """Note a publish, unless its answer was quicker than we."""
        with self.lock:
            if mid in self.answered:
                self.answered.discard(mid)
            else:
                self.topics[mid] = topic

    def answer(self, mid: int) -> str | None:
        """The topic of an answered publish; None where it is not noted yet, or was not ours."""
        with self.lock:
            topic = self.topics.pop(mid, None)
            if topic is None and len(self.answered) < UNACKED_MAX:
                self.answered.add(mid)
            return topic

    def clear(self) -> None:
        """The connection is gone: no answer will come."""
        with self.lock:
            self.topics.clear()
            self.answered.clear()


class MqttLine:
    """A `Line` to a real broker."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._deliver: Deliver | None = None
        self._client: paho.Client | None = None
        self._open = _Open()
        self._is_up = False
        self._said_down = False

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._client = self._new_client()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes = b"",
        expires_s: int | None = None,
    ) -> bool:
        client = self._client
        if (
            client is None
            or not self._is_up
            or len(payload) > PAYLOAD_MAX
            or len(self._open.topics) >= UNACKED_MAX
        ):
            return False
        properties = None
        if correlation or expires_s is not None:
            properties = _properties(PacketTypes.PUBLISH)
            if correlation:
                properties.CorrelationData = correlation
            if expires_s is not None:
                properties.MessageExpiryInterval = expires_s
        opened = self._open
        info = client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            return False
        if qos:
            opened.sent(info.mid, topic)
        return True

    def acknowledge(self, token: int) -> None:
        client = self._client
        if client is not None and token:
            client.ack(token, 1)

    def reconnect(self) -> None:
        """A new client object, so that nothing of the old connection can linger."""
        self._drop("made anew")
        if self._deliver is not None:
            self._client = self._new_client()

    def stop(self, *, goodbye: Will | None = None) -> None:
        if goodbye is not None and self._client is not None and self._is_up:
            info = self._client.publish(goodbye.topic, goodbye.payload, qos=1, retain=True)
            info.wait_for_publish(2.0)
        self._deliver = None
        self._drop("stopped")

    def _new_client(self) -> paho.Client:
        endpoint = self._endpoint
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=endpoint.client_id,
            protocol=paho.MQTTv5,
            manual_ack=endpoint.manual_ack,
        )
        client.suppress_exceptions = (
            True  # an exception in a callback would kill the network thread in silence
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(20)
        client.reconnect_delay_set(endpoint.reconnect_min_s, endpoint.reconnect_max_s)
        context = ssl.create_default_context(cafile=str(endpoint.authority))
        context.load_cert_chain(endpoint.certificate, endpoint.key)
        client.tls_set_context(context)
        if endpoint.will is not None:
            properties = _properties(PacketTypes.WILLMESSAGE)
            properties.WillDelayInterval = WILL_DELAY_S
            client.will_set(
                endpoint.will.topic, endpoint.will.payload, qos=1, retain=True, properties=properties
            )
        self._open = opened = _Open()
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_connect_fail = lambda *_: self._down("no answer from the broker")
        client.on_message = self._message
        client.on_publish = lambda _c, _u, mid, reason, _p: self._published(opened, mid, reason)
        client.connect_async(endpoint.host, endpoint.port, keepalive=KEEPALIVE_S, clean_start=True)
        client.loop_start()
        return client

    def _connected(self, client: paho.Client, _: object, __: object, reason: ReasonCode, ___: object) -> None:
        if client is not self._client and self._client is not None:
            return
        if reason.is_failure:
            self._down(f"the broker refused us: {reason}")
            return
        # Whatever the broker says of a session: subscribe anew, every time.
        if self._endpoint.subscriptions:
            client.subscribe(list(self._endpoint.subscriptions))
        self._is_up = True
        if self._endpoint.birth is not None:
            birth = self._endpoint.birth()
            client.publish(birth.topic, birth.payload, qos=1, retain=True)
        if self._said_down:
            log.info("line.back", broker=f"{self._endpoint.host}:{self._endpoint.port}")
            self._said_down = False
        self._say(Up())

    def _disconnected(
        self, client: paho.Client, _: object, __: object, reason: ReasonCode, ___: object
    ) -> None:
        if client is self._client:
            self._down(str(reason))

    def _down(self, why: str) -> None:
        self._open.clear()
        was_up, self._is_up = self._is_up, False
        if not self._said_down:
            log.warning(
                "line.lost", why=why, hint="the box goes on selling; is the cable in, is the broker up?"
            )
            self._said_down = True
        if was_up:
            self._say(Down(why))

    def _message(self, client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        if client is not self._client:
            return
        properties = message.properties
        correlation = getattr(properties, "CorrelationData", b"") if properties is not None else b""
        token = message.mid if self._endpoint.manual_ack and message.qos else 0
        self._say(Message(message.topic, bytes(message.payload), bytes(correlation), token))

    def _published(self, opened: _Open, mid: int, reason: ReasonCode) -> None:
        topic = opened.answer(mid)
        if topic is not None and (reason.value == NOBODY_LISTENS or reason.value >= REFUSED):
            self._say(Unheard(topic, reason.value))

    def _say(self, happening: Up | Down | Message | Unheard) -> None:
        deliver = self._deliver
        if deliver is not None:
            deliver(happening)

    def _drop(self, why: str) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._down(why)


def _properties(kind: int) -> Properties:
    properties: Properties = Properties(kind)  # type: ignore[no-untyped-call]
    return properties
