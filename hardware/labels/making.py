"""Labels as the bytes that go out, and the word of the decoders that they can be read.

A code counts as made when it was read back, exactly, from a picture of these very bytes: the printer's language through
the printer's eye, a PNG through its file, a PDF through a renderer of another house. The picture is blurred as paper
blurs it, so that a code which only a perfect picture shows is refused.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageFilter

from tillbox.contracts.codes.goods import normal_gtin
from tillbox.contracts.codes.reads import Symbology
from tillbox.contracts.verdicts import Refused
from tillbox.hardware.decoding import Found, decode, load
from tillbox.hardware.decoding.looks import look_zxing
from tillbox.hardware.printing.labels import eye, tspl, zpl
from tillbox.hardware.printing.labels.label import Bars, Code, Label, Unfit
from tillbox.hardware.printing.labels.label_picture import label_picture, png_of
from tillbox.hardware.printing.labels.sheet import A4_MM, Grid, sheets
from tillbox.hardware.printing.labels.typeface import Typeface

from .table import Bad

Format = Literal["tspl", "zpl", "png", "pdf"]
BLUR_MM = 0.125  # about what a drop of ink or heat spreads
PICTURE_SCALES = {8: 2, 12: 1}  # a PNG is looked at on a screen too: at least 12 dots a millimetre

UNREAD = "its code does not read back from the picture of what would be printed: take a larger label, or shorten it"


@dataclass(frozen=True, slots=True)
class Made:
    """One label, and where its words came from."""

    where: str
    label: Label


@dataclass(frozen=True, slots=True)
class Ready:
    """One label as bytes whose codes were read back."""

    made: Made
    data: bytes


def ready(one: Made, how: Literal["tspl", "zpl", "png"], typeface: Typeface, copies: int) -> Ready | Bad:
    """The bytes of one label."""
    label = one.label
    if how == "png":
        scale = PICTURE_SCALES[label.dots_per_mm]
        dots = label.dots_per_mm * scale
        data = png_of(label_picture(label, typeface, scale), dots)
        grey = load(data)
        picture = None if isinstance(grey, Refused) else Image.fromarray(grey)
    else:
        data = (tspl if how == "tspl" else zpl).encode(label, typeface, copies)
        dots = label.dots_per_mm
        seen = eye.read(data, how, dots)
        assert not seen.unknown, seen.unknown
        picture = seen.labels[0].picture if len(seen.labels) == 1 else None
    if picture is None or not reads_back(picture, label, dots):
        return Bad(one.where, UNREAD)
    return Ready(one, data)


def sheet(
    made: Sequence[Made], grid: Grid, typeface: Typeface, step: Callable[[], None]
) -> tuple[bytes, list[Bad]]:
    """A PDF of all of them, and those that cannot be read on it. Needs the package pypdfium2."""
    data = sheets([one.label for one in made], grid, typeface)
    bad: list[Bad] = []
    for at, page in enumerate(_pages(data, made[0].label.dots_per_mm)):
        for place, one in enumerate(made[at * grid.places : (at + 1) * grid.places]):
            dots = one.label.dots_per_mm
            left, top = (round(mm * dots) for mm in grid.corner(place))
            cut = page.crop((left, top, left + grid.width * dots, top + grid.height * dots))
            if not reads_back(cut, one.label, dots):
                bad.append(Bad(one.where, UNREAD))
            step()
    return data, bad


def reads_back(picture: Image.Image, label: Label, dots_per_mm: int) -> bool:
    """Whether the label's codes are on the picture, after a little blur, and no others. What was drawn is known here, so one
    decoder's word is enough for each; a till, which does not know, wants two for a short code."""
    worn = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(BLUR_MM * dots_per_mm)))
    sure, seen = decode(worn), look_zxing(worn)
    return all(any(_is(code, one) for one in (*sure, *seen)) for code in label.codes) and all(
        any(_is(code, one) for code in label.codes) for one in sure
    )


def no_renderer() -> Unfit | None:
    """PDF is not written where it cannot be read back."""
    try:
        importlib.import_module("pypdfium2")
    except ImportError:
        return Unfit("PDF sheets need the package pypdfium2, which reads them back: pip install '.[labels]'")
    return None


_SYMBOLOGIES = {
    "code_128": (Symbology.CODE_128,),
    "ean_8": (Symbology.EAN_8,),
    "ean_13": (Symbology.EAN_13, Symbology.UPC_A),
}


def _is(code: Code, found: Found) -> bool:
    if not isinstance(code, Bars):
        return found.symbology is Symbology.QR and found.raw == code.text.encode("utf-8")
    if found.symbology not in _SYMBOLOGIES[code.kind]:
        return False
    said = found.raw.decode("ascii", "replace")
    # An EAN-13 that begins with 0 is a UPC-A of twelve digits to some decoders.
    return said == code.text or (code.kind == "ean_13" and normal_gtin(said) == code.text)


def _pages(data: bytes, dots_per_mm: int) -> Iterator[Image.Image]:
    renderer: Any = importlib.import_module("pypdfium2")
    document = renderer.PdfDocument(data)
    try:
        for page in document:
            image = page.render(scale=dots_per_mm * 25.4 / 72, grayscale=True).to_pil()
            assert abs(image.width - A4_MM[0] * dots_per_mm) <= 1, image.size
            yield image
    finally:
        document.close()
