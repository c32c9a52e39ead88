"""Where stripes are: the parts of a picture whose brightness changes in one direction only, each laid upright.

What is found here may be a code or a radiator; it reads nothing. It is what makes the costly looks cheap: a
patch is a twentieth of its picture, and its bars stand upright however the code was held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .found import Point
from .picture import Picture

PATCHES_MAX = 4  # a counter's camera sees one or two codes; the rest of a shop is striped, too
PATCH_ROWS, PATCH_COLUMNS_MAX = 96, 1600
CORNERS_APART_MIN = 48  # half a pixel a module
ONE_LINE_ROWS = 12  # a decoder that read one line of bars has not looked at the others
SEARCH_SIDE_MAX = 800  # stripes show at this size, whatever the camera's


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of the picture, turned so that its bars stand upright; `box` is where it was: the corners of its
    left and right ends above, then right and left below."""

    pixels: Picture
    box: tuple[Point, ...]

    def place(self, corners: tuple[Point, ...]) -> tuple[Point, ...]:
        """Where on the picture something is that was found in the patch: as high as the patch, since its rows
        may have been averaged."""
        columns = self.pixels.shape[1]
        left, right = (end(x for x, _ in corners) / columns for end in (min, max))
        (a, b, c, d) = self.box
        return _between(a, b, left), _between(a, b, right), _between(d, c, right), _between(d, c, left)


def patches(picture: Picture) -> tuple[Patch, ...]:
    """The striped parts of a picture, the largest first."""
    return tuple(_patches(picture))


def patch_at(picture: Picture, corners: tuple[Point, ...]) -> Patch | None:
    """What lies between the corners that a decoder gave, which knows better than brightness where its bars begin
    and end. None where they enclose nothing."""
    (x, y), (wide, high), degrees = cv2.minAreaRect(np.array(corners, np.float32))
    if wide < high:
        wide, high, degrees = high, wide, degrees - 90
    if wide < CORNERS_APART_MIN:
        return None
    box = cv2.boxPoints(((x, y), (wide * 1.25, max(high, ONE_LINE_ROWS)), degrees))
    below_left, left, right, below_right = (tuple(point) for point in box.tolist())
    columns = int(min(PATCH_COLUMNS_MAX, 2.5 * wide))
    to = np.array([(0, 0), (columns, 0), (columns, PATCH_ROWS), (0, PATCH_ROWS)], np.float32)
    turn = cv2.getPerspectiveTransform(np.array([left, right, below_right, below_left], np.float32), to)
    pixels = cv2.warpPerspective(picture, turn, (columns, PATCH_ROWS), borderMode=cv2.BORDER_REPLICATE)
    around = tuple((round(px), round(py)) for px, py in (left, right, below_right, below_left))
    return Patch(np.asarray(pixels, np.uint8), around)


def _between(one: Point, other: Point, share: float) -> Point:
    return round(one[0] + (other[0] - one[0]) * share), round(one[1] + (other[1] - one[1]) * share)


def _patches(picture: Picture) -> Iterator[Patch]:
    times = -(-max(picture.shape) // SEARCH_SIDE_MAX)  # a whole number: OpenCV averages whole pixels fast
    size = tuple(max(1, side // times) for side in reversed(picture.shape))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if times > 1 else picture
    smooth = cv2.GaussianBlur(small, (0, 0), 1).astype(np.float32)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    side = max(9, max(small.shape) // 30) | 1
    xx, yy, xy = (cv2.blur(product, (side, side)) for product in (across**2, down**2, across * down))
    energy = xx + yy
    alike = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (energy + 50)
    striped = ((alike > 0.6) & (energy > max(200.0, 0.5 * float(np.median(energy))))).astype(np.uint8)
    striped = cv2.morphologyEx(striped, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    _, labels, found, _ = cv2.connectedComponentsWithStats(striped)
    for label in (np.argsort(-found[1:, cv2.CC_STAT_AREA])[:PATCHES_MAX] + 1).tolist():
        left, top, wide, high, area = found[label].tolist()
        if area < 3 * side * side:
            break
        here = np.s_[top : top + high, left : left + wide]
        part = labels[here] == label
        angle = 0.5 * float(np.arctan2(2 * xy[here][part].sum(), xx[here][part].sum() - yy[here][part].sum()))
        rows, columns = np.nonzero(part)
        patch = _upright(picture, rows + top, columns + left, angle, 1 / times)
        if patch is not None:
            yield patch


def _upright(
    picture: Picture, rows: NDArray[np.int64], columns: NDArray[np.int64], angle: float, scale: float
) -> Patch | None:
    x, y = float(np.cos(angle)), float(np.sin(angle))
    if x < 0:
        x, y = -x, -y
    along, beside = columns * x + rows * y, rows * x - columns * y
    left, right = np.percentile(along, (0.5, 99.5))
    top, bottom = np.percentile(beside, (2, 98))
    if right - left < 40 or bottom - top < 5:
        return None
    room = (right - left) * 0.15 + 10
    left, right = left - room, right + room
    corners = [(a * x - b * y, a * y + b * x) for a, b in ((left, top), (right, top), (left, bottom))]
    columns_wanted = int(min(PATCH_COLUMNS_MAX, 2 * (right - left) / scale))
    to = np.array([(0, 0), (columns_wanted, 0), (0, PATCH_ROWS)], np.float32)
    turn = cv2.getAffineTransform((np.array(corners) / scale).astype(np.float32), to)
    pixels = cv2.warpAffine(
        picture, turn, (columns_wanted, PATCH_ROWS), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    (a, b, c) = corners
    box = (a, b, (b[0] + c[0] - a[0], b[1] + c[1] - a[1]), c)
    return Patch(
        np.asarray(pixels, np.uint8), tuple((round(px / scale), round(py / scale)) for px, py in box)
    )
