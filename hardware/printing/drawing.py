"""Drawing what a printer's own font or commands lack: a code as dots, a line of text as dots. Pure but for the
font, which is read once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from .document import Picture, cells

CELL_DOTS = 12  # the width of a half-width letter of every printer's font A; its height is twice that
FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
)
QUIET_MODULES = 4  # the white that a reader needs around a QR code (ISO/IEC 18004)

Letters = Callable[[str, int], Picture]
"""Draws a text in half-width cells, so many times as large."""


def draw_qr(data: bytes, module_dots: int, dots: int) -> Picture:
    """A QR code with its white margin, no wider than `dots`; error correction M."""
    matrix = list(segno.make_qr(data, error="m").matrix_iter(scale=1, border=QUIET_MODULES))
    scale = max(1, min(module_dots, dots // len(matrix)))
    row_bytes = (len(matrix) * scale + 7) // 8
    rows: list[bytes] = []
    for row in matrix:
        bits = "".join(("1" if dark else "0") * scale for dark in row).ljust(row_bytes * 8, "0")
        rows += [int(bits, 2).to_bytes(row_bytes, "big")] * scale
    return Picture(len(matrix) * scale, tuple(rows))


def system_letters() -> Letters | None:
    """Letters in the first Chinese font that is installed; None where there is none."""
    found = next((path for path in FONTS if Path(path).exists()), None)
    return functools.partial(draw_text, found) if found else None


def draw_text(font: str, text: str, scale: int) -> Picture:
    """Each character in its own cells, so that columns stay where they would be in the printer's font."""
    width, height = cells(text) * CELL_DOTS * scale, 2 * CELL_DOTS * scale
    page = Image.new("1", (max(8, width), height), 1)
    left = 0
    for character in text:
        page.paste(_letter(font, character, scale), (left, 0))
        left += cells(character) * CELL_DOTS * scale
    return picture_of(page)


def picture_of(page: Image.Image) -> Picture:
    """A Pillow image as dots; what is darker than half is black."""
    ink = page.convert("L").point(lambda level: 255 if level < 128 else 0).convert("1")
    row_bytes = (ink.width + 7) // 8
    data = ink.tobytes()
    return Picture(ink.width, tuple(data[at : at + row_bytes] for at in range(0, len(data), row_bytes)))


def bands(picture: Picture, rows_max: int) -> Iterator[Picture]:
    """The picture in strips: printers lose their place in long ones and print the rest as letters."""
    for top in range(0, len(picture.rows), rows_max):
        yield Picture(picture.width, picture.rows[top : top + rows_max])


@functools.lru_cache(maxsize=4_096)  # a shop's whole list of goods; 80 bytes each
def _letter(font: str, character: str, scale: int) -> Image.Image:
    """One letter in its cells: drawing it costs a hundred times as much as laying it down."""
    height = 2 * CELL_DOTS * scale
    cell = Image.new("1", (max(1, cells(character)) * CELL_DOTS * scale, height), 1)
    pen = ImageDraw.Draw(cell)
    pen.fontmode = "1"
    pen.text((0, height), character, fill=0, font=_font(font, height), anchor="ld")
    return cell


@functools.lru_cache(maxsize=8)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
