"""How many looks a code needs before it counts.

A strong code (QR, Code 128 …) carries a real checksum and counts at once. A weak one (EAN, UPC, ITF …) counts
when two decoders read it, or when one did and the stripes agree (`stripes.py`). Where the stripes contradict it,
or two readings quarrel about one place and the stripes settle nothing, there is no read: a missed code is
scanned again; a wrong one is sold.

The looks are in the order of what they cost and find. Looking ends as soon as another look would not help, or
when the caller has waited long enough and no reading waits for the stripes' word. Pure but for the decoders and
that `enough`: the same picture gives the same codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from tillbox.contracts.codes.reads import Symbology

from .found import Found
from .looks import Look, look_zbar, look_zxing, look_zxing_flat
from .picture import Picture
from .stripes import Witness

DOUBLE_PIXELS_MAX = 2_000_000  # a small picture is doubled, a larger one halved: its codes are large too
ZBAR_PIXELS_MAX = 4_000_000  # zbar takes 30 ms for each million on a fast core; a phone's photo has twelve
SMALL_SIDE = 30  # nothing smaller holds a code, nor does a third of three times that


def decode(picture: Picture, *, enough: Callable[[], bool] = lambda: False) -> tuple[Found, ...]:
    """The codes on a grey picture, each once, strong ones first. Never raises for what is drawn on it.

    `enough` is asked before each look but the first; what was found by then is judged as ever. A photograph is
    worth all looks; a camera's next frame is worth more than the tenth look at this one."""
    looks: list[tuple[Found, ...]] = []
    witness: Witness | None = None
    for look in LOOKS:
        waiting = witness is None and any(one.weak for found in looks for one in found)
        if looks and (settled(looks, witness) or (enough() and not waiting)):
            break
        if look is None:
            witness = Witness(picture)
            looks.append(witness.found)
        elif look is not _LAST or (witness is not None and witness.sees_stripes):
            looks.append(look(picture))
    return tally(looks, witness)


def settled(looks: Sequence[tuple[Found, ...]], witness: Witness | None = None) -> bool:
    """Whether something counts and no other reading is in doubt."""
    counted = tally(looks, witness)
    weak = [one for look in looks for one in look if one.weak]
    return bool(counted) and not any(
        _in_doubt(one, looks, witness) for one in weak if not _is_among(one, counted)
    )


def tally(looks: Sequence[tuple[Found, ...]], witness: Witness | None = None) -> tuple[Found, ...]:
    """What counts after these looks."""
    seen = [one for look in looks for one in look]
    counted = _each_once([one for one in seen if not one.weak])
    for one in seen:
        covered = any(one.overlaps(other) for other in counted if not other.weak)
        if one.weak and not covered and _counts(one, seen, witness):
            counted.append(one)
    return tuple(_each_once(counted))


def _counts(one: Found, seen: Sequence[Found], witness: Witness | None) -> bool:
    rivals = [other for other in seen if other.overlaps(one) and not other.says_same(one)]
    word = _word(one, witness)
    if word:
        return not any(_word(rival, witness) for rival in rivals)
    agreeing = [other.by for other in seen if other.overlaps(one) and other.says_same(one)]
    if one.symbology is Symbology.EAN_13:
        return word is None and witness is not None and len(set(agreeing)) > 1 and not rivals
    return len(agreeing) > 1 and not rivals


def _in_doubt(one: Found, looks: Sequence[tuple[Found, ...]], witness: Witness | None) -> bool:
    """Whether another look may yet make it count."""
    if witness is None:
        return True  # its own stripes have not been asked
    rivals = [other for look in looks for other in look if other.overlaps(one) and not other.says_same(one)]
    return _word(one, witness) is None and not rivals


def _word(one: Found, witness: Witness | None) -> bool | None:
    return None if witness is None else witness.says(one)


def _is_among(one: Found, others: Sequence[Found]) -> bool:
    return any(other.says_same(one) for other in others)


def _each_once(found: list[Found]) -> list[Found]:
    """The same code twice on a picture is one code: a box has its label on three sides."""
    kept: list[Found] = []
    for one in found:
        if not _is_among(one, kept):
            kept.append(one)
    return kept


# the same picture, made easier


def _threshold(picture: Picture) -> Picture:
    return np.asarray(
        cv2.adaptiveThreshold(picture, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 71, 7), np.uint8
    )


def _sharp(picture: Picture) -> Picture:
    return np.asarray(cv2.addWeighted(picture, 2.5, cv2.GaussianBlur(picture, (0, 0), 3), -1.5, 0), np.uint8)


def _made(easier: Callable[[Picture], Picture], look: Look) -> Look:
    return lambda picture: look(easier(picture))


def _at_size(look: Look, times: Callable[[Picture], float]) -> Look:
    """Look at the picture at another size; what was found is where it is on the picture itself."""

    def at_size(picture: Picture) -> tuple[Found, ...]:
        factor = times(picture)
        if factor == 1:
            return look(picture)
        how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
        size = tuple(max(1, round(side * factor)) for side in reversed(picture.shape))
        if min(size) < SMALL_SIDE:
            return ()
        found = look(np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8))
        return tuple(
            replace(one, corners=tuple((round(x / factor), round(y / factor)) for x, y in one.corners))
            for one in found
        )

    return at_size


def _other(picture: Picture) -> float:
    return 2 if picture.size <= DOUBLE_PIXELS_MAX else 0.5


def _bearable(picture: Picture) -> float:
    factor = 1
    while picture.size > ZBAR_PIXELS_MAX * factor * factor:
        factor += 1
    return 1 / factor


_zbar = _at_size(look_zbar, _bearable)
_LAST = _at_size(_zbar, _other)  # worth its time where there are stripes at all

LOOKS: tuple[Look | None, ...] = (
    look_zxing,
    _zbar,
    None,  # the stripes themselves
    _at_size(look_zxing_flat, lambda _: 1 / 3),
    _made(_threshold, look_zxing),
    _at_size(_made(_sharp, look_zxing), _other),
    _LAST,
)
