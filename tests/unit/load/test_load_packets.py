"""The simulated boxes' own MQTT 5: bytes as the standard has them, in whatever pieces, and nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tillbox.proof.load import packets
from tillbox.proof.load.packets import (
    Acknowledged,
    Connected,
    Disconnected,
    Malformed,
    Packet,
    Pong,
    Published,
    Reader,
    Subscribed,
)

GOLDEN: dict[str, tuple[bytes, str]] = {
    "connect": (
        packets.connect("b1", keepalive_s=30, will_topic="s", will=b"lost"),
        "10 19 0004 4d515454 05 2e 001e 00 0002 6231 00 0001 73 0004 6c6f7374",
    ),
    "subscribe": (packets.subscribe(1, ("a", "b/c")), "82 0d 0001 00 0001 61 01 0003 622f63 01"),
    "publish at QoS 0": (packets.publish("t", b"hi"), "30 06 0001 74 00 6869"),
    "publish at QoS 1, retained": (
        packets.publish("t", b"", packet_id=513, retain=True),
        "33 06 0001 74 0201 00",
    ),
    "a question": (
        packets.publish("t", b"?", packet_id=2, correlation=b"cc", expires_s=5),
        "32 11 0001 74 0002 0a 02 00000005 09 0002 6363 3f",
    ),
    "puback": (packets.acknowledge(7), "40 02 0007"),
    "ping": (packets.PING, "c0 00"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_what_a_box_says_is_what_the_standard_says(name: str) -> None:
    made, wanted = GOLDEN[name]
    assert made.hex() == wanted.replace(" ", "")


HEARD: list[tuple[str, Packet]] = [
    ("20 03 00 00 00", Connected(0)),
    ("20 06 00 87 03 21 0014", Connected(0x87)),
    ("90 05 0001 00 01 87", Subscribed(1, (1, 0x87))),
    ("30 06 0001 74 00 6869", Published("t", b"hi", 0, 0)),
    ("3b 0a 0001 74 0009 03 09 0000 78", Published("t", b"x", 1, 9)),
    ("32 0d 0001 74 0009 05 09 0002 6363 6f6b", Published("t", b"ok", 1, 9, b"cc")),
    ("40 02 0007", Acknowledged(7, 0)),
    ("40 03 0007 10", Acknowledged(7, 0x10)),
    ("40 04 0007 87 00", Acknowledged(7, 0x87)),
    ("d0 00", Pong()),
    ("e0 00", Disconnected(0)),
    ("e0 02 8e 00", Disconnected(0x8E)),
]


@pytest.mark.parametrize(("said", "meant"), HEARD, ids=[said for said, _ in HEARD])
def test_what_the_broker_says_is_understood(said: str, meant: Packet) -> None:
    assert Reader().feed(bytes.fromhex(said.replace(" ", ""))) == [meant]


STREAM = b"".join(bytes.fromhex(said.replace(" ", "")) for said, _ in HEARD)


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_packets_come_out_whole_wherever_the_wire_cuts_them(cuts: list[int]) -> None:
    reader, found = Reader(), []
    ends = [0, *sorted(cuts), len(STREAM)]
    for start, end in itertools.pairwise(ends):
        found += reader.feed(STREAM[start:end])
    assert found == [meant for _, meant in HEARD]


def test_a_long_payload_has_a_long_length() -> None:
    said = packets.publish("t", b"x" * 100_000, packet_id=1)
    assert said[1:4].hex() == "a68d06"
    (heard,) = Reader().feed(said)
    assert isinstance(heard, Published)
    assert len(heard.payload) == 100_000


MALFORMED = {
    "a packet that only a client sends": "10 00",
    "flags where there are none": "41 02 0007",
    "QoS 2": "34 06 0001 74 0001 00",
    "QoS 3": "36 06 0001 74 0001 00",
    "QoS 1 without a number": "32 06 0001 74 0000 00",
    "a topic longer than its packet": "30 04 00ff 7474",
    "a topic that is no text": "30 04 0001 ff 00",
    "properties longer than their packet": "30 05 0001 74 09 00",
    "a property that does not exist": "30 06 0001 74 02 7f00",
    "a property cut off": "30 06 0001 74 02 0200",
    "an acknowledgement of nothing": "40 01 00",
    "a suback without a reason": "90 03 0001 00",
    "an empty connack": "20 00",
    "a length without an end": "30 ffffffff 01",
    "more than a broker may send": "30 81808001",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_packet_is_said_to_be_none(what: str) -> None:
    with pytest.raises(Malformed):
        Reader().feed(bytes.fromhex(MALFORMED[what].replace(" ", "")))


@given(st.binary(max_size=200))
def test_noise_is_packets_or_malformed_and_never_anything_else(noise: bytes) -> None:
    reader = Reader()
    try:
        reader.feed(noise)
    except Malformed:
        pass
    else:
        assert len(noise) < packets.PACKET_BYTES_MAX


def test_every_property_of_the_standard_is_stepped_over() -> None:
    """paho, which shares nothing with this, writes them all."""
    said = Properties(PacketTypes.PUBLISH)
    said.PayloadFormatIndicator = 1
    said.MessageExpiryInterval = 9
    said.ContentType = "application/json"
    said.ResponseTopic = "r"
    said.CorrelationData = b"mine"
    said.SubscriptionIdentifier = 300
    said.UserProperty = [("k", "v"), ("k", "w")]
    body = b"\x00\x01t" + said.pack() + b"payload"
    (heard,) = Reader().feed(bytes((0x30, len(body))) + body)
    assert heard == Published("t", b"payload", 0, 0, b"mine")
