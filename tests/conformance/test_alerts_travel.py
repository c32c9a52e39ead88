"""An alert's whole way: a box's own runtime, a real broker with its access list, the core, and a program that is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.agent import till as shop
from tillbox.agent.alerts import Signs
from tillbox.agent.past import Past
from tillbox.agent.runtime import Parts, Runtime
from tillbox.agent.witness import NoWitness
from tillbox.broker.journal import open_journal
from tillbox.broker.line import Happening, Message
from tillbox.broker.medium import FileMedium
from tillbox.broker.mosquitto import Mosquitto, free_port
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.broker.pki import Authority, Identity
from tillbox.cloud_bridge.app import SUBSCRIPTIONS, Core
from tillbox.cloud_bridge.clock import wall_ms
from tillbox.cloud_bridge.payments.channels.port import Channel
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import health_lists
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief, TimeInterval
from tillbox.contracts.ids import uuid7

pytestmark = pytest.mark.mosquitto
DEVICE = "box-1"


class NoChannel(Channel):
    """Nobody pays here."""


@dataclass
class Hands:
    """Nobody looks, and the clock goes as the test says."""

    ms: int = 10_000

    def show(self, show: shop.Show) -> None: ...
    def print(self, slip: shop.Slip) -> None: ...
    def kick(self, reason: str) -> None: ...
    def answered(self, answer: object) -> None: ...
    def boot_ms(self) -> int:
        return self.ms


@dataclass
class Street:
    """A broker, a core with its book, and boxes with their certificates."""

    folder: Path
    broker: Mosquitto
    authority: Authority
    database: Database
    news: list[int] = field(default_factory=list)

    def line(
        self,
        name: str,
        subscriptions: tuple[tuple[str, int], ...],
        *,
        manual_ack: bool = False,
        client_id: str = "",
    ) -> MqttLine:
        who: Identity = self.authority.issue_client(self.folder / name, name=name, now=datetime.now(UTC))
        return MqttLine(
            Endpoint(
                host="127.0.0.1", port=self.broker.port, client_id=client_id or name, authority=self.authority.certificate,
                certificate=who.certificate, key=who.key, subscriptions=subscriptions, manual_ack=manual_ack,
            )
        )  # fmt: skip

    def kinds(self) -> list[str]:
        with self.database.reading() as connection:
            return [row.kind for store in health_lists.open_alerts(connection) for row in store.alerts]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    authority = Authority.create(folder / "ca", name="test", now=datetime.now(UTC))
    server = authority.issue_server(folder / "broker", names=("127.0.0.1",), now=datetime.now(UTC))
    broker = Mosquitto(folder / "broker", port=free_port(), authority=authority, server=server)
    broker.start()
    database = open_database(f"sqlite:///{folder / 'core.db'}")
    found = Street(folder, broker, authority, database)
    core = Core(
        database=database,
        line=found.line("core", SUBSCRIPTIONS, manual_ack=True),
        channel=NoChannel(),
        schedule=Schedule(),
        now_ms=wall_ms,
        chance=os.urandom,
        on_alert=lambda: found.news.append(1),
    )
    core.start()
    yield found
    core.stop()
    database.close()
    broker.stop()


@dataclass
class Box:
    """A box's own runtime on a real line; its printer is what the test says."""

    runtime: Runtime
    hands: Hands
    heard: list[Happening]

    def turn(self) -> bool:
        while self.heard:
            self.runtime.hear(self.heard.pop(0))
        self.runtime.tick()
        return self.runtime.till.line_up

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.hands.ms += 1_000
            self.turn()

    def printer(self, state: str) -> None:
        self.runtime.parts = replace(self.runtime.parts, about=lambda: Signs(printer=state))


@pytest.fixture
def boot(street: Street, tmp_path: Path) -> Iterator[Callable[[], Box]]:
    lines: list[MqttLine] = []

    def boot() -> Box:
        for one in lines:
            one.stop()
        inc = os.urandom(8).hex()
        journal, opening = open_journal(
            FileMedium(tmp_path / f"{inc}.db"), device=DEVICE, incarnation=inc, tid=uuid7(1, b"o" * 10),
            at=TimeInterval(1, 2),
        )  # fmt: skip
        line = street.line(DEVICE, ((topics.ack_down(DEVICE), 1), (topics.answer_down(DEVICE), 1)))
        hands, heard = Hands(), list[Happening]()
        parts = Parts(DEVICE, line, hands, NoWitness(), hands, os.urandom)
        box = Box(
            Runtime(parts, journal, opening, shop.boot(shop.Setup(DEVICE, "t"), Past()), TimeBelief(0)),
            hands,
            heard,
        )
        line.start(heard.append)
        lines.append(line)
        assert eventually(box.turn)
        return box

    yield boot
    for one in lines:
        one.stop()


def test_no_paper_is_told_by_the_box_kept_by_the_core_and_cleared_by_the_box(
    street: Street, boot: Callable[[], Box]
) -> None:
    box = boot()
    box.printer("paper_out")
    box.pass_time(62)
    assert eventually(lambda: street.kinds() == ["paper_out"])
    assert street.news
    box.printer("ready")
    box.pass_time(7)
    assert eventually(lambda: street.kinds() == [])


def test_a_boot_that_has_forgotten_what_the_one_before_raised_clears_it(
    street: Street, boot: Callable[[], Box]
) -> None:
    first = boot()
    first.printer("paper_out")
    first.pass_time(62)
    assert eventually(lambda: street.kinds() == ["paper_out"])
    boot().pass_time(1)
    assert eventually(lambda: street.kinds() == [])


def test_the_list_of_a_box_is_kept_by_the_broker_for_a_core_that_comes_later(
    street: Street, boot: Callable[[], Box]
) -> None:
    box = boot()
    box.printer("lost")
    box.pass_time(62)
    assert eventually(lambda: street.kinds() == ["printer_lost"])
    later, heard = street.line("core", ((topics.ALL_ALERTS, 1),), client_id="later"), list[Happening]()
    later.start(heard.append)
    assert eventually(
        lambda: any(isinstance(one, Message) and b"printer_lost" in one.payload for one in heard)
    )
    later.stop()


def test_what_the_broker_let_go_may_be_read_by_the_core_and_by_nobody_else(street: Street) -> None:
    heard: dict[str, list[Happening]] = {"core": [], DEVICE: []}
    lines = [street.line(name, ((topics.BROKER_DROPS, 0),), client_id=f"{name}-2") for name in heard]
    for line, ears in zip(lines, heard.values(), strict=True):
        line.start(ears.append)
    assert eventually(lambda: any(isinstance(one, Message) for one in heard["core"]), 15.0)
    time.sleep(0.3)
    assert not any(isinstance(one, Message) for one in heard[DEVICE])
    for line in lines:
        line.stop()
