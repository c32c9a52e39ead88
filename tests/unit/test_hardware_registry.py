"""Which driver a configuration means; and the drawer, which has no driver of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tillbox.hardware.ports import CodeReader, DeviceLost, Drawer
from tillbox.hardware.registry import READERS, reader
from tillbox.hardware.simulated.drawer import SimulatedDrawer

ADDRESSES = {
    "serial": "/dev/ttyACM0",
    "keys": "/dev/input/event3",
    "camera": "/dev/video2",
    "folder": "/srv/pictures",
    "film": "monday.avi",
}


@pytest.mark.parametrize("kind", list(READERS))
def test_every_kind_gives_a_reader_that_has_not_begun(kind: str) -> None:
    made = reader(kind, "counter", ADDRESSES[kind])
    assert isinstance(made, CodeReader)
    assert made.name == "counter"
    made.stop()


def test_a_mistake_in_the_configuration_is_explained() -> None:
    with pytest.raises(ValueError, match="Choose one of: serial, keys, camera, folder, film"):
        reader("telepathy", "counter", "")
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
