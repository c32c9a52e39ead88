"""The least of PDF that a sheet of labels needs: pages of black rectangles and of letters as fine dots. Pure.

It refuses fonts, colours, dates and chance: the same pages give the same bytes. Source: ISO 32000-1; rectangles 8.5.2,
image masks 8.9.6.2, the file 7.5.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from tillbox.hardware.printing.document import Picture

POINTS_PER_MM = 72 / 25.4


@dataclass(slots=True)
class Page:
    """What is drawn on one page, from its upper left corner; lengths are in millimetres."""

    width_mm: float
    height_mm: float
    operations: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    def rectangle(self, left_mm: float, top_mm: float, width_mm: float, height_mm: float) -> None:
        """A black rectangle. Those that touch are filled in one go by `fill`, so that no seam shows."""
        foot = self.height_mm - top_mm - height_mm
        numbers = " ".join(_number(mm * POINTS_PER_MM) for mm in (left_mm, foot, width_mm, height_mm))
        self.operations.append(f"{numbers} re")

    def fill(self) -> None:
        """Ink for every rectangle since the last time."""
        self.operations.append("f")

    def picture(self, picture: Picture, left_mm: float, top_mm: float, dots_per_mm: float) -> None:
        """Dots: what is set is black, the rest stays as it is."""
        width, height = picture.width / dots_per_mm, len(picture.rows) / dots_per_mm
        foot = self.height_mm - top_mm - height
        numbers = [_number(mm * POINTS_PER_MM) for mm in (width, height, left_mm, foot)]
        self.pictures.append(picture)
        self.operations.append(
            f"q {numbers[0]} 0 0 {numbers[1]} {numbers[2]} {numbers[3]} cm /P{len(self.pictures) - 1} Do Q"
        )


def pdf(pages: Sequence[Page]) -> bytes:
    """The file. A picture that is on it many times is in it once."""
    objects: list[bytes] = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    places: dict[Picture, int] = {}
    kids: list[int] = []
    for page in pages:
        for picture in page.pictures:
            if picture not in places:
                objects.append(_mask(picture))
                places[picture] = len(objects)
        objects.append(_stream("", "\n".join(page.operations).encode("ascii")))
        names = "".join(f"/P{at} {places[picture]} 0 R" for at, picture in enumerate(page.pictures))
        size = f"{_number(page.width_mm * POINTS_PER_MM)} {_number(page.height_mm * POINTS_PER_MM)}"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size}]/Contents {len(objects)} 0 R"
            f"/Resources<</XObject<<{names}>>>>>>".encode("ascii")
        )
        kids.append(len(objects))
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>".encode()
    return _file(objects)


def _mask(picture: Picture) -> bytes:
    head = (
        f"/Type/XObject/Subtype/Image/Width {picture.width}/Height {len(picture.rows)}"
        "/ImageMask true/BitsPerComponent 1/Decode[1 0]"
    )
    return _stream(head, b"".join(picture.rows))


def _stream(head: str, data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    return f"<<{head}/Filter/FlateDecode/Length {len(packed)}>>\nstream\n".encode() + packed + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n"
    ).encode("ascii")
    return bytes(out)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
