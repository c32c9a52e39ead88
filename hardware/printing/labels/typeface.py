"""The letters of labels: how wide a text is, and its dots. It draws proportionally, where `drawing.py` keeps the
columns of a receipt. Pure but for the font, which is read once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from tillbox.hardware.printing.document import Picture, clean
from tillbox.hardware.printing.drawing import FONTS, picture_of

from .label import Box, Text

ASCENT, DESCENT = (
    0.94,
    0.24,
)  # of a Chinese character's height, above and below the line that letters stand on
LINE = ASCENT + DESCENT
FINE = 4  # letters are drawn so many times as large and made smaller: thin strokes stay whole
INK_FROM = (
    150  # of 255: what is darker becomes a dot; paper swallows thin strokes, so a little more than half
)
BOLD = 44  # a stroke this part of the height is laid around bold letters; the Chinese fonts at hand have one weight
NO_LETTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text as dots, and where they are."""

    left: int
    top: int
    picture: Picture


class Typeface:
    """One font. Without a Chinese one on this machine it is Pillow's own, and lacks Chinese."""

    def __init__(self, path: str | None) -> None:
        self._path = path

    def width(self, text: str, size: int, *, bold: bool = False) -> int:
        """How many dots wide a line is."""
        stroke = size / BOLD if bold else 0
        return round(_font(self._path, size * FINE).getlength(_shown(text)) / FINE + 2 * stroke + 0.49)

    def lacks(self, text: str) -> str:
        """The letters of a text that the font cannot draw, each once."""
        return "".join(letter for letter in dict.fromkeys(text) if not _has(self._path, letter))

    def draw(self, text: Text, scale: int = 1) -> Drawn | None:
        """The dots of a line, at a multiple of the label's own resolution; None where nothing is black."""
        words, size = _shown(text.text), text.size * scale
        ink = self._ink(words, size, bold=text.bold)
        if text.panel is not None:
            return _on_panel(ink, text, text.panel, scale)
        around = ink.getbbox()
        if around is None:
            return None
        picture = picture_of(ImageChops.invert(ink.crop(around)))
        return Drawn(text.left * scale + around[0], text.top * scale + around[1], picture)

    def _ink(self, text: str, size: int, *, bold: bool) -> Image.Image:
        """White on black, and as large as the line."""
        font = _font(self._path, size * FINE)
        stroke = round(size * FINE / BOLD) if bold else 0
        width, height = self.width(text, size, bold=bold), round(size * LINE)
        page = Image.new("L", (max(1, width) * FINE, height * FINE), 0)
        at = (stroke, round(size * ASCENT * FINE))
        ImageDraw.Draw(page).text(
            at, text, fill=255, font=font, anchor="ls", stroke_width=stroke, stroke_fill=255
        )
        small = page.resize((max(1, width), height), Image.Resampling.BOX)
        return small.point(lambda level: 255 if level >= 255 - INK_FROM else 0)


def system_typeface() -> Typeface:
    """The first Chinese font that is installed, or Pillow's own."""
    return Typeface(next((path for path in FONTS if Path(path).exists()), None))


def _on_panel(ink: Image.Image, text: Text, panel: Box, scale: int) -> Drawn:
    page = Image.new("L", (panel.width * scale, panel.height * scale), 0)
    page.paste(ink, ((text.left - panel.left) * scale, (text.top - panel.top) * scale))
    return Drawn(panel.left * scale, panel.top * scale, picture_of(page))


def _shown(text: str) -> str:
    """Nothing unseen, and the narrow yen sign: the wide one stands alone in white."""
    return clean(text).replace("￥", "¥")


@functools.lru_cache(maxsize=64)
def _font(path: str | None, size: int) -> ImageFont.FreeTypeFont:
    if path is not None:
        return ImageFont.truetype(path, size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


@functools.lru_cache(maxsize=4096)
def _has(path: str | None, letter: str) -> bool:
    draw: Callable[[str], bytes] = lambda one: bytes(_font(path, 32).getmask(one))  # noqa: E731
    return letter.isspace() or draw(letter) != draw(NO_LETTER)
