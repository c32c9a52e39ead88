"""USB devices that the kernel believes in: a gadget on its dummy host controller, one function each.

What a test does to the gadget side (`/dev/hidg0`, `/dev/ttyGS0`, `/dev/g_printer0`) comes out of a real
`/dev/input/eventN`, `/dev/ttyACM0` or `/dev/usb/lp0`, with real enumeration and a cable that can be pulled.
The form is that of the kernel's Documentation/usb/gadget_configfs.rst. Only for the machine of the lab.
"""

from __future__ import annotations

import contextlib
import os
import select
import string
import tty
from collections.abc import Callable
from pathlib import Path

from tests.patience import eventually

GADGETS = Path("/sys/kernel/config/usb_gadget")
CONTROLLER = "dummy_udc.0"
ENUMERATION_S = 20.0  # half a second, in a machine that is emulated and shared

# A boot keyboard, as in appendix E.6 of the HID specification: eight bits of modifiers, a byte, six keys.
KEYBOARD_REPORT = bytes.fromhex(
    "05010906a1010507 19e029e715002501 7501950881029501 7508810395067508 1500256505071900 29658100c0"
)


class Gadget:
    """One USB device with one function, and its cable."""

    def __init__(self, function: str, settings: dict[str, bytes], found: Callable[[], str | None]) -> None:
        self.function = GADGETS / "pos" / "functions" / f"{function}.usb0"
        self._found = found
        self._plugged = False
        self._build(settings)
        self.plug()
        node = found()
        assert node is not None
        self.path = node

    @property
    def plugged(self) -> bool:
        return self._plugged

    def plug(self) -> None:
        """Put the cable in, and wait until the kernel has made the node."""
        if not self._plugged:
            (GADGETS / "pos" / "UDC").write_text(CONTROLLER)
            self._plugged = True
            assert eventually(self._found, ENUMERATION_S), "the kernel found no such device"

    def unplug(self) -> None:
        """Pull the cable. Harmless when it is out."""
        if self._plugged:
            self._plugged = False
            (GADGETS / "pos" / "UDC").write_text("\n")
            # A hand is slower than this; a cable that is back before the hub looked is found by nobody.
            assert eventually(lambda: not self._found(), ENUMERATION_S), "the kernel did not see it go"

    def close(self) -> None:
        """Pull the cable and take the gadget apart, in the order that configfs wants."""
        self.unplug()
        gadget = GADGETS / "pos"
        for link in gadget.glob("configs/c.1/*.usb0"):
            link.unlink()
        for folder in (
            "configs/c.1/strings/0x409",
            "configs/c.1",
            f"functions/{self.function.name}",
            "strings/0x409",
        ):
            (gadget / folder).rmdir()
        gadget.rmdir()

    def _build(self, settings: dict[str, bytes]) -> None:
        gadget = GADGETS / "pos"
        for folder in (gadget / "strings/0x409", gadget / "configs/c.1/strings/0x409", self.function):
            folder.mkdir(parents=True)
        (gadget / "idVendor").write_text("0x1d6b")  # the kernel's own numbers for gadgets
        (gadget / "idProduct").write_text("0x0104")
        (gadget / "strings/0x409/product").write_text("lab scanner")
        (gadget / "strings/0x409/serialnumber").write_text("LAB1")
        for name, value in settings.items():
            (self.function / name).write_bytes(value)
        (gadget / "configs/c.1" / self.function.name).symlink_to(self.function)


class KeyboardGadget(Gadget):
    """A scanner in keyboard mode. What a key means is the host kernel's affair: only HID usages are sent."""

    def __init__(self) -> None:
        boot = {"protocol": b"1", "subclass": b"1", "report_length": b"8", "report_desc": KEYBOARD_REPORT}
        super().__init__("hid", boot, lambda: input_node("dummy_hcd"))

    def show(self, raw: bytes) -> bool:
        """Type a code and Enter. False once the cable is out."""
        return self.type(raw) and self._press(ENTER_USAGE)

    def type(self, raw: bytes) -> bool:
        """Type a code without an end. False once the cable is out."""
        return all(self._press(*USAGES[sign]) for sign in raw.decode())

    def _press(self, usage: int, shifted: bool = False) -> bool:
        down = bytes([LEFT_SHIFT if shifted else 0, 0, usage, 0, 0, 0, 0, 0])
        return self._report(down) and self._report(bytes(8))

    def _report(self, report: bytes) -> bool:
        if not self.plugged:
            return False
        with contextlib.suppress(OSError):  # the host went away in the middle of it
            gadget = os.open("/dev/hidg0", os.O_RDWR | os.O_NONBLOCK)
            try:
                if select.select([], [gadget], [], 2.0)[1]:
                    return os.write(gadget, report) == len(report)
            finally:
                os.close(gadget)
        return False


class SerialGadget(Gadget):
    """A scanner in USB virtual COM mode."""

    def __init__(self) -> None:
        self._line: int | None = None
        super().__init__("acm", {}, lambda: node_if_there("/dev/ttyACM0"))

    def show(self, raw: bytes) -> bool:
        return self.type(raw + b"\r")

    def type(self, raw: bytes) -> bool:
        """Bytes onto the line, if the cable is in."""
        if not self.plugged:
            return False
        if self._line is None:
            self._line = os.open("/dev/ttyGS0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self._line)
        return os.write(self._line, raw) == len(raw)

    def unplug(self) -> None:
        super().unplug()
        if self._line is not None:  # the kernel hung it up
            os.close(self._line)
            self._line = None


class PrinterGadget(Gadget):
    """A receipt printer's USB half: what the host sends is read here, and answered."""

    def __init__(self) -> None:
        identity = {"pnp_string": b"MFG:Lab;MDL:Receipt;CLS:PRINTER;CMD:ESC/POS;"}
        self._device: int | None = None
        super().__init__("printer", identity, lambda: node_if_there("/dev/usb/lp0"))

    def read(self, patience_s: float = 5.0) -> bytes:
        """What the host has sent by now; nothing after `patience_s`."""
        device = self._open()
        if not select.select([device], [], [], patience_s)[0]:
            return b""
        with contextlib.suppress(BlockingIOError):
            return os.read(device, 65_536)
        return b""

    def answer(self, data: bytes) -> None:
        os.write(self._open(), data)

    def unplug(self) -> None:
        if self._device is not None:
            os.close(self._device)
            self._device = None
        super().unplug()

    def _open(self) -> int:
        # The node comes and goes with the cable, and takes one program at a time.
        if self._device is None:
            self._device = os.open("/dev/g_printer0", os.O_RDWR | os.O_NONBLOCK)
        return self._device


def node_if_there(path: str) -> str | None:
    return path if Path(path).exists() else None


def input_node(driver: str) -> str | None:
    """The event node of a device that hangs on `driver`, once the kernel has made it."""
    for event in Path("/sys/class/input").glob("event*"):
        with contextlib.suppress(FileNotFoundError):  # it went while it was looked at
            if driver in os.readlink(event) and Path("/dev/input", event.name).exists():
                return f"/dev/input/{event.name}"
    return None


# HID usage tables, keyboard page (0x07): the signs of a US keyboard, plain and with shift

ENTER_USAGE, LEFT_SHIFT = 0x28, 0x02
_ROWS = (
    (0x04, string.ascii_lowercase, string.ascii_uppercase),
    (0x1E, "1234567890", "!@#$%^&*()"),
    (0x2C, " -=[]\\", " _+{}|"),
    (0x33, ";'`,./", ':"~<>?'),
)
USAGES = {
    sign: (first + at, shifted)
    for first, plain, with_shift in _ROWS
    for shifted, signs in ((True, with_shift), (False, plain))
    for at, sign in enumerate(signs)
}
