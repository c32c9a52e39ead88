"""What every drawer must do: the one behind a printer, and the counter's twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tillbox.hardware.drivers import manners
from tillbox.hardware.drivers.drawer import PrinterDrawer
from tillbox.hardware.drivers.manners import MANNERS
from tillbox.hardware.drivers.printer import WirePrinter
from tillbox.hardware.drivers.wires import NetworkWire
from tillbox.hardware.ports import DeviceLost, Drawer
from tillbox.hardware.printing.profiles import PROFILES
from tillbox.hardware.simulated.drawer import SimulatedDrawer
from tillbox.hardware.simulated.printer import SimulatedPrinter


@dataclass
class Bench:
    """A drawer, how often it jumped, and how its plug is pulled."""

    drawer: Drawer
    kicks: Callable[[], int]
    unplug: Callable[[], object]


def behind_a_printer(profile: str) -> tuple[Bench, SimulatedPrinter]:
    language = PROFILES[profile].language
    twin = SimulatedPrinter(language=language)
    printer = WirePrinter("receipts", NetworkWire("127.0.0.1", twin.port), MANNERS[language])
    return Bench(PrinterDrawer(printer, PROFILES[profile]), lambda: twin.kicks, twin.unplug), twin


@pytest.fixture(params=["chinese-80", "star-80", "twin"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(manners, "ANSWER_S", 0.5)
    if request.param == "twin":
        drawer = SimulatedDrawer()
        yield Bench(drawer, lambda: drawer.kicks, lambda: setattr(drawer, "plugged", False))
        return
    made, twin = behind_a_printer(request.param)
    yield made
    twin.close()


def test_it_opens_once_for_each_reason(bench: Bench) -> None:
    assert isinstance(bench.drawer, Drawer)
    for number in range(1, 3):
        bench.drawer.kick(f"sale {number}")
        assert bench.kicks() == number


def test_one_without_its_plug_says_what_to_do_and_does_not_open(bench: Bench) -> None:
    bench.unplug()
    with pytest.raises(DeviceLost) as lost:
        bench.drawer.kick("sale 1")
    assert "?" in lost.value.hint or "plug" in lost.value.hint
    assert bench.kicks() == 0
