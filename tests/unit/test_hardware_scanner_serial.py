"""The serial scanner on a pseudo-terminal: the real driver, the real kernel, a cable that can be pulled.

What it shares with the other scanner is in `tests/conformance/test_scanners.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.counter import Counter
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.hardware.drivers.framing import Suffix
from tillbox.hardware.drivers.scanner_serial import BAUDS, TRIGGERS, SerialScanner
from tillbox.hardware.drivers.typed import Typing
from tillbox.hardware.ports import Triggered
from tillbox.hardware.simulated.scanner import SimulatedScanner

GOODS = b"6901234567892"
BUSY_MACHINE_MS = 1_000  # a gap that a test machine under load does not mistake for silence


@pytest.fixture
def twin() -> Iterator[SimulatedScanner]:
    scanner = SimulatedScanner()
    yield scanner
    scanner.close()


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def reading(twin: SimulatedScanner, counter: Counter) -> Iterator[SerialScanner]:
    reader = SerialScanner("counter", twin.path, gap_ms=BUSY_MACHINE_MS, patience_ms=BUSY_MACHINE_MS)
    reader.start(counter.deliver, counter.news.append)
    yield reader
    reader.stop()


def test_what_is_shown_is_handed_over_byte_for_byte(reading, twin, counter) -> None:
    every_byte = bytes(byte for byte in range(256) if byte not in b"\r")
    assert twin.show(GOODS)
    assert twin.show(every_byte)
    assert eventually(lambda: len(counter.codes) == 2)
    assert counter.deliveries[0] == (CodeRead(GOODS, Symbology.UNKNOWN, "counter"),)
    assert counter.codes[1] == every_byte


def test_a_code_that_comes_in_pieces_is_read_whole(reading, twin, counter) -> None:
    twin.split = True
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.news == []


@pytest.fixture
def started() -> Iterator[Callable[..., tuple[SimulatedScanner, SerialScanner, Counter]]]:
    """A scanner of some set-up, a reader of some configuration, and a counter that listens."""
    running: list[tuple[SerialScanner, SimulatedScanner]] = []

    def start(twin: SimulatedScanner, **configured: Any) -> tuple[SimulatedScanner, SerialScanner, Counter]:
        reader, counter = SerialScanner("counter", twin.path, **configured), Counter()
        running.append((reader, twin))
        reader.start(counter.deliver, counter.news.append)
        return twin, reader, counter

    yield start
    for reader, twin in running:
        reader.stop()
        twin.close()


@pytest.mark.parametrize("baud", BAUDS)
def test_the_speed_of_a_line_is_found_by_scanning_until_it_reads(started, baud: int) -> None:
    twin, _, counter = started(SimulatedScanner(baud=baud), baud=None, gap_ms=50)
    for _ in BAUDS:
        said = len(counter.news)
        twin.show(GOODS)
        assert eventually(lambda said=said: bool(counter.codes) or len(counter.news) > said)
        if counter.codes:
            break
        assert "Scan once more" in counter.news[-1].hint
    assert counter.codes == [GOODS], "noise is never a code"
    twin.show("中1".encode())
    assert eventually(lambda: counter.codes == [GOODS, "中1".encode()])


@pytest.mark.parametrize(
    ("typed", "symbology", "aim", "raw"),
    [
        (b"]E06901234567892", Symbology.EAN_13, "]E0", b"6901234567892"),
        (b"]E496385074", Symbology.EAN_8, "]E4", b"96385074"),
        (b"]C10106901234567892\x1d10A", Symbology.CODE_128, "]C1", b"0106901234567892\x1d10A"),
        (b"]Q1https://tea.example", Symbology.QR, "]Q1", b"https://tea.example"),
        (b"]d2010690", Symbology.DATA_MATRIX, "]d2", b"010690"),
        (b"]X0anything", Symbology.UNKNOWN, "]X0", b"anything"),
    ],
)
def test_what_a_scanner_says_of_the_drawing_comes_with_the_code(
    started, typed: bytes, symbology: Symbology, aim: str, raw: bytes
) -> None:
    scanner = SimulatedScanner(b"\x03", prefix=b"\x02")
    twin, _, counter = started(scanner, suffix=Suffix.ETX, typing=Typing(b"\x02", aim=True))
    twin.show(typed)
    assert eventually(lambda: bool(counter.codes))
    assert counter.deliveries == [(CodeRead(raw, symbology, "counter", aim),)]


@pytest.mark.parametrize(
    ("typing", "said"), [(Typing(b"\x02"), "prefix"), (Typing(aim=True), "AIM identifier")]
)
def test_a_scanner_that_is_not_set_up_as_configured_is_not_believed(
    started, typing: Typing, said: str
) -> None:
    twin, _, counter = started(SimulatedScanner(), typing=typing)
    twin.show(GOODS)
    assert eventually(lambda: bool(counter.news))
    assert said in counter.news[0].hint
    assert counter.codes == []


def test_its_light_is_switched_from_here_and_a_pulled_cable_harms_nobody(started) -> None:
    twin, reader, counter = started(SimulatedScanner(), trigger=TRIGGERS["honeywell"])
    assert isinstance(reader, Triggered)
    reader.pull_trigger(True)
    reader.pull_trigger(False)
    said = []
    assert eventually(lambda: said.append(twin.commands()) or b"".join(said) == b"\x16T\r\x16U\r")
    twin.unplug()
    reader.pull_trigger(True)
    assert eventually(lambda: counter.told() == ["lost"])
