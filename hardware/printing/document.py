"""A slip of paper, as what is to be read on it. It knows no printer and no bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "center", "right"]


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
class Feed:
    """Empty lines."""

    lines: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the paper."""


Part = Line | Columns | Rule | QR | Feed | Cut


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
