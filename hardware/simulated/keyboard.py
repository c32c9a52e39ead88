"""A hand scanner that types, without a keyboard: a named pipe through which real `struct input_event` go.

The real driver opens `path` and reads what the kernel would give it. A pipe is no input device, so taking it
for oneself is `seize` here and not an ioctl: the one thing of the driver that this twin does not exercise.
`make lab` does, on the kernel's own devices. The twin decodes no picture: it is the cable, not the optics.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import select
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tillbox.hardware.drivers.keys import (
    ENTER,
    EV_KEY,
    EV_SYN,
    EVENT,
    PLAIN,
    PRESSED,
    RELEASED,
    SHIFTED,
    SYN_DROPPED,
    SYN_REPORT,
    KeyEvent,
)  # fmt: skip
from tillbox.hardware.drivers.worker import monotonic_ms

LEFT_SHIFT = 42
EV_MSC, MSC_SCAN = 4, 4  # what real keyboards say beside each key
SLOW_KEY_MS = 8  # as a low-speed keyboard, which is asked every 8 ms
LATE_MS = 6_000  # how long the keys had waited in the kernel, in the mood `late`
TYPE_PATIENCE_MS = 1_000  # the pipe holds 64 kB; if nobody reads it by then, nobody will


class SimulatedKeyboard:
    """The twin of a scanner in keyboard mode.

    scanner = SimulatedKeyboard()
    reader = KeysScanner("counter", scanner.path, seize=scanner.seize)
    scanner.show(b"6901234567892")      # the beep
    scanner.unplug(); scanner.plug()    # `path` stays the same, as with /dev/input/by-id

    `slow`, `dropped`, `late`, `mute` and `no_suffix` are moods: set them, and everything shown is typed that
    way until they are cleared. `dropped` loses the middle of each code, as the kernel does for a late reader.
    """

    def __init__(self, suffix: int = ENTER, clock_ms: Callable[[], int] = monotonic_ms) -> None:
        self.suffix = suffix
        self.slow = self.dropped = self.late = self.mute = self.no_suffix = False
        self._clock_ms = clock_ms
        self._folder = tempfile.TemporaryDirectory(prefix="keyboard-")
        self._pipe = Path(self._folder.name) / "event0"
        self._line: int | None = None
        self._cable = threading.Lock()  # it may be pulled by one thread while another types
        self.plug()

    @property
    def path(self) -> str:
        """What the driver opens; there only while the cable is in."""
        return str(self._pipe)

    def seize(self, keyboard: int) -> str:
        """Take the pipe as the driver takes a keyboard: by one reader only."""
        try:
            fcntl.flock(keyboard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            raise OSError(errno.EBUSY, "it is taken") from why
        return "'simulated keyboard'"

    def plug(self) -> None:
        """Put the cable in. Harmless when it is."""
        with self._cable:
            if self._line is None:
                os.mkfifo(self._pipe)
                self._line = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)

    def unplug(self) -> None:
        """Pull the cable. Harmless when it is out."""
        with self._cable:
            if self._line is not None:
                self._pipe.unlink()
                os.close(self._line)
                self._line = None

    def close(self) -> None:
        """Pull the cable for good and leave nothing behind."""
        self.unplug()
        self._folder.cleanup()

    def show(self, raw: bytes) -> bool:
        """Hold a code before it, of signs that a keyboard has. True if all of it was typed."""
        strokes = [*typed(raw), *([] if self.no_suffix else [*press(self.suffix)])]
        if self.dropped:
            third = len(strokes) // 3
            strokes[third:-third] = [(EV_SYN, SYN_DROPPED, 0), (EV_SYN, SYN_REPORT, 0)]
        if self.mute:
            return True
        if not self.slow:
            return self._type(strokes)
        return all(self._type_and_rest([stroke]) for stroke in strokes)

    def garbage(self, events: int) -> bool:
        """A firmware gone mad: events of no meaning, and no key among them; the same ones every time."""
        mad = random.Random(events)  # noqa: S311 - noise, not a secret
        kinds = [kind for kind in range(0x20) if kind not in (EV_KEY, EV_SYN)]
        return self._type(
            [
                (mad.choice(kinds), mad.randrange(1 << 16), mad.randrange(-(1 << 31), 1 << 31))
                for _ in range(events)
            ]
        )

    def nonsense(self) -> bool:
        """Bytes that are no events at all."""
        return self._write(b"not whole")

    def _type_and_rest(self, strokes: list[Stroke]) -> bool:
        came = self._type(strokes)
        time.sleep(SLOW_KEY_MS / 1000)
        return came

    def _type(self, strokes: Iterable[Stroke]) -> bool:
        at_ms = self._clock_ms() - (LATE_MS if self.late else 0)
        stamp = (at_ms // 1000, at_ms % 1000 * 1000)
        return self._write(b"".join(EVENT.pack(*stamp, *stroke) for stroke in strokes))

    def _write(self, data: bytes) -> bool:
        while data:
            with self._cable:
                if self._line is None:
                    return False
                _, free, _ = select.select([], [self._line], [], TYPE_PATIENCE_MS / 1000)
                if not free:
                    return False
                data = data[os.write(self._line, data[: 64 * EVENT.size]) :]
        return True


Stroke = tuple[int, int, int]
"""Kind, code and value of one event, before it is stamped."""

_SIGNS = {sign: (code, True) for code, sign in SHIFTED.items()}
_SIGNS |= {sign: (code, False) for code, sign in sorted(PLAIN.items(), reverse=True)}


def typed(raw: bytes) -> Iterator[Stroke]:
    """The events of a scanner that types `raw`; KeyError for a byte that no key stands for."""
    for sign in raw:
        code, shifted = _SIGNS[sign]
        yield from press(code, shifted)


def press(code: int, shifted: bool = False) -> Iterator[Stroke]:
    """One key down and up, with shift around it if need be."""
    if shifted:
        yield from _packet(LEFT_SHIFT, PRESSED)
    yield from _packet(code, PRESSED)
    yield from _packet(code, RELEASED)
    if shifted:
        yield from _packet(LEFT_SHIFT, RELEASED)


def _packet(code: int, value: int) -> Iterator[Stroke]:
    yield (EV_MSC, MSC_SCAN, 0x70000 + code)
    yield (EV_KEY, code, value)
    yield (EV_SYN, SYN_REPORT, 0)


def stamped(strokes: Iterable[Stroke], at_ms: int = 0) -> Iterator[KeyEvent]:
    """The same as the driver's pure half takes them."""
    return (KeyEvent(at_ms, *stroke) for stroke in strokes)
