"""The keyboard scanner on its twin: the real driver, real events through the kernel, a cable to be pulled.

What it shares with the other scanner is in `tests/conformance/test_scanners.py`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.counter import Counter
from tests.patience import eventually

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.hardware.drivers.scanner_keys import KeysScanner
from tillbox.hardware.ports import TroubleKind
from tillbox.hardware.simulated.keyboard import SimulatedKeyboard

GOODS = b"6901234567892"
PAYMENT = b"287634438256643940"
BUSY_MACHINE_MS = 1_000  # a gap that a test machine under load does not mistake for silence


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


def test_a_path_that_is_no_keyboard_is_told_from_an_empty_one(counter, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOODS)
    for count, path in enumerate((tmp_path / "file", tmp_path, "/dev/null"), 1):
        reader = KeysScanner("counter", str(path))
        reader.start(counter.deliver, counter.news.append)
        assert eventually(lambda count=count: counter.hints().count("no keyboard") == count)
        reader.stop()


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
