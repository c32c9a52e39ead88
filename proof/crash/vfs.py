"""SQLite on a CrashDisk: an apsw VFS in memory. Write-ahead logging runs with exclusive locking, where
SQLite keeps its index of the log on the heap and needs no shared memory."""

from __future__ import annotations

import itertools
from typing import Any

import apsw

from .disk import CrashDisk, DiskFull, File, PowerCut

_numbers = itertools.count(1)


class CrashVfs(apsw.VFS):
    """One disk as a file system of SQLite, under a name of its own."""

    def __init__(self, disk: CrashDisk) -> None:
        self.disk = disk
        self.name = f"crash{next(_numbers)}"
        super().__init__(self.name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        text = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        flags[1] = flags[0]
        return CrashFile(self.disk, text)

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802, ARG002
        return pathname in self.disk.files

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        try:
            self.disk.delete(filename, sync_directory=syncdir)
        except PowerCut:
            raise apsw.IOError from None

    def xFullPathname(self, filename: str) -> str:  # noqa: N802
        return filename


class CrashFile:
    """An open file. In a power cut it fails; once power is back, a handle from before does nothing at all,
    so that what is left of a dead process can be closed in peace."""

    def __init__(self, disk: CrashDisk, name: str) -> None:
        self._disk, self._epoch, self._name = disk, disk.epoch, name
        self._file: File = disk.open(name)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if self._is_stale():
            return b""
        return bytes(self._file.live[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._is_stale():
            return
        try:
            self._disk.write(self._file, offset, bytes(data))
        except PowerCut:
            raise apsw.IOError from None
        except DiskFull:
            raise apsw.FullError from None

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._is_stale():
            return
        try:
            self._disk.truncate(self._file, newsize)
        except PowerCut:
            raise apsw.IOError from None

    def xSync(self, flags: int) -> None:  # noqa: N802, ARG002
        if self._is_stale():
            return
        try:
            self._disk.flush(self._file)
        except PowerCut:
            raise apsw.IOError from None

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._file.live)

    def xLock(self, level: int) -> None:  # noqa: N802
        """Each disk has one box, and a box one connection."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """Nothing was locked."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802, ARG002
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return 512

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return 0

    def xClose(self) -> None:  # noqa: N802
        """Closing flushes nothing."""

    def _is_stale(self) -> bool:
        if self._disk.is_down:
            raise apsw.IOError
        return self._disk.epoch != self._epoch
