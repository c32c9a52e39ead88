"""The core's worker when its store fails, or one message is more than it can take."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError
from tests.patience import eventually

from tillbox.broker.line import Deliver, Happening, Message, Will
from tillbox.broker.pki import Authority
from tillbox.cloud_bridge.app import Core, Notified
from tillbox.cloud_bridge.fleet import presence
from tillbox.cloud_bridge.fleet.enrolment import Registrar
from tillbox.cloud_bridge.intake import TELEMETRY_AT_ONCE, WAITING_BYTES_MAX, WAITING_PER_BOX, Intake
from tillbox.cloud_bridge.payments import cashier
from tillbox.cloud_bridge.payments.channels.port import Channel, Outcome
from tillbox.cloud_bridge.payments.machine import Schedule, Told
from tillbox.cloud_bridge.store import tables
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts import topics
from tillbox.contracts.messages import BATCH_BYTES_MAX, Answer, HelloAsk, PayAsk, Telemetry

INC = "00" * 8


class Desk:
    """A line that hands the core what the test says, and notes what comes back."""

    def __init__(self) -> None:
        self.acknowledged: set[int] = set()
        self.answers: list[Answer] = []
        self.deliver: Deliver | None = None

    def start(self, deliver: Deliver) -> None:
        self.deliver = deliver

    def publish(self, topic: str, payload: bytes, **_: object) -> bool:
        if topic == topics.answer_down("box-1"):
            self.answers.append(Answer.model_validate_json(payload))
        return True

    def acknowledge(self, token: int) -> None:
        self.acknowledged.add(token)

    def reconnect(self) -> None: ...

    def stop(self, *, goodbye: Will | None = None) -> None: ...

    def say(self, happening: Happening) -> None:
        assert self.deliver is not None
        self.deliver(happening)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    yield opened
    opened.close()


@contextmanager
def core(database: Database, desk: Desk, channel: Channel, **fleet: Any) -> Iterator[Core]:
    running = Core(
        database=database,
        line=desk,
        channel=channel,
        schedule=Schedule(),
        now_ms=lambda: 1_790_000_000_000,
        chance=bytes,
        **fleet,
    )
    running.start()
    yield running
    running.stop()


class NoChannel(Channel):
    """Nobody pays here."""


def hello(token: int) -> Message:
    payload = HelloAsk(inc=INC).model_dump_json(exclude_none=True).encode()
    return Message(topics.ask_up("box-1", "hello"), payload, b"c", token)


def test_a_store_that_was_away_does_not_leave_the_core_deaf(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker keeps back what is to come once twenty messages are unacknowledged."""
    away = threading.Event()
    away.set()
    writing = database.writing

    @contextmanager
    def unreachable() -> Iterator[Connection]:
        if away.is_set():
            raise OperationalError("connect", None, OSError("the server is gone"))
        with writing() as connection:
            yield connection

    monkeypatch.setattr(database, "writing", unreachable)
    with core(database, desk, NoChannel()):
        for token in range(1, 21):
            desk.say(hello(token))
        assert eventually(lambda: desk.acknowledged == set(range(1, 21)))
        assert desk.answers == []
        away.clear()
        desk.say(hello(21))
        assert eventually(lambda: len(desk.answers) == 1)


def test_one_message_that_breaks_the_batch_does_not_keep_the_others_out(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours that one message finds")

    monkeypatch.setattr(presence, "_reported", poisoned)
    telemetry = Telemetry(inc=INC, seq=1, pending=0).model_dump_json(exclude_none=True).encode()
    with core(database, desk, NoChannel()) as running:
        running._intake.put(Message(topics.telemetry_up("box-1"), telemetry, b"", 1))
        running._intake.put(hello(2))
        assert eventually(lambda: len(desk.answers) == 1)
        assert eventually(lambda: desk.acknowledged == {1, 2})


class Crowd(Desk):
    """Strangers at the door for claims: whoever is answered asks again at once."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_home, self.served = False, 0

    def publish(self, topic: str, payload: bytes, **_: object) -> bool:
        self.served += 1
        if not self.goes_home:
            self.say(Message(topics.enrol_up("stranger"), b"let me in", b"", 1))
        return True


def test_a_crowd_at_the_door_for_claims_keeps_no_shop_waiting(
    database: Database, desk: Desk, tmp_path: Path
) -> None:
    authority = Authority.create(tmp_path / "ca", name="test", now=datetime(2026, 9, 1, tzinfo=UTC))
    crowd = Crowd()
    registrar = Registrar(database, authority, bytes(32), host="127.0.0.1", port=8883)
    with core(database, desk, NoChannel(), claims=crowd, registrar=registrar):
        crowd.say(Message(topics.enrol_up("stranger"), b"let me in", b"", 1))
        try:
            assert eventually(lambda: crowd.served > 100)
            for token in range(1, 11):
                desk.say(hello(token))
            assert eventually(lambda: len(desk.answers) == 10)
        finally:
            crowd.goes_home = True


def test_a_store_that_was_away_does_not_leave_the_door_for_claims_deaf(
    database: Database, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.create(tmp_path / "ca", name="test", now=datetime(2026, 9, 1, tzinfo=UTC))
    registrar = Registrar(database, authority, bytes(32), host="127.0.0.1", port=8883)
    crowd = Crowd()
    crowd.goes_home = True
    busy, goes_on, away = threading.Event(), threading.Event(), threading.Event()
    away.set()
    writing = database.writing

    @contextmanager
    def unreachable() -> Iterator[Connection]:
        busy.set()
        goes_on.wait(10)
        if away.is_set():
            raise OperationalError("connect", None, OSError("the server is gone"))
        with writing() as connection:
            yield connection

    monkeypatch.setattr(database, "writing", unreachable)
    with core(database, desk, NoChannel(), claims=crowd, registrar=registrar):
        desk.say(hello(1))
        assert busy.wait(10)
        desk.say(hello(2))
        crowd.say(Message(topics.enrol_up("stranger"), b"let me in", b"", 1))
        goes_on.set()
        assert eventually(lambda: desk.acknowledged == {1, 2})
        away.clear()
        crowd.say(Message(topics.enrol_up("stranger"), b"let me in", b"", 2))
        assert eventually(lambda: crowd.served >= 1)


def word(box: str, token: int, topic: str = "") -> Message:
    return Message(topic or topics.records_up(box), b"noise", b"", token)


def test_a_box_that_says_too_much_keeps_nobody_else_out() -> None:
    let_go: list[int] = []
    intake: Intake[str] = Intake(lambda message: let_go.append(message.token))
    heard = [intake.put(word("evil", token)) for token in range(1_000)]
    assert heard.count(True) == WAITING_PER_BOX
    assert intake.put(word("honest", 5_000))
    intake.tell("news")
    for token in range(6_000, 7_000):
        intake.put(word("evil", token, topics.telemetry_up("evil")))
    waiting = intake.take(10_000, 0)
    assert [one.token for one in waiting if isinstance(one, Message)] == [
        *range(WAITING_PER_BOX),
        5_000,
        6_999,
    ]
    assert "news" in waiting
    assert let_go == [*range(WAITING_PER_BOX, 1_000), *range(6_000, 6_999)], (
        "each is acknowledged, or it blocks"
    )
    assert intake.put(word("evil", 1)), "what was taken makes room again"
    assert intake.take(1, 0) == [word("evil", 1)]
    assert intake.take(1, 0) == []


def test_what_waits_is_bounded_by_what_it_weighs_and_room_comes_back() -> None:
    gone: list[Message] = []
    intake: Intake[str] = Intake(gone.append)
    heavy = b"x" * BATCH_BYTES_MAX
    fits = WAITING_BYTES_MAX // BATCH_BYTES_MAX
    boxes = [f"box-{number // WAITING_PER_BOX}" for number in range(fits + 1)]
    said = [Message(topics.records_up(box), heavy, b"", token) for token, box in enumerate(boxes, start=1)]
    assert [intake.put(one) for one in said] == [True] * fits + [False]
    assert gone == said[-1:]
    assert len(intake.take(1, 0)) == 1
    assert intake.put(said[-1])


def test_telemetry_that_comes_again_keeps_its_place_and_a_busy_core_hears_everybody() -> None:
    intake: Intake[str] = Intake(lambda _: None)
    boxes = [f"box-{number}" for number in range(TELEMETRY_AT_ONCE + 10)]
    for token, box in enumerate([*boxes, *boxes[:100]], start=1):
        intake.put(word(box, token, topics.telemetry_up(box)))
    first = intake.take(200, 0)
    assert [topics.device_of(one.topic) for one in first if isinstance(one, Message)] == boxes[
        :TELEMETRY_AT_ONCE
    ]
    assert first[0] == word(boxes[0], len(boxes) + 1, topics.telemetry_up(boxes[0])), (
        "the newest stands for all"
    )
    assert len(intake.take(200, 0)) == 10


def test_what_the_wallet_says_is_answered_once_it_is_in_the_store(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, sale = "0199a3c4-5a00-7d21-9b3a-0c5e7f1a2b3c", "0199a3c4-5a00-7d21-9b3a-0c5e7f1a2b3d"
    writing = database.writing
    with writing() as connection:
        ledger = Ledger(connection, 0)
        ask = PayAsk(attempt=attempt, sale=sale, amount=500, code="1" * 18)
        cashier.ask(connection, ledger, ask, device="box-1", now_ms=0, schedule=Schedule())
        ledger.flush()
    away = threading.Event()

    @contextmanager
    def unreachable() -> Iterator[Connection]:
        if away.is_set():
            raise OperationalError("connect", None, OSError("the server is gone"))
        with writing() as connection:
            yield connection

    monkeypatch.setattr(database, "writing", unreachable)
    with core(database, desk, NoChannel()) as running:
        away.set()
        assert running.notified(Notified(attempt, Told(Outcome.PAID), 500)).result(10) is False
        away.clear()
        assert running.notified(Notified(attempt, Told(Outcome.PAID), 500)).result(10) is True
    with writing() as connection:
        assert connection.execute(select(tables.payment.c.state)).scalar_one() == "paid"
