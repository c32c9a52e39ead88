"""A drawn paper cut into lines by its white rows and into pieces by its white columns; each piece has a name. Pure.

The name is a digest of the piece's exact dots: the same letter of the same till always has the same, and one dot more or
less is another name. It knows no letters.
"""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from .raster import Rows

PICTURE_ROWS_MIN = 72  # a letter of double height has 56 rows; what is taller is a logo or a code
LOW_SHARE = 0.6  # a line so much lower than the others, of one or two shapes, is drawn across the paper


@dataclass(frozen=True, slots=True)
class Strip:
    """The rows of one line; `usual` is how many rows a line of this paper has."""

    rows: tuple[int, ...]
    usual: int
    rule: bool = False
    picture: bool = False

    @property
    def ink(self) -> int:
        """The columns in which there is a dot."""
        ink = 0
        for row in self.rows:
            ink |= row
        return ink

    def digest(self, left: int, right: int) -> str:
        """The name of what stands between two columns: its dots, and for what is low whether it stands at the line's
        top, middle or bottom: a full stop and a point in the middle have the same dots."""
        mask = (1 << right - left) - 1
        cut = [row >> left & mask for row in self.rows]
        above = next(at for at, row in enumerate(cut) if row)
        below = next(at for at, row in enumerate(reversed(cut)) if row)
        shape = cut[above : len(cut) - below]
        return _place(above, len(shape), len(cut), self.usual) + _hashed(shape)

    def trimmed(self, left: int, right: int) -> tuple[int, int] | None:
        """The columns between two others without the white at their sides; None where all is white."""
        ink = self.ink >> left & (1 << right - left) - 1
        return (left + (ink & -ink).bit_length() - 1, left + ink.bit_length()) if ink else None


def strips(rows: Rows) -> list[Strip]:
    """A paper cut by its white rows."""
    inked = "".join("1" if row else "0" for row in rows)
    spans = [found.span() for found in re.finditer("1+", inked)]
    heights = [end - top for top, end in spans if 10 <= end - top < PICTURE_ROWS_MIN]
    usual = int(statistics.median(heights)) if heights else 24
    return [_strip(tuple(rows[top:end]), usual) for top, end in _with_dots(spans, usual)]


def _with_dots(spans: list[tuple[int, int]], usual: int) -> list[tuple[int, int]]:
    """A line of low letters has its dots above a white row: what is low and close belongs to it."""
    joined: list[tuple[int, int]] = []
    for top, end in spans:
        last = joined[-1] if joined else None
        low = last is not None and min(last[1] - last[0], end - top) <= usual // 2
        if last is not None and low and top - last[1] <= usual // 6:
            joined[-1] = (last[0], end)
        else:
            joined.append((top, end))
    return joined


def pieces(strip: Strip) -> list[tuple[int, int]]:
    """The columns of what stands alone between white columns."""
    return [found.span() for found in re.finditer("1+", f"{strip.ink:b}"[::-1])]


def _strip(rows: tuple[int, ...], usual: int) -> Strip:
    strip = Strip(rows, usual)
    if len(rows) >= PICTURE_ROWS_MIN:
        return Strip(rows, usual, picture=True)
    if len(rows) > usual * LOW_SHARE:
        return strip
    found = pieces(strip)
    shapes = {strip.digest(*piece) for piece in found}
    wide = max(right - left for left, right in found)
    rule = (len(found) >= 4 and len(shapes) <= 2) or wide > 4 * usual
    return Strip(rows, usual, rule=rule)


def _place(above: int, height: int, line: int, usual: int) -> str:
    if line <= usual * LOW_SHARE:
        return "low."
    if height * 3 > line:
        return ""
    return ("top.", "middle.", "bottom.")[min(2, int((above + height / 2) * 3 / line))]


def _hashed(shape: Sequence[int]) -> str:
    width = max(row.bit_length() for row in shape)
    size = -(-width // 8)
    data = bytes([width & 0xFF, width >> 8]) + b"".join(row.to_bytes(size, "little") for row in shape)
    return hashlib.blake2b(data, digest_size=6).hexdigest()
