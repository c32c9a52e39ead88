"""The last lines of this program's log, for support. Numbers that could be a customer's are masked before they are kept."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import MutableMapping
from typing import Any

import structlog

LINES_MAX = 120  # a quiet hour, or the minute of a fault; a bundle holds no more
LINE_CHARACTERS_MAX = 300

_NUMBER = re.compile(r"\d{7,}")
_SECRET = re.compile(
    r"(?i)\b(token|password|secret|key|authorization|bearer)(\W{1,4})(?:bearer |basic )?[\w./+=-]{6,}"
)


def masked(text: str) -> str:
    """Without telephone numbers, payment codes and whatever calls itself a secret."""
    text = _SECRET.sub(r"\1\2***", text)
    return _NUMBER.sub(lambda found: f"{found[0][:3]}***{found[0][-2:]}", text)


class Lately:
    """A ring of lines. As a processor of structlog it lets everything pass."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES_MAX)

    def listen(self) -> None:
        """Hear every line from now on."""
        structlog.configure(processors=[self, *structlog.get_config()["processors"]])

    def __call__(self, _: Any, how: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        words = " ".join(f"{name}={value}" for name, value in said.items() if name != "event")
        self._lines.append(masked(f"{how} {said.get('event', '')} {words}")[:LINE_CHARACTERS_MAX])
        return said

    def lines(self) -> list[str]:
        """Oldest first."""
        return list(self._lines)
