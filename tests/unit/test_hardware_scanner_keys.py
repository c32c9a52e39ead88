"""The keyboard scanner on its twin: the real driver, real events through the kernel, a cable to be pulled."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.hardware.drivers.scanner_keys import KeysScanner
from tillbox.hardware.ports import DeviceBack, DeviceTrouble, TroubleKind
from tillbox.hardware.simulated.keyboard import SimulatedKeyboard

GOODS = b"6901234567892"
PAYMENT = b"287634438256643940"
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

    def hints(self) -> str:
        return " ".join(one.hint for one in self.news if isinstance(one, DeviceTrouble))


@pytest.fixture
def twin() -> Iterator[SimulatedKeyboard]:
    keyboard = SimulatedKeyboard()
    yield keyboard
    keyboard.close()


@pytest.fixture
def counter() -> Counter:
    return Counter()


def scanner(twin: SimulatedKeyboard, **settings: object) -> KeysScanner:
    settings = {"gap_ms": BUSY_MACHINE_MS, "patience_ms": BUSY_MACHINE_MS, "seize": twin.seize} | settings
    return KeysScanner("counter", twin.path, **settings)


@pytest.fixture
def reading(twin: SimulatedKeyboard, counter: Counter) -> Iterator[KeysScanner]:
    reader = scanner(twin)
    reader.start(counter.deliver, counter.news.append)
    yield reader
    reader.stop()


def test_every_sign_of_the_keyboard_arrives_as_it_was_shown(reading, twin, counter) -> None:
    every_sign = bytes(range(0x20, 0x7F))
    twin.show(GOODS)
    twin.show(every_sign)
    assert eventually(lambda: len(counter.codes) == 2)
    assert counter.deliveries[0] == (CodeRead(GOODS, Symbology.UNKNOWN, "counter"),)
    assert counter.codes[1] == every_sign


def test_two_hundred_scans_keep_their_order(reading, twin, counter) -> None:
    codes = [b"TB-%04d" % number for number in range(200)]
    for code in codes:
        twin.show(code)
    assert eventually(lambda: len(counter.codes) == 200)
    assert counter.codes == codes


@pytest.mark.parametrize("mood", ["slow", "no_suffix"])
def test_a_scanner_in_a_mood_is_still_read_right(reading, twin, counter, mood) -> None:
    setattr(twin, mood, True)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.news == []


def test_a_code_with_a_hole_is_not_used_and_the_cashier_is_told_to_scan_again(reading, twin, counter) -> None:
    twin.dropped = True
    twin.show(PAYMENT)
    assert eventually(lambda: counter.told() == [TroubleKind.OVERRUN])
    twin.dropped = False
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert "Scan it again" in counter.hints()
    assert counter.told() == [TroubleKind.OVERRUN]


def test_a_code_that_comes_late_is_not_charged_to_whoever_stands_there_now(reading, twin, counter) -> None:
    twin.late = True
    twin.show(PAYMENT)
    twin.no_suffix = True
    twin.show(PAYMENT)
    assert eventually(lambda: counter.told() == [TroubleKind.OVERRUN] * 2)
    twin.late = twin.no_suffix = False
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert "6 s late" in counter.hints()


def test_a_stuck_trigger_is_reported_once_and_selling_goes_on(reading, twin, counter) -> None:
    twin.show(b"8" * 5_000)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.told() == [TroubleKind.OVERRUN]
    assert "5000 signs" in counter.hints()


def test_a_firmware_that_raves_is_no_code_and_no_trouble(reading, twin, counter) -> None:
    twin.garbage(2_000)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.news == []


def test_what_is_no_event_is_trouble_and_the_keyboard_is_opened_anew(reading, twin, counter) -> None:
    twin.nonsense()
    assert eventually(lambda: counter.told() == ["lost", "back"])
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])


def test_a_mute_scanner_is_no_news(reading, twin, counter) -> None:
    twin.mute = True
    twin.show(PAYMENT)
    twin.mute = False
    twin.show(GOODS)
    assert eventually(lambda: counter.codes == [GOODS])
    assert counter.news == []


def test_a_pulled_cable_is_told_once_and_its_return_once(reading, twin, counter) -> None:
    for scans in (1, 2):
        twin.unplug()
        assert eventually(lambda: counter.told()[-1:] == ["lost"])
        twin.plug()
        assert eventually(lambda: counter.told()[-1:] == ["back"])
        twin.show(GOODS)
        assert eventually(lambda scans=scans: counter.codes == [GOODS] * scans)
    assert counter.told() == ["lost", "back", "lost", "back"]


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


def test_a_code_typed_while_nobody_listened_is_not_charged_later(twin, counter) -> None:
    twin.show(PAYMENT)
    reader = scanner(twin)
    reader.start(counter.deliver, counter.news.append)
    twin.show(GOODS)
    assert eventually(lambda: counter.codes != [])
    reader.stop()
    assert counter.codes == [GOODS]


def test_a_second_program_on_the_same_keyboard_is_told_why_it_reads_nothing(reading, twin) -> None:
    second = Counter()
    other = scanner(twin)
    other.start(second.deliver, second.news.append)
    assert eventually(lambda: second.told() == ["lost"])
    other.stop()
    assert "Another program" in second.hints()


def test_a_path_that_is_no_keyboard_is_trouble_and_no_crash(counter, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOODS)
    for path in (tmp_path / "file", tmp_path, Path("/dev/null"), tmp_path / "absent"):
        reader = KeysScanner(str(path), str(path))
        reader.start(counter.deliver, counter.news.append)
        assert eventually(lambda path=path: counter.news[-1:] and counter.news[-1].device == str(path))
        reader.stop()
    assert counter.told() == ["lost"] * 4
    assert counter.hints().count("no keyboard") == 3
    assert "Is its cable in?" in counter.hints()


@pytest.mark.parametrize(
    ("number", "word"), [(errno.EACCES, "group input"), (errno.ENODEV, "cable"), (errno.EIO, "cable")]
)
def test_what_the_kernel_says_is_said_so_that_a_person_can_act(twin, counter, number: int, word: str) -> None:
    def refuse(_: int) -> str:
        raise OSError(number, "no")

    reader = scanner(twin, seize=refuse)
    reader.start(counter.deliver, counter.news.append)
    assert eventually(lambda: counter.told() == ["lost"])
    reader.stop()
    assert word in counter.hints()


def test_after_stop_nothing_is_handed_over_and_stop_may_be_repeated(reading, twin, counter) -> None:
    reading.stop()
    twin.show(GOODS)
    reading.stop()
    twin.unplug()
    time.sleep(0.2)  # a reader that had not stopped would have spoken by now
    assert (counter.codes, counter.news) == ([], [])


def test_a_reader_may_be_stopped_from_its_own_delivery(twin, counter) -> None:
    reader = scanner(twin)

    def deliver_and_stop(reads: tuple[CodeRead, ...]) -> None:
        counter.deliver(reads)
        reader.stop()

    reader.start(deliver_and_stop, counter.news.append)
    twin.show(b"first\rsecond")
    assert eventually(lambda: counter.codes == [b"first"])
    reader.stop()
    assert counter.codes == [b"first"]
