"""What every hand scanner must do besides what every code reader must: it types, and it is one program's alone.

The same stories for the one on a serial line and the one that is a keyboard, the real driver on its twin. What only
one of them can do is in `tests/unit/test_hardware_scanner_serial.py` and `_keys.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.counter import Counter
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead
from tillbox.hardware.drivers.scanner_keys import KeysScanner, seize
from tillbox.hardware.drivers.scanner_serial import SerialScanner
from tillbox.hardware.ports import CodeReader, TroubleKind
from tillbox.hardware.simulated.keyboard import SimulatedKeyboard
from tillbox.hardware.simulated.scanner import SimulatedScanner

GOODS = b"6901234567892"
PAYMENT = b"287634438256643940"
BUSY_MACHINE_MS = 1_000  # a gap that a test machine under load does not mistake for silence


@dataclass
class Bench:
    """A scanner's twin, and how a reader of a path is made."""

    twin: SimulatedScanner | SimulatedKeyboard
    reader: Callable[[str], CodeReader]


def serial_bench() -> Bench:
    def reader(path: str) -> CodeReader:
        return SerialScanner(path, path, gap_ms=BUSY_MACHINE_MS, patience_ms=BUSY_MACHINE_MS)

    return Bench(SimulatedScanner(), reader)


def keys_bench() -> Bench:
    twin = SimulatedKeyboard()

    def reader(path: str) -> CodeReader:
        taken = twin.seize if path == twin.path else seize
        return KeysScanner(path, path, gap_ms=BUSY_MACHINE_MS, patience_ms=BUSY_MACHINE_MS, seize=taken)

    return Bench(twin, reader)


@pytest.fixture(params=[serial_bench, keys_bench], ids=["serial", "keys"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = request.param()
    yield made
    made.twin.close()


@pytest.fixture
def twin(bench: Bench) -> SimulatedScanner | SimulatedKeyboard:
    return bench.twin


@pytest.fixture
def counter(bench: Bench) -> Iterator[Counter]:
    """A counter that the twin's reader hands over to."""
    listening, reader = Counter(), bench.reader(bench.twin.path)
    reader.start(listening.deliver, listening.news.append)
    yield listening
    reader.stop()


def test_two_hundred_scans_keep_their_order(twin, counter) -> None:
    codes = [b"TB-%04d" % number for number in range(200)]
    for code in codes:
        twin.show(code)
    assert eventually(lambda: len(counter.codes) == 200)
    assert counter.codes == codes


@pytest.mark.parametrize("mood", ["slow", "no_suffix"])
def test_a_scanner_in_a_mood_is_still_read_right(twin, counter, mood: str) -> None:
    setattr(twin, mood, True)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.news == []


def test_a_stuck_trigger_is_reported_once_and_selling_goes_on(twin, counter) -> None:
    twin.show(b"8" * 5_000)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.told() == [TroubleKind.OVERRUN]
    assert "5000" in counter.hints()


def test_half_a_code_before_the_cable_came_out_is_not_joined_to_the_next(twin, counter) -> None:
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


def test_a_code_scanned_while_nobody_listened_is_not_charged_later(bench, twin) -> None:
    twin.show(PAYMENT)
    counter, reader = Counter(), bench.reader(twin.path)
    reader.start(counter.deliver, counter.news.append)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes != [])
    reader.stop()
    assert counter.codes == [GOODS]


def test_what_came_with_the_code_that_stopped_it_is_not_handed_over(bench, twin) -> None:
    counter, reader = Counter(), bench.reader(twin.path)

    def deliver_and_stop(reads: tuple[CodeRead, ...]) -> None:
        counter.deliver(reads)
        reader.stop()

    reader.start(deliver_and_stop, counter.news.append)
    twin.show(b"first\rsecond")
    assert eventually(lambda: counter.codes == [b"first"])
    reader.stop()
    assert counter.codes == [b"first"]


def test_a_second_program_on_the_same_scanner_is_told_why_it_reads_nothing(bench, twin, counter) -> None:
    second, other = Counter(), bench.reader(twin.path)
    other.start(second.deliver, second.news.append)
    assert eventually(lambda: second.told() == ["lost"])
    other.stop()
    assert "Another program" in second.hints()
    assert counter.news == []


def test_a_path_that_is_no_scanner_is_trouble_and_no_crash(bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOODS)
    counter = Counter()
    for path in map(str, (tmp_path / "file", tmp_path, "/dev/null", tmp_path / "absent")):
        reader = bench.reader(path)
        reader.start(counter.deliver, counter.news.append)
        assert eventually(lambda path=path: counter.news[-1:] and counter.news[-1].device == path)
        reader.stop()
    assert counter.told() == ["lost"] * 4
    assert f"Is its cable in? Nothing is at {tmp_path / 'absent'}." in counter.hints()
