"""A customer display made of a pseudo-terminal: the real driver opens `path` and cannot tell the difference.

What a customer sees on it is told by `customer.py`. Opened at another baud than its own it stays dark, as the real ones
do. It never answers.
"""

from __future__ import annotations

import os
import select
import tempfile
import termios
import threading
import tty
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .customer import Eye, LedEye, Seen, VfdEye

DARK = Seen()
LOOK_S = 0.01  # a customer sees no delay, and a hundred looks a second cost nothing
READ_BYTES = 4_096


class SimulatedDisplay:
    """The twin of a serial customer display.

    display = SimulatedDisplay.led()
    SerialDisplay("customer", display.path, STX_LAMPS).show(Face(FaceKind.TOTAL, Amount(1250, CNY)))
    display.seen                        # Seen(lines=("12.50",), lamps=("合计",)), a moment later
    display.unplug(); display.plug()    # dark, as it came from the box; `path` stays the same
    display.freeze()                    # it takes no more bytes

    `on_change` is called on its own thread with what is seen now.
    """

    def __init__(
        self, eye: Callable[[], Eye], baud: int, on_change: Callable[[Seen], None] = lambda _: None
    ) -> None:
        self._new_eye = eye
        self._speed = getattr(termios, f"B{baud}")
        self._on_change = on_change
        self._folder = tempfile.TemporaryDirectory(prefix="display-")
        self._link = Path(self._folder.name) / "display"
        self._line: tuple[int, int] | None = None
        self._hands = threading.Lock()  # one pulls the cable while its own thread reads
        self._frozen = False
        self._ended = threading.Event()
        self.seen = DARK
        self.plug()
        self._thread = threading.Thread(target=self._watch, name="display", daemon=True)
        self._thread.start()

    @classmethod
    def vfd(cls, *, chinese: bool = False, behind_printer: bool = False) -> SimulatedDisplay:
        """Two lines of text, at 9600 baud."""
        return cls(lambda: VfdEye(chinese=chinese, behind_printer=behind_printer), 9600)

    @classmethod
    def led(cls, *, lamps: str = "stx") -> SimulatedDisplay:
        """Eight digits, at 2400 baud."""
        return cls(lambda: LedEye(lamps=lamps), 2400)

    @property
    def path(self) -> str:
        """What the driver opens; there only while the cable is in."""
        return str(self._link)

    @property
    def unknown(self) -> Counter[str]:
        """Bytes it was sent that are no command of its kind."""
        return self._eye.unknown

    def plug(self) -> None:
        """Put the cable in; it is dark until somebody writes. Harmless when it is in."""
        with self._hands:
            if self._line is None:
                ours, theirs = os.openpty()
                tty.setraw(theirs)
                self._eye = self._new_eye()
                self._line = (ours, theirs)
                self._link.symlink_to(os.ttyname(theirs))

    def unplug(self) -> None:
        """Pull the cable, which is its power too. Harmless when it is out."""
        with self._hands:
            if self._line is not None:
                self._link.unlink()
                line, self._line = self._line, None
                for end in line:
                    os.close(end)
                self.seen = DARK

    def freeze(self) -> None:
        """Take no more bytes: its handshake line hangs."""
        self._frozen = True

    def thaw(self) -> None:
        """Take them again."""
        self._frozen = False

    def close(self) -> None:
        """Pull the cable for good and leave nothing behind."""
        self._ended.set()
        self._thread.join(5.0)
        self.unplug()
        self._folder.cleanup()

    def _watch(self) -> None:
        while not self._ended.is_set():
            before = self.seen
            if self._frozen or not self._take():
                self._ended.wait(LOOK_S)
            if self.seen != before:
                self._on_change(self.seen)

    def _take(self) -> bool:
        """Look at what came in. False if nothing did."""
        with self._hands:
            if self._line is None or not select.select([self._line[0]], [], [], 0)[0]:
                return False
            ours = self._line[0]
            data = os.read(ours, READ_BYTES)
            # The wire of a pseudo-terminal has no speed; its two ends share the setting, and that will do.
            if termios.tcgetattr(ours)[5] == self._speed:
                self._eye.take(data)
                self.seen = self._eye.sees()
            return True
