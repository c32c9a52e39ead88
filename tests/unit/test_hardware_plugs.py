"""A plug that is heard, on the kernel's own line; and the name that a device keeps."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.hardware.drivers import worker
from tillbox.hardware.drivers.plugs import Plugs, stable_name
from tillbox.hardware.drivers.scanner_keys import KeysScanner
from tillbox.hardware.ports import DeviceBack
from tillbox.hardware.simulated.keyboard import SimulatedKeyboard

LONG_S = 60.0
NEVER_MS = 600_000  # a pause that no test waits for
TERMINALS = sorted(Path("/sys/class/tty").glob("*/uevent"))


@pytest.fixture
def plugs() -> Iterator[Plugs]:
    made = Plugs()
    yield made
    made.close()


def announce(word: str) -> None:
    """Have the kernel say of a device that is there what it says of one that comes or goes."""
    pytest.importorskip("pyudev")
    if not TERMINALS or not os.access(TERMINALS[0], os.W_OK):
        pytest.skip("only root may have the kernel announce a device")
    TERMINALS[0].write_text(word)


def test_a_plug_ends_the_wait(plugs: Plugs) -> None:
    plugs.listen()
    announce("add")
    assert plugs.wait(LONG_S, lambda: False)


def test_a_plug_is_heard_once_however_often_the_kernel_says_it(plugs: Plugs) -> None:
    plugs.listen()
    for _ in range(10):
        announce("add")
    assert plugs.wait(LONG_S, lambda: False)
    assert not plugs.wait(0.2, lambda: False)


def test_a_device_that_goes_wakes_nobody(plugs: Plugs) -> None:
    plugs.listen()
    announce("remove")
    assert not plugs.wait(0.2, lambda: False)


def test_what_was_plugged_in_before_the_loss_is_no_news(plugs: Plugs) -> None:
    announce("add")
    plugs.listen()
    assert not plugs.wait(0.2, lambda: False)


@pytest.mark.parametrize("listening", [True, False])
def test_whoever_waits_stops_when_told_to_with_or_without_ears(plugs: Plugs, listening: bool) -> None:
    stopping = threading.Event()
    if listening:
        plugs.listen()
    waiting = threading.Thread(target=plugs.wait, args=(LONG_S, stopping.is_set))
    waiting.start()
    stopping.set()
    waiting.join(10.0)
    assert not waiting.is_alive()


def test_without_ears_the_pause_goes_on_to_its_end(plugs: Plugs) -> None:
    began = time.monotonic()
    assert not plugs.wait(0.1, lambda: False)
    assert time.monotonic() >= began + 0.1


def test_a_scanner_that_comes_back_is_read_at_once_and_not_after_a_pause(monkeypatch) -> None:
    monkeypatch.setattr(worker, "REOPEN_FIRST_MS", NEVER_MS)
    announce("add")  # where nothing can be announced, this story is not told
    twin, news = SimulatedKeyboard(), []
    twin.unplug()
    reader = KeysScanner("counter", twin.path, seize=twin.seize)
    reader.start(lambda _: None, news.append)
    twin.plug()
    # Again and again: the worker begins to listen a moment after it has told the trouble.
    assert eventually(lambda: announce("add") or DeviceBack("counter") in news, LONG_S)
    reader.stop()
    twin.close()


# the name that a device keeps


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    for folder in ("serial/by-id", "serial/by-path", "input/by-path", "usb"):
        (tmp_path / folder).mkdir(parents=True)
    for node in ("ttyACM0", "ttyACM1", "input/event3", "usb/lp0"):
        (tmp_path / node).write_bytes(b"")
    (tmp_path / "serial/by-id/usb-Honeywell_1400g-if00").symlink_to("../../ttyACM0")
    (tmp_path / "serial/by-path/platform-usb-0:1.2").symlink_to("../../ttyACM0")
    (tmp_path / "serial/by-id/usb-gone").symlink_to("../../ttyACM9")
    (tmp_path / "input/by-path/platform-usb-0:1.3-event-kbd").symlink_to("../event3")
    return tmp_path


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ("ttyACM0", "serial/by-id/usb-Honeywell_1400g-if00"),
        ("input/event3", "input/by-path/platform-usb-0:1.3-event-kbd"),
        ("serial/by-path/platform-usb-0:1.2", "serial/by-id/usb-Honeywell_1400g-if00"),
        ("usb/lp0", "usb/lp0"),
        ("ttyACM1", "ttyACM1"),
        ("absent", "absent"),
    ],
)
def test_a_device_is_named_by_what_it_is_or_where_it_is_plugged_in(
    devices: Path, node: str, name: str
) -> None:
    assert stable_name(str(devices / node), devices) == str(devices / name)
