"""What kinds of printers can do, as data. A profile is chosen when a printer is set up; nothing is guessed from
what it prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["escpos", "star"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of receipt printer.

    `columns` are half-width characters on a line, `dots` the width of the paper that takes ink, `alphabet` the
    Python name of the encoding that its own font knows; `code_page` is the number by which it knows that encoding,
    and None where that is Chinese or UTF-8.
    """

    language: Language = "escpos"
    columns: int = 48
    dots: int = 576
    alphabet: str = "gb18030"
    code_page: int | None = None
    native_qr: bool = True
    cutter: bool = True

    def bytes_of(self, line: str) -> bytes | None:
        """A line in the printer's own letters; None where it lacks one of them."""
        try:
            # GBK is what GB18030 writes in one or two bytes.
            return line.encode("gbk" if self.alphabet == "gb18030" else self.alphabet)
        except UnicodeEncodeError:
            return line.encode(self.alphabet) if all(map(self.knows, line)) else None

    def knows(self, character: str) -> bool:
        """Whether the printer's own font has it. What GB18030 writes in four bytes they print as four wrong
        letters."""
        try:
            return len(character.encode(self.alphabet)) < 4 or self.alphabet == "utf-8"
        except UnicodeEncodeError:
            return False


WIDE = Profile()
NARROW = Profile(columns=32, dots=384)

PROFILES: dict[str, Profile] = {
    "chinese-80": WIDE,
    "chinese-58": NARROW,
    # Cheap 58 mm printers print the command for a QR code as text: draw it.
    "chinese-58-plain": Profile(columns=32, dots=384, native_qr=False, cutter=False),
    "latin-80": Profile(alphabet="cp858", code_page=19),
    "latin-58": Profile(columns=32, dots=384, alphabet="cp858", code_page=19),
    "star-80": Profile(language="star", alphabet="utf-8"),
    "star-58": Profile(language="star", columns=32, dots=384, alphabet="utf-8"),
}
"""The profiles by the names that a configuration uses."""
