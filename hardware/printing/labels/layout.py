"""Fitting text into boxes: as large as it may be, wrapped where it must be, cut with an ellipsis where nothing else
helps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tillbox.hardware.printing.document import cells, clean

from .label import Box, Text
from .typeface import LINE, Typeface

SMALLER = 0.93  # each try
SMALLEST_MM = 2.0  # a Chinese character below it cannot be read on thermal paper
_CLOSES = "，。！？、；：）》」』】％…·,.!?;:)%"  # never at the beginning of a line

Align = Literal["left", "center"]


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a column. `share` of the height is its own; what it leaves is white."""

    text: str
    share: int
    bold: bool = False
    lines_max: int = 1
    size_mm_max: float = 30.0


def column(
    parts: Sequence[Part], box: Box, typeface: Typeface, dots_per_mm: int, align: Align = "left"
) -> tuple[Text, ...]:
    """Texts one below the other; empty ones take no room."""
    there = [part for part in parts if clean(part.text).strip()]
    total = sum(part.share for part in there)
    texts: list[Text] = []
    top = box.top
    for part in there:
        height = box.height * part.share // total
        slot = Box(box.left, top, box.width, height)
        texts += fit(part, slot, typeface, dots_per_mm, align)
        top += height
    return tuple(texts)


def fit(
    part: Part, box: Box, typeface: Typeface, dots_per_mm: int, align: Align = "left"
) -> tuple[Text, ...]:
    """A text in a box, in the middle of its height."""
    text = " ".join(clean(part.text).split())
    smallest = round(SMALLEST_MM * dots_per_mm)
    size = max(smallest, round(min(box.height / LINE, part.size_mm_max * dots_per_mm)))
    lines = _wrapped(text, size, box.width, typeface, bold=part.bold)
    while size > smallest and not _fits(lines, size, part, box):
        size = max(smallest, int(size * SMALLER))
        lines = _wrapped(text, size, box.width, typeface, bold=part.bold)
    rows = max(1, min(part.lines_max, int(box.height / (size * LINE))))
    if len(lines) > rows:
        lines = [
            *lines[: rows - 1],
            _cut("".join(lines[rows - 1 :]), size, box.width, typeface, bold=part.bold),
        ]
    return tuple(_placed(lines, size, part, box, typeface, align))


def _fits(lines: Sequence[str], size: int, part: Part, box: Box) -> bool:
    return len(lines) <= part.lines_max and len(lines) * size * LINE <= box.height + 1


def _placed(
    lines: Sequence[str], size: int, part: Part, box: Box, typeface: Typeface, align: Align
) -> Iterator[Text]:
    top = box.top + max(0, round((box.height - len(lines) * size * LINE) / 2))
    for line in lines:
        line = line.strip()
        room = box.width - typeface.width(line, size, bold=part.bold)
        yield Text(box.left + (max(0, room) // 2 if align == "center" else 0), top, line, size, part.bold)
        top += round(size * LINE)


def _wrapped(text: str, size: int, width: int, typeface: Typeface, *, bold: bool) -> list[str]:
    """Lines that are no wider than the box; they keep the spaces at their ends."""
    lines, line = [], ""
    for piece in _pieces(text):
        for part in [piece] if _width(piece, size, typeface, bold=bold) <= width else list(piece):
            if line and _width(line + part, size, typeface, bold=bold) > width:
                lines.append(line)
                line = ""
            line += part
    return [*lines, line]


def _width(text: str, size: int, typeface: Typeface, *, bold: bool) -> int:
    return typeface.width(text.rstrip(), size, bold=bold)


def _pieces(text: str) -> Iterator[str]:
    """What stays together: a word with the spaces after it, or a wide character with what closes it."""
    piece = ""
    for character in text:
        breaks = piece.endswith(" ") or (piece and (cells(character) == 2 or cells(piece[-1]) == 2))
        if piece and breaks and character != " " and character not in _CLOSES:
            yield piece
            piece = ""
        piece += character
    yield piece


def _cut(text: str, size: int, width: int, typeface: Typeface, *, bold: bool) -> str:
    while text and typeface.width(text + "…", size, bold=bold) > width:
        text = text[:-1].rstrip()
    return text + "…"
