"""Foreign text as a person may look at it, on a page or in a terminal. Pure."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def visible(text: str) -> str:
    """Text from a device, with what cannot be seen made visible: nothing is left that a terminal would obey."""
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _HIDDEN else c for c in text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, with tabs between its words."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.splitlines())
