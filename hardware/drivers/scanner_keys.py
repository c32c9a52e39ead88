"""A hand scanner that types as a USB keyboard: the key events of `/dev/input/eventN`, read raw.

It takes the keyboard for itself, so that no code lands in another program's field, and hands over what was
typed without its suffix. It knows no desktop and no input method, lights no lamp, and does not configure the
scanner. Given the cashier's own keyboard it would take that too: name the scanner by its `by-id` link.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable, Sequence
from typing import Literal

import structlog
from pydantic import Field

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.hardware.ports import DeviceLost, TroubleKind
from tillbox.hardware.registry import Driver, Options

from .framing import Overrun, Suffix
from .hints import open_hint
from .keys import ENTER, EVENT, Dropped, Ended, KeyStream, events
from .plugs import stable_name
from .worker import WorkedReader, monotonic_ms

log = structlog.get_logger(__name__)

GAP_MS = 150  # a low-speed keyboard speaks every 8 or 10 ms, twice for a key; the rest is for a busy box
PATIENCE_MS = 1_000  # a scanner that is known to end its codes may stall this long in the middle of one
STALE_MS = 5_000  # whoever held this code before the scanner may have gone, and another stands there
TURN_MS = 50  # how long one read waits; the bound of `stop` and the grain of the gap
READ_BYTES_MAX = 256 * EVENT.size  # the kernel keeps 64 events or so for a keyboard
DRAINS_MAX = 16  # more at opening is a keyboard that never ceases, and its scans will say so

# linux/input.h; the same numbers on ARM and x86
EVIOCGNAME_128 = 0x80804506
EVIOCGBIT_KEYS_96 = 0x80604521
EVIOCGRAB = 0x40044590
EVIOCSCLOCKID = 0x400445A0
CLOCK_MONOTONIC = 1  # the clock of `monotonic_ms`; unset, events carry the time of day, which jumps


def seize(keyboard: int) -> str:
    """Make an open keyboard this process's alone; gives its name, OSError if it cannot be.

    A scanner often has a second node beside the one that types; one without an Enter key is not it. From now on its events carry the monotonic clock, and nobody else sees them, the desktop included.
    """
    name = fcntl.ioctl(keyboard, EVIOCGNAME_128, bytes(128)).split(b"\0")[0]
    keys = int.from_bytes(fcntl.ioctl(keyboard, EVIOCGBIT_KEYS_96, bytes(96)), "little")
    if not keys >> ENTER & 1:
        raise OSError(errno.ENOTTY, "it has no Enter key")
    fcntl.ioctl(keyboard, EVIOCSCLOCKID, struct.pack("i", CLOCK_MONOTONIC))
    fcntl.ioctl(keyboard, EVIOCGRAB, 1)
    return ascii(name.decode(errors="replace"))


class KeysScanner(WorkedReader):
    """A `CodeReader` for a scanner in keyboard mode.

    KeysScanner("counter", "/dev/input/by-id/usb-Honeywell_..-event-kbd")

    What was typed before it was opened is thrown away, and so is a code that this process was too busy to
    take for 5 seconds. `seize` is how the keyboard is taken; only a twin, which is no input device to the
    kernel, has another. `clock_ms` must be the clock that stamps the events.
    """

    def __init__(
        self,
        name: str,
        path: str,
        *,
        suffix: Suffix = Suffix.CR,
        gap_ms: int = GAP_MS,
        patience_ms: int = PATIENCE_MS,
        clock_ms: Callable[[], int] = monotonic_ms,
        seize: Callable[[int], str] = seize,
    ) -> None:
        super().__init__(name, clock_ms)
        self._path = path
        self._seize = seize
        self._stream = KeyStream(suffix, gap_ms, patience_ms)
        self._typed_ms = 0
        self._keyboard: int | None = None

    def open(self) -> None:
        """Take the keyboard for this process alone, and begin with the next key."""
        self._stream.forget()
        try:
            self._keyboard = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
            model = self._seize(self._keyboard)
            for _ in range(DRAINS_MAX):
                if not self._read():  # typed before it was ours, and seen by others too
                    break
        except OSError as why:
            raise self._lost(why) from why
        log.info("scanner.seized", device=self._name, keyboard=model, path=stable_name(self._path))

    def turn(self) -> None:
        """Wait for keys a moment; hand over the scans that they end."""
        asked_ms = self._clock_ms()
        try:
            typed = events(self._read(TURN_MS))
        except (OSError, ValueError) as why:
            raise self._lost(why) from why
        for event in typed:
            self._typed_ms = event.at_ms
            self._hand_over(self._stream.feed(event))
        if not typed:
            self._hand_over(self._stream.silence(asked_ms))

    def close(self) -> None:
        """Let go; the kernel ends the grab with it."""
        keyboard, self._keyboard = self._keyboard, None
        if keyboard is not None:
            os.close(keyboard)

    def _read(self, wait_ms: int = 0) -> bytes:
        """What was typed, at most after `wait_ms`; OSError when the keyboard is gone."""
        assert self._keyboard is not None, "a read before open"
        waiting = select.poll()
        waiting.register(self._keyboard, select.POLLIN)
        if not waiting.poll(wait_ms):
            return b""
        try:
            data = os.read(self._keyboard, READ_BYTES_MAX)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(errno.ENODEV, "it ended")
        return data

    def _hand_over(self, ended: Sequence[Ended]) -> None:
        for scan in ended:
            if self._worker.stopping:
                return
            age_ms = self._clock_ms() - self._typed_ms
            if isinstance(scan, Dropped):
                self._say(TroubleKind.OVERRUN, "The box was too busy to read all of a code. Scan it again.")
            elif isinstance(scan, Overrun):
                hint = f"The scanner typed {scan.size} signs without an end. Is its trigger stuck?"
                self._say(TroubleKind.OVERRUN, hint)
            elif age_ms > STALE_MS:
                hint = f"A code came {age_ms // 1000} s late and was not used. Scan it again."
                self._say(TroubleKind.OVERRUN, hint)
            else:
                self._deliver((CodeRead(scan, Symbology.UNKNOWN, self._name),))

    def _lost(self, why: OSError | ValueError) -> DeviceLost:
        """What a person can do about a keyboard that does not open or has gone."""
        if isinstance(why, ValueError) or why.errno in NO_KEYBOARD_NUMBERS:
            return DeviceLost(self._name, NO_KEYBOARD)
        absent = f"Is its cable in? Nothing is at {self._path}."
        return DeviceLost(self._name, open_hint(why, "the scanner", group="input", absent=absent))


NO_KEYBOARD = "That is no keyboard: give the scanner's link, /dev/input/by-id/...-event-kbd."
NO_KEYBOARD_NUMBERS = (errno.ENOTTY, errno.EINVAL, errno.EISDIR)  # an ordinary file, another device, a folder


class KeysOptions(Options):
    """What the scanner types after each code."""

    suffix: Literal["cr", "tab"] = Field(default="cr", description="The key that it presses after each code.")


def _make(name: str, address: str, options: KeysOptions) -> KeysScanner:
    return KeysScanner(name, address, suffix=Suffix[options.suffix.upper()])


DRIVER = Driver(_make, KeysOptions)
