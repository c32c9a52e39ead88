"""Who may do what, asked of the real broker with real certificates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.broker.line import Down, Happening, Message, Unheard, Up
from tillbox.broker.mosquitto import (
    CLAIM_USER,
    CORE_USER,
    SERVICE_USER,
    Doors,
    KickFailed,
    Mosquitto,
    free_port,
    kick,
)
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.broker.pki import Authority, Identity, make_request

pytestmark = pytest.mark.mosquitto
NOW = datetime.now(UTC)


@dataclass
class Fleet:
    authority: Authority
    broker: Mosquitto
    folder: Path

    def line(
        self, name: str, *topics: str, client_id: str = "", identity: Identity | None = None
    ) -> tuple[MqttLine, list[Happening]]:
        """A box's line, with its certificate."""
        who = identity or self.authority.issue_client(self.folder / name, name=name, now=NOW)
        endpoint = Endpoint(
            host="127.0.0.1",
            port=self.broker.port,
            client_id=client_id or name,
            authority=self.authority.certificate,
            certificate=who.certificate,
            key=who.key,
            subscriptions=tuple((topic, 1) for topic in topics),
        )
        line, heard = MqttLine(endpoint), []
        line.start(heard.append)
        return line, heard

    def asker(
        self, nonce: str, *topics: str, user: tuple[str, str] = CLAIM_USER
    ) -> tuple[MqttLine, list[Happening]]:
        """Somebody without a certificate, at the door for claims."""
        assert self.broker.doors is not None
        endpoint = Endpoint(
            host="127.0.0.1",
            port=self.broker.doors.claim_port,
            client_id=nonce,
            authority=self.authority.certificate,
            certificate=None,
            key=None,
            password=user,
            subscriptions=tuple((topic, 1) for topic in topics),
        )
        line, heard = MqttLine(endpoint), []
        line.start(heard.append)
        return line, heard

    def kick(self, client: str, hold_s: float = 1.0) -> bool:
        """Throw a client out, as the core does."""
        assert self.broker.doors is not None
        doors = self.broker.doors
        return kick(doors.service_port, client, user=SERVICE_USER, password=doors.secret, hold_s=hold_s)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    authority = Authority.create(folder / "ca", name="test", now=NOW)
    server = authority.issue_server(folder / "broker", names=("127.0.0.1",), now=NOW)
    doors = Doors(claim_port=free_port(), service_port=free_port(), secret="5" * 64)
    broker = Mosquitto(folder / "broker", port=free_port(), authority=authority, server=server, doors=doors)
    broker.start()
    yield Fleet(authority, broker, folder)
    broker.stop()


def came(heard: list[Happening], kind: type, seconds: float = 5.0) -> bool:
    return eventually(lambda: any(isinstance(one, kind) for one in heard), seconds)


def test_a_box_reaches_the_core_and_the_core_reaches_the_box(fleet: Fleet) -> None:
    core, at_core = fleet.line("core", "tb/1/d/+/up/#")
    box, at_box = fleet.line("box-1", "tb/1/d/box-1/dn/ack", "tb/1/d/box-1/dn/cmd")
    assert came(at_core, Up)
    assert came(at_box, Up)
    assert box.publish("tb/1/d/box-1/up/3/tx", b"hello", correlation=b"0123456789abcdef")
    assert came(at_core, Message)
    (found,) = [one for one in at_core if isinstance(one, Message)]
    assert (found.payload, found.correlation) == (b"hello", b"0123456789abcdef")
    core.publish("tb/1/d/box-1/dn/ack", b"ack")
    core.publish("tb/1/d/box-1/dn/cmd", b"command")
    assert eventually(lambda: sum(isinstance(one, Message) for one in at_box) == 2)
    box.stop()
    core.stop()


@pytest.mark.parametrize(
    "topic",
    [
        "tb/1/d/box-2/up/3/tx",
        "tb/1/d/box-1/dn/ack",
        "tb/1/d/box-1/dn/cmd",
        "tb/1/d/box-1/dn/sh",
        "tb/1/d/box-2/sh",
        "tb/1/d/box-2/st",
        "tb/1/d/box-2/dn/rs",
        "other/topic",
        # A box has so many topics and no more: the broker keeps what is retained, and a name costs nothing.
        "tb/1/d/box-1/up/16/tx",
        "tb/1/d/box-1/up/another/tx",
        "tb/1/d/box-1/up/rq/another",
        "tb/1/d/box-2/st/alerts",
        "tb/1/d/box-2/lv",
        "tb/1/d/box-1/lv/another",
        "tb/1/d/box-1/st/another",
        "tb/1/d/box-1/st/alerts/another",
    ],
)
def test_what_is_not_ones_own_is_refused(fleet: Fleet, topic: str) -> None:
    box, heard = fleet.line("box-1")
    assert came(heard, Up)
    assert box.publish(topic, b"x")
    assert came(heard, Unheard)
    (refused,) = [one for one in heard if isinstance(one, Unheard)]
    assert refused.reason == 0x87
    box.stop()


def test_listening_to_everything_hears_nothing_of_others(fleet: Fleet) -> None:
    spy, heard = fleet.line("box-9", "#", "tb/1/d/box-1/dn/#")
    core, at_core = fleet.line("core")
    assert came(heard, Up)
    assert came(at_core, Up)
    core.publish("tb/1/d/box-1/dn/ack", b"secret")
    core.publish("tb/1/d/box-9/dn/ack", b"mine")
    assert came(heard, Message)
    time.sleep(0.3)
    assert {one.payload for one in heard if isinstance(one, Message)} == {b"mine"}
    spy.stop()
    core.stop()


def test_another_boxs_client_id_does_not_take_its_place(fleet: Fleet) -> None:
    box, heard = fleet.line("box-1")
    thief, at_thief = fleet.line("box-7", client_id="box-1")
    assert came(heard, Up)
    assert came(at_thief, Up)
    time.sleep(0.3)
    assert box.publish("tb/1/d/box-1/up/3/tx", b"still here")
    thief.stop()
    box.stop()


def test_strangers_expired_and_revoked_are_not_let_in(fleet: Fleet, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other", name="other", now=NOW)
    stranger = other.issue_client(tmp_path / "stranger", name="box-1", now=NOW)
    expired = fleet.authority.issue_client(
        tmp_path / "expired", name="box-3", now=NOW - timedelta(days=400), days=30
    )
    revoked = fleet.authority.issue_client(tmp_path / "revoked", name="box-4", now=NOW)
    fleet.authority.revoke((revoked.certificate,), now=NOW)
    fleet.broker.reload()
    time.sleep(0.3)
    for name, identity in (("box-1", stranger), ("box-3", expired), ("box-4", revoked)):
        line, heard = fleet.line(name, identity=identity)
        assert not came(heard, Up, 1.0), name
        line.stop()


def test_a_request_is_signed_only_for_the_name_it_bears(fleet: Fleet, tmp_path: Path) -> None:
    request = make_request(tmp_path / "box-5", "box-5")
    assert b"BEGIN CERTIFICATE" in fleet.authority.sign_request(request, name="box-5", now=NOW)
    for name in ("box-6", "#", "box/5", "+", ""):
        with pytest.raises(ValueError, match=r"box|cannot"):
            fleet.authority.sign_request(request, name=name, now=NOW)
    assert (tmp_path / "box-5" / "client.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "topic", ["tb/1/p/nonce-4/rq", "tb/1/p/nonce-3/rs", "tb/1/d/nonce-3/st", "tb/1/d/box-1/up/3/tx"]
)
def test_whoever_asks_for_a_certificate_says_nothing_else(fleet: Fleet, topic: str) -> None:
    one, heard = fleet.asker("nonce-3")
    assert came(heard, Up)
    assert one.publish(topic, b"x")
    assert came(heard, Unheard)
    assert [found.reason for found in heard if isinstance(found, Unheard)] == [0x87]
    one.stop()


@pytest.mark.parametrize(
    "user", [("core", "core"), ("box-1", ""), (SERVICE_USER, "guess"), (CORE_USER, "guess")]
)
def test_no_other_name_gets_in_at_the_door_for_claims(fleet: Fleet, user: tuple[str, str]) -> None:
    one, heard = fleet.asker("nonce-5", user=user)
    assert not came(heard, Up, 1.0)
    one.stop()


def test_a_revoked_box_is_thrown_out_and_stays_out(fleet: Fleet, tmp_path: Path) -> None:
    identity = fleet.authority.issue_client(tmp_path / "box-8", name="box-8", now=NOW)
    box, heard = fleet.line("box-8", identity=identity)
    assert came(heard, Up)
    assert not fleet.kick("box-8", hold_s=5.0), (
        "its certificate is good: it takes its place back, and we hear of it"
    )
    fleet.authority.revoke((identity.certificate,), now=NOW)
    time.sleep(0.5)  # the broker reads the list by itself
    heard.clear()
    assert fleet.kick("box-8", hold_s=4.0)
    assert not came(heard, Up, 1.0)
    assert any("revoked" in found.why for found in heard if isinstance(found, Down))
    box.stop()


def test_the_service_door_wants_its_password(fleet: Fleet) -> None:
    assert fleet.broker.doors is not None
    with pytest.raises(KickFailed, match="password"):
        kick(fleet.broker.doors.service_port, "box-1", user=SERVICE_USER, password="guess" * 20, hold_s=1.0)


def test_nobody_at_the_door_for_claims_takes_a_boxs_place_by_its_name(fleet: Fleet) -> None:
    """Names are printed on papers; whoever may choose one there must not throw its owner off the line."""
    box, heard = fleet.line("box-6")
    assert came(heard, Up)
    for name in ("box-6", "core"):
        thief, at_thief = fleet.asker(name)
        assert came(at_thief, Up)
        thief.stop()
    time.sleep(0.5)
    assert not any(isinstance(one, Down) for one in heard)
    box.stop()


def test_the_core_hears_askers_and_answers_them_by_its_own_secret(fleet: Fleet) -> None:
    assert fleet.broker.doors is not None
    user = (CORE_USER, fleet.broker.doors.secret)
    core, at_core = fleet.asker("a-name-drawn-for-this-once", "tb/1/p/+/rq", user=user)
    one, at_one = fleet.asker("nonce-1", "tb/1/p/nonce-1/rs", "tb/1/p/+/rs")
    assert came(at_core, Up)
    assert came(at_one, Up)
    assert one.publish("tb/1/p/nonce-1/rq", b"a request")
    assert came(at_core, Message)
    core.publish("tb/1/p/nonce-2/rs", b"another's")
    core.publish("tb/1/p/nonce-1/rs", b"mine")
    assert came(at_one, Message)
    time.sleep(0.3)
    assert {found.payload for found in at_one if isinstance(found, Message)} == {b"mine"}
    one.stop()
    core.stop()


def test_a_box_carries_anothers_old_records_over_its_own_line(fleet: Fleet) -> None:
    core, at_core = fleet.line("core", "tb/1/p/+/late")
    box, heard = fleet.line("box-5")
    assert came(at_core, Up)
    assert came(heard, Up)
    assert box.publish("tb/1/p/box-5/late", b"old records")
    assert came(at_core, Message)
    box.stop()
    core.stop()
