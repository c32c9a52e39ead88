"""One suite for whatever faces the customer: every model that a serial display comes in, before its twin. A new
driver begins by failing here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from tests.patience import eventually

from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.displays.led8 import ESC_LAMPS, STX_LAMPS, Led8
from tillbox.hardware.displays.vfd import CHINESE, LATIN, Vfd
from tillbox.hardware.drivers.display_serial import SerialDisplay
from tillbox.hardware.ports import CustomerDisplay, DeviceLost, Face, FaceKind
from tillbox.hardware.simulated.display import DARK, SimulatedDisplay

FACES_MAX = 5_000  # a pseudo-terminal holds far fewer
TOTAL = Face(FaceKind.TOTAL, Amount(1250, CNY))
CHANGE = Face(FaceKind.CHANGE, Amount(-5, CNY))


@dataclass
class Bench:
    """A display on the bench, and its twin that a customer looks at."""

    twin: SimulatedDisplay
    model: Vfd | Led8
    display: SerialDisplay

    def figure(self) -> str:
        return self.twin.seen.lines[-1].strip() if self.twin.seen.lines else ""


def show_again_and_again(display: SerialDisplay) -> None:
    for _ in range(FACES_MAX):
        display.show(TOTAL)


MODELS: dict[str, tuple[Callable[[], SimulatedDisplay], Vfd | Led8]] = {
    "latin text": (SimulatedDisplay.vfd, LATIN),
    "chinese text": (lambda: SimulatedDisplay.vfd(chinese=True), CHINESE),
    "behind a printer": (
        lambda: SimulatedDisplay.vfd(behind_printer=True),
        Vfd("ascii", behind_printer=True),
    ),
    "digits": (SimulatedDisplay.led, STX_LAMPS),
    "digits, other lamps": (lambda: SimulatedDisplay.led(lamps="esc"), ESC_LAMPS),
}


@pytest.fixture(params=list(MODELS))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    make, model = MODELS[request.param]
    twin = make()
    display = SerialDisplay("customer", twin.path, model)
    yield Bench(twin, model, display)
    display.close()
    twin.close()


def test_it_is_a_customer_display_with_a_name(bench: Bench) -> None:
    assert isinstance(bench.display, CustomerDisplay)
    assert bench.display.name == "customer"


def test_each_face_takes_the_place_of_the_last(bench: Bench) -> None:
    for kind in FaceKind:
        for fen in (1250, 5, 0, -99_999):
            bench.display.show(Face(kind, Amount(fen, CNY)))
            assert eventually(lambda fen=fen: bench.figure() == Amount(fen, CNY).decimal())
    bench.display.show(Face(FaceKind.IDLE))
    assert eventually(lambda: "".join(bench.twin.seen.lines).strip() == "")
    assert bench.twin.seen.lamps == ()
    assert not bench.twin.unknown


def test_a_text_from_outside_cannot_touch_the_amount(bench: Bench) -> None:
    bench.display.show(replace(TOTAL, text="茶\x0c\x1b@\x1b=\x01\x1bQA0.01\r\x02L1111\n¥0.01" * 9))
    assert eventually(lambda: bench.figure() == "12.50")
    assert not bench.twin.unknown


def test_an_amount_that_does_not_fit_is_no_number(bench: Bench) -> None:
    largest = Amount(2**53 - 1, CNY)
    bench.display.show(TOTAL)
    bench.display.show(Face(FaceKind.TOTAL, largest))
    assert eventually(lambda: bench.figure() in (largest.decimal(), "--------"))


def test_a_pulled_cable_is_said_each_time_and_the_next_face_after_it_is_seen(bench: Bench) -> None:
    bench.display.show(TOTAL)
    assert eventually(lambda: bench.figure() == "12.50")
    bench.twin.unplug()
    for _ in range(2):
        with pytest.raises(DeviceLost, match="customer is not there") as lost:
            bench.display.show(CHANGE)
        assert "cable" in lost.value.hint
    bench.twin.plug()
    assert bench.twin.seen == DARK
    bench.display.show(CHANGE)
    assert eventually(lambda: bench.figure() == "-0.05")


def test_at_another_baud_it_stays_dark(bench: Bench) -> None:
    wrong = SerialDisplay("customer", bench.twin.path, replace(bench.model, baud=19_200))
    wrong.show(TOTAL)
    wrong.show(TOTAL)
    wrong.close()
    time.sleep(0.2)  # by now the twin has looked
    assert bench.twin.seen == DARK
    bench.display.show(TOTAL)
    assert eventually(lambda: bench.figure() == "12.50")


def test_one_that_takes_no_more_bytes_is_given_up(bench: Bench) -> None:
    bench.twin.freeze()
    with pytest.raises(DeviceLost, match="off and on"):
        show_again_and_again(bench.display)
    bench.twin.thaw()
    bench.display.show(CHANGE)
    assert eventually(lambda: bench.figure() == "-0.05")


def test_a_second_program_is_told_why_it_shows_nothing(bench: Bench) -> None:
    bench.display.show(TOTAL)
    with pytest.raises(DeviceLost, match="Another program"):
        SerialDisplay("second", bench.twin.path, bench.model).show(CHANGE)
    assert eventually(lambda: bench.figure() == "12.50")


def test_a_path_that_is_no_line_is_trouble_and_no_crash(bench: Bench, tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path, "/dev/null", tmp_path / "nothing"):
        with pytest.raises(DeviceLost):
            SerialDisplay("customer", str(path), bench.model).show(TOTAL)
    assert (tmp_path / "file").read_bytes() == b""


def test_closing_leaves_the_face_and_may_be_repeated(bench: Bench) -> None:
    bench.display.show(TOTAL)
    bench.display.close()
    bench.display.close()
    assert eventually(lambda: bench.figure() == "12.50")
