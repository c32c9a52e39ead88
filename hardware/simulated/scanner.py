"""A hand scanner made of a pseudo-terminal: the real driver opens `path` and cannot tell the difference.

It types what it is shown, with its suffix, and can be unplugged and be in the moods that real ones have. It
decodes no picture: it is the twin of the cable, not of the optics.
"""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import termios
import threading
import time
import tty
from pathlib import Path

SLOW_BYTE_MS = 5  # ten times slower than 9600 baud
SPLIT_PAUSE_MS = 60  # a USB hub that was busy
TYPE_PATIENCE_MS = 1_000  # the terminal holds 4 kB; if nobody reads it by then, nobody will


class SimulatedScanner:
    """The twin of a serial scanner.

    scanner = SimulatedScanner()
    reader = SerialScanner("counter", scanner.path)
    scanner.show(b"6901234567892")      # the beep
    scanner.unplug(); scanner.plug()    # `path` stays the same, as with /dev/serial/by-id

    `slow`, `split` and `no_suffix` are moods: set them, and everything shown is typed that way until they
    are cleared. With a `baud` it is a real serial line: at another speed the reader hears noise.
    """

    def __init__(self, suffix: bytes = b"\r", *, prefix: bytes = b"", baud: int | None = None) -> None:
        self.suffix, self.prefix, self.baud = suffix, prefix, baud
        self.slow = False
        self.split = False
        self.no_suffix = False
        self._folder = tempfile.TemporaryDirectory(prefix="scanner-")
        self._link = Path(self._folder.name) / "scanner"
        self._line: tuple[int, int] | None = None
        self._cable = threading.Lock()  # it may be pulled by one thread while another types
        self.plug()

    @property
    def path(self) -> str:
        """What the driver opens; there only while the cable is in."""
        return str(self._link)

    @property
    def plugged(self) -> bool:
        """Whether the cable is in."""
        return self._line is not None

    def plug(self) -> None:
        """Put the cable in. Harmless when it is."""
        with self._cable:
            if self._line is not None:
                return
            ours, theirs = os.openpty()
            # Until a driver opens it the line would echo and turn CR into LF; a wire does neither.
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            self._line = (ours, theirs)
            self._link.symlink_to(os.ttyname(theirs))

    def unplug(self) -> None:
        """Pull the cable. Harmless when it is out."""
        with self._cable:
            if self._line is None:
                return
            self._link.unlink()
            line, self._line = self._line, None
            for end in line:
                os.close(end)

    def close(self) -> None:
        """Pull the cable for good and leave nothing behind."""
        self.unplug()
        self._folder.cleanup()

    def show(self, raw: bytes) -> bool:
        """Hold a code before it. True if all of it was typed into the line."""
        data = self._heard(self.prefix + (raw if self.no_suffix else raw + self.suffix))
        if self.slow:
            return all(self._type_and_rest(data[at : at + 1], SLOW_BYTE_MS) for at in range(len(data)))
        if self.split:
            half = len(data) // 2
            return self._type_and_rest(data[:half], SPLIT_PAUSE_MS) and self._type(data[half:])
        return self._type(data)

    def garbage(self, size: int) -> bool:
        """Line noise: `size` bytes with no suffix among them, the same ones every time."""
        noise = bytes((at * 37 + 11) % 256 for at in range(size))
        return self._type(
            noise.translate(bytes(0x7F if byte in self.suffix else byte for byte in range(256)))
        )

    def commands(self) -> bytes:
        """What the box has said to it since the last time: its trigger's commands."""
        with self._cable:
            if self._line is None:
                return b""
            said = b""
            with contextlib.suppress(BlockingIOError):
                while piece := os.read(self._line[0], 1024):
                    said += piece
            return said

    def _heard(self, data: bytes) -> bytes:
        """What arrives of it at the speed at which the reader listens."""
        with self._cable:
            if self.baud is None or self._line is None:
                return data
            listens = termios.tcgetattr(self._line[1])[5]
        right = listens == getattr(termios, f"B{self.baud}")
        return data if right else bytes(0x80 | (byte * 37 + 11) % 0x80 for byte in data)

    def _type_and_rest(self, data: bytes, rest_ms: int) -> bool:
        typed = self._type(data)
        time.sleep(rest_ms / 1000)
        return typed

    def _type(self, data: bytes) -> bool:
        while data:
            with self._cable:
                if self._line is None:
                    return False
                ours = self._line[0]
                _, free, _ = select.select([], [ours], [], TYPE_PATIENCE_MS / 1000)
                if not free:
                    return False
                data = data[os.write(ours, data[:1024]) :]
        return True
