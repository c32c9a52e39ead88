"""How many looks a code needs before it counts.

    look 1   zxing-cpp on the picture          a strong code (QR, Code 128 …) counts at once
    look 2   zbar on the picture               a weak one (EAN, UPC, ITF …) counts when two looks agree
    look 3   zxing-cpp at the other size       … and none reads something else at the same place
    look 4   zbar at the other size            only for a weak code that one look alone has seen

A missed code is scanned again; a wrong one is sold. So a disagreement is no read, and nobody is asked to
break the tie. Pure but for the decoders: the same picture gives the same codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from .found import Found
from .looks import Look, look_zbar, look_zxing
from .picture import Picture

DOUBLE_PIXELS_MAX = 2_000_000  # a small picture is doubled, a larger one halved: its codes are large too
ZBAR_PIXELS_MAX = 4_000_000  # zbar takes 30 ms for each million on a fast core; a phone's photo has twelve
AGREEING = 2


def decode(picture: Picture) -> tuple[Found, ...]:
    """The codes on a grey picture, each once, strong ones first. Never raises for what is drawn on it."""
    looks: list[tuple[Found, ...]] = []
    for look in (look_zxing, _zbar, _other_size(look_zxing), _other_size(look_zbar)):
        looks.append(look(picture))
        if settled(looks):
            break
    return tally(looks)


def settled(looks: Sequence[tuple[Found, ...]]) -> bool:
    """Whether another look could change the answer for the better, and is worth its time."""
    seen = [one for look in looks for one in look]
    counted = tally(looks)
    doubtful = [
        one for one in seen if one.weak and not _is_among(one, counted) and not _contested(one, looks)
    ]
    if doubtful:
        return False
    return bool(counted) or len(looks) >= 3


def tally(looks: Sequence[tuple[Found, ...]]) -> tuple[Found, ...]:
    """What counts after these looks."""
    seen = [one for look in looks for one in look]
    counted = _each_once([one for one in seen if not one.weak])
    for one in seen:
        covered = any(one.overlaps(other) for other in counted if not other.weak)
        if one.weak and not covered and not _contested(one, looks) and _votes(one, looks) >= AGREEING:
            counted.append(one)
    return tuple(_each_once(counted))


def _votes(one: Found, looks: Sequence[tuple[Found, ...]]) -> int:
    return sum(any(other.says_same(one) and other.overlaps(one) for other in look) for look in looks)


def _contested(one: Found, looks: Sequence[tuple[Found, ...]]) -> bool:
    return any(not other.says_same(one) and other.overlaps(one) for look in looks for other in look)


def _is_among(one: Found, others: Sequence[Found]) -> bool:
    return any(other.says_same(one) for other in others)


def _each_once(found: list[Found]) -> list[Found]:
    """The same code twice on a picture is one code: a box has its label on three sides."""
    kept: list[Found] = []
    for one in found:
        if not _is_among(one, kept):
            kept.append(one)
    return kept


# sizes


def _zbar(picture: Picture) -> tuple[Found, ...]:
    factor = 1
    while picture.size > ZBAR_PIXELS_MAX * factor * factor:
        factor += 1
    return _scaled(look_zbar, picture, 1, factor)


def _other_size(look: Look) -> Look:
    def at_other_size(picture: Picture) -> tuple[Found, ...]:
        if picture.size <= DOUBLE_PIXELS_MAX:
            return _scaled(look, picture, 2, 1)
        return _scaled(look, picture, 1, 2)

    return at_other_size


def _scaled(
    look: Callable[[Picture], tuple[Found, ...]], picture: Picture, up: int, down: int
) -> tuple[Found, ...]:
    """Look at the picture at another size; what was found is where it is on the picture itself."""
    if up == down:
        return look(picture)
    image = Image.fromarray(picture)
    if up > 1:
        image = image.resize((image.width * up, image.height * up), Image.Resampling.BICUBIC)
    else:
        image = image.reduce(down)
    return tuple(
        Found(
            one.raw, one.text, one.symbology, tuple((x * down // up, y * down // up) for x, y in one.corners)
        )
        for one in look(np.asarray(image))
    )
