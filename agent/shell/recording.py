"""The recording of a session on the box: one file each, for its owner alone, bounded, and the newest few are kept.

The core keeps another, which nobody on this box can reach. It refuses to lose a word: where it cannot write, it raises.
"""

from __future__ import annotations

import os
from pathlib import Path

from tillbox.contracts.casts import Tape, head

BYTES_MAX = 4 * 2**20  # twenty minutes of a log that runs by; nobody reads more
KEPT = 5
ROOM_BYTES = 128 * 2**20  # the till stops selling below 64 MB: a recording is worth less than a sale
ROOM_FILES = 1_024


class NotRecorded(Exception):
    """It could not be written: the card is full, or gone. The message is a sentence."""


class RecordingFull(NotRecorded):
    """It has its whole length."""


class Recording:
    """One session's file, being written."""

    def __init__(self, folder: Path, shell: str, *, title: str, begun_ms: int) -> None:
        """Begin it, and let the oldest go. Raises NotRecorded."""
        self.path = folder / f"{shell}.cast"
        self._tape, self._written = Tape(), 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in sorted(folder.glob("*.cast"))[: -(KEPT - 1)]:
                old.unlink()
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise NotRecorded(f"{folder} cannot be used: {fault.strerror}") from fault
        try:
            self._write(head(title=title, begun_ms=begun_ms))
        except NotRecorded:
            os.close(self._file)
            raise

    def add(self, at_ms: int, way: str, data: bytes) -> None:
        """One event, in the file before anybody sees it. Raises NotRecorded, RecordingFull."""
        self._write(self._tape.line(at_ms, way, data))

    @property
    def has_room(self) -> bool:
        """Whether the card has more room than the till needs."""
        free = os.fstatvfs(self._file)
        files = free.f_favail >= ROOM_FILES or free.f_files == 0  # some file systems have no such bound
        return files and free.f_bavail * free.f_frsize >= ROOM_BYTES

    def close(self) -> None:
        """It is whole."""
        try:
            os.fsync(self._file)
        except OSError:
            pass  # the core has the other one
        finally:
            os.close(self._file)

    def _write(self, line: str) -> None:
        data = line.encode()
        if self._written + len(data) > BYTES_MAX:
            raise RecordingFull(f"{self.path.name} has {self._written} bytes, and a recording has no more")
        try:
            if not self.has_room:
                raise NotRecorded("the card is nearly full")
            if os.write(self._file, data) != len(data):
                raise NotRecorded("the card is full")
        except OSError as fault:
            raise NotRecorded(f"{self.path.name}: {fault.strerror}") from fault
        self._written += len(data)
