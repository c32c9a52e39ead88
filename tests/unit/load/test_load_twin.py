"""A simulated box is a box: its records continue their chain, and only the core's own ack settles them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tillbox.broker.delivery import RESEND_MS, Phase
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.contracts import topics
from tillbox.contracts.messages import Ack, Answer, State, Telemetry
from tillbox.proof.load import verdict
from tillbox.proof.load.twin import Twin

HOUR = 1_790_000_000_000


class Counter:
    """A twin whose words are kept, and may be taken to a real core."""

    def __init__(self, device: str = "load-1") -> None:
        self.said: list[tuple[str, bytes]] = []
        self.waited: list[int] = []
        self.takes = True
        self.twin = Twin(
            device,
            random=Random(1),
            say=self.say,
            anew=lambda: None,
            settled=self.waited.append,
            hour_ms=lambda: HOUR,
        )

    def say(self, topic: str, payload: bytes, **_: object) -> bool:
        if self.takes:
            self.said.append((topic, payload))
        return self.takes

    def of(self, topic: str) -> list[bytes]:
        return [payload for name, payload in self.said if name == topic]

    @property
    def records(self) -> list[bytes]:
        return self.of(topics.records_up(self.twin.device))


@pytest.fixture
def core(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path / 'core.db'}")


def take_in(core: Database, counter: Counter, now_ms: int) -> None:
    arrived = [Arrived(counter.twin.device, payload) for payload in counter.records]
    counter.said.clear()
    for device, ack in Ingest(core, Schedule()).take(arrived, HOUR):
        counter.twin.hear(topics.ack_down(device), ack.model_dump_json(exclude_none=True).encode(), now_ms)


def test_a_box_is_born_greets_and_hands_in_its_opening() -> None:
    counter = Counter()
    counter.twin.line_up(0)
    assert [topic for topic, _ in counter.said] == [
        topics.state_up("load-1"),
        topics.ask_up("load-1", "hello"),
        topics.records_up("load-1"),
        topics.alerts_up("load-1"),
    ]
    assert State.model_validate_json(counter.said[0][1]).s == "online"
    assert State.model_validate_json(counter.twin.will).inc == counter.twin.inc


def test_the_core_takes_its_records_and_its_ack_settles_them(core: Database, tmp_path: Path) -> None:
    counter = Counter()
    for now_ms in range(5):
        counter.twin.sell(now_ms)
    counter.twin.line_up(10)
    take_in(core, counter, 30)
    assert (counter.twin.pending, counter.twin.delivery.settled) == (0, 6)
    assert counter.waited == [30, 30, 29, 28, 27, 26]
    assert [topic for topic, _ in counter.said] == [topics.ask_up("load-1", "hello")], (
        "now it can be vouched for"
    )
    answer = Answer(name="hello", body={"core_ms": HOUR, "standing": "proven"}).model_dump_json().encode()
    counter.twin.hear(topics.answer_down("load-1"), answer, 40)
    assert counter.twin.proven
    assert judged(core, counter, tmp_path) == (6, 0, 0)


def judged(core: Database, counter: Counter, folder: Path, *, forget: str = "") -> tuple[int, int, int]:
    lists = folder / "boxes.txt"
    journal = counter.twin.journal
    lines = [f"load-1 {n} {kept.tid} {kept.hash} 1" for n, kept in enumerate(journal) if kept.tid != forget]
    lists.write_text("\n".join(lines))
    with core.reading() as connection:
        found = verdict.judge(connection, [lists])
    assert found.ok == (not found.complaints)
    return found.made, found.lost, found.doubled


def test_the_judge_sees_what_is_lost_and_what_nobody_made(core: Database, tmp_path: Path) -> None:
    counter = Counter()
    counter.twin.line_up(0)
    take_in(core, counter, 10)
    counter.twin.sell(20)
    counter.said.clear()  # the line lost it
    assert judged(core, counter, tmp_path) == (2, 1, 0)
    assert judged(core, counter, tmp_path, forget=counter.twin.journal[0].tid) == (1, 1, 1)


def test_what_was_lost_on_the_way_is_sent_again(core: Database) -> None:
    counter = Counter()
    counter.twin.line_up(0)
    counter.twin.sell(0)
    counter.said.clear()
    counter.twin.tick(RESEND_MS - 1)
    assert counter.records == []
    counter.twin.tick(RESEND_MS)
    assert len(counter.records[0].split(b"\n")) == 2
    take_in(core, counter, RESEND_MS + 5)
    assert counter.twin.delivery.phase is Phase.CALM


def test_an_ack_of_another_chain_settles_nothing() -> None:
    counter = Counter()
    counter.twin.line_up(0)
    head = counter.twin.journal[0].hash
    for ack in (
        Ack(inc="ff" * 8, wm=1, head=head, credit=9),
        Ack(inc=counter.twin.inc, wm=1, head="0" * 64, credit=9),
    ):
        counter.twin.hear(topics.ack_down("load-1"), ack.model_dump_json(exclude_none=True).encode(), 5)
    assert counter.twin.pending == 1
    counter.twin.hear(topics.ack_down("load-1"), b"noise", 5)
    assert counter.twin.refused == {"not_understood": 1}


def test_a_line_that_takes_nothing_more_keeps_the_records_waiting() -> None:
    counter = Counter()
    counter.takes = False
    counter.twin.line_up(0)
    counter.twin.sell(0)
    assert (counter.records, counter.twin.pending) == ([], 2)
    counter.takes = True
    counter.twin.tick(RESEND_MS)
    assert len(counter.records[0].split(b"\n")) == 2


def test_telemetry_tells_what_waits_and_is_rarer_while_nothing_is_new() -> None:
    counter = Counter()
    counter.twin.line_up(0)
    counter.twin.sell(3)
    for now_ms in range(5_000, 31_000, 5_000):
        counter.twin.report(now_ms)
    said = counter.of(topics.telemetry_up("load-1"))
    assert len(said) == 2
    health = Telemetry.model_validate_json(said[0])
    assert (health.seq, health.pending, health.head) == (2, 2, counter.twin.journal[-1].hash)
