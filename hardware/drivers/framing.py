"""Where one scan ends and the next begins. Pure: bytes and the time go in, whole scans come out.

A scanner types a code and then a suffix. Two things go wrong on real counters: the suffix was never
configured, so only silence says that the code is over; and the line stalls in the middle of a code, so
silence must not be believed too soon. Hence two patiences: short until this scanner has shown its suffix,
long afterwards. Half a payment code is a code too, and a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FRAME_BYTES_MAX = 4096  # a QR code holds 2,953 bytes; more than this is a stuck trigger or the wrong baud


class Suffix(Enum):
    """What the scanner types after each code. Configured, never guessed: a code may contain a line feed."""

    CR = b"\r"
    LF = b"\n"
    CRLF = b"\r\n"
    ETX = b"\x03"
    TAB = b"\t"


@dataclass(frozen=True, slots=True)
class Overrun:
    """More came than one code can hold; all of it was thrown away."""

    size: int


class Framer:
    """Cuts a stream of bytes into scans.

    framer = Framer(Suffix.CR, gap_ms=150, patience_ms=1_000)
    framer.feed(b"6901234567892\\r690", now_ms=5)     -> [b"6901234567892"]
    framer.silence(now_ms=1_500)                      -> [b"690"]
    """

    def __init__(self, suffix: Suffix, gap_ms: int, patience_ms: int) -> None:
        self._suffix = suffix.value
        self._gap_ms = gap_ms
        self._patience_ms = patience_ms
        self._suffix_seen = False
        self.forget()

    def feed(self, data: bytes, now_ms: int) -> list[bytes | Overrun]:
        """Take what the line brought; give the scans that it completed."""
        # The time since the last byte is not asked here: bytes that wait in the kernel while this process
        # is kept from running are no silence of the scanner.
        ended: list[bytes | Overrun] = []
        self._last_ms = now_ms
        self._pending += data
        while (at := self._pending.find(self._suffix)) >= 0:
            self._suffix_seen = True
            frame = bytes(self._pending[:at])
            del self._pending[: at + len(self._suffix)]
            ended += self._close(frame)
        if len(self._pending) > FRAME_BYTES_MAX:
            self._throw_away()
        return ended

    def silence(self, now_ms: int) -> list[bytes | Overrun]:
        """Nothing has come until now; give what that ends."""
        patience_ms = self._patience_ms if self._suffix_seen else self._gap_ms
        if not (self._pending or self._thrown) or now_ms - self._last_ms < patience_ms:
            return []
        frame = bytes(self._pending)
        self._pending.clear()
        return self._close(frame)

    def forget(self) -> None:
        """Drop what is half there: the device went away in the middle of it."""
        self._pending = bytearray()
        self._thrown = 0
        self._last_ms = 0

    def _close(self, frame: bytes) -> list[bytes | Overrun]:
        size = self._thrown + len(frame)
        overrun = self._thrown > 0 or size > FRAME_BYTES_MAX
        self._thrown = 0
        if overrun:
            return [Overrun(size)]
        return [frame] if frame else []

    def _throw_away(self) -> None:
        # The last byte stays: it may be the first half of CRLF.
        kept = len(self._suffix) - 1
        self._thrown += len(self._pending) - kept
        del self._pending[: len(self._pending) - kept]
