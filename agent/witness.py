"""Counts the changes of a box's rights outside the journal's medium, so that an old card is found out.

It belongs on a medium that is not copied with the journal: a TPM's counter, the board's flash, another
card. A file on the same card proves nothing; a box without a witness leaves its rights frozen after a boot
until the core has compared journals.
"""

from __future__ import annotations

from pathlib import Path

from .provisioning.files import replace_file


class NoWitness:
    """A box that has none."""

    def read(self) -> int | None:
        """Nobody knows."""
        return None

    def raise_to(self, count: int) -> None:
        """Nobody counts."""


COUNT_MAX = 2**31  # as in the records; more is no count of ours


class FileWitness:
    """A number in a file on another medium, replaced whole and flushed before anybody sees the result."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int | None:
        """The count. A file that is missing or says nonsense is no witness: its medium may not be mounted."""
        try:
            count = int(self._path.read_text())
        except (OSError, ValueError):
            return None
        return count if 0 <= count < COUNT_MAX else None

    def raise_to(self, count: int) -> None:
        """Never lower. Survives a power cut when this returns. Raises OSError where the medium's folder is not
        there: made here, it would lie on the very card that it is to watch."""
        if count <= (self.read() or 0):
            return
        replace_file(self._path, str(count).encode(), mode=0o644)
