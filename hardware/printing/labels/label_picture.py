"""A label as a picture, dot for dot: what a file gets, and what the sheet's preview shows."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageOps

from tillbox.hardware.printing.document import Picture
from tillbox.hardware.printing.drawing import picture_of

from .label import Box, Code, Label, Text, blocks, code_box
from .typeface import Drawn, Typeface


def label_picture(label: Label, typeface: Typeface, scale: int = 1) -> Image.Image:
    """Black on white, `scale` pixels for a dot; letters are drawn that much finer."""
    page = Image.new("L", (label.box.width * scale, label.box.height * scale), 255)
    pen = ImageDraw.Draw(page)
    for element in label.elements:
        if not isinstance(element, Text):
            for box in blocks(element):
                _fill(pen, box, scale)
    for drawn in drawn_texts(label, typeface, scale):
        ink = image_of(drawn.picture)
        page.paste(0, (drawn.left, drawn.top), ink)
    return page


def drawn_texts(label: Label, typeface: Typeface, scale: int = 1) -> Iterator[Drawn]:
    """Every text of a label as dots."""
    for element in label.elements:
        if isinstance(element, Text) and (drawn := typeface.draw(element, scale)) is not None:
            yield drawn


def drawn_code(code: Code) -> Drawn:
    """A code as dots, for a printer that has no sure word for what it carries."""
    box = code_box(code)
    page = Image.new("L", (box.width, box.height), 255)
    pen = ImageDraw.Draw(page)
    for black in blocks(code):
        _fill(pen, Box(black.left - box.left, black.top - box.top, black.width, black.height), 1)
    return Drawn(box.left, box.top, picture_of(page))


def image_of(picture: Picture) -> Image.Image:
    """Dots as a mask: white where there is ink."""
    size = (picture.width, len(picture.rows))
    return Image.frombytes("1", size, b"".join(picture.rows)).convert("L")


def png_of(image: Image.Image, dots_per_mm: int) -> bytes:
    """A PNG that says how large it is to be printed."""
    out = io.BytesIO()
    ImageOps.grayscale(image).convert("1").save(out, "PNG", optimize=True, dpi=(dots_per_mm * 25.4,) * 2)
    return out.getvalue()


def _fill(pen: ImageDraw.ImageDraw, box: Box, scale: int) -> None:
    left, top = box.left * scale, box.top * scale
    pen.rectangle((left, top, left + box.width * scale - 1, top + box.height * scale - 1), fill=0)
