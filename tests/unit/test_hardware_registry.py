"""Which driver a configuration means; and the drawer, which has no driver of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from tillbox.hardware.ports import CodeReader, DeviceLost, Drawer
from tillbox.hardware.registry import (
    Group,
    NoSuchDriver,
    display,
    kinds,
    label_printer,
    printer,
    reader,
    speaker,
)
from tillbox.hardware.simulated.drawer import SimulatedDrawer

ADDRESSES = {
    "serial": "/dev/ttyACM0",
    "keys": "/dev/input/event3",
    "camera": "/dev/video2",
    "folder": "/srv/pictures",
    "film": "monday.avi",
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_every_kind_gives_a_reader_that_has_not_begun(kind: str) -> None:
    made = reader(kind, "counter", ADDRESSES[kind])
    assert isinstance(made, CodeReader)
    assert made.name == "counter"
    made.stop()


PRINTERS = {
    "network": "192.168.1.50:9100",
    "usb": "/dev/usb/lp0",
    "serial": "/dev/ttyUSB0",
    "spooler": "receipts",
    "file": "paper.bin",
}


@pytest.mark.parametrize("kind", PRINTERS)
def test_every_way_to_a_printer_takes_receipts_and_labels(kind: str) -> None:
    for made in (printer(kind, "paper", PRINTERS[kind]), label_printer(kind, "paper", PRINTERS[kind])):
        assert made.name == "paper"


def test_every_driver_of_ours_is_tried_here() -> None:
    """A driver that somebody else installed beside ours is theirs to try."""
    assert set(ADDRESSES) <= set(kinds(Group.CODE_READERS))
    ours = {
        (group, point.name)
        for group in Group
        for point in entry_points(group=group)
        if point.value.startswith("tillbox.")
    }
    tried = {(Group.CODE_READERS, kind) for kind in ADDRESSES}
    tried |= {(group, kind) for kind in PRINTERS for group in (Group.PRINTERS, Group.LABEL_PRINTERS)}
    tried |= {(Group.DISPLAYS, kind) for kind in ("vfd", "led8")} | {(Group.SPEAKERS, "alsa")}
    assert ours == tried


def test_displays_and_voices_come_by_the_same_door() -> None:
    assert display("vfd", "customer", "/dev/ttyUSB0", {"alphabet": "gb18030"}).name == "customer"
    assert display("led8", "customer", "/dev/ttyUSB0").name == "customer"
    voice = speaker("alsa", "voice", "")
    assert voice.name == "voice"
    voice.stop()
    with pytest.raises(NoSuchDriver, match="does not take lamps"):
        display("led8", "customer", "/dev/ttyUSB0", {"lamps": "disco"})


def test_a_mistake_in_the_configuration_is_explained() -> None:
    with pytest.raises(NoSuchDriver, match=r"Choose one of: .*camera, .*serial"):
        reader("telepathy", "counter", "")
    with pytest.raises(NoSuchDriver, match="does not take colour"):
        reader("serial", "counter", "/dev/ttyACM0", {"colour": "red"})
    with pytest.raises(NoSuchDriver, match="does not take language"):
        printer("network", "receipts", "127.0.0.1:9100", {"language": "klingon"})
    with pytest.raises(ValueError, match="write host:port"):
        printer("network", "receipts", "the printer by the door")
    with pytest.raises(ValueError, match="Give its number"):
        reader("camera", "eye", "front door")


def test_asking_for_a_scanner_loads_nothing_of_a_camera() -> None:
    program = (
        "import sys; from tillbox.hardware.registry import reader; reader('serial', 'counter', '/dev/null')\n"
        "print([name for name in ('cv2', 'numpy', 'zxingcpp', 'pyzbar', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_drawer_opens_and_remembers_why() -> None:
    drawer = SimulatedDrawer()
    assert isinstance(drawer, Drawer)
    drawer.kick("sale 7")
    assert (drawer.kicks, list(drawer.reasons), drawer.is_open) == (1, ["sale 7"], True)
    drawer.shut()
    drawer.jammed = True
    drawer.kick("sale 8")
    assert (drawer.kicks, drawer.is_open) == (2, False)


def test_a_drawer_without_its_plug_says_so() -> None:
    drawer = SimulatedDrawer()
    drawer.plugged = False
    with pytest.raises(DeviceLost, match="plug in the printer"):
        drawer.kick("sale 7")
    assert drawer.kicks == 0
