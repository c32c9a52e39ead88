"""What lies on a printer's paper, and how it looks: letters in cells, codes and pictures as dots. It knows no bytes."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
CELL, HEIGHT, MARGIN = 12, 30, 18


@dataclass(slots=True)
class Run:
    """Letters in one style. `align` is 0, 1 or 2: left, centre, right."""

    text: str
    bold: bool
    scale: int
    align: int


@dataclass(slots=True)
class Seen:
    """What was found on the way through the bytes."""

    lines: list[Run | Image.Image | int] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    kicks: int = 0


def picture_of(seen: Seen, dots: int) -> bytes:
    """The paper as a PNG."""
    heights = [_height(item) for item in seen.lines]
    page = Image.new("L", (dots + 2 * MARGIN, sum(heights) + 4 * MARGIN), 252)
    pen = ImageDraw.Draw(page)
    top = 2 * MARGIN
    for item, height in zip(seen.lines, heights, strict=True):
        if isinstance(item, Run):
            _write(pen, item, top, dots)
        elif isinstance(item, Image.Image):
            page.paste(item, (MARGIN + max(0, (dots - item.width) // 2), top))
        top += height
    out = io.BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()


def _height(item: Run | Image.Image | int) -> int:
    if isinstance(item, int):
        return item
    return item.height + 6 if isinstance(item, Image.Image) else HEIGHT * item.scale


def _write(pen: ImageDraw.ImageDraw, run: Run, top: int, dots: int) -> None:
    font = _font(24 * run.scale)
    widths = [_cells(character) * CELL * run.scale for character in run.text]
    left = MARGIN + {0: 0, 1: max(0, (dots - sum(widths)) // 2), 2: max(0, dots - sum(widths))}.get(
        run.align, 0
    )
    for character, width in zip(run.text, widths, strict=True):
        pen.text(
            (left, top), character, fill=20, font=font, stroke_width=1 if run.bold else 0, stroke_fill=20
        )
        left += width


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if FONT.exists():
        return ImageFont.truetype(str(FONT), size, index=1)  # the monospaced face
    return ImageFont.load_default(size)


def bar_picture(text: str, kind: str, height_dots: int) -> Image.Image:
    """Bars of two dots a module."""
    import zxingcpp

    drawn = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    bars = Image.fromarray(np.array(drawn.to_image(scale=1, add_quiet_zones=True)))
    return bars.crop((0, 0, bars.width, 1)).resize((bars.width * 2, height_dots))


def qr_picture(data: bytes, module_dots: int) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(data, error="m").save(out, kind="png", scale=max(1, module_dots), border=4)
    out.seek(0)
    return Image.open(out).convert("L")


def below(upper: Image.Image, lower: Image.Image) -> Image.Image:
    whole = Image.new("L", (upper.width, upper.height + lower.height), 255)
    whole.paste(upper, (0, 0))
    whole.paste(lower, (0, upper.height))
    return whole
