"""Another till's papers on their way into the journal, and the code that leads there."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.patience import eventually

from tillbox.agent.tapping import Tap, TapRoom, as_record
from tillbox.broker.mosquitto import free_port
from tillbox.contracts.codes import normal_gtin
from tillbox.contracts.messages import RECORD_BYTES_MAX, TAPPED_LINES_MAX, Line, Tapped, canonical
from tillbox.hardware.decoding import decode
from tillbox.hardware.printing.profiles import WIDE
from tillbox.hardware.simulated.paper import paper_picture
from tillbox.hardware.simulated.printer import SimulatedPrinter
from tillbox.hardware.tap.items import Item
from tillbox.hardware.tap.reading import Reading, Verdict
from tillbox.hardware.tap.words import Paper

GOLDEN = Path(__file__).parents[1] / "golden/tap/python-escpos"
SALE, KITCHEN = (GOLDEN / "zh-80-1.bin").read_bytes(), (GOLDEN / "kitchen.bin").read_bytes()
PREBILL, DRAWER = (GOLDEN / "prebill.bin").read_bytes(), (GOLDEN / "drawer.bin").read_bytes()
PAPER_ID = "0199a000-0001-7000-8000-000000000001"
COLA = normal_gtin("6901234567892") or ""
GOODS = {COLA: Line(name="可乐 500ml", price=350, goods=COLA)}


def item(name: str, sku: str | None = None) -> Item:
    return Item(name, sku, 2000, 350, 700)


def reading(*items: Item) -> Reading:
    return Reading(Verdict.RECONCILED, "", Paper.SALE, "A1", items, None, 0, 0, 700 * len(items), "columns")


@pytest.mark.parametrize(
    ("sold", "goods"),
    [
        (item("something", "6901234567892"), COLA),
        (item("可乐500ML"), COLA),
        (item("可乐"), ""),
        (item("something", "6901234567893"), ""),
        (item("something", "B6256"), ""),
    ],
)
def test_goods_are_found_by_their_code_or_their_whole_name_and_never_guessed(sold: Item, goods: str) -> None:
    assert as_record("noodles", reading(sold), GOODS).lines[0].goods == goods


def test_the_longest_receipt_fits_into_a_record_and_a_longer_one_is_kept_by_its_sums() -> None:
    longest = as_record("面" * 80, reading(*[item("\u4e2d" * 80, "9" * 20)] * TAPPED_LINES_MAX), GOODS)
    assert len(canonical(longest.model_dump(mode="json", exclude_none=True))) < RECORD_BYTES_MAX - 1_000
    longer = as_record("noodles", reading(*[item("x")] * (TAPPED_LINES_MAX + 1)), GOODS)
    assert (longer.verdict, longer.lines) == ("unreconciled", ())
    assert "101 lines" in longer.why


def test_figures_beyond_what_a_record_holds_are_no_sale() -> None:
    absurd = Item("x", None, 10**12, 10**14, 10**26)
    kept = as_record("noodles", reading(absurd), GOODS)
    assert kept.verdict == "unreconciled"


class Counter:
    """Another till's place at a box."""

    def __init__(self, *, code: bool, commits: bool = True) -> None:
        self.printer, self.recorded, self.port = SimulatedPrinter(), [], free_port()
        self._commits = commits
        told = Tap(
            name="noodles",
            listen=f"127.0.0.1:{self.port}",
            printer=f"127.0.0.1:{self.printer.port}",
            code=code,
        )
        self.room = TapRoom(
            told,
            goods=GOODS,
            record=self.record,
            claim_url="https://tea.example/r/",
            printer=WIDE,
            clock_ms=lambda: 0,
        )
        self.room.start()

    recorded: list[Tapped]

    def record(self, paper: Tapped, then: Callable[[str], None]) -> None:
        self.recorded.append(paper)
        if self._commits:
            then(PAPER_ID)

    def print(self, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port), 5.0) as till:
            till.sendall(data)

    def codes(self) -> set[str]:
        paper = paper_picture(self.printer.papers[-1].data)
        return {one.text for one in decode(np.asarray(Image.open(io.BytesIO(paper)).convert("L")))}

    def close(self) -> None:
        self.room.stop()
        self.printer.close()


@pytest.fixture
def counters() -> Iterator[Callable[..., Counter]]:
    made: list[Counter] = []

    def make(**how: bool) -> Counter:
        made.append(Counter(**how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_sale_is_recorded_once_and_its_code_leads_to_the_record(counters: Callable[..., Counter]) -> None:
    counter = counters(code=True)
    counter.print(SALE)
    assert eventually(lambda: len(counter.printer.papers) == 1)
    assert f"https://tea.example/r/{PAPER_ID}" in counter.codes()
    assert [paper.verdict for paper in counter.recorded] == ["reconciled"]
    assert counter.recorded[0].total == 27_833


def test_a_paper_whose_record_is_not_on_the_disk_in_time_comes_out_without_a_code(
    counters: Callable[..., Counter],
) -> None:
    counter = counters(code=True, commits=False)
    counter.print(SALE)
    assert eventually(lambda: len(counter.printer.papers) == 1)
    assert counter.printer.papers[0].data == SALE
    assert len(counter.recorded) == 1


@pytest.mark.parametrize(("data", "papers"), [(KITCHEN, ["kitchen"]), (PREBILL, ["prebill"]), (DRAWER, [])])
def test_what_is_no_sale_gets_no_code(
    counters: Callable[..., Counter], data: bytes, papers: list[str]
) -> None:
    counter = counters(code=True)
    counter.print(data)
    counter.print(SALE)
    assert eventually(lambda: len(counter.recorded) == len(papers) + 1)
    assert [paper.paper for paper in counter.recorded] == [*papers, "sale"]
    if papers:
        assert eventually(lambda: len(counter.printer.papers) == 2)
        assert counter.printer.papers[0].data == data


def test_a_shop_that_wants_no_code_has_its_papers_untouched(counters: Callable[..., Counter]) -> None:
    counter = counters(code=False)
    counter.print(SALE)
    assert eventually(lambda: len(counter.recorded) == 1)
    assert eventually(lambda: [slip.data for slip in counter.printer.papers] == [SALE])
