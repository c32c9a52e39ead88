"""The last lines of this program's log, for support. Numbers that could be a customer's are masked before they are kept."""

from __future__ import annotations

import itertools
import re
import threading
from collections import deque
from collections.abc import MutableMapping
from typing import Any

import structlog

from tillbox.agent.clock import wall_ms
from tillbox.contracts.messages import LogLine

LINES_MAX = 120  # a quiet hour, or the minute of a fault; a bundle holds no more
LINE_CHARACTERS_MAX = 300  # what a `LogLine` takes

_NUMBER = re.compile(r"\d{7,}")
_SECRET = re.compile(
    r"(?i)\b(token|password|secret|key|authorization|bearer)(\W{1,4})(?:bearer |basic )?[\w./+=-]{6,}"
)


def masked(text: str) -> str:
    """Without telephone numbers, payment codes and whatever calls itself a secret."""
    text = _SECRET.sub(r"\1\2***", text)
    return _NUMBER.sub(lambda found: f"{found[0][:3]}***{found[0][-2:]}", text)


class Lately:
    """A ring of lines. As a processor of structlog it lets everything pass. Any thread may log, and any may read."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=LINES_MAX)
        self._count = 0
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Hear every line from now on."""
        structlog.configure(processors=[self, *structlog.get_config()["processors"]])

    def __call__(self, _: Any, how: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        words = " ".join(f"{name}={value}" for name, value in said.items() if name != "event")
        text = masked(f"{said.get('event', '')} {words}".rstrip())[:LINE_CHARACTERS_MAX]
        text = text.encode(errors="replace").decode()  # a file's name may be no text
        level = "error" if how == "exception" else how
        with self._lock:
            self._lines.append(LogLine(at_ms=wall_ms(), level=level, text=text))
            self._count += 1
        return said

    def lines(self) -> list[str]:
        """Oldest first."""
        with self._lock:
            return [f"{line.level} {line.text}" for line in self._lines]

    def after(self, count: int, most: int) -> tuple[int, list[LogLine]]:
        """The oldest lines that came after the first `count` of all, and how many had come before those. More than `count`
        where some are forgotten already."""
        with self._lock:
            first = self._count - len(self._lines)
            begin = max(count, first)
            return begin, list(itertools.islice(self._lines, begin - first, begin - first + most))
