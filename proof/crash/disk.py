"""A disk in memory that knows what was flushed and forgets the rest, as a real one may.

Between two flushes of a file its writes are only hopes. At a power cut each of them may have reached the
platter whole, in part (some of its 512-byte sectors), not at all, or out of order. Files that were made
or deleted without a flush of their directory may be back, or gone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

SECTOR = 512


class PowerCut(Exception):
    """The power went, in the middle of whatever this was."""


class DiskFull(Exception):
    """No room."""


@dataclass(slots=True)
class File:
    """One file: what readers see, what is surely on the platter, and the writes in between."""

    live: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    linked: bool = False
    """Whether the name itself survives a cut."""


class CrashDisk:
    """Some files on one medium. Deterministic for a given `random`."""

    def __init__(
        self, random: Random, *, capacity_bytes: int = 2**40, strict: bool = False, lies: bool = False
    ) -> None:
        self.random = random
        self.files: dict[str, File] = {}
        self.capacity_bytes = capacity_bytes
        self.counts: Counter[str] = Counter()
        self.is_down = False
        self.epoch = 0
        self._ghosts: dict[str, File] = {}
        self._strict = strict
        self._lies = lies
        self._cut_in: int | None = None

    def cut_after(self, operations: int) -> None:
        """Lose power at the n-th write, flush, truncation or deletion from now on."""
        self._cut_in = operations

    def free_bytes(self) -> int:
        """What is left of the capacity."""
        return max(0, self.capacity_bytes - sum(len(file.live) for file in self.files.values()))

    def open(self, name: str) -> File:
        """The file of that name, made where it is missing."""
        self._alive()
        if name not in self.files:
            self.files[name] = File()
        return self.files[name]

    def write(self, file: File, offset: int, data: bytes) -> None:
        """Write without flushing."""
        self._operation()
        end = offset + len(data)
        if end > len(file.live):
            if end - len(file.live) > self.free_bytes():
                self.counts["refused_full"] += 1
                raise DiskFull
            file.live.extend(bytes(end - len(file.live)))
        file.live[offset:end] = data
        file.pending.append((offset, data))

    def truncate(self, file: File, size: int) -> None:
        """Cut a file short, without flushing."""
        self._operation()
        del file.live[size:]
        file.pending.append((size, None))

    def flush(self, file: File) -> None:
        """Put everything written to this file on the platter, its name included."""
        self._operation()
        if self._lies:
            return
        for offset, data in file.pending:
            _put(file.durable, offset, data)
        file.pending.clear()
        file.linked = True
        if not self._strict:
            # A journalling file system commits the directory along with any flush.
            self._ghosts.clear()

    def delete(self, name: str, *, sync_directory: bool) -> None:
        """Remove a name; for good only when the directory is flushed."""
        self._operation()
        file = self.files.pop(name, None)
        if file is not None and file.linked and not sync_directory:
            self._ghosts[name] = file
        if sync_directory:
            self._ghosts.pop(name, None)

    def power_cut(self) -> None:
        """Lose power now: decide what survived. Open handles are dead afterwards."""
        self.counts["cuts"] += 1
        self.is_down = True
        self._cut_in = None
        for name, ghost in self._ghosts.items():
            if name not in self.files and self.random.random() < 0.5:
                self.files[name] = ghost
                self.counts["undeleted"] += 1
        self._ghosts.clear()
        for name in list(self.files):
            file = self.files[name]
            if not file.linked and self.random.random() < 0.5:
                del self.files[name]
                continue
            self._survive(file)

    def power_up(self) -> None:
        """Power is back; files can be opened again."""
        self.is_down = False
        self.epoch += 1

    def snapshot(self) -> dict[str, bytes]:
        """The medium's image as a backup tool would take it from a stopped box."""
        return {name: bytes(file.durable) for name, file in self.files.items() if file.linked}

    def restore(self, image: dict[str, bytes]) -> None:
        """An older image on the medium."""
        self.files = {n: File(bytearray(data), bytearray(data), [], True) for n, data in image.items()}
        self._ghosts.clear()

    def _survive(self, file: File) -> None:
        fate = self.random.random()
        for offset, data in file.pending:
            if fate < 0.25 or (fate < 0.75 and self.random.random() < 0.5):
                self.counts["dropped"] += 1
            elif data is None or fate < 0.5 or fate > 0.9:
                _put(file.durable, offset, data)
            else:
                self._tear(file, offset, data)
        file.pending.clear()
        file.live = bytearray(file.durable)
        file.linked = True

    def _tear(self, file: File, offset: int, data: bytes) -> None:
        """Some sectors of a write arrived."""
        self.counts["torn"] += 1
        for start in range(0, len(data), SECTOR):
            if self.random.random() < 0.5:
                _put(file.durable, offset + start, data[start : start + SECTOR])

    def _operation(self) -> None:
        self._alive()
        if self._cut_in is not None:
            self._cut_in -= 1
            if self._cut_in <= 0:
                self.power_cut()
                raise PowerCut

    def _alive(self) -> None:
        if self.is_down:
            raise PowerCut


def _put(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
