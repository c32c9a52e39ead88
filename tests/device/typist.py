"""A keyboard that types faster than any scanner: a device of the kernel's uinput, steered event by event."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterable
from pathlib import Path

from tests.device.gadgets import ENUMERATION_S
from tests.patience import eventually

from tillbox.hardware.drivers.keys import EV_KEY, EVENT
from tillbox.hardware.simulated.keyboard import Stroke

# linux/uinput.h
UI_SET_EVBIT, UI_SET_KEYBIT, UI_DEV_SETUP = 0x40045564, 0x40045565, 0x405C5503
UI_DEV_CREATE, UI_DEV_DESTROY, UI_GET_SYSNAME_64 = 0x5501, 0x5502, 0x8040552C
SETUP = struct.Struct("HHHH80sI")  # struct uinput_setup
KEYS, MOUSE_BUTTONS = range(1, 128), range(0x110, 0x113)


class Typist:
    """typist = Typist(); typist.type([*typed(b"690"), *press(ENTER)], rest_ms=2)"""

    def __init__(self, keys: Iterable[int] = KEYS) -> None:
        self._device = os.open("/dev/uinput", os.O_WRONLY)
        fcntl.ioctl(self._device, UI_SET_EVBIT, EV_KEY)
        for code in keys:
            fcntl.ioctl(self._device, UI_SET_KEYBIT, code)
        fcntl.ioctl(self._device, UI_DEV_SETUP, SETUP.pack(3, 0x1D6B, 0x0104, 1, b"lab typist", 0))
        fcntl.ioctl(self._device, UI_DEV_CREATE)
        name = fcntl.ioctl(self._device, UI_GET_SYSNAME_64, bytes(64)).split(b"\0")[0].decode()
        assert eventually(lambda: self._node(name), ENUMERATION_S), "uinput made no event node"
        self.path = f"/dev/input/{self._node(name)}"

    def type(self, strokes: Iterable[Stroke], rest_ms: int = 0) -> None:
        """Type as fast as the kernel takes it, or with a rest after each event, as a scanner does."""
        for stroke in strokes:
            os.write(self._device, EVENT.pack(0, 0, *stroke))
            time.sleep(rest_ms / 1000)

    def close(self) -> None:
        fcntl.ioctl(self._device, UI_DEV_DESTROY)
        os.close(self._device)

    @staticmethod
    def _node(name: str) -> str:
        return next((path.name for path in Path("/sys/class/input", name).glob("event*")), "")
