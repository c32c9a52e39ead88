"""The packets of MQTT 5 that a box needs, as bytes and back. Pure; it refuses to know what a socket is.

A client library a box is too heavy ten thousand times over, and nothing may be shared with the one that the product
uses: what is proven here is the wire. What a broker of ours never sends (QoS 2, topic aliases) is malformed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PACKET_BYTES_MAX = 262_144  # what our broker allows, and so the most that it may send

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1,
    2,
    3,
    4,
    8,
    9,
    12,
    13,
    14,
)

EXPIRY, CORRELATION = 0x02, 0x09

_SIZES = {
    0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1, 0x27: 4,
    0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
"""The properties of one size. The others are of their own length, or of two (a name and a value)."""
_BINARY = (0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F)
_PAIR = 0x26
_VARYING = 0x0B


class Malformed(Exception):
    """These bytes are no packet that a broker may send us."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker's answer to CONNECT; below 0x80 it wants us."""

    reason: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker's answer to SUBSCRIBE, a reason each."""

    packet_id: int
    reasons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """Something arrived. At QoS 1 it wants a PUBACK."""

    topic: str
    payload: bytes
    qos: int
    packet_id: int
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has a publish of ours: 0x10 says that nobody listens, 0x80 and above that it was refused."""

    packet_id: int
    reason: int


@dataclass(frozen=True, slots=True)
class Pong:
    """The broker is there."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The broker ends the connection, and says why."""

    reason: int


Packet = Connected | Subscribed | Published | Acknowledged | Pong | Disconnected


def connect(client_id: str, *, keepalive_s: int, will_topic: str, will: bytes) -> bytes:
    """A clean start with a retained will at QoS 1."""
    flags = 0x02 | 0x04 | 1 << 3 | 0x20
    head = _text("MQTT") + bytes((5, flags)) + keepalive_s.to_bytes(2, "big") + _properties(b"")
    return _packet(CONNECT, head + _text(client_id) + _properties(b"") + _text(will_topic) + _binary(will))


def subscribe(packet_id: int, topics: tuple[str, ...], qos: int = 1) -> bytes:
    """Listen to some topics."""
    wanted = b"".join(_text(topic) + bytes((qos,)) for topic in topics)
    return _packet(SUBSCRIBE, packet_id.to_bytes(2, "big") + _properties(b"") + wanted, 2)


def publish(
    topic: str,
    payload: bytes,
    *,
    packet_id: int = 0,
    retain: bool = False,
    correlation: bytes = b"",
    expires_s: int | None = None,
) -> bytes:
    """Say something: at QoS 1 with a packet id, at QoS 0 without one."""
    said = b""
    if expires_s is not None:
        said += bytes((EXPIRY,)) + expires_s.to_bytes(4, "big")
    if correlation:
        said += bytes((CORRELATION,)) + _binary(correlation)
    number = packet_id.to_bytes(2, "big") if packet_id else b""
    flags = (2 if packet_id else 0) | int(retain)
    return _packet(PUBLISH, _text(topic) + number + _properties(said) + payload, flags)


def acknowledge(packet_id: int) -> bytes:
    """What arrived is safe with us."""
    return _packet(PUBACK, packet_id.to_bytes(2, "big"))


PING = bytes((PINGREQ << 4, 0))


class Reader:
    """Bytes in, in whatever pieces; whole packets out. Raises Malformed, and is of no use afterwards."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[Packet]:
        """What is complete now."""
        held = self._held + data if self._held else data
        found: list[Packet] = []
        at = 0
        while (span := _span(held, at)) is not None:
            start, end = span
            found.append(_parse(held[at], held[start:end]))
            at = end
        self._held = held[at:]
        return found


def _span(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends; None while it is not all here."""
    size = 0
    for number in range(4):
        place = at + 1 + number
        if place >= len(data):
            return None
        size |= (data[place] & 0x7F) << 7 * number
        if data[place] < 0x80:
            if size > PACKET_BYTES_MAX:
                raise Malformed(f"a packet of {size} bytes")
            return (place + 1, place + 1 + size) if len(data) > place + size else None
    raise Malformed("a length without an end")


def _parse(first: int, body: bytes) -> Packet:
    kind, flags = first >> 4, first & 0x0F
    reader = _PARSERS.get(kind)
    if reader is None or (kind != PUBLISH and flags):
        raise Malformed(f"a packet that begins with 0x{first:02x}")
    try:
        return reader(flags, body)
    except (IndexError, UnicodeDecodeError) as short:
        raise Malformed(
            f"a packet 0x{first:02x} that ends before its end, or has no text where text must be"
        ) from short


def _connected(_: int, body: bytes) -> Connected:
    return Connected(body[1])


def _subscribed(_: int, body: bytes) -> Subscribed:
    at, _found = _read_properties(body, 2)
    if at >= len(body):
        raise Malformed("an answer to SUBSCRIBE without a reason")
    return Subscribed(_number(body, 0), tuple(body[at:]))


def _published(flags: int, body: bytes) -> Published:
    qos = flags >> 1 & 3
    if qos > 1:
        raise Malformed(f"a publish at QoS {qos}, which nobody of ours asked for")
    topic, at = _read_binary(body, 0)
    packet_id = 0
    if qos:
        packet_id, at = _number(body, at), at + 2
        if not packet_id:
            raise Malformed("a publish at QoS 1 without a number")
    at, correlation = _read_properties(body, at)
    return Published(topic.decode(), body[at:], qos, packet_id, correlation)


def _acknowledged(_: int, body: bytes) -> Acknowledged:
    return Acknowledged(_number(body, 0), body[2] if len(body) > 2 else 0)


def _pong(_: int, __: bytes) -> Pong:
    return Pong()


def _disconnected(_: int, body: bytes) -> Disconnected:
    return Disconnected(body[0] if body else 0)


_PARSERS: dict[int, Callable[[int, bytes], Packet]] = {
    CONNACK: _connected,
    SUBACK: _subscribed,
    PUBLISH: _published,
    PUBACK: _acknowledged,
    PINGRESP: _pong,
    DISCONNECT: _disconnected,
}


def _read_properties(body: bytes, at: int) -> tuple[int, bytes]:
    """Where the properties end, and the correlation data among them."""
    size, at = _read_varying(body, at)
    end, correlation = at + size, b""
    if end > len(body):
        raise Malformed("properties longer than their packet")
    while at < end:
        name = body[at]
        at += 1
        if name == CORRELATION:
            correlation, at = _read_binary(body, at)
        else:
            at = _skip(name, body, at)
    if at != end:
        raise Malformed("a property that goes on after all of them")
    return at, correlation


def _skip(name: int, body: bytes, at: int) -> int:
    if name in _SIZES:
        return at + _SIZES[name]
    if name in _BINARY:
        return _read_binary(body, at)[1]
    if name == _VARYING:
        return _read_varying(body, at)[1]
    if name == _PAIR:
        return _read_binary(body, _read_binary(body, at)[1])[1]
    raise Malformed(f"a property 0x{name:02x}, which MQTT 5 has not")


def _read_varying(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(4):
        value |= (body[at + number] & 0x7F) << 7 * number
        if body[at + number] < 0x80:
            return value, at + number + 1
    raise Malformed("a length without an end")


def _read_binary(body: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + _number(body, at)
    if end > len(body):
        raise Malformed("a text longer than its packet")
    return body[at + 2 : end], end


def _number(body: bytes, at: int) -> int:
    return body[at] << 8 | body[at + 1]


def _packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    return bytes((kind << 4 | flags,)) + _varying(len(body)) + body


def _properties(data: bytes) -> bytes:
    return _varying(len(data)) + data


def _varying(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
