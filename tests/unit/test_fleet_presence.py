"""Who is there, as the core believes it: whatever order words come in, and whoever never says anything again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tillbox.cloud_bridge.fleet import presence
from tillbox.cloud_bridge.fleet.presence import (
    ECHO_MS,
    GRACE_MS,
    LOOK_MS,
    SILENCE_MS,
    STALL_MS,
    Listening,
    Word,
)
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.tables import box, refused
from tillbox.contracts import topics
from tillbox.contracts.messages import State, Telemetry

NOW = 1_790_000_000_000
FIRST, SECOND = "a1" * 8, "b2" * 8


class Street:
    """A core's table of boxes, and words that come to it. `at` is seconds after noon."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def state(self, said: str, inc: str, at: float, device: str = "box-1") -> None:
        payload = State.model_validate({"s": said, "inc": inc}).model_dump_json().encode()
        self.take([Word(device, topics.state_up(device), payload)], at)

    def telemetry(self, inc: str, at: float, pending: int = 0, device: str = "box-1") -> None:
        health = Telemetry(inc=inc, seq=1, pending=pending).model_dump_json(exclude_none=True).encode()
        self.take([Word(device, topics.telemetry_up(device), health)], at)

    def record(self, at: float, device: str = "box-1") -> None:
        self.take([Word(device, topics.records_up(device), b"whatever")], at)

    def take(self, words: list[Word], at: float) -> None:
        with self.database.writing() as connection:
            presence.take(connection, words, now_ms=NOW + int(at * 1_000))

    def silent(self, at: float) -> int:
        with self.database.writing() as connection:
            return presence.silent(connection, now_ms=NOW + int(at * 1_000))

    def gone(self, at: float) -> int:
        with self.database.writing() as connection:
            return presence.gone(connection, now_ms=NOW + int(at * 1_000))

    def state_of(self) -> str:
        with self.database.reading() as connection:
            return connection.execute(select(box.c.state)).scalar_one()

    def since(self) -> int:
        with self.database.reading() as connection:
            return connection.execute(select(box.c.since_ms)).scalar_one()

    def of(self, device: str = "box-1") -> str:
        with self.database.reading() as connection:
            return connection.execute(select(box.c.state).where(box.c.device == device)).scalar_one()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    database = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    yield Street(database)
    database.close()


def test_telemetry_that_was_under_way_does_not_raise_the_dead(street: Street) -> None:
    street.state("online", FIRST, 0)
    street.state("lost", FIRST, 60)
    street.telemetry(FIRST, 61)
    assert street.of() == "leaving"
    assert street.gone(61) == 0
    assert street.gone(60 + GRACE_MS / 1_000 + 1) == 1
    assert street.of() == "lost"


def test_a_box_whose_socket_broke_and_that_is_back_at_once_was_never_gone(street: Street) -> None:
    street.state("online", FIRST, 0)
    since = street.since()
    street.state("lost", FIRST, 60)
    street.state("online", FIRST, 62)
    assert street.gone(100) == 0
    assert (street.of(), street.since()) == ("online", since)


def test_a_box_that_goes_on_speaking_after_its_will_is_there(street: Street) -> None:
    """Its birth was lost: a broker's queue has an end."""
    street.state("online", FIRST, 0)
    street.state("lost", FIRST, 60)
    street.telemetry(FIRST, 60 + ECHO_MS / 1_000)
    assert street.of() == "online"


def test_late_telemetry_of_an_earlier_boot_does_not_hide_the_death_of_this_one(street: Street) -> None:
    street.state("online", FIRST, 0)
    street.state("online", SECOND, 10)
    street.telemetry(FIRST, 11)
    street.state("lost", SECOND, 20)
    assert street.of() == "leaving"


def test_a_will_of_an_earlier_boot_says_nothing_about_this_one(street: Street) -> None:
    street.state("online", SECOND, 0)
    street.state("lost", FIRST, 1)
    assert street.of() == "online"


def test_a_box_that_says_nothing_any_more_is_lost_although_its_broker_died_with_its_will(
    street: Street,
) -> None:
    street.state("online", FIRST, 0)
    street.telemetry(FIRST, 5)
    street.state("online", FIRST, 0, "box-2")
    street.telemetry(FIRST, 40, device="box-2")
    assert street.silent(5 + SILENCE_MS / 1_000) == 0
    assert street.silent(6 + SILENCE_MS / 1_000) == 1
    assert (street.of(), street.of("box-2")) == ("lost", "online")
    street.telemetry(FIRST, 50)
    assert street.of() == "online", "its network was away, and its connection lived"


def test_a_box_that_hands_in_a_long_queue_is_not_silent(street: Street) -> None:
    street.state("online", FIRST, 0)
    street.record(35)
    assert street.silent(60) == 0
    street.state("offline", FIRST, 61)
    street.record(62)
    assert street.of() == "offline", "a record that comes late is no sign of life"


def test_a_batch_is_taken_in_its_order_and_nonsense_is_counted(street: Street) -> None:
    def words(device: str) -> list[Word]:
        said = [
            State.model_validate({"s": s, "inc": FIRST}).model_dump_json().encode()
            for s in ("online", "lost")
        ]
        return [Word(device, topics.state_up(device), payload) for payload in (*said, b"noise", b"x" * 9_000)]

    street.take([word for number in range(500) for word in words(f"box-{number}")], 0)
    with street.database.reading() as connection:
        assert set(connection.execute(select(box.c.state)).scalars()) == {"leaving"}
        assert set(connection.execute(select(refused.c["count"])).scalars()) == {2}


def turns(listening: Listening, since_ms: int, until_ms: int, *, up: bool = True) -> list[int]:
    return [ms for ms in range(since_ms, until_ms, LOOK_MS) if listening.may_look(NOW + ms, up=up)]


def test_a_core_that_has_just_begun_to_listen_calls_nobody_silent() -> None:
    looked = turns(Listening(), 0, 2 * SILENCE_MS)
    assert looked
    assert looked[0] > SILENCE_MS


def test_a_core_whose_line_was_away_or_that_stood_still_begins_to_listen_anew() -> None:
    listening = Listening()
    turns(listening, 0, 2 * SILENCE_MS)
    turns(listening, 2 * SILENCE_MS, 2 * SILENCE_MS + 2 * LOOK_MS, up=False)
    again = 2 * SILENCE_MS + 2 * LOOK_MS
    assert turns(listening, again, again + SILENCE_MS) == []
    assert turns(listening, again + SILENCE_MS, again + 2 * SILENCE_MS)
    later = again + 2 * SILENCE_MS + 2 * STALL_MS
    assert turns(listening, later, later + SILENCE_MS) == []


def test_a_clock_that_is_set_back_keeps_nobody_there_and_nobody_away(street: Street) -> None:
    street.state("online", FIRST, 900)
    street.state("lost", FIRST, 901)
    assert street.gone(0) == 0, "heard just now, by the hour that counts from here on"
    assert street.gone(GRACE_MS / 1_000 + 1) == 1
    street.telemetry(FIRST, ECHO_MS / 1_000 + 1)
    assert street.state_of() == "online", (
        "it goes on speaking, and is believed before the old hour has come again"
    )


def test_silence_is_looked_for_although_the_clock_was_set_back() -> None:
    listening = Listening()
    assert not listening.may_look(NOW, up=True)
    for at_ms in range(NOW - 900_000, NOW - 900_000 + SILENCE_MS + 2 * LOOK_MS, LOOK_MS):
        found = listening.may_look(at_ms, up=True)
    assert found
