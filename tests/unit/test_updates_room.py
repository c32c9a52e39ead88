"""Updates in a running box: what is staged waits for the customer, and leaves in the very breath in which nobody is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.releases import Publisher
from tests.unit.test_runtime import Counter

from tillbox.agent import till as shop
from tillbox.agent.past import Past
from tillbox.agent.runtime import Parts, Runtime
from tillbox.agent.updates import machine, room
from tillbox.agent.updates.room import UpdateRoom
from tillbox.agent.updates.settings import Updates
from tillbox.agent.updates.slots import Slots
from tillbox.agent.updates.words import Refusal, Why
from tillbox.broker.journal import open_journal
from tillbox.broker.line import Up
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeBelief, TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Ack, Line
from tillbox.contracts.money import CNY, Amount

TEA = Line(name="tea", price=800)


@dataclass
class Box:
    """One box, its publisher, and the hands of a test instead of its threads."""

    room: UpdateRoom
    runtime: Runtime
    publisher: Publisher
    left: list[str]
    clock: list[int]
    right: list[bool] = field(default_factory=lambda: [True])

    def turn(self, later_ms: int = 1_000) -> None:
        self.clock[0] += later_ms
        self.room._turn()

    def settle(self) -> None:
        newest = list(self.runtime.journal.entries())[-1]
        self.runtime.journal.settle(Ack(inc=newest.inc, wm=newest.seq, head=newest.hash, credit=9))


@pytest.fixture
def by_command() -> bool:
    return False


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_command: bool) -> Iterator[Box]:
    monkeypatch.setattr(room, "examine", lambda _: None)  # tests/unit/test_updates_health.py asks real slots
    publisher = Publisher(tmp_path / "publisher")
    slots = Slots(tmp_path / "updates")
    slots.seed(publisher.publish("0.1.0"), publisher.lock_hash)
    journal, opening = open_journal(
        FileMedium(tmp_path / "journal.db"), device="box-1", incarnation="a" * 16, tid=uuid7(1, b"o" * 10),
        at=TimeInterval(1, 2),
    )  # fmt: skip
    counter = Counter()
    parts = Parts("box-1", counter, counter, counter, counter, counter.chance)
    belief = TimeBelief(0).told(1_790_000_000_000, asked_boot_ms=9_000, answered_boot_ms=9_010)
    runtime = Runtime(parts, journal, opening, shop.boot(shop.Setup("box-1", "town"), Past()), belief)
    runtime.start()
    runtime.hear(Up())
    left: list[str] = []
    clock, right = [0], [True]
    told = Updates(
        url=publisher.web.url, trust=publisher.repository.metadata / "1.root.json", root=tmp_path / "updates",
        rate_bytes_s=10**9, quiet_s=2, poll_s=60, by_command=by_command,
    )  # fmt: skip
    made = UpdateRoom(
        told,
        on_till=lambda work: work(runtime) or True,
        leave=lambda: left.append("left"),
        clock_right=lambda: right[0],
        papers_unanswered=lambda: 0,
        clock_ms=lambda: clock[0],
    )
    one = Box(made, runtime, publisher, left, clock, right)
    one.settle()
    yield one
    publisher.web.stop()
    journal.close()


def blockers(box: Box) -> list[str]:
    return [one["blocker"] for one in box.room.report()["blocked_by"]]


def test_what_is_ready_waits_for_the_customer_and_leaves_when_nobody_is_there(box: Box) -> None:
    box.publisher.publish("0.2.0")
    box.runtime.happen(shop.LineRung(TEA))
    box.turn()
    box.turn()
    assert (box.room.report()["state"], blockers(box)) == ("waiting", ["customer"])
    line = box.room.line()
    assert line is not None
    assert line.en == "Release 0.2.0 waits: A customer's goods are on the till."
    assert box.room.slots.state().trial == ""
    box.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    box.turn()
    assert blockers(box) == ["queue", "busy"], "the sale is not with the core"
    box.settle()
    box.turn()
    assert blockers(box) == ["busy"]
    box.turn()
    assert box.left == ["left"]
    state = box.room.slots.state()
    assert (state.good, state.trial, state.version, state.starts) == ("a", "b", "0.2.0", 0)


def test_while_its_own_slot_is_on_trial_it_asks_nobody_anything(box: Box) -> None:
    box.publisher.publish("0.2.0")
    for _ in range(6):
        box.turn()
    assert box.left == ["left"]
    box.publisher.publish("0.3.0")
    box.turn(10**6)
    assert box.room.report()["state"] == "trying"
    assert box.left == ["left"]


def test_a_release_that_sells_wrongly_is_remembered_and_fetched_no_second_time(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "examine", lambda _: Refusal(Why.SELLS_WRONGLY, "total 1.01 ≠ 1.00"))
    box.publisher.publish("0.2.0")
    box.turn()
    assert box.room.report()["refused"]["why"] == "sells_wrongly"
    assert "1.01" in box.room.slots.state().refused["0.2.0"]["en"]
    box.turn(10**8)
    assert box.room.report()["refused"]["why"] == "failed_before"
    assert box.left == []


def test_a_server_that_is_refused_is_asked_ever_more_seldom_and_at_once_when_somebody_wants_it(
    box: Box,
) -> None:
    box.publisher.publish("0.2.0", days_ago=9)
    box.turn()
    assert box.room.report()["refused"]["why"] == "expired"
    for wait_s, asks in ((119, 1), (2, 2), (239, 2), (2, 3)):
        box.turn(wait_s * 1_000)
        assert box.room.report()["asks"] == asks
    box.room.check_now()
    box.turn(0)
    assert box.room.report()["asks"] == 4


def test_without_the_hour_nothing_is_asked_for_nobody_can_tell_what_has_expired(box: Box) -> None:
    box.publisher.publish("0.2.0")
    box.right[0] = False
    box.turn()
    assert box.room.report()["refused"]["why"] == "clock_unknown"
    assert box.room.report()["asks"] == 0
    box.right[0] = True
    box.turn()
    assert isinstance(box.room.state, machine.Waiting)


def test_a_card_that_takes_no_more_keeps_the_box_selling(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.publisher.publish("0.2.0")
    box.turn()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Slots, "arm", full)
    for _ in range(4):
        box.turn()
    assert box.left == []
    assert box.room.report()["refused"]["why"] == "no_room"


def test_a_card_without_room_is_not_filled_by_a_release(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = room.shutil.disk_usage(box.room.room.root)._replace(free=200 * 1024 * 1024)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage)
    box.publisher.publish("0.2.0")
    box.turn()
    assert box.room.report()["refused"]["why"] == "no_room"
    assert list((box.room.room.root / "downloads").glob("*.part")) == []


def test_a_release_that_is_withdrawn_while_it_waits_is_let_go(box: Box) -> None:
    box.publisher.publish("0.2.0")
    box.runtime.happen(shop.LineRung(TEA))
    box.turn()
    box.publisher.publish("0.1.0")
    box.room.check_now()
    box.turn()
    assert box.room.report()["state"] == "steady"


@pytest.mark.parametrize("by_command", [True])
def test_a_box_of_a_fleet_asks_nobody_until_head_office_commands_a_release(box: Box) -> None:
    box.publisher.publish("0.2.0")
    box.turn(10**8)
    assert (box.room.report()["asks"], box.room.report()["state"]) == (0, "steady")
    assert not box.room.want("0.2.0").asked
    box.runtime.happen(shop.LineRung(TEA))
    box.turn()
    box.turn()
    stand = box.room.want("0.2.0")
    assert (stand.asked, stand.runs, type(stand.state)) == (True, "0.1.0", machine.Waiting)
    said = box.room.told()
    assert (said.state, said.release, said.blocked_by) == ("waiting", "0.2.0", ("customer",))
    box.room.forget("0.2.0")
    box.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    box.settle()
    for _ in range(6):
        box.turn()
    assert (box.left, box.room.report()["state"]) == ([], "steady"), "nobody wants it any more"


@pytest.mark.parametrize("by_command", [True])
def test_head_office_gets_the_release_that_it_named_or_none(box: Box) -> None:
    box.publisher.publish("0.3.0")
    box.room.want("0.2.0")
    for _ in range(6):
        box.turn()
    refused = box.room.report()["refused"]
    assert (refused["why"], box.left) == ("not_offered", [])
    assert "0.3.0 ≠ 0.2.0" in refused["en"]


@pytest.mark.parametrize("by_command", [True])
def test_a_journal_that_takes_no_more_holds_the_box_back_from_a_release(box: Box) -> None:
    box.publisher.publish("0.2.0")
    box.room.on_leave = lambda _, release: release != "0.2.0"
    box.room.want("0.2.0")
    for _ in range(6):
        box.turn()
    assert (box.left, box.room.slots.state().trial) == ([], "")


@pytest.mark.parametrize("by_command", [True])
def test_what_waits_is_let_go_when_another_release_is_commanded(box: Box) -> None:
    box.publisher.publish("0.2.0")
    box.room.want("0.2.0")
    box.runtime.happen(shop.LineRung(TEA))
    box.turn()
    box.turn()
    assert isinstance(box.room.state, machine.Waiting)
    box.publisher.web.stop()
    box.room.want("0.3.0")
    box.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    box.settle()
    for _ in range(6):
        box.turn()
    assert (box.left, box.room.slots.state().trial) == ([], ""), "nobody wants 0.2.0 any more"


@pytest.mark.parametrize("by_command", [True])
def test_what_is_commanded_while_the_server_is_asked_is_asked_for_next(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = box.room._trust.offer

    def meanwhile(have: object) -> object:
        box.room.want("0.3.0")
        return offer(have)  # type: ignore[arg-type]

    monkeypatch.setattr(box.room._trust, "offer", meanwhile)
    box.publisher.publish("0.2.0")
    box.room.want("0.2.0")
    box.turn()
    assert not box.room.want("0.3.0").asked
    monkeypatch.undo()
    monkeypatch.setattr(room, "examine", lambda _: None)
    box.publisher.publish("0.3.0")
    box.turn()
    stand = box.room.want("0.3.0")
    assert (stand.asked, stand.state.release.version) == (True, "0.3.0")


def test_a_server_that_is_refused_for_ever_does_not_end_the_room(box: Box) -> None:
    box.publisher.publish("0.2.0", days_ago=9)
    box.room._refusals = 5_000
    box.turn()
    assert box.room.report()["refused"]["why"] == "expired"


@pytest.mark.parametrize("by_command", [True])
def test_a_release_that_runs_here_was_tried_well_and_a_full_card_is_named(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.turn()
    assert box.room.tried("0.1.0") == (True, "It ran this release already.")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Slots, "arm", full)
    box.publisher.publish("0.2.0")
    box.room.want("0.2.0")
    for _ in range(5):
        box.turn()
    kept, why = box.room.tried("0.2.0") or (True, "")
    assert not kept
    assert "no room on the card" in why
