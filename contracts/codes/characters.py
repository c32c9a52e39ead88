"""Characters that no code for a till carries: the ones a person cannot see and a device may obey.

ESC and GS drive printers, bidi marks turn a name around on a screen, line separators forge a log line.
It refuses to clean a text: a code that carries one is refused whole, so that nobody guesses what was meant.
"""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"})


def carries_control(text: str) -> bool:
    """Whether any character is a control, a format mark, a separator of lines, or for private use."""
    # Printable text has none of them, and that test is a hundred times faster than the loop.
    return not text.isprintable() and any(unicodedata.category(character) in _UNSEEN for character in text)
