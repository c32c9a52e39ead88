"""A hand scanner on a serial line: USB virtual COM, RS-232, or a pseudo-terminal.

It hands over what the scanner typed, without its suffix, and says when the cable is out. It does not know
what a code means, sets no keyboard layout, and does not configure the scanner.
"""

from __future__ import annotations

import errno
import termios
from collections.abc import Callable

import serial

from tillbox.contracts.codes.reads import CodeRead, Symbology
from tillbox.hardware.ports import Deliver, DeviceLost, DeviceTrouble, Tell, TroubleKind
from tillbox.hardware.registry import Driver, Options

from .framing import Framer, Overrun, Suffix
from .worker import Worker, monotonic_ms

GAP_MS = 150  # the slowest scanner types a byte each millisecond (9600 baud); the rest is for a busy box
PATIENCE_MS = 1_000  # a scanner that is known to end its codes may stall this long in the middle of one
TURN_MS = 50  # how long one read waits; the bound of `stop` and the grain of the gap
READ_BYTES_MAX = 65_536  # what the kernel may have waiting after a stall


class SerialScanner:
    """A `CodeReader` for `/dev/ttyACM0` and its kin.

    Virtual COM ports ignore the baud; real ones mostly come at 9600. What was scanned while nobody had the
    line open is thrown away at opening: a payment code from before lunch must not be charged after it.
    """

    def __init__(
        self,
        name: str,
        path: str,
        *,
        suffix: Suffix = Suffix.CR,
        baud: int = 9600,
        gap_ms: int = GAP_MS,
        patience_ms: int = PATIENCE_MS,
        clock_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._name = name
        self._path = path
        self._baud = baud
        self._clock_ms = clock_ms
        self._framer = Framer(suffix, gap_ms, patience_ms)
        self._port: serial.Serial | None = None
        self._worker = Worker(name, self, clock_ms)

    @property
    def name(self) -> str:
        """What the shop calls it."""
        return self._name

    def start(self, deliver: Deliver, trouble: Tell) -> None:
        """Open the line and read it in a thread."""
        self._deliver = deliver
        self._trouble = trouble
        self._worker.start(trouble)

    def stop(self) -> None:
        """End within a turn."""
        self._worker.stop()

    # what the worker calls

    def open(self) -> None:
        """Take the line for this process alone: two readers would each get half a code."""
        self._framer.forget()
        try:
            self._port = serial.Serial(self._path, self._baud, timeout=TURN_MS / 1000, exclusive=True)
        except (OSError, ValueError, termios.error) as why:
            raise DeviceLost(self._name, self._hint(why)) from why

    def turn(self) -> None:
        """Wait for bytes a moment; hand over the scans that they end."""
        assert self._port is not None, "a turn before open"
        asked_ms = self._clock_ms()
        try:
            data = self._port.read(1)
            if data:
                data += self._port.read(min(self._port.in_waiting, READ_BYTES_MAX))
        except OSError as why:
            # pyserial says "readiness to read but returned no data", ENODEV or EIO; all are a pulled cable.
            raise DeviceLost(self._name, self._hint(why)) from why
        if data:
            self._hand_over(self._framer.feed(data, self._clock_ms()))
        else:
            self._hand_over(self._framer.silence(asked_ms))

    def close(self) -> None:
        """Give the line back; a line that is gone cannot complain."""
        port, self._port = self._port, None
        if port is not None:
            try:
                port.close()
            except OSError:
                return

    def _hand_over(self, ended: list[bytes | Overrun]) -> None:
        for frame in ended:
            if self._worker.stopping:
                return
            if isinstance(frame, Overrun):
                hint = (
                    f"The scanner sent {frame.size} bytes at once. Is its trigger stuck, or its baud wrong?"
                )
                self._trouble(DeviceTrouble(self._name, TroubleKind.OVERRUN, hint))
            else:
                self._deliver((CodeRead(frame, Symbology.UNKNOWN, self._name),))

    def _hint(self, why: Exception) -> str:
        """What a person can do about a line that does not open or has gone."""
        return HINTS.get(getattr(why, "errno", None) or 0, f"Is its cable in? Nothing is at {self._path}.")


HINTS = {
    errno.EACCES: "This program may not open it: add its user to the group dialout.",
    errno.EPERM: "This program may not open it: add its user to the group dialout.",
    errno.EAGAIN: "Another program has the scanner open. Close that one.",
    errno.EBUSY: "Another program has the scanner open. Close that one.",
}


def _make(name: str, address: str, _: Options) -> SerialScanner:
    return SerialScanner(name, address)


DRIVER = Driver(_make)
