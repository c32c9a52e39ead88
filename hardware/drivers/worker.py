"""One thread per device, with one set of manners: it starts once, ends promptly, and tells trouble once.

It knows no device. A driver gives it something to open, to take turns with, and to close; when a turn raises
`DeviceLost` the worker closes it, says so, and opens it again with growing pauses, or as soon as something is
plugged in. `WorkedReader` is what all code readers on a worker have alike; what is read is theirs.
"""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol

import structlog

from tillbox.hardware.ports import Deliver, DeviceBack, DeviceLost, DeviceTrouble, Tell, TroubleKind

from .plugs import Plugs

log = structlog.get_logger(__name__)

REOPEN_FIRST_MS = 200  # a replugged cable is there again in about this time
REOPEN_MOST_MS = 3_000  # whoever plugs the cable back in looks at the screen for a few seconds
STEADY_MS = 10_000  # a device that stays this long is mended; one that goes sooner has a loose plug
STOP_PATIENCE_MS = 3_000  # a turn takes 50 ms, and one large frame about a second on a small box


def monotonic_ms() -> int:
    """Milliseconds that only go forward; the drivers' default clock."""
    return time.monotonic_ns() // 1_000_000


class Device(Protocol):
    """What a worker works with. All three are called on one thread at a time."""

    @abstractmethod
    def open(self) -> None:
        """Take hold of the device, or raise `DeviceLost`."""

    @abstractmethod
    def turn(self) -> None:
        """Wait for it a moment (50 ms or so) and deal with what came, or raise `DeviceLost`."""

    @abstractmethod
    def close(self) -> None:
        """Let go. Harmless when it was never opened; never raises."""


class Worker:
    """Runs one device on its own thread until it is told to stop."""

    def __init__(self, name: str, device: Device, clock_ms: Callable[[], int] = monotonic_ms) -> None:
        self._name = name
        self._device = device
        self._clock_ms = clock_ms
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._told = False
        self._plugs = Plugs()

    @property
    def stopping(self) -> bool:
        """Whether nothing may be delivered any more."""
        return self._stopping.is_set()

    def start(self, tell: Tell) -> None:
        """Open at once, so that nothing scanned from now on is missed; go on in a thread."""
        assert self._thread is None, f"{self._name} was started twice"
        lost = self._try_open()
        self._thread = threading.Thread(target=self._run, args=(tell, lost), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell the thread to end, and wait for it unless it is the one that asks."""
        self._stopping.set()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(STOP_PATIENCE_MS / 1000)

    def _run(self, tell: Tell, lost: DeviceLost | None) -> None:
        pause_ms = REOPEN_FIRST_MS
        while not self.stopping:
            opened_ms = self._clock_ms()
            lost = lost or self._work(tell)
            if lost and not self._told:
                tell(DeviceTrouble(self._name, TroubleKind.LOST, lost.hint))
                self._told = True
            if self._clock_ms() - opened_ms >= STEADY_MS:
                pause_ms = REOPEN_FIRST_MS
            pause_ms = self._pause(pause_ms)
            lost = None if self.stopping else self._try_open()
        self._plugs.close()

    def _pause(self, pause_ms: int) -> int:
        """Wait before the next try; how long to wait after that one."""
        self._plugs.listen()
        if self._plugs.wait(pause_ms / 1000, self._stopping.is_set):
            # Its link and its rights are udev's work, a moment later: try at short intervals again.
            return REOPEN_FIRST_MS
        return min(2 * pause_ms, REOPEN_MOST_MS)

    def _work(self, tell: Tell) -> DeviceLost | None:
        """Take turns until the device goes or the worker stops."""
        try:
            while not self.stopping:
                self._device.turn()
                # It is back when it has worked once: a plug that is half in opens and fails.
                if self._told and not self.stopping:
                    tell(DeviceBack(self._name))
                    self._told = False
                    self._plugs.close()
        except DeviceLost as lost:
            return lost
        except Exception as fault:
            # What one picture or one byte does to a library must not end the thread: open anew, and say so.
            log.exception("device.fault", device=self._name)
            return DeviceLost(self._name, f"A fault of ours ({type(fault).__name__}). It is opened again.")
        finally:
            self._device.close()
        return None

    def _try_open(self) -> DeviceLost | None:
        try:
            self._device.open()
        except DeviceLost as lost:
            self._device.close()
            return lost
        return None


class WorkedReader(Device):
    """A `CodeReader` but for what the worker calls: that is the device's own, and each reader's to write.

    `_deliver` and `_trouble` are whom `start` was given; the reader calls them on the worker's thread alone.
    """

    def __init__(self, name: str, clock_ms: Callable[[], int]) -> None:
        self._name = name
        self._clock_ms = clock_ms
        self._worker = Worker(name, self, clock_ms)

    @property
    def name(self) -> str:
        """What the shop calls it."""
        return self._name

    def start(self, deliver: Deliver, trouble: Tell) -> None:
        """Take hold of the device and read it in a thread."""
        self._deliver = deliver
        self._trouble = trouble
        self._worker.start(trouble)

    def stop(self) -> None:
        """End within a turn."""
        self._worker.stop()

    def _say(self, kind: TroubleKind, hint: str) -> None:
        self._trouble(DeviceTrouble(self._name, kind, hint))
