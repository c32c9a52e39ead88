"""Alerts out of the house, to a real HTTPS server and a real SMTP server of this machine: once is enough, lost is said again."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.patience import eventually

from tillbox.broker.pki import Authority
from tillbox.cloud_bridge.fleet import alerting
from tillbox.cloud_bridge.fleet.heralds import (
    AGAIN_MAX_S,
    AGAIN_MIN_S,
    BACKLOG_MAX,
    Herald,
    Post,
    Sent,
    Webhook,
    event_id,
    signature,
    words,
)
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.health_lists import AlertEvent
from tillbox.contracts.messages import Alert, Alerts

NOW = 1_790_000_000_000
SECRET = bytes(range(32))


@dataclass
class House:
    """A core's store, a clock, and certificates for the servers."""

    database: Database
    authority: Path
    tls: ssl.SSLContext
    clock_s: float = 0.0

    def say(self, *kinds: str, at: int = NOW) -> None:
        alerts = Alerts(inc="a1" * 8, open=tuple(Alert(kind=kind, since_ms=at) for kind in kinds))
        with self.database.writing() as connection:
            alerting.take(connection, [("box-1", alerts.model_dump_json().encode())], now_ms=at)

    def herald(self, *ways: Any) -> Herald:
        return Herald(self.database, ways, clock_s=lambda: self.clock_s)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority.create(folder / "ca", name="test", now=datetime.now(UTC))
    server = authority.issue_server(folder / "server", names=("127.0.0.1",), now=datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    return authority.certificate, context


@pytest.fixture
def house(tmp_path: Path, certificates: tuple[Path, ssl.SSLContext]) -> Iterator[House]:
    database = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    yield House(database, *certificates)
    database.close()


@dataclass
class Listener:
    """The other program: answers as it is told, and keeps what came."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def listener(house: House) -> Iterator[Listener]:
    found = Listener()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((dict(self.headers), body))
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.send_header("Location", f"https://127.0.0.1:{found.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.socket = house.tls.wrap_socket(server.socket, server_side=True)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def hook(house: House, listener: Listener) -> Webhook:
    url = f"https://127.0.0.1:{listener.port}/alerts"
    return Webhook(url, SECRET, now_ms=lambda: NOW + 5, authority=house.authority)


def told(listener: Listener) -> list[tuple[str, str]]:
    return [(one["kind"], one["what"]) for one in (json.loads(body) for _, body in listener.got)]


def test_each_event_is_posted_once_signed_and_says_what_to_do(house: House, listener: Listener) -> None:
    house.say("hot")
    herald = house.herald(hook(house, listener))
    herald.turn()
    assert listener.got == [], "what was over before the webhook was set up is no news"
    house.say("hot", "paper_out")
    house.say("paper_out")
    herald.turn()
    herald.turn()
    assert told(listener) == [("paper_out", "raised"), ("hot", "cleared")]
    headers, body = listener.got[0]
    assert "Put in a new roll" in json.loads(body)["en"]
    assert headers["Tillbox-Signature"] == signature(SECRET, headers["Tillbox-Event"], NOW + 5, body)
    assert len({headers["Tillbox-Event"] for headers, _ in listener.got}) == 2


def test_what_is_not_taken_is_sent_again_with_the_same_id_ever_more_patiently(
    house: House, listener: Listener
) -> None:
    herald = house.herald(hook(house, listener))
    herald.turn()
    house.say("hot")
    listener.answers[:] = [500] * 12
    waits = []
    for _ in range(12):
        waits.append(herald.turn())
        herald.turn()  # too early: nothing is sent
        house.clock_s += AGAIN_MAX_S
    assert waits[:2] == [AGAIN_MIN_S, 2 * AGAIN_MIN_S]
    assert len(listener.got) == 12
    herald.turn()
    assert len({headers["Tillbox-Event"] for headers, _ in listener.got}) == 1
    assert len(listener.got) == 13
    herald.turn()
    assert len(listener.got) == 13, "taken is taken"


def test_a_core_that_was_started_anew_goes_on_where_it_was(house: House, listener: Listener) -> None:
    house.herald(hook(house, listener)).turn()
    house.say("hot")
    house.herald(hook(house, listener)).turn()
    house.herald(hook(house, listener)).turn()
    assert told(listener) == [("hot", "raised")]


class Stuck:
    """A mail server that takes a connection and says nothing more."""

    name, at_once, pause_s = "mail", 100, 0.0

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def send(self, events: Any) -> Sent:
        self.asked.set()
        assert self.let_go.wait(20)
        return Sent.AGAIN


def test_a_way_that_is_stuck_keeps_no_other_waiting(house: House, listener: Listener) -> None:
    stuck = Stuck()
    herald = house.herald(stuck, hook(house, listener))
    herald.turn()
    herald.start()
    try:
        for count, kinds in enumerate((("hot",), ("hot", "paper_out"), ("paper_out",)), start=1):
            house.say(*kinds)
            herald.wake()
            assert stuck.asked.wait(10)
            assert eventually(lambda count=count: len(listener.got) == count)
    finally:
        stuck.let_go.set()
        herald.stop()
    assert told(listener) == [("hot", "raised"), ("paper_out", "raised"), ("hot", "cleared")]
    stuck.asked.clear()
    house.clock_s += AGAIN_MIN_S
    house.herald(stuck).turn()
    assert stuck.asked.is_set(), "its own place in the list is where it was"


def test_one_that_is_refused_for_ever_does_not_hold_up_the_next(house: House, listener: Listener) -> None:
    herald = house.herald(hook(house, listener))
    herald.turn()
    house.say("hot")
    house.say("hot", "paper_out")
    listener.answers[:] = [422]
    herald.turn()
    assert told(listener) == [("hot", "raised"), ("paper_out", "raised")]


def test_a_redirect_is_not_followed(house: House, listener: Listener) -> None:
    herald = house.herald(hook(house, listener))
    herald.turn()
    house.say("hot")
    listener.answers[:] = [307]
    herald.turn()
    assert len(listener.got) == 1


def test_a_server_of_another_authority_hears_nothing(
    house: House, listener: Listener, tmp_path: Path
) -> None:
    other = Authority.create(tmp_path / "other", name="other", now=datetime.now(UTC)).certificate
    way = Webhook(f"https://127.0.0.1:{listener.port}/", SECRET, now_ms=lambda: NOW, authority=other)
    assert way.send([event()]) is Sent.AGAIN
    assert listener.got == []


def test_who_was_away_for_a_thousand_events_begins_near_the_end(house: House, listener: Listener) -> None:
    herald = house.herald(hook(house, listener))
    herald.turn()
    with house.database.writing() as connection:
        for number in range(BACKLOG_MAX + 5):
            row = {"device": f"box-{number}", "kind": "hot", "subject": "", "what": "raised", "detail": ""}
            connection.execute(alerting.alert_event.insert(), {**row, "at_ms": NOW})
    listener.answers[:] = [500]
    herald.turn()
    assert json.loads(listener.got[0][1])["device"] == "box-5"


# letters


@dataclass
class Office:
    """A mail server: what it was told, and the letters it took."""

    letters: list[bytes] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    busy: bool = False
    speaks_tls: bool = True
    port: int = 0


@pytest.fixture
def office(house: House) -> Iterator[Office]:
    found = Office()

    class Clerk(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire = self.request
            self.say(wire, "220 office")
            file = wire.makefile("rb")
            while line := file.readline().decode().strip():
                word = line.split()[0].upper()
                found.words.append(word)
                if word == "EHLO":
                    more = ["STARTTLS"] if found.speaks_tls and not isinstance(wire, ssl.SSLSocket) else []
                    self.say(wire, *(f"250-{one}" for one in ["office", *more]), "250 AUTH PLAIN")
                elif word == "STARTTLS":
                    self.say(wire, "220 go on")
                    wire = house.tls.wrap_socket(wire, server_side=True)
                    file = wire.makefile("rb")
                elif word == "AUTH":
                    self.say(wire, "235 welcome")
                elif word == "DATA":
                    self.say(wire, "354 write")
                    text = b"".join(iter(file.readline, b".\r\n"))
                    if not found.busy:
                        found.letters.append(text)
                    self.say(wire, "451 later" if found.busy else "250 taken")
                elif word == "QUIT":
                    self.say(wire, "221 bye")
                    wire.close()
                    return
                else:
                    self.say(wire, "250 well")

        def say(self, wire: Any, *lines: str) -> None:
            wire.sendall("".join(f"{line}\r\n" for line in lines).encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clerk)
    found.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def post(house: House, office: Office) -> Post:
    return Post("127.0.0.1", office.port, "tillbox@tea.example", ("ann@tea.example",), "tillbox", "pass word", house.authority, "en")  # fmt: skip


def test_a_store_whose_power_went_is_one_letter_over_tls_and_the_next_has_its_time(
    house: House, office: Office
) -> None:
    herald = house.herald(post(house, office))
    herald.turn()
    house.say("hot", "paper_out", "printer_lost")
    herald.turn()
    house.say()
    herald.turn()
    assert len(office.letters) == 1
    assert office.words.index("STARTTLS") < office.words.index("AUTH")
    letter = message_from_bytes(office.letters[0], policy=policy.default)
    assert letter["Subject"] == "Tillbox: 3 to see to, 0 over"
    assert letter["To"] == "ann@tea.example"
    assert "Put in a new roll" in letter.get_body().get_content()  # type: ignore[union-attr]
    house.clock_s += 60
    herald.turn()
    assert (
        message_from_bytes(office.letters[1], policy=policy.default)["Subject"]
        == "Tillbox: 0 to see to, 3 over"
    )


def test_a_letter_that_was_not_taken_is_sent_again_as_the_same(house: House, office: Office) -> None:
    herald = house.herald(post(house, office))
    herald.turn()
    house.say("hot")
    office.busy = True
    assert herald.turn() == AGAIN_MIN_S
    assert office.letters == []
    office.busy = False
    house.clock_s += AGAIN_MIN_S
    herald.turn()
    assert [message_from_bytes(one)["Message-ID"] for one in office.letters] == [
        f"<tillbox-{NOW}-1-1@tea.example>"
    ]


def test_without_tls_nothing_is_said_and_no_password_either(house: House, office: Office) -> None:
    office.speaks_tls = False
    assert post(house, office).send([event()]) is Sent.AGAIN
    assert "AUTH" not in office.words
    assert "DATA" not in office.words


def test_secrets_are_in_no_representation(house: House, office: Office) -> None:
    assert "pass word" not in repr(post(house, office))
    assert "\\x01" not in repr(Webhook("https://a/", SECRET, now_ms=lambda: NOW))


def event(**more: Any) -> AlertEvent:
    row = {
        "id": 1,
        "store": "s1",
        "position": "s1/l1",
        "device": "box-1",
        "kind": "hot",
        "subject": "",
        "what": "raised",
    }
    return AlertEvent.model_validate(
        {**row, "detail": "84 °C", "at_ms": NOW, "zh": "热", "en": "It is hot.", **more}
    )


def test_a_letter_is_grouped_by_store_in_both_languages() -> None:
    events = [event(), event(id=2, store="s2", position="s2/l1"), event(id=3, what="cleared"), event(id=4, store="", position="", device="")]  # fmt: skip
    subject, text = words(events, "en")
    assert subject == "Tillbox: 3 to see to, 1 over"
    assert text.splitlines()[0:2] == ["all, or no place", "  It is hot. (84 °C)"]
    assert "s1\n  s1/l1: It is hot. (84 °C)\n  s1/l1: over: It is hot. (84 °C)\n\ns2\n" in text
    assert words(events, "zh")[0] == "Tillbox：3 项待处理，1 项已恢复"
    assert event_id(events[0]) == f"{NOW}-1"
