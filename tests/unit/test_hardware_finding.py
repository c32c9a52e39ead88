"""What is plugged in, read from a made-up `/sys` of the form that real kernels have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbox.hardware.finding import find

KEYS = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"  # of a real keyboard
MOUSE_KEYS = "ff0000 0 0 0 0"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    usb = tmp_path / "sys/devices/usb1/1-1"
    write(usb / "manufacturer", "Honeywell")
    write(usb / "product", "1400g")
    tty = tmp_path / "sys/class/tty/ttyACM0"
    tty.mkdir(parents=True)
    (usb / "1-1:1.0").mkdir()
    (tty / "device").symlink_to(usb / "1-1:1.0")
    (tmp_path / "dev/serial/by-id").mkdir(parents=True)
    (tmp_path / "dev/ttyACM0").touch()
    (tmp_path / "dev/serial/by-id/usb-Honeywell_1400g_7-if00").symlink_to(tmp_path / "dev/ttyACM0")
    write(tmp_path / "sys/class/input/event3/device/name", "Newland Auto-ID Barcode Scanner")
    write(tmp_path / "sys/class/input/event3/device/capabilities/key", KEYS)
    write(tmp_path / "sys/class/input/event4/device/name", "Logitech Keyboard")
    write(tmp_path / "sys/class/input/event4/device/capabilities/key", KEYS)
    write(tmp_path / "sys/class/input/event5/device/name", "Mouse")
    write(tmp_path / "sys/class/input/event5/device/capabilities/key", MOUSE_KEYS)
    identity = "MFG:Xprinter;MDL:XP-80;CLS:PRINTER;CMD:ESC/POS;"
    write(tmp_path / "sys/class/usbmisc/lp0/device/ieee1284_id", identity)
    write(tmp_path / "sys/class/usbmisc/lp1/device/ieee1284_id", "MFG:TSC;MDL:TTP-244;COMMAND SET:TSPL;")
    write(tmp_path / "sys/class/video4linux/video0/name", "UVC Camera")
    write(tmp_path / "sys/class/video4linux/video0/index", "0")
    write(tmp_path / "sys/class/video4linux/video1/name", "UVC Camera")
    write(tmp_path / "sys/class/video4linux/video1/index", "1")
    write(tmp_path / "proc/asound/cards", " 0 [Headphones     ]: bcm2835 - bcm2835 Headphones")
    return tmp_path


def test_each_device_is_found_by_what_it_is_and_proposed_where_it_belongs(machine: Path) -> None:
    found = {(one.kind, one.address): one for one in find(machine)}
    assert set(found) == {
        ("serial line", "/dev/serial/by-id/usb-Honeywell_1400g_7-if00"),
        ("keyboard", "/dev/input/event3"),
        ("keyboard", "/dev/input/event4"),
        ("receipt printer", "/dev/usb/lp0"),
        ("label printer", "/dev/usb/lp1"),
        ("camera", "/dev/video0"),
        ("sound card", "card 0"),
    }
    scanner = found["serial line", "/dev/serial/by-id/usb-Honeywell_1400g_7-if00"]
    assert scanner.name == "Honeywell 1400g"
    assert scanner.proposal == {"kind": "serial", "name": "scanner", "address": scanner.address}
    assert found["receipt printer", "/dev/usb/lp0"].proposal["profile"] == "chinese-80"
    assert "--language tspl" in found["label printer", "/dev/usb/lp1"].proposal["print"]


def test_a_keyboard_that_is_not_called_a_scanner_is_never_taken_for_one(machine: Path) -> None:
    sure = {one.address: one.sure for one in find(machine) if one.kind == "keyboard"}
    assert sure == {"/dev/input/event3": True, "/dev/input/event4": False}


def test_a_machine_without_anything_has_nothing(tmp_path: Path) -> None:
    assert find(tmp_path) == ()
