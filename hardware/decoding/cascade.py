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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from tillbox.contracts.codes.reads import Symbology

from .easier import SMALL_SIDE, at_size, banded, made, sharp, threshold
from .found import Found
from .looks import Look, look_linear_quick, look_zbar, look_zxing, look_zxing_flat
from .patches import Patch, patches
from .picture import Picture
from .stripes import Witness

DOUBLED_PIXELS_MAX = 200_000  # codes this poor come from small pictures; a larger one is looked at in parts
ZBAR_PIXELS_MAX = 4_000_000  # zbar takes 30 ms for each million on a fast core; a phone's photo has twelve


def decode(picture: Picture, *, enough: Callable[[], bool] = lambda: False) -> tuple[Found, ...]:
    """The codes on a grey picture, each once, strong ones first. Never raises for what is drawn on it.

    `enough` is asked before each look but the first; what was found by then is judged as ever. A photograph is
    worth all looks; a camera's next frame is worth more than the tenth look at this one."""
    sight = Sight(picture)
    for n, look in enumerate(LOOKS):
        if n and (sight.settled or (enough() and not sight.waits)):
            break
        sight.take(look)
    return sight.counted


class Sight:
    """One picture, and what the looks at it have found so far."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._taken: dict[SightLook, tuple[Found, ...]] = {}
        self._witness: Witness | None = None

    @cached_property
    def patches(self) -> tuple[Patch, ...]:
        """Its striped parts."""
        return patches(self.picture)

    @property
    def likely(self) -> tuple[Patch, ...]:
        """Those that may yet be a goods code; all of them before the stripes were asked."""
        witness = self._witness
        return tuple(patch for patch in self.patches if witness is None or witness.is_reminded_by(patch))

    def take(self, look: SightLook) -> None:
        """Look once more; the same look twice is one look."""
        if look not in self._taken:
            self._taken[look] = look(self)

    def ask_stripes(self) -> tuple[Found, ...]:
        """The look of the stripes themselves, which from now on have a word on what others read."""
        self._witness = Witness(self.picture, self.patches)
        return self._witness.found

    def ask_stripes_there(self) -> tuple[Found, ...]:
        """The same where something waits for their word, and nowhere else."""
        weak = [one for found in self._taken.values() for one in found if one.weak]
        near = (patch for patch in self.patches if any(one.lies_in(patch.box) for one in weak))
        self._witness = Witness(self.picture, near)
        return self._witness.found

    @property
    def waits(self) -> bool:
        """Whether something was read that needs the stripes' word, and they were not asked."""
        return self._witness is None and any(one.weak for found in self._taken.values() for one in found)

    @property
    def settled(self) -> bool:
        """Whether another look would not help."""
        return settled(list(self._taken.values()), self._witness)

    @property
    def counted(self) -> tuple[Found, ...]:
        """What counts so far."""
        return tally(list(self._taken.values()), self._witness)


SightLook = Callable[[Sight], tuple[Found, ...]]


# the rules


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


def _each_once(found: Sequence[Found]) -> list[Found]:
    """The same code twice on a picture is one code: a box has its label on three sides."""
    kept: list[Found] = []
    for one in found:
        if not _is_among(one, kept):
            kept.append(one)
    return kept


# the looks


def whole(look: Look) -> SightLook:
    """Look at the whole picture."""
    return lambda sight: look(sight.picture)


def lines(*looks: Look) -> SightLook:
    """Look at the striped parts alone, each in all these ways. What one decoder reads twice in one place it has
    read once: these ways are so alike that it would be its own second witness."""

    def look_at_lines(sight: Sight) -> tuple[Found, ...]:
        return tuple(one for patch in sight.likely for one in _once(patch, looks))

    return look_at_lines


def _once(patch: Patch, looks: Sequence[Look]) -> list[Found]:
    seen = {(one.raw, one.by): one for look in looks for one in look(patch.pixels)}
    return [replace(one, corners=patch.place(one.corners)) for one in seen.values()]


def doubled(look: Look) -> SightLook:
    """Look at twice the size, where the picture is so small that this costs little."""
    at_twice = at_size(look, _twice)
    return lambda sight: at_twice(sight.picture) if sight.picture.size <= DOUBLED_PIXELS_MAX else ()


def near(look: Look) -> SightLook:
    """Look at the parts of the picture in which the stripes lie, as they are."""

    def look_near(sight: Sight) -> tuple[Found, ...]:
        return tuple(one for patch in sight.likely for one in _looked_near(sight.picture, patch, look))

    return look_near


def _looked_near(picture: Picture, patch: Patch, look: Look) -> Iterator[Found]:
    across, down = [x for x, _ in patch.box], [y for _, y in patch.box]
    left, top = max(0, min(across)), max(0, min(down))
    part = picture[top : max(down) + 1, left : max(across) + 1]
    for one in look(np.ascontiguousarray(part)) if min(part.shape) >= SMALL_SIDE else ():
        yield replace(one, corners=tuple((x + left, y + top) for x, y in one.corners))


def _bearable(picture: Picture) -> float:
    factor = 1
    while picture.size > ZBAR_PIXELS_MAX * factor * factor:
        factor += 1
    return 1 / factor


def _twice(_: Picture) -> float:
    return 2


look_lines = lines(
    look_linear_quick,
    *(made(easier, look_linear_quick) for easier in (threshold, sharp, banded)),
)

LOOKS: tuple[SightLook, ...] = (
    whole(look_zxing),
    look_lines,
    Sight.ask_stripes,
    whole(at_size(look_zbar, _bearable)),
    whole(at_size(look_zxing_flat, lambda _: 1 / 3)),
    lines(*(made(easier, look_zbar) for easier in (threshold, banded))),
    whole(made(threshold, look_zxing)),
    doubled(made(sharp, look_zxing)),
    doubled(look_zbar),
    near(at_size(look_zbar, _twice)),
    near(at_size(made(sharp, look_linear_quick), _twice)),
)
