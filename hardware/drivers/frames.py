"""Where a camera reader's frames come from, and the simplest source: pictures that appear in a folder.

A source gives the newest frame only. A frame that nobody looked at in time is gone: the customer has moved.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple, Protocol

from tillbox.contracts.verdicts import Refused
from tillbox.hardware.decoding import Picture, load
from tillbox.hardware.ports import DeviceLost

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


class FrameSource(Protocol):
    """A camera as far as its reader knows. Called on one thread at a time."""

    @property
    def steady(self) -> bool:
        """Whether frames keep coming while nobody is there; if so, their absence is trouble."""

    def open(self) -> None:
        """Take hold of it, or raise `DeviceLost`."""

    def next(self, wait_ms: int) -> Picture | Refused | None:
        """The newest frame, or why it is none; None if there was no new one in `wait_ms` or so."""

    def close(self) -> None:
        """Let go. Harmless when it was never opened; never raises."""


class _Mark(NamedTuple):
    """One state of one file; the newest is the largest."""

    changed_ns: int
    name: str
    size: int


class FolderFrames:
    """Pictures that somebody copies into a folder, newest first; what lay there before does not count."""

    steady = False

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._taken = _Mark(0, "", 0)
        self._coming: _Mark | None = None

    def open(self) -> None:
        """Begin after the newest picture that is there."""
        self._taken = self._newest()
        self._coming = None

    def next(self, wait_ms: int) -> Picture | Refused | None:
        """The newest picture, once it has stopped growing."""
        time.sleep(wait_ms / 1000)
        newest = self._newest()
        if newest <= self._taken:
            return None
        if newest != self._coming:
            self._coming = newest  # it may still be on its way; the next turn sees whether it grew
            return None
        self._taken = newest
        return load(self._folder / newest.name)

    def close(self) -> None:
        """Nothing is held."""

    def _newest(self) -> _Mark:
        try:
            with os.scandir(self._folder) as entries:
                marks = [_mark(entry) for entry in entries if entry.name.lower().endswith(PICTURE_ENDINGS)]
        except OSError as why:
            raise DeviceLost(str(self._folder), f"Is there a folder {self._folder}?") from why
        return max((mark for mark in marks if mark), default=_Mark(0, "", 0))


def _mark(entry: os.DirEntry[str]) -> _Mark | None:
    try:
        status = entry.stat()
    except OSError:  # it was taken away while the folder was read
        return None
    return _Mark(status.st_mtime_ns, entry.name, status.st_size)
