"""The runtime between a real till, a real journal and a line that says whatever it likes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tillbox.agent import till as shop
from tillbox.agent.alerts import Signs
from tillbox.agent.past import Past
from tillbox.agent.runtime import (
    BATCH_RECORDS,
    RIGHTS_LOOK_MS,
    TELEMETRY_CALM_MS,
    TELEMETRY_LATE_MS,
    TELEMETRY_MS,
    Parts,
    Runtime,
)
from tillbox.agent.witness import FileWitness
from tillbox.broker.journal import Journal, JournalBroken, JournalFull, open_journal
from tillbox.broker.line import Deliver, Down, Message, Up, Will
from tillbox.broker.medium import FileMedium
from tillbox.cloud_bridge.fleet import presence
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief, TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import BATCH_BYTES_MAX, LEASE_MAX, Ack, Answer, Line, PayAnswer, Record
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused

TEA = Line(name="tea", price=800)
ACK, ANSWER = topics.ack_down("box-1"), topics.answer_down("box-1")
RECORDS, TELEMETRY = topics.records_up("box-1"), topics.telemetry_up("box-1")


@dataclass
class Counter:
    """Line, hands, witness and clock of one box, all noting what they were told."""

    now_ms: int = 10_000
    takes: bool = True
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    shown: list[shop.Show] = field(default_factory=list)
    papers: list[shop.Slip] = field(default_factory=list)
    kicks: int = 0
    chances: int = 0

    def start(self, deliver: Deliver) -> None: ...
    def acknowledge(self, token: int) -> None: ...
    def reconnect(self) -> None: ...
    def stop(self, *, goodbye: Will | None = None) -> None: ...
    def raise_to(self, count: int) -> None: ...

    def publish(self, topic: str, payload: bytes, **_: object) -> bool:
        if self.takes:
            self.sent.append((topic, payload))
        return self.takes

    def show(self, show: shop.Show) -> None:
        self.shown.append(show)

    def print(self, slip: shop.Slip) -> None:
        self.papers.append(slip)

    def kick(self, reason: str) -> None:
        self.kicks += 1

    def read(self) -> int | None:
        return 0

    def boot_ms(self) -> int:
        return self.now_ms

    def chance(self, size: int) -> bytes:
        self.chances += 1
        return self.chances.to_bytes(size, "big")

    def messages(self, topic: str) -> list[bytes]:
        return [payload for on, payload in self.sent if on == topic]


@dataclass
class Shop:
    """One box at work."""

    counter: Counter
    journal: Journal
    runtime: Runtime

    def sell(self) -> None:
        self.runtime.happen(shop.LineRung(TEA))
        self.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))

    def told(self, topic: str, payload: bytes | str, correlation: bytes = b"") -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        self.runtime.hear(Message(topic, data, correlation))

    def later(self, ms: int) -> None:
        self.counter.now_ms += ms
        self.runtime.tick()

    def settle_all(self) -> None:
        newest = list(self.journal.entries())[-1]
        ack = Ack(inc=newest.inc, wm=newest.seq, head=newest.hash, credit=200)
        self.told(ACK, ack.model_dump_json(exclude_none=True))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Shop]:
    journal, opening = open_journal(
        FileMedium(tmp_path / "journal.db"), device="box-1", incarnation="a" * 16, tid=uuid7(1, b"o" * 10),
        at=TimeInterval(1, 2),
    )  # fmt: skip
    counter = Counter()
    parts = Parts("box-1", counter, counter, counter, counter, counter.chance)
    till = shop.boot(shop.Setup("box-1", "town"), Past())
    runtime = Runtime(parts, journal, opening, till, TimeBelief(0))
    runtime.start()
    yield Shop(counter, journal, runtime)
    journal.close()


def test_a_witness_that_cannot_be_written_costs_no_paper_and_is_said_once(box: Shop) -> None:
    def gone(_: int) -> None:
        raise OSError(30, "Read-only file system")

    box.counter.raise_to = gone  # type: ignore[method-assign]
    box.runtime.start()
    box.runtime.start()
    said = [one.what for one in box.counter.shown]
    assert said.count(Refused(Reason.WITNESS_FAILED)) == 1
    box.sell()
    assert (len(box.counter.papers), box.counter.kicks) == (1, 1)


def test_a_box_greets_again_where_the_answer_was_lost(box: Shop) -> None:
    box.runtime.hear(Up())
    before = len(box.counter.messages(topics.ask_up("box-1", "hello")))
    box.counter.now_ms += RIGHTS_LOOK_MS
    box.runtime.tick()
    assert len(box.counter.messages(topics.ask_up("box-1", "hello"))) == before + 1


PAID = Answer(name="pay_status", body=PayAnswer(attempt=uuid7(5, b"n" * 10), state="paid").model_dump())
HOSTILE = {
    "nothing": b"",
    "no JSON": b"\x00\xff{",
    "no object": b"[1,2,3]",
    "nothing in it": b"{}",
    "deep": b"[" * 100_000,
    "a number beyond all numbers": b'{"v":1,"inc":"aaaaaaaaaaaaaaaa","wm":1' + b"0" * 5_000 + b"}",
    "not a number": b'{"v":1,"inc":"aaaaaaaaaaaaaaaa","wm":NaN}',
    "half a pair": b'{"name":"hello","body":{"standing":"\\ud800"}}',
    "three megabytes": b'{"name":"' + b"x" * 3_000_000 + b'"}',
    "a question nobody asked": b'{"name":"points","body":{}}',
    "an answer of another shape": b'{"name":"lease","body":{"request":17}}',
    "more than we know": b'{"v":1,"inc":"aaaaaaaaaaaaaaaa","wm":1,"head":"x","credit":-5,"more":1}',
}


@pytest.mark.parametrize("topic", [ACK, ANSWER])
@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_whatever_the_line_says_is_counted_and_the_box_sells_on(
    box: Shop, topic: str, payload: bytes
) -> None:
    box.runtime.hear(Up())
    box.told(topic, payload, b"whatever")
    assert box.runtime.refused[Reason.NOT_UNDERSTOOD] == 1
    box.sell()
    assert len(box.counter.papers) == 1


def test_a_message_for_another_box_is_counted_and_not_read(box: Shop) -> None:
    box.told(topics.ack_down("box-2"), Ack(inc="a" * 16, wm=1, head="0" * 64, credit=1).model_dump_json())
    box.told("somewhere/else", b"\x00")
    assert box.runtime.refused[Reason.FOREIGN_DEVICE] == 2


def test_an_ack_of_an_incarnation_that_this_box_never_had_settles_nothing(box: Shop) -> None:
    box.runtime.hear(Up())
    box.sell()
    box.told(ACK, Ack(inc="f" * 16, wm=2, head="0" * 64, credit=200).model_dump_json(exclude_none=True))
    assert box.journal.settled_through == 0


def test_an_ack_of_a_newer_core_is_counted_and_settles_nothing(box: Shop) -> None:
    newest = list(box.journal.entries())[-1]
    ack = Ack(v=2, inc=newest.inc, wm=newest.seq, head=newest.hash, credit=200)
    box.told(ACK, ack.model_dump_json(exclude_none=True))
    assert box.runtime.refused[Reason.FUTURE_VERSION] == 1
    assert box.journal.settled_through == 0


GRANT = {
    "request": uuid7(6, b"r" * 10),
    "lease": uuid7(7, b"l" * 10),
    "template": "tea",
    "first": 1,
    "last": 5,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": 10, "last": 3},
        {"spent": (9,)},
        {"spent": (2, 2)},
        {"last": LEASE_MAX + 1},
        {"template": None},
    ],
)
def test_an_impossible_grant_is_counted_and_never_held(box: Shop, wrong: dict[str, object]) -> None:
    """What a box holds is in its journal for ever, and would come back at every start."""
    answer = {"name": "lease", "body": {**GRANT, "expires_ms": 9, **wrong}}
    box.told(ANSWER, json.dumps(answer))
    assert box.runtime.refused[Reason.NOT_UNDERSTOOD] == 1


def test_an_hour_at_the_end_of_time_is_no_hour(box: Shop) -> None:
    box.runtime.hear(Up())
    asked = next(iter(box.runtime._asked))
    answer = {"name": "hello", "body": {"core_ms": 2**48 - 1, "standing": "proven"}}
    box.told(ANSWER, json.dumps(answer), asked)
    box.counter.now_ms += 60_000
    box.sell()
    assert len(box.counter.papers) == 1
    assert box.runtime.refused[Reason.NOT_UNDERSTOOD] == 1


@pytest.mark.parametrize("text", ["", "many", "-1", str(2**31), "9" * 5_000])
def test_a_witness_that_says_nonsense_is_no_witness(tmp_path: Path, text: str) -> None:
    path = tmp_path / "witness"
    path.write_text(text)
    assert FileWitness(path).read() is None
    path.unlink()
    assert FileWitness(path).read() is None, "its medium may not be there"


def test_news_of_a_payment_that_nobody_waits_for_changes_nothing(box: Shop) -> None:
    before = box.runtime.till
    box.told(ANSWER, PAID.model_dump_json(exclude_none=True))
    assert box.runtime.till == before
    assert box.counter.papers == []


@pytest.mark.parametrize(
    ("fault", "reason"), [(JournalFull, Reason.DISK_FULL), (JournalBroken, Reason.JOURNAL_BROKEN)]
)
def test_a_step_that_could_not_be_recorded_has_not_happened(
    box: Shop, fault: type[Exception], reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.runtime.happen(shop.LineRung(TEA))

    def fails(_: object) -> None:
        raise fault("the card")

    with monkeypatch.context() as broken:
        broken.setattr(box.journal, "record", fails)
        box.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    assert box.counter.papers == []
    assert box.counter.kicks == 0
    assert box.counter.shown[-1].what == Refused(reason)
    assert box.runtime.till.phase == shop.Stopped(reason, shop.Basket((TEA,)))
    assert box.runtime.till.past.number == 0
    assert box.runtime.broken == (fault is JournalBroken)


def test_what_waits_goes_out_in_messages_of_bounded_size(box: Shop) -> None:
    wide = shop.LineRung(Line(name="茶" * 80, price=1))
    for _ in range(12):
        for _ in range(90):
            box.runtime.happen(wide)
        box.runtime.happen(shop.CashTaken(Amount(1_000, CNY)))
    for _ in range(100):
        box.sell()
    box.runtime.hear(Up())
    messages = box.counter.messages(RECORDS)
    assert all(len(one) <= BATCH_BYTES_MAX for one in messages)
    counts = [one.count(b"\n") + 1 for one in messages]
    assert max(counts) == BATCH_RECORDS
    assert min(counts[:3]) < BATCH_RECORDS, "the wide ones fill a message sooner"
    seqs = [json.loads(line)["seq"] for one in messages for line in one.split(b"\n")]
    assert seqs == list(range(1, 114))
    assert all(Record.model_validate_json(line) for one in messages for line in one.split(b"\n"))


def test_what_the_line_does_not_take_is_sent_when_the_round_is_due(box: Shop) -> None:
    box.runtime.hear(Up())
    box.settle_all()
    box.counter.takes = False
    box.sell()
    box.counter.takes = True
    sent = len(box.counter.messages(RECORDS))
    for _ in range(100):
        box.counter.now_ms += 100
        box.runtime.tick()
    assert len(box.counter.messages(RECORDS)) > sent


def test_telemetry_waits_for_money_but_not_for_ever(box: Shop) -> None:
    box.runtime.hear(Up())
    box.settle_all()
    box.runtime.tick()
    first = len(box.counter.messages(TELEMETRY))
    assert first == 1
    box.sell()
    box.counter.now_ms += TELEMETRY_MS
    box.runtime.tick()
    assert len(box.counter.messages(TELEMETRY)) == first, "a sale is on its way"
    box.counter.now_ms += TELEMETRY_LATE_MS
    box.runtime.tick()
    assert len(box.counter.messages(TELEMETRY)) == first + 1
    box.runtime.hear(Down("cut"))
    box.counter.now_ms += 10 * TELEMETRY_LATE_MS
    box.runtime.tick()
    assert len(box.counter.messages(TELEMETRY)) == first + 1, "nobody hears it"


def test_a_box_with_nothing_new_says_less_and_never_so_little_that_it_is_taken_for_lost(box: Shop) -> None:
    box.runtime.hear(Up())
    box.settle_all()
    for _ in range(10 * TELEMETRY_CALM_MS // TELEMETRY_MS):
        box.runtime.tick()
        box.counter.now_ms += TELEMETRY_MS
    assert len(box.counter.messages(TELEMETRY)) == 10
    assert 2 * TELEMETRY_CALM_MS <= presence.SILENCE_MS
    box.sell()
    box.settle_all()
    box.runtime.tick()
    assert len(box.counter.messages(TELEMETRY)) == 11


# what must be seen to


def alerts_of(box: Shop) -> list[list[str]]:
    said = box.counter.messages(topics.alerts_up("box-1"))
    return [[one["kind"] for one in json.loads(payload)["open"]] for payload in said]


def test_what_is_open_is_said_whole_when_it_changes_and_after_every_cut_of_the_line(box: Shop) -> None:
    printer = ["ready"]
    box.runtime.parts = replace(box.runtime.parts, about=lambda: Signs(printer=printer[0]))
    box.runtime.hear(Up())
    box.later(1_000)
    assert alerts_of(box) == [[]], "a boot that has nothing open says so: an earlier one may have"
    printer[0] = "lost"
    for _ in range(70):
        box.later(1_000)
    assert alerts_of(box) == [[], ["printer_lost"]]
    box.runtime.hear(Down("cut"))
    printer[0] = "ready"
    for _ in range(20):
        box.later(1_000)
    assert len(alerts_of(box)) == 2, "there is no line to say it on"
    box.runtime.hear(Up())
    box.later(1_000)
    assert alerts_of(box)[2:] == [[]]


def test_what_the_line_did_not_take_is_said_again(box: Shop) -> None:
    box.runtime.hear(Up())
    box.counter.takes = False
    box.later(1_000)
    box.counter.takes = True
    assert alerts_of(box) == []
    box.later(1_000)
    assert alerts_of(box) == [[]]


def test_it_is_said_again_now_and_then_for_a_core_that_let_it_go(
    box: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tillbox.agent.runtime.ALERTS_AGAIN_MS", 60_000)
    box.runtime.hear(Up())
    box.later(1_000)
    box.later(59_999)
    assert alerts_of(box) == [[]]
    box.later(1_001)
    assert alerts_of(box) == [[], []]


def test_money_that_the_core_lacks_is_counted_and_its_age_is_told(box: Shop) -> None:
    assert (box.runtime.telemetry().unsynced_sales, box.runtime.money_age_ms()) == (0, None)
    box.sell()
    box.sell()
    said = box.runtime.telemetry()
    assert (said.unsynced_sales, said.unsynced) == (2, 1_600)
    box.counter.now_ms += 42 * 60_000
    assert box.runtime.money_age_ms() == 42 * 60_000
    box.settle_all()
    said = box.runtime.telemetry()
    assert (said.unsynced_sales, said.unsynced, box.runtime.money_age_ms()) == (0, 0, None)
