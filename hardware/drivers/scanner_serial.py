"""A hand scanner on a serial line: USB virtual COM, RS-232, or a pseudo-terminal.

It hands over what the scanner typed, without its prefix and suffix, and says when the cable is out. It does not know
what a code means, sets no keyboard layout, and does not configure the scanner.
"""

from __future__ import annotations

import contextlib
import itertools
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import serial
import structlog
from pydantic import Field

from tillbox.contracts.codes.reads import CodeRead
from tillbox.hardware.ports import DeviceLost, TroubleKind
from tillbox.hardware.registry import Driver, Options

from .framing import Framer, Overrun, Suffix
from .hints import open_hint
from .typed import Typing, bare, is_text
from .worker import WorkedReader, monotonic_ms

log = structlog.get_logger(__name__)

GAP_MS = 150  # the slowest scanner types a byte each millisecond (9600 baud); the rest is for a busy box
PATIENCE_MS = 1_000  # a scanner that is known to end its codes may stall this long in the middle of one
TURN_MS = 50  # how long one read waits; the bound of `stop` and the grain of the gap
READ_BYTES_MAX = 65_536  # what the kernel may have waiting after a stall

BAUDS = (9600, 115_200, 38_400, 19_200)  # in the order in which makers ship them
BARE = Typing()


@dataclass(frozen=True, slots=True)
class Trigger:
    """The bytes that switch a scanner's light on and off. Source: the makers' own command sheets, as published."""

    on: bytes
    off: bytes


TRIGGERS = {
    "honeywell": Trigger(b"\x16T\r", b"\x16U\r"),
    # The GM65 family reads for its own time and then stops by itself.
    "gm65": Trigger(bytes.fromhex("7e000801000201abcd"), b""),
}


class SerialScanner(WorkedReader):
    """A `CodeReader` for `/dev/ttyACM0` and its kin.

    Virtual COM ports ignore the baud; real ones mostly come at 9600. With `baud` None the usual ones are tried, scan
    by scan, until one comes out as text and ends as it should; a code at the wrong speed is noise, and is said to be.
    What was scanned while nobody had the line open is thrown away at opening: a payment code from before lunch must
    not be charged after it.
    """

    def __init__(
        self,
        name: str,
        path: str,
        *,
        suffix: Suffix = Suffix.CR,
        baud: int | None = 9600,
        typing: Typing = BARE,
        trigger: Trigger | None = None,
        gap_ms: int = GAP_MS,
        patience_ms: int = PATIENCE_MS,
        clock_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        super().__init__(name, clock_ms)
        self._path = path
        self._bauds = itertools.cycle(BAUDS if baud is None else (baud,))
        self._baud = next(self._bauds)
        self._baud_known = baud is not None
        self._typing, self._trigger = typing, trigger
        self._framer = Framer(suffix, gap_ms, patience_ms)
        self._port: serial.Serial | None = None

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
            self._hand_over(self._framer.feed(data, self._clock_ms()), by_suffix=True)
        else:
            self._hand_over(self._framer.silence(asked_ms), by_suffix=False)

    def close(self) -> None:
        """Give the line back; a line that is gone cannot complain."""
        port, self._port = self._port, None
        if port is not None:
            try:
                port.close()
            except OSError:
                return

    def pull_trigger(self, on: bool) -> None:
        """Switch its light on or off from here, where it knows how; a line that is gone is told by its next turn."""
        if self._trigger and self._port is not None:
            with contextlib.suppress(OSError):
                self._port.write(self._trigger.on if on else self._trigger.off)

    def _hand_over(self, ended: list[bytes | Overrun], *, by_suffix: bool) -> None:
        for frame in ended:
            if self._worker.stopping:
                return
            if isinstance(frame, Overrun):
                hint = (
                    f"The scanner sent {frame.size} bytes at once. Is its trigger stuck, or its baud wrong?"
                )
                self._say(TroubleKind.OVERRUN, hint)
            elif not self._baud_known and not (by_suffix and is_text(frame)):
                self._try_next_baud()
            else:
                self._deliver_bare(frame)

    def _deliver_bare(self, frame: bytes) -> None:
        if not self._baud_known:
            self._baud_known = True
            log.info(
                "scanner.baud", device=self._name, baud=self._baud, hint="write it into the configuration"
            )
        typed = bare(frame, self._typing)
        if isinstance(typed, str):
            self._say(TroubleKind.UNREADABLE, typed)
        elif typed.raw:
            self._deliver((CodeRead(typed.raw, typed.symbology, self._name, typed.aim),))

    def _try_next_baud(self) -> None:
        assert self._port is not None, "a frame before open"
        self._baud = next(self._bauds)
        self._framer.forget()
        try:
            self._port.baudrate = self._baud
            self._port.reset_input_buffer()
        except (OSError, termios.error) as why:
            raise DeviceLost(self._name, self._hint(why)) from why
        self._say(
            TroubleKind.UNREADABLE, f"Looking for the scanner's speed, now {self._baud} baud. Scan once more."
        )

    def _hint(self, why: Exception) -> str:
        """What a person can do about a line that does not open or has gone."""
        absent = f"Is its cable in? Nothing is at {self._path}."
        return open_hint(why, "the scanner", group="dialout", absent=absent)


class SerialOptions(Options):
    """How the scanner is set up. Only what is set here is believed."""

    suffix: Literal["cr", "lf", "crlf", "tab", "etx"] = Field(
        default="cr", description="What it types after each code."
    )
    prefix: str = Field(default="", description="What it types before each code.")
    aim: bool = Field(default=False, description="Whether it types the AIM identifier before each code.")
    baud: int | Literal["auto"] = Field(
        default=9600, description="Its speed; auto: scan until it reads. USB-COM has none, and any will do."
    )
    trigger: Literal["", "honeywell", "gm65"] = Field(
        default="", description="Whose bytes switch its light on while a customer is to show a code."
    )


def _make(name: str, address: str, options: SerialOptions) -> SerialScanner:
    return SerialScanner(
        name,
        address,
        suffix=Suffix[options.suffix.upper()],
        baud=None if options.baud == "auto" else options.baud,
        typing=Typing(options.prefix.encode(), options.aim),
        trigger=TRIGGERS.get(options.trigger),
    )


DRIVER = Driver(_make, SerialOptions)
