"""The serial scanner on a pseudo-terminal: the real driver, the real kernel, a cable that can be pulled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.hardware.drivers.framing import Suffix
from tillbox.hardware.drivers.scanner_serial import BAUDS, TRIGGERS, SerialScanner
from tillbox.hardware.drivers.typed import Typing
from tillbox.hardware.ports import DeviceBack, DeviceTrouble, Triggered, TroubleKind
from tillbox.hardware.simulated.scanner import SimulatedScanner

GOODS = b"6901234567892"
BUSY_MACHINE_MS = 1_000  # a gap that a test machine under load does not mistake for silence


class Counter:
    """What lies on the counter: everything a reader handed over, in order."""

    def __init__(self) -> None:
        self.codes: list[bytes] = []
        self.deliveries: list[tuple[CodeRead, ...]] = []
        self.news: list[DeviceTrouble | DeviceBack] = []

    def deliver(self, reads: tuple[CodeRead, ...]) -> None:
        self.deliveries.append(reads)
        self.codes += [read.raw for read in reads]

    def told(self) -> list[str]:
        return [one.kind if isinstance(one, DeviceTrouble) else "back" for one in self.news]


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


def test_two_hundred_scans_keep_their_order(reading, twin, counter) -> None:
    codes = [b"TB-%04d" % number for number in range(200)]
    for code in codes:
        twin.show(code)
    assert eventually(lambda: len(counter.codes) == 200)
    assert counter.codes == codes


@pytest.mark.parametrize("mood", ["slow", "split", "no_suffix"])
def test_a_scanner_in_a_mood_is_still_read_right(reading, twin, counter, mood) -> None:
    setattr(twin, mood, True)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.news == []


def test_a_stuck_trigger_is_reported_once_and_selling_goes_on(reading, twin, counter) -> None:
    twin.garbage(20_000)
    twin.show(b"")
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.told() == [TroubleKind.OVERRUN]
    assert "20000 bytes" in counter.news[0].hint


def test_a_pulled_cable_is_told_once_and_its_return_once(reading, twin, counter) -> None:
    for scans in (1, 2):
        twin.unplug()
        assert eventually(lambda: counter.told()[-1:] == ["lost"])
        twin.plug()
        assert eventually(lambda: counter.told()[-1:] == ["back"])
        twin.show(GOODS)
        assert eventually(lambda scans=scans: counter.codes == [GOODS] * scans)
    assert counter.told() == ["lost", "back", "lost", "back"]
    assert twin.path in counter.news[0].hint


def test_half_a_code_before_the_cable_came_out_is_not_joined_to_the_next(reading, twin, counter) -> None:
    twin.no_suffix = True
    twin.show(b"28763443")
    time.sleep(0.1)  # let the driver take it in
    twin.unplug()
    assert eventually(lambda: counter.told() == ["lost"])
    twin.plug()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    twin.no_suffix = False
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])


def test_a_box_that_starts_before_its_scanner_waits_for_it(twin, counter) -> None:
    twin.unplug()
    reader = SerialScanner("counter", twin.path)
    reader.start(counter.deliver, counter.news.append)
    assert eventually(lambda: counter.told() == ["lost"])
    twin.plug()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    reader.stop()


def test_a_code_scanned_while_nobody_listened_is_not_charged_later(twin, counter) -> None:
    twin.show(b"287634438256643940")
    reader = SerialScanner("counter", twin.path)
    reader.start(counter.deliver, counter.news.append)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes != [])
    reader.stop()
    assert counter.codes == [GOODS]


def test_a_second_program_on_the_same_line_is_told_why_it_reads_nothing(reading, twin) -> None:
    second = Counter()
    other = SerialScanner("second", twin.path)
    other.start(second.deliver, second.news.append)
    assert eventually(lambda: second.told() == ["lost"])
    other.stop()
    assert "Another program" in second.news[0].hint


def test_a_path_that_is_no_serial_line_is_trouble_and_no_crash(counter, tmp_path) -> None:
    for name, path in (("file", tmp_path / "file"), ("folder", tmp_path), ("null", "/dev/null")):
        if name == "file":
            path.write_bytes(GOODS)
        reader = SerialScanner(name, str(path))
        reader.start(counter.deliver, counter.news.append)
        assert eventually(lambda name=name: counter.news[-1:] and counter.news[-1].device == name)
        reader.stop()
    assert counter.told() == ["lost", "lost", "lost"]


def test_after_stop_nothing_is_handed_over_and_stop_may_be_repeated(reading, twin, counter) -> None:
    reading.stop()
    twin.show(GOODS)
    reading.stop()
    twin.unplug()
    time.sleep(0.2)  # a reader that had not stopped would have spoken by now
    assert (counter.codes, counter.news) == ([], [])


def test_a_reader_may_be_stopped_from_its_own_delivery(twin, counter) -> None:
    reader = SerialScanner("counter", twin.path)

    def deliver_and_stop(reads: tuple[CodeRead, ...]) -> None:
        counter.deliver(reads)
        reader.stop()

    reader.start(deliver_and_stop, counter.news.append)
    twin.show(b"first\rsecond")
    assert eventually(lambda: counter.codes == [b"first"])
    reader.stop()
    assert counter.codes == [b"first"]


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
