"""Commands of head office at a box: a real journal, a real till, a printer's twin, and power that goes in between."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.patience import eventually
from tests.releases import Publisher
from tests.unit.test_runtime import Counter

from tillbox.agent import till as shop
from tillbox.agent.app import Box
from tillbox.agent.config import BoxConfig
from tillbox.agent.errands.lately import Lately
from tillbox.agent.errands.live import LiveRoom
from tillbox.agent.errands.room import ErrandRoom
from tillbox.agent.offline import Lease, Right
from tillbox.agent.past import recall
from tillbox.agent.runtime import Parts, Runtime
from tillbox.agent.screen.page import till_page
from tillbox.agent.screen.server import picture
from tillbox.agent.shell.room import ShellRoom
from tillbox.agent.updates import launcher, room
from tillbox.agent.updates.room import UpdateRoom
from tillbox.agent.updates.settings import Updates
from tillbox.agent.updates.slots import Slots
from tillbox.broker.journal import open_journal
from tillbox.broker.line import Message, Up
from tillbox.broker.medium import FileMedium
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief
from tillbox.contracts.codes import kid_of
from tillbox.contracts.commands import Command, seal_command
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Ack, Line
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.offers.threshold import ThresholdOffer
from tillbox.contracts.verdicts import Reason
from tillbox.hardware.simulated.paper import paper_text
from tillbox.hardware.simulated.printer import SimulatedPrinter

SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
KEYS = {kid_of(PUBLIC): (PUBLIC,)}
NOW = 1_790_000_000_000
HOUR = 3_600_000
TEA = Line(name="tea", price=800)


@dataclass
class Till:
    """One box with its errands, and a person at its counter. `power_cut` leaves its journal, and no more."""

    box: Box
    folder: Path
    counter: Counter
    boots: int = 0
    commands: int = 0
    shells: ShellRoom | None = None

    def boot(self) -> None:
        """Everything from the journal."""
        self.boots += 1
        self.lately = Lately()
        self.live = LiveRoom(self.box, self.lately, lambda: picture(self.box), clock_ms=self.counter.boot_ms)
        self.room = ErrandRoom(
            self.box, keys=KEYS, epoch=lambda: 2, lately=self.lately, live=self.live, shells=self.shells
        )
        boot_ms = self.counter.boot_ms()
        self.belief = TimeBelief(0).told(NOW, asked_boot_ms=boot_ms, answered_boot_ms=boot_ms)
        self.journal, opening = open_journal(
            FileMedium(self.folder / "journal.db"), device="box-1", incarnation=f"{self.boots:016x}",
            tid=uuid7(self.boots, b"o" * 10), at=self.belief.at(boot_ms),
        )  # fmt: skip
        parts = Parts(
            "box-1", self.counter, self.counter, self.counter, self.counter, self.counter.chance,
            command=self.box.on_command,
        )  # fmt: skip
        past = recall(entry.bytes for entry in self.journal.entries())
        setup = shop.Setup("box-1", "town")
        self.runtime = Runtime(parts, self.journal, opening, shop.boot(setup, past), self.belief)
        self.runtime.start()
        self.box.on_boot(self.runtime)
        self.runtime.hear(Up())

    def power_cut(self) -> None:
        self.journal.close()
        self.boot()

    def command(self, verb: str, *, last_ms: int = HOUR, **params: str | int) -> str:
        """A new command, on its way."""
        self.commands += 1
        made = Command(
            id=uuid7(NOW, self.commands.to_bytes(10, "big")), device="box-1", epoch=2, verb=verb, params=params,
            made_ms=NOW, expires_ms=NOW + last_ms,
        )  # fmt: skip
        self.sealed = seal_command(made, private_key=SEED)
        self.hear(self.sealed)
        return made.id

    def hear(self, sealed: str) -> None:
        self.runtime.hear(Message(topics.command_down("box-1"), sealed.encode()))

    def turn(self) -> None:
        """What the room's thread does in half a second."""
        self.room.turn(0.01)
        self.room.look(self.runtime)

    def life(self, command: str) -> list[str]:
        """What the journal says of a command."""
        return [said["state"] for said in self.said(command)]

    def said(self, command: str) -> list[dict[str, Any]]:
        records = [json.loads(entry.bytes) for entry in self.journal.entries()]
        bodies = [one["body"] for one in records if one["kind"] == "command_state"]
        return [body for body in bodies if body["command"] == command]

    def sell(self) -> bool:
        before = self.runtime.till.past.number
        self.runtime.happen(shop.LineRung(TEA))
        self.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
        return self.runtime.till.past.number > before

    def settle(self) -> None:
        """The core has everything, of this boot and those before."""
        newest = {entry.inc: entry for entry in self.journal.entries()}
        for entry in newest.values():
            self.journal.settle(Ack(inc=entry.inc, wm=entry.seq, head=entry.hash, credit=200))


def config(folder: Path, printer: str | None, **more: object) -> BoxConfig:
    told: dict[str, object] = {
        "device": "box-1", "tenant": "town", "shop": "茶铺", "state": str(folder), "printer": printer,
        "broker": {"host": "127.0.0.1", "port": 1, "authority": "ca", "certificate": "crt", "key": "key"},
    }  # fmt: skip
    return BoxConfig.model_validate(told | more)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Till]]:
    made: list[Till] = []

    def one(printer: str | None = None) -> Till:
        box = Box(config(tmp_path, printer))
        till = Till(box, tmp_path, Counter())
        till.boot()
        made.append(till)
        if box.prints:
            box.prints.start()
        return till

    yield one
    for till in made:
        if till.box.prints:
            till.box.prints.stop()
        till.journal.close()


@dataclass
class Slotted:
    """A box with two slots, its publisher, and the launcher's part played by a test."""

    till: Till
    updates: UpdateRoom
    publisher: Publisher
    left: list[str]

    def turn(self) -> None:
        self.updates._turn()
        self.till.turn()

    def restart(self, verdict: launcher.Verdict | None) -> None:
        """The trial came to its end, or (None) the power went before it began."""
        root = self.updates.slots.root
        state = self.updates.slots.state()
        ended = replace(state, trial="") if verdict is None else launcher.conclude(state, verdict, 3.0)
        launcher.write_state(root, ended)
        self.till.box.updates = self.updates = update_room(self.till, self.publisher, root, self.left)
        self.till.power_cut()


def update_room(till: Till, publisher: Publisher, root: Path, left: list[str]) -> UpdateRoom:
    told = Updates(
        url=publisher.web.url, trust=publisher.repository.metadata / "1.root.json", root=root,
        rate_bytes_s=10**9, quiet_s=0, by_command=True,
    )  # fmt: skip
    return UpdateRoom(
        told,
        on_till=lambda work: work(till.runtime) or True,
        leave=lambda: left.append("left"),
        clock_right=lambda: True,
        papers_unanswered=lambda: 0,
        clock_ms=till.counter.boot_ms,
    )


@pytest.fixture
def slotted(make: Callable[..., Till], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slotted]:
    monkeypatch.setattr(room, "examine", lambda _: None)  # test_updates_health.py asks real slots
    publisher, root = Publisher(tmp_path / "publisher"), tmp_path / "updates"
    Slots(root).seed(publisher.publish("0.1.0"), publisher.lock_hash)
    publisher.publish("0.2.0")
    till = make()
    till.box.updates = update_room(till, publisher, root, left := [])
    till.power_cut()
    till.settle()
    yield Slotted(till, till.box.updates, publisher, left)
    publisher.web.stop()


@pytest.fixture
def till(make: Callable[..., Till]) -> Till:
    return make()


@pytest.mark.parametrize(
    ("verdict", "end", "why"),
    [
        (launcher.KEPT, "successful", "passed its trial"),
        (launcher.ended(7), "failed", "ended by itself (exit status 7)"),
        (None, "failed", "before the box could try it"),
    ],
)
def test_a_release_waits_for_the_customer_and_the_next_boot_says_how_its_trial_ended(
    slotted: Slotted, verdict: launcher.Verdict | None, end: str, why: str
) -> None:
    till = slotted.till
    till.runtime.happen(shop.LineRung(TEA))
    command = till.command("update", release="0.2.0")
    for _ in range(3):
        slotted.turn()
    assert till.life(command) == ["init", "blocked"]
    assert till.said(command)[-1]["reason"] == "A customer's goods are on the till."
    till.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    till.settle()
    for _ in range(3):
        slotted.turn()
    assert (till.life(command), slotted.left) == (["init", "blocked", "executing"], ["left"])
    assert slotted.updates.slots.state().version == "0.2.0"
    slotted.restart(verdict)
    till.hear(till.sealed)
    for _ in range(3):
        slotted.turn()
    assert till.life(command) == ["init", "blocked", "executing", end]
    assert why in till.said(command)[-1]["reason"]


def test_while_its_trial_goes_on_a_release_has_no_end(slotted: Slotted) -> None:
    command = slotted.till.command("update", release="0.2.0")
    slotted.till.settle()
    for _ in range(4):
        slotted.turn()
        slotted.till.settle()
    assert slotted.left == ["left"]
    slotted.till.power_cut()  # and the trial's slot is started
    for _ in range(3):
        slotted.turn()
    assert slotted.till.life(command)[-1] == "executing"


def test_a_release_that_nobody_published_fails_and_the_next_one_gets_its_turn(slotted: Slotted) -> None:
    till = slotted.till
    lost, good = till.command("update", release="0.9.0"), till.command("update", release="0.2.0")
    for _ in range(6):
        slotted.turn()
        till.settle()
    assert till.life(lost)[-1] == "failed"
    assert "0.2.0 ≠ 0.9.0" in till.said(lost)[-1]["reason"]
    assert (till.life(good)[-1], slotted.left) == ("executing", ["left"])


def test_a_box_that_runs_a_release_or_takes_none_says_so(slotted: Slotted) -> None:
    till = slotted.till
    slotted.turn()
    same = till.command("update", release="0.1.0")
    slotted.turn()
    assert till.life(same) == ["init", "executing", "successful"]
    till.box.updates = None
    none = till.command("update", release="0.2.0")
    till.turn()
    assert till.life(none) == ["init", "failed"]


def test_a_box_looks_at_itself_and_its_journal_has_the_report(till: Till) -> None:
    command = till.command("self-test")
    till.turn()
    assert till.life(command) == ["init", "executing", "successful"]
    found = json.loads(till.said(command)[-1]["result"])
    assert "free disk" in {one["check"] for one in found["checks"]}


def test_a_command_that_comes_five_times_is_done_once(till: Till) -> None:
    command = till.command("self-test")
    for _ in range(4):
        till.hear(till.sealed)
        till.turn()
    till.power_cut()
    till.hear(till.sealed)
    till.turn()
    assert till.life(command) == ["init", "executing", "successful"]


def test_what_is_forged_foreign_or_over_does_nothing(till: Till) -> None:
    records = till.journal.position
    made = Command(id=uuid7(NOW, bytes(10)), device="box-1", epoch=2, verb="quarantine", params={"why": "x"}, made_ms=NOW, expires_ms=NOW + HOUR)  # fmt: skip
    for other, key in (
        (made, bytes(32)),
        (made.model_copy(update={"device": "box-2"}), SEED),
        (made.model_copy(update={"epoch": 1}), SEED),
    ):
        till.hear(seal_command(other, private_key=key))
    till.hear(seal_command(made, private_key=SEED).replace('"sig": "', '"sig": "00'))
    assert till.journal.position == records, "a stranger cannot fill a journal"
    assert till.runtime.refused[Reason.FOREIGN_DEVICE] == 2
    assert till.runtime.refused[Reason.SIGNER_UNKNOWN] == 1
    assert till.runtime.refused[Reason.SIGNATURE_WRONG] == 1
    late = till.command("quarantine", last_ms=-1, why="x")
    assert till.life(late) == ["init", "expired"]
    assert till.sell()


def test_a_verb_of_later_software_ends_in_words(till: Till) -> None:
    command = till.command("dance")
    assert till.life(command) == ["init", "failed"]
    assert "no such command" in till.said(command)[-1]["reason"]


def test_a_restart_waits_for_the_customer_and_its_success_is_the_next_boot(till: Till) -> None:
    till.runtime.happen(shop.LineRung(TEA))
    command = till.command("restart")
    for _ in range(3):
        till.turn()
    assert till.life(command) == ["init", "blocked"], "said once"
    assert not till.box.restarts
    till.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    till.turn()
    assert till.box.restarts
    till.power_cut()
    till.turn()
    assert till.life(command) == ["init", "blocked", "executing", "successful"]


def test_what_was_under_way_when_the_power_went_is_said_to_have_failed(till: Till) -> None:
    command = till.command("collect-diagnostics")
    assert till.life(command) == ["init", "executing"]
    till.power_cut()
    till.turn()
    assert till.life(command) == ["init", "executing", "failed"]
    assert "interrupted" in till.said(command)[-1]["reason"]


def test_what_waited_when_the_power_went_waits_again(till: Till) -> None:
    till.runtime.happen(shop.LineRung(TEA))
    command = till.command("restart")
    till.power_cut()
    till.hear(till.sealed)  # the core says it again to a box that came up
    assert till.life(command) == ["init", "blocked", "executing"]


def test_a_drained_till_sells_nothing_until_resumed_and_says_when_all_is_in(till: Till) -> None:
    assert till.sell()
    drain = till.command("drain", why="the shop moves")
    till.turn()
    assert till.life(drain) == ["init", "executing"], "its records are not in yet"
    assert not till.sell()
    till.power_cut()
    assert not till.sell(), "no restart sells again"
    till.settle()
    till.turn()
    till.turn()
    assert till.life(drain) == ["init", "executing", "successful"]
    resume = till.command("resume")
    till.turn()
    assert till.life(resume) == ["init", "executing", "successful"]
    assert till.sell()


def test_a_quarantine_keeps_the_goods_on_the_counter_and_says_why(till: Till) -> None:
    till.runtime.happen(shop.LineRung(TEA))
    command = till.command("quarantine", why="the drawer is being counted")
    till.turn()
    assert till.life(command) == ["init", "executing", "successful"]
    till.box._draw(till.runtime.till, till.runtime)
    assert till.box.view is not None
    page = till_page(till.box.view, till.box.config, "en")
    assert "the drawer is being counted" in page.phase_text
    assert not page.can_sell
    till.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    assert till.runtime.till.past.number == 0
    till.command("resume")
    till.turn()
    assert not till.sell(), "a quarantine ends by its own word"
    till.command("release")
    till.turn()
    till.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    assert till.runtime.till.past.number == 1, "the goods had waited"


def test_a_coupon_on_a_quarantined_counter_goes_when_the_till_is_drained(till: Till) -> None:
    """Its right goes back to the core: it could be spent at another till meanwhile."""
    right = Right(uuid7(7, bytes(10)), "tea", 1)
    lease = Lease(right.lease, "tea", 1, 3, frozenset(), NOW + HOUR)
    basket = shop.Basket(
        (TEA,), shop.Coupon(right, ThresholdOffer(Amount(100, CNY), Amount(500, CNY)), "tea")
    )
    till.runtime.till = replace(
        till.runtime.till,
        phase=shop.Ringing(basket),
        rights=shop.Rights.LIVE,
        past=replace(till.runtime.till.past, leases={lease.id: lease}),
    )
    till.command("quarantine", why="a thief")
    till.command("drain", why="stocktaking")
    left = shop.basket_of(till.runtime.till)
    assert (left.lines, left.coupon) == ((TEA,), None)
    assert till.runtime.till.past.leases == {}


def test_two_stops_need_two_ends(till: Till) -> None:
    till.command("drain", why="stocktaking")
    till.command("quarantine", why="a thief")
    till.command("release")
    assert not till.sell()
    assert isinstance(till.runtime.till.phase, shop.Stopped)
    assert till.runtime.till.phase.reason is Reason.DRAINED
    till.command("resume")
    assert till.sell()


def test_a_receipt_is_printed_once_more(make: Callable[..., Till]) -> None:
    twin = SimulatedPrinter()
    till = make(f"127.0.0.1:{twin.port}")
    none = till.command("reprint")
    till.turn()
    assert till.life(none)[-1] == "failed"
    till.sell()
    papers = len(till.counter.papers)
    last = till.command("reprint")
    till.turn()
    assert till.life(last)[-1] == "successful"
    assert [slip.kind for slip in till.counter.papers[papers:]] == ["copy"]


def test_a_test_page_is_on_paper_before_it_is_said_to_be(make: Callable[..., Till]) -> None:
    twin = SimulatedPrinter()
    till = make(f"127.0.0.1:{twin.port}")
    command = till.command("test-page")
    till.turn()
    assert till.life(command)[-1] == "successful"
    assert eventually(lambda: len(twin.papers) == 1)
    assert "TEST PAGE" in paper_text(twin.papers[0].data)


def test_a_box_without_a_printer_says_so(till: Till) -> None:
    for verb in ("test-page", "reprint"):
        till.sell()
        command = till.command(verb)
        till.turn()
        assert till.life(command)[-1] == "failed"
        assert "no printer" in till.said(command)[-1]["reason"]


def test_support_gets_a_bundle_that_it_can_open(till: Till) -> None:
    till.room._lately(None, "warning", {"event": "code 13812345678 was refused"})
    command = till.command("collect-diagnostics")
    till.turn()
    said = till.said(command)
    parts = [one["result"] for one in said if one.get("part")]
    assert json.loads(said[-1]["result"])["parts"] == len(parts) > 0
    found = json.loads(gzip.decompress(base64.b64decode("".join(parts))))
    assert found["device"] == "box-1"
    assert found["doctor"]["lines"]
    assert "13812345678" not in json.dumps(found)
    assert any("was refused" in line for line in found["log"])


def test_a_full_card_records_no_command_and_the_core_says_it_again(till: Till) -> None:
    till.runtime.happen(shop.JournalFailed(Reason.DISK_FULL))
    command = till.command("self-test")
    assert till.life(command) == []
    till.runtime.happen(shop.JournalMended())
    till.hear(till.sealed)
    till.turn()
    assert till.life(command) == ["init", "executing", "successful"]
