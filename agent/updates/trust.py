"""What may be believed of a release: signed by enough keys, current, never older than seen before, and for this box.

The Update Framework's client decides about signatures, expiry, rollback and parts that do not belong together; this file says
so in words, and adds what it cannot know: which version runs here, on which hardware, with which libraries. The metadata
lies outside the slots, so that a rollback does not forget what was seen.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api import exceptions as tuf
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater

from .launcher import sync_folder
from .machine import Release
from .settings import Updates
from .transfer import Broken, Fetcher, Line, Missing, bring
from .words import Refusal, Why

_WHY: tuple[tuple[type[Exception], Why], ...] = (
    (tuf.ExpiredMetadataError, Why.EXPIRED),
    (tuf.BadVersionNumberError, Why.ROLLED_BACK),
    (tuf.UnsignedMetadataError, Why.UNSIGNED),
    (tuf.LengthOrHashMismatchError, Why.MIXED),
    (tuf.DownloadLengthMismatchError, Why.MIXED),
    (tuf.DownloadHTTPError, Why.INCOMPLETE),
    (tuf.RepositoryError, Why.DAMAGED),
    (tuf.DownloadError, Why.UNREACHABLE),
    (Missing, Why.INCOMPLETE),
    (Broken, Why.UNREACHABLE),
)
"""The first that fits."""


@dataclass(frozen=True, slots=True)
class Have:
    """What this box has: its version, the libraries below its slots, and the versions that failed here."""

    version: str
    lock: str
    refused: frozenset[str] = frozenset()


class Trust:
    """The releases of one web server, as far as they can be believed."""

    def __init__(self, room: Updates, line: Line) -> None:
        self._room, self._line = room, line
        self._metadata, self._downloads = room.root / "metadata", room.root / "downloads"
        self._target: TargetFile | None = None

    def offer(self, have: Have) -> Release | Refusal | None:
        """The release that this box should run; None where it runs it already, a refusal where something is wrong."""
        try:
            release, about = self._current()
        except tuple(fault for fault, _ in _WHY) as fault:
            return _refusal(fault)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            return Refusal(Why.DAMAGED, type(fault).__name__)
        return self._fits(release, about, have)

    def bring(self, release: Release) -> Path | Refusal:
        """The archive, compared with what was signed; or why not. What is interrupted goes on next time."""
        assert self._target is not None, "an offer comes first"
        part = self._downloads / f"{release.sha256}.part"
        for other in self._downloads.glob("*.part"):
            if other != part:
                other.unlink()
        # A part that a power cut tore is whole in length and wrong in content: then once more, from the first byte.
        for _ in range(2):
            try:
                bring(self._line, self._url(release), part, release.length)
                with part.open("rb") as file:
                    self._target.verify_length_and_hashes(file)
                return part
            except (Broken, OSError) as fault:
                return Refusal(Why.INTERRUPTED, str(fault))
            except Missing as fault:
                return Refusal(Why.INCOMPLETE, str(fault))
            except tuf.LengthOrHashMismatchError:
                part.unlink()
        return Refusal(Why.TAMPERED, release.archive)

    def _current(self) -> tuple[Release, dict[str, Any]]:
        self._metadata.mkdir(parents=True, exist_ok=True)
        updater = Updater(
            str(self._metadata),
            f"{self._room.url.rstrip('/')}/metadata",
            str(self._downloads),
            f"{self._room.url.rstrip('/')}/targets",
            fetcher=Fetcher(self._line),
            bootstrap=self._room.trust.read_bytes(),
        )
        try:
            updater.refresh()
        finally:
            _sync(self._metadata)
        self._downloads.mkdir(parents=True, exist_ok=True)
        pointer = self._pointer(updater)
        archive = str(json.loads(Path(updater.download_target(pointer)).read_bytes())["archive"])
        target = updater.get_targetinfo(archive)
        if target is None:
            raise KeyError(archive)
        self._target = target
        about: dict[str, Any] = target.unrecognized_fields["custom"]
        version, lock = str(about["version"]), str(about["lock"])
        return Release(version, archive, target.hashes["sha256"], target.length, lock), about

    def _pointer(self, updater: Updater) -> TargetFile:
        """What the channel points to: for this hardware, else for any."""
        for hardware in (self._room.hardware, "any"):
            found = updater.get_targetinfo(f"{self._room.channel}-{hardware}.json")
            if found is not None:
                return found
        raise KeyError(self._room.channel)

    def _fits(self, release: Release, about: dict[str, Any], have: Have) -> Release | Refusal | None:
        runs, offered = _numbers(have.version), _numbers(release.version)
        if offered == runs:
            return None
        if offered < runs:
            return Refusal(Why.DOWNGRADE, f"{release.version} < {have.version}")
        if release.version in have.refused:
            return Refusal(Why.FAILED_BEFORE, release.version)
        if about["hardware"] not in ("any", self._room.hardware):
            return Refusal(Why.OTHER_HARDWARE, str(about["hardware"]))
        if runs < _numbers(str(about["minimum"])):
            return Refusal(Why.TOO_FAR, f"{have.version} < {about['minimum']}")
        if not about["libraries"] and release.lock != have.lock:
            return Refusal(Why.OTHER_LIBRARIES, release.version)
        if release.length > self._room.archive_bytes_max:
            return Refusal(Why.TOO_LARGE, f"{release.length} > {self._room.archive_bytes_max}")
        return release

    def _url(self, release: Release) -> str:
        return f"{self._room.url.rstrip('/')}/targets/{release.sha256}.{release.archive}"


def _refusal(fault: Exception) -> Refusal:
    return Refusal(next(why for kind, why in _WHY if isinstance(fault, kind)))


def _numbers(version: str) -> tuple[int, ...]:
    """Versions are numbers and dots: what cannot be compared is not signed."""
    return tuple(int(part) for part in version.split("."))


def _sync(folder: Path) -> None:
    """The framework replaces its files whole and does not wait for the disk; a version that a power cut forgets could be shown
    to this box once more."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in (folder, folder / "root_history"):
        if path.is_dir():
            sync_folder(path)
