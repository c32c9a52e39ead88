"""Print jobs: none lost, none twice without a person's word, whatever happens to the power and to the printer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.patience import eventually

from tillbox.agent.printing import ASK_MS, KICK_MS, PrintRoom
from tillbox.agent.prints import KEPT_MAX, STEPS, WAITING_MAX, Job, Prints, PrintsFull, PrintState, Step
from tillbox.hardware.drivers.drawer import PrinterDrawer
from tillbox.hardware.ports import PrintEnd, PrinterState, PrintOutcome
from tillbox.hardware.printing import kick
from tillbox.hardware.printing.profiles import WIDE

READY = PrintOutcome(PrintEnd.CONFIRMED, PrinterState.READY)
NO_PAPER = PrintOutcome(PrintEnd.FAILED, PrinterState.PAPER_OUT, "put in a new roll")
PERHAPS = PrintOutcome(PrintEnd.UNKNOWN, PrinterState.SILENT, "look")


def test_jobs_come_in_order_and_outlive_the_box(tmp_path: Path) -> None:
    prints = Prints(tmp_path / "prints.db")
    prints.add("receipt", "1", b"one")
    prints.add("receipt", "2", b"two")
    prints.close()
    prints = Prints(tmp_path / "prints.db")
    first = prints.next()
    assert first is not None
    assert (first.kind, first.ref, first.data) == ("receipt", "1", b"one")
    prints.close()


def test_papers_that_an_older_version_left_waiting_are_printed(tmp_path: Path) -> None:
    older = sqlite3.connect(tmp_path / "prints.db")
    older.execute(
        "CREATE TABLE job (number INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, data BLOB NOT NULL, state TEXT NOT NULL)"
    )
    rows = [("receipt 1", b"one", PrintState.QUEUED), ("ordered a b", b"two", PrintState.QUEUED)]
    older.executemany("INSERT INTO job (what, data, state) VALUES (?, ?, ?)", rows)
    older.commit()
    older.close()
    for _ in range(2):
        prints = Prints(tmp_path / "prints.db")
        first = prints.next()
        assert first is not None
        assert (first.kind, first.ref, first.data) == ("receipt", "1", b"one")
        assert prints.state_of("a b") is PrintState.QUEUED
        assert prints.add("ordered", "a b", b"two"), "the same paper, asked for again"
        prints.close()


def test_a_power_cut_in_the_middle_of_a_job_makes_it_unknown_and_only_that_one(tmp_path: Path) -> None:
    prints = Prints(tmp_path / "prints.db")
    prints.add("receipt", "1", b"one")
    prints.add("receipt", "2", b"two")
    job = prints.next()
    assert job is not None
    prints.step(job, Step.BEGIN)
    prints.close()  # here the power goes
    prints = Prints(tmp_path / "prints.db")
    assert [one.ref for one in prints.unknown()] == ["1"]
    after = prints.next()
    assert after is not None
    assert after.ref == "2"
    prints.step(prints.unknown()[0], Step.MISSING)
    again = prints.next()
    assert again is not None
    assert again.ref == "1", "a person says that it is not there"
    prints.close()


@settings(deadline=None)
@given(steps=st.lists(st.sampled_from(list(Step)), max_size=12))
def test_what_is_on_paper_is_never_printed_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    state, on_paper = PrintState.QUEUED, False
    for step in steps:
        after = STEPS.get((state, step), state)
        on_paper |= step in (Step.SENT, Step.CONFIRMED, Step.SEEN) and after is not state
        assert not (on_paper and after in (PrintState.QUEUED, PrintState.BEGUN))
        state = after


def test_what_was_ordered_is_printed_once_for_its_id_and_its_id_is_never_forgotten(tmp_path: Path) -> None:
    prints = Prints(tmp_path / "prints.db")
    assert prints.add("ordered", "menu", b"one")
    assert prints.add("ordered", "menu", b"one")
    assert not prints.add("ordered", "menu", b"other"), "the same id for another paper"
    for number in range(KEPT_MAX + WAITING_MAX):
        job = prints.next()
        assert job is not None
        prints.step(job, Step.BEGIN)
        begun = prints.find(job.number)
        assert begun is not None
        prints.step(begun, Step.CONFIRMED)
        prints.add("receipt", str(number), b"x")
    assert prints.state_of("menu") is PrintState.CONFIRMED
    assert prints.add("ordered", "menu", b"one")
    assert not prints.add("ordered", "menu", b"other")
    prints.close()


def test_a_disk_that_did_not_take_how_a_job_ended_is_asked_again(
    open_shop: Callable[[Paper], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = Paper(NO_PAPER, READY)
    shop = open_shop(paper)
    sound, broken = Prints.step, [True]

    def step(prints: Prints, job: Job, what: Step) -> None:
        if what is Step.FAILED and broken:
            broken.clear()
            raise sqlite3.OperationalError("disk I/O error")
        sound(prints, job, what)

    monkeypatch.setattr(Prints, "step", step)
    shop.room.start()
    shop.room.print("receipt", "1", b"one")
    assert eventually(lambda: paper.printed == [b"one"])


def test_a_queue_without_an_end_is_refused(tmp_path: Path) -> None:
    prints = Prints(tmp_path / "prints.db")
    for number in range(WAITING_MAX):
        prints.add("receipt", str(number), b"")
    with pytest.raises(PrintsFull):
        prints.add("receipt", "one more", b"")
    prints.close()


class Paper:
    """A printer that does as it is told: one outcome for each job, the last one for ever."""

    name = "receipts"

    def __init__(self, *outcomes: PrintOutcome) -> None:
        self.outcomes = list(outcomes) or [READY]
        self.printed: list[bytes] = []

    def print(self, data: bytes) -> PrintOutcome:
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome.end is not PrintEnd.FAILED:
            self.printed.append(data)
        return outcome

    def state(self) -> PrinterState:
        return self.outcomes[0].state


class Shop:
    """A print room with ears."""

    def __init__(self, path: Path, printer: Paper) -> None:
        self.now_ms, self.said, self.shut = 0, [], 0
        self.room = PrintRoom(
            path / "prints.db",
            printer,
            drawer=PrinterDrawer(printer, WIDE),
            clock_ms=lambda: self.now_ms,
            tell=lambda state, hint: self.said.append((state, hint)),
            drawer_shut=self.drawer_shut,
        )

    now_ms: int
    said: list[tuple[PrinterState, str]]

    def drawer_shut(self) -> None:
        self.shut += 1


@pytest.fixture
def open_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Paper], Shop]]:
    monkeypatch.setattr("tillbox.agent.printing.AGAIN_S", 0.01)
    opened: list[Shop] = []

    def open_one(printer: Paper) -> Shop:
        opened.append(Shop(tmp_path, printer))
        return opened[-1]

    yield open_one
    for one in opened:
        one.room.stop()


def test_what_failed_is_tried_again_until_there_is_paper(open_shop: Callable[[Paper], Shop]) -> None:
    paper = Paper(NO_PAPER, NO_PAPER, READY)
    shop = open_shop(paper)
    shop.room.start()
    assert shop.room.print("receipt", "1", b"one")
    assert eventually(lambda: paper.printed == [b"one"])
    assert eventually(
        lambda: [state for state, _ in shop.said] == [PrinterState.PAPER_OUT, PrinterState.READY]
    )
    assert shop.said[0][1] == "put in a new roll"


def test_an_empty_roll_is_found_before_the_next_customer_waits(
    open_shop: Callable[[Paper], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tillbox.agent.printing.TURN_S", 0.01)
    paper = Paper(READY)
    shop = open_shop(paper)
    shop.room.start()
    assert shop.room.print("ordered", "1", b"one")
    assert eventually(lambda: shop.room.find("1") is PrintState.CONFIRMED)
    paper.outcomes = [NO_PAPER]
    shop.now_ms += ASK_MS
    assert eventually(lambda: shop.room.state is PrinterState.PAPER_OUT)
    paper.outcomes = [READY]
    shop.now_ms += ASK_MS
    assert eventually(lambda: shop.room.state is PrinterState.READY)
    assert paper.printed == [b"one"]


def test_what_may_be_on_paper_is_asked_for_and_keeps_nobody_waiting(
    open_shop: Callable[[Paper], Shop],
) -> None:
    paper = Paper(PERHAPS, READY)
    shop = open_shop(paper)
    shop.room.start()
    shop.room.print("receipt", "1", b"one")
    shop.room.print("receipt", "2", b"two")
    assert eventually(lambda: paper.printed == [b"one", b"two"])
    assert [job.ref for job in shop.room.perhaps] == ["1"]
    number = shop.room.perhaps[0].number
    assert shop.room.answer(number, printed=False)
    assert eventually(lambda: paper.printed == [b"one", b"two", b"one"])
    assert eventually(lambda: shop.room.perhaps == ())
    assert not shop.room.answer(number, printed=False), "the second press finds the question answered"


def test_a_press_that_says_it_is_there_prints_nothing(open_shop: Callable[[Paper], Shop]) -> None:
    paper = Paper(PERHAPS, READY)
    shop = open_shop(paper)
    shop.room.start()
    shop.room.print("receipt", "1", b"one")
    assert eventually(lambda: len(shop.room.perhaps) == 1)
    assert shop.room.answer(shop.room.perhaps[0].number, printed=True)
    shop.room.print("receipt", "2", b"two")
    assert eventually(lambda: paper.printed == [b"one", b"two"])


def test_a_drawer_opens_before_the_papers_that_wait_and_not_long_after_its_sale(
    open_shop: Callable[[Paper], Shop],
) -> None:
    paper = Paper(NO_PAPER)
    shop = open_shop(paper)
    shop.room.print("receipt", "1", b"one")
    shop.room.kick("cash sale")
    shop.room.start()
    shop.now_ms = KICK_MS + 1
    assert eventually(lambda: shop.shut == 1)
    paper.outcomes = [READY]
    assert eventually(lambda: paper.printed == [b"one"])
    shop.room.kick("cash sale")
    assert eventually(lambda: paper.printed == [b"one", kick(WIDE)])
