"""A label, as what stands where on it, in dots of the printer. It knows no printer's language and no font.

Text is never handed to a printer as text: it is drawn (`typeface.py`), so that Chinese prints on any printer and no
name can become a command. Codes are kept as what they carry, because printers draw them better than pictures do.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import segno

from .bars import BarKind, modules

DotsPerMm = Literal[8, 12]
"""203 or 300 dots an inch: what label printers have."""

SIDE_MM = (15, 300)
QR_BYTES_MAX = 600  # 97 squares a side; no phone reads more from a counter
QUIET_MODULES = 4  # the white that a reader needs around a QR code (ISO/IEC 18004)
QUIET_BAR_MODULES = 11  # and beside the bars of an EAN-13 (GS1 General Specifications, 5.2.3.4)
QR_MODULE_MM_MIN = 0.33  # a cheap camera at arm's length
BAR_MODULE_MM_MIN = (
    0.25  # GS1's smallest EAN is 0.264 mm; two dots of a printer with 8 are what shops live with
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in dots from the upper left corner of the label."""

    left: int
    top: int
    width: int
    height: int

    def inset(self, across: int, down: int | None = None) -> Box:
        """So many dots smaller on every side."""
        down = across if down is None else down
        return Box(self.left + across, self.top + down, self.width - 2 * across, self.height - 2 * down)


@dataclass(frozen=True, slots=True)
class Text:
    """One line, drawn. `size` is the height of a Chinese character. With a `panel` it is white on that black box."""

    left: int
    top: int
    text: str
    size: int
    bold: bool = False
    panel: Box | None = None


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code of error correction M; `left` and `top` are its own corner, the white around it not counted."""

    left: int
    top: int
    text: str
    module_dots: int


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar code without the text under it, which is a `Text` of its own."""

    left: int
    top: int
    text: str
    kind: BarKind
    module_dots: int
    height: int


@dataclass(frozen=True, slots=True)
class Block:
    """A black rectangle: a rule, or a side of a frame."""

    box: Box


@dataclass(frozen=True, slots=True)
class Frame:
    """The outline of a box, `thickness` dots wide, inside of it."""

    box: Box
    thickness: int


Element = Text | QrCode | Bars | Block | Frame
Code = QrCode | Bars


@dataclass(frozen=True, slots=True)
class Label:
    """Everything on one label. Elements do not overlap but black on black: printers do not agree on what that
    means."""

    width_mm: int
    height_mm: int
    elements: tuple[Element, ...]
    dots_per_mm: DotsPerMm = 8

    def __post_init__(self) -> None:
        """ValueError for a size that no label has."""
        if not all(SIDE_MM[0] <= side <= SIDE_MM[1] for side in (self.width_mm, self.height_mm)):
            raise ValueError(f"a label is {SIDE_MM[0]} to {SIDE_MM[1]} mm wide and high")

    @property
    def box(self) -> Box:
        """The whole label."""
        return Box(0, 0, self.width_mm * self.dots_per_mm, self.height_mm * self.dots_per_mm)

    @property
    def codes(self) -> tuple[Code, ...]:
        """What a reader has to find on it."""
        return tuple(one for one in self.elements if isinstance(one, QrCode | Bars))


@dataclass(frozen=True, slots=True)
class Unfit:
    """This label is not made. `why` says what to do."""

    why: str


def blocks(element: QrCode | Bars | Block | Frame) -> Iterator[Box]:
    """The black rectangles that an element is made of, none of them over another."""
    match element:
        case Block(box):
            yield box
        case Frame(box, thick):
            yield Box(box.left, box.top, box.width, thick)
            yield Box(box.left, box.top + box.height - thick, box.width, thick)
            yield Box(box.left, box.top + thick, thick, box.height - 2 * thick)
            yield Box(box.left + box.width - thick, box.top + thick, thick, box.height - 2 * thick)
        case Bars(left, top, text, kind, dots, height):
            yield from (
                Box(left + at * dots, top, run * dots, height) for at, run in _dark(modules(text, kind))
            )
        case QrCode(left, top, text, dots):
            for row, line in enumerate(qr_rows(text)):
                yield from (
                    Box(left + at * dots, top + row * dots, run * dots, dots) for at, run in _dark(line)
                )


def code_box(code: Code) -> Box:
    """Where a code is, the white around it not counted."""
    if isinstance(code, QrCode):
        side = len(qr_rows(code.text)) * code.module_dots
        return Box(code.left, code.top, side, side)
    return Box(code.left, code.top, len(modules(code.text, code.kind)) * code.module_dots, code.height)


@functools.lru_cache(maxsize=256)
def qr_rows(text: str) -> tuple[str, ...]:
    """The squares of a QR code from top to bottom, 1 for dark. ValueError for more than it should hold."""
    data = text.encode("utf-8")
    if not 0 < len(data) <= QR_BYTES_MAX:
        raise ValueError(f"a code holds 1 to {QR_BYTES_MAX} bytes, this has {len(data)}: shorten it")
    return tuple("".join("01"[dark] for dark in row) for row in segno.make_qr(data, error="m").matrix)


def _dark(line: str) -> Iterator[tuple[int, int]]:
    """Where each run of dark modules begins, and how long it is."""
    at = line.find("1")
    while at >= 0:
        end = line.find("0", at)
        end = len(line) if end < 0 else end
        yield at, end - at
        at = line.find("1", end)
