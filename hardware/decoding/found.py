"""One code on one picture, and where. It says nothing of what the code means."""

from __future__ import annotations

from dataclasses import dataclass

from tillbox.contracts.codes.reads import Symbology

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """What a decoder read.

    `raw` is what the code carries, byte for byte and without the brackets that people print under it;
    `text` is the decoder's best reading of these bytes for a person. `corners` are points around it, in
    pixels of the picture that was given. `by` names the decoder: two looks of one are not two witnesses.
    `aim` is the AIM identifier (ISO/IEC 15424) where the decoder gives one: "]C1" is a GS1-128.
    """

    raw: bytes
    text: str
    symbology: Symbology
    corners: tuple[Point, ...]
    by: str = ""
    aim: str = ""

    @property
    def weak(self) -> bool:
        """Whether this drawing is so thinly protected that one look may invent it."""
        return self.symbology in WEAK

    def says_same(self, other: Found) -> bool:
        """Whether both carry the same bytes; a UPC-A code is an EAN-13 code to some decoders."""
        return self.raw == other.raw

    def overlaps(self, other: Found) -> bool:
        """Whether the boxes around both share a point."""
        return self.lies_in(other.corners)

    def lies_in(self, corners: tuple[Point, ...]) -> bool:
        """Whether the box around it shares a point with the box around these."""
        left, top, right, bottom = _box(self.corners)
        other_left, other_top, other_right, other_bottom = _box(corners)
        return left <= other_right and other_left <= right and top <= other_bottom and other_top <= bottom


def _box(corners: tuple[Point, ...]) -> tuple[int, int, int, int]:
    across = [x for x, _ in corners]
    down = [y for _, y in corners]
    return min(across), min(down), max(across), max(down)


# One check digit catches nine errors in ten, and a blurred 1 looks like a 7. The others carry real checksums.
WEAK = frozenset(
    {
        Symbology.EAN_13,
        Symbology.EAN_8,
        Symbology.UPC_A,
        Symbology.UPC_E,
        Symbology.ITF,
        Symbology.CODE_39,
        Symbology.CODABAR,
    }
)
