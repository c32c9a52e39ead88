"""A slip of paper, as what is to be read on it. It knows no printer and no bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "center", "right"]


BAR_LETTERS_MAX = 60  # more is wider than any paper


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; it wraps where the paper ends."""

    text: str
    align: Align = "left"
    bold: bool = False
    double: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """Something on the left and its figure on the right; a long left side wraps, the figure never does."""

    left: str
    right: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class QR:
    """A QR code, centred. `module_dots` is the size of one of its squares."""

    text: str
    module_dots: int = 6


@dataclass(frozen=True, slots=True)
class BarCode:
    """Bars with their text under them, centred. EAN-13 takes its 12 or 13 digits, Code 128 any printable ASCII."""

    text: str
    kind: Literal["ean_13", "code_128"] = "code_128"
    height_dots: int = 80

    def __post_init__(self) -> None:
        """What is not printable ASCII could end the command that carries it."""
        if not (self.text.isascii() and self.text.isprintable() and 0 < len(self.text) <= BAR_LETTERS_MAX):
            raise ValueError(f"a bar code holds 1 to {BAR_LETTERS_MAX} printable ASCII letters")
        if self.kind == "ean_13" and not (self.text.isdigit() and len(self.text) in (12, 13)):
            raise ValueError("an EAN-13 code holds 12 or 13 digits")


@dataclass(frozen=True, slots=True)
class Picture:
    """Black and white dots: `rows` from top to bottom, eight dots a byte, the leftmost highest, 1 is black."""

    width: int
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """Empty lines."""

    lines: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the paper."""


@dataclass(frozen=True, slots=True)
class Kick:
    """Open the drawer that is connected to the printer."""


Part = Line | Columns | Rule | QR | BarCode | Picture | Feed | Cut | Kick


@dataclass(frozen=True, slots=True)
class Document:
    """Everything on one slip, from top to bottom."""

    parts: tuple[Part, ...]


_FORBIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})


def clean(text: str) -> str:
    """Text from outside with nothing in it that a printer could obey.

    No multibyte character of the printers' code pages contains a control byte, so taking out control,
    format and separator characters before encoding is enough. The half-width yen sign is not in GB18030's
    two-byte part and would print as rubbish.
    """
    kept = (" " if character in "\t\r\n" else character for character in text)
    return "".join(c for c in kept if unicodedata.category(c) not in _FORBIDDEN).replace("¥", "￥")


def stand_in(text: str, knows: Callable[[str], bool]) -> str:
    """The text as a printer's own font can print it: what it lacks is a question mark of the same width."""
    return "".join(c if knows(c) else "?？"[cells(c) - 1] if knows("？") else "?" * cells(c) for c in text)


def cells(text: str) -> int:
    """How many half-width columns a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` columns; at least one line. It breaks at a space or beside a Chinese
    character, and inside a word only where the word is longer than a line."""
    lines, line = [], ""
    for piece in _pieces(text, width):
        if line and cells(line) + cells(piece.rstrip(" ")) > width:
            lines.append(line.rstrip(" "))
            line, piece = "", piece.lstrip(" ")
        line += piece
    return [*lines, line.rstrip(" ")]


def _pieces(text: str, width: int) -> Iterator[str]:
    """What stays together: a wide character, or a word with the spaces after it; no longer than a line."""
    piece = ""
    for character in text:
        ended = piece.endswith(" ") and character != " "
        if piece and (ended or cells(character) == 2 or cells(piece[-1]) == 2 or cells(piece) >= width):
            yield piece
            piece = ""
        piece += character
    yield piece


def set_columns(left: str, right: str, width: int) -> list[str]:
    """Left side and figure on lines of `width` columns, with at least one space between them."""
    right = right[:width]
    room = max(1, width - cells(right) - 1)
    lines = wrap(left, room)
    last = lines[-1]
    return [*lines[:-1], last + " " * (width - cells(last) - cells(right)) + right]
