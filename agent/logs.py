"""The box's log in files of its own, where its configuration names a folder: JSON lines, masked, a few files of bounded size.
Without a folder the lines go to the system's journal alone, as they do anyway.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.processors import JSONRenderer, format_exc_info

from .clock import wall_ms
from .errands.lately import masked

FILES = 5
FILE_BYTES = 2_000_000  # some 15,000 lines: weeks of a healthy box, and an hour of the worst one
VALUE_CHARACTERS_MAX = 4_000  # of a traceback the end counts
NAME = "tillbox.log"

log = structlog.get_logger(__name__)


class LogFiles:
    """The newest file and those before it. As a processor of structlog it lets everything pass. OSError where the folder
    cannot be used."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files = _Files(folder / NAME, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8")
        self._rendered = JSONRenderer(default=str)

    def listen(self) -> None:
        """Write down every line from now on."""
        structlog.configure(processors=[self, *structlog.get_config()["processors"]])

    def __call__(self, logger: Any, how: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        at = datetime.fromtimestamp(wall_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        words = format_exc_info(logger, how, dict(said))
        safe = {name: _safe(name, value) for name, value in words.items()}
        line = self._rendered(logger, how, {"at": at, "level": how, **safe})
        self._files.handle(logging.makeLogRecord({"msg": line}))
        return said

    def rotate(self) -> list[tuple[str, int]]:
        """Begin a new file; the names of all and their sizes in bytes, the newest first."""
        self._files.begin_anew()
        return [(path.name, path.stat().st_size) for path in sorted(self._folder.glob(f"{NAME}*"))]

    def close(self) -> None:
        """Let go of the file."""
        self._files.close()


class _Files(RotatingFileHandler):
    def begin_anew(self) -> None:
        """Begin a new file, whatever the size of this one."""
        self.acquire()
        try:
            self.doRollover()
        finally:
            self.release()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """A full card loses lines of a log, and nobody a sale."""


def log_files(folder: Path | None) -> LogFiles | None:
    """The files of a box's log, from now on; None where there is no folder, or none that can be used: it sells without."""
    if folder is None:
        return None
    try:
        files = LogFiles(folder)
    except OSError as why:
        log.warning("logs.none", why=str(why), hint="the lines are in the system's journal all the same")
        return None
    files.listen()
    return files


def _safe(name: str, value: object) -> object:
    """Without what could be a customer's or a secret; by its name, too."""
    plain = f"{name}={value}"
    text = masked(plain)
    if text == plain and (value is None or isinstance(value, (bool, int, float))):
        return value
    return text.partition("=")[2][-VALUE_CHARACTERS_MAX:]
