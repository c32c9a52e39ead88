"""EAN and UPC read as a whole: how well does each digit's drawing fit what the picture shows?

A decoder that looks for edges fails where edges are gone: in blur, in glare, at two pixels a bar. Here nothing is cut
into bars. A band of the picture is laid upright, both ends of the code are guessed from the bars there are
(`bands.py`), and every digit is correlated with its ten drawings, wherever it may have slid a little (`digits.py`).
The picture's own numbers then say how sure this is: `fit` (how alike the whole is) and `margin` (how much worse the
runner-up of the least certain digit is). On 515 photographs and 525 made pictures no wrong reading had a fit of
0.895, or was read three times.

The idea is old: matching deformable templates, as in Gallo and Manduchi, "Reading 1D Barcodes with Mobile
Phones Using Deformable Templates" (IEEE TPAMI 33, 2011).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tillbox.contracts.codes.reads import Symbology

from .bands import samples_of
from .digits import Scores, check, columns_of, digits_of, likenesses
from .found import Found, Point
from .patches import Patch, patch_at
from .picture import Picture

CERTAIN_FIT, CERTAIN_MARGIN, SURE_FIT, OFTEN = 0.86, 0.085, 0.895, 3
AGREES_FIT, AGREES_BELOW, AGREES_GAP = 0.77, 0.06, 0.012
CLEAR_FIT = 0.84
ASKED_THERE_MAX = 2  # readings of one picture; each takes 5 to 10 ms
REMINDS_FIT = 0.72  # as two in three striped things that are no code are not, and nine codes in ten are


@dataclass(frozen=True, slots=True)
class Evidence:
    """How alike each digit is to each of its drawings, at one guess of where the code lies.

    `scores` has a row for each of the twelve drawn digits and 20 columns: odd (or right-hand) 0 to 9, then
    even 0 to 9; correlations of -1 to 1, and -9 where a drawing cannot stand.
    """

    scores: Scores
    box: tuple[Point, ...]

    @property
    def best(self) -> float:
        """The fit of the likeliest digits, whether or not they are a code."""
        return float(self.scores.max(1).mean())

    def reading(self) -> Reading | None:
        """The best digits, or None where parity or check digit say that they are none."""
        best = self.scores.argmax(1)
        digits = digits_of(best)
        if digits is None or check(digits) != 0:
            return None
        ordered = np.sort(self.scores, axis=1)
        margin = float((ordered[:, -1] - ordered[:, -2]).min())
        return Reading("".join(map(str, digits)), float(ordered[:, -1].mean()), margin, self.box)

    def fit_of(self, text: str) -> float:
        """How alike the picture is to these digits; -1 where they cannot be drawn so."""
        columns = columns_of(text)
        return -1.0 if columns is None else float(self.scores[np.arange(len(columns)), columns].mean())


@dataclass(frozen=True, slots=True)
class Reading:
    """One code that was read whole. `fit` is 1 for a perfect drawing; `margin` is the least certain digit's."""

    text: str
    fit: float
    margin: float
    box: tuple[Point, ...]

    @property
    def certain(self) -> bool:
        """Whether it counts without another decoder."""
        return self.fit >= CERTAIN_FIT and self.margin >= CERTAIN_MARGIN


class Witness:
    """What the striped parts of a picture say, by themselves and of what others have read there."""

    def __init__(self, picture: Picture, patches: Iterable[Patch]) -> None:
        self._picture = picture
        self._there: dict[tuple[Point, ...], list[Evidence]] = {}
        self._seen = [one for patch in patches for one in _until_certain(_evidence(patch))]

    @property
    def found(self) -> tuple[Found, ...]:
        """Codes that need nobody else's word, each once."""
        certain: dict[str, list[Reading]] = {}
        for one in self._seen:
            if (reading := one.reading()) is not None and reading.certain:
                certain.setdefault(reading.text, []).append(reading)
        best = [max(readings, key=lambda one: one.fit) for readings in certain.values() if _is_sure(readings)]
        return tuple(Found(one.text.encode(), one.text, Symbology.EAN_13, one.box, "stripes") for one in best)

    def is_reminded_by(self, patch: Patch) -> bool:
        """Whether what lies there is more like a code than most stripes in the world are."""
        return any(one.box == patch.box and one.best >= REMINDS_FIT for one in self._seen)

    def says(self, found: Found) -> bool | None:
        """Whether what somebody read there is what is drawn there; None where the drawing is too poor to say.

        Where a patch is too poor, since it has more in it than a code, what lies exactly between the corners of the
        reading may still agree with it; a word against it is the patches' alone."""
        word = _word([one for one in self._seen if found.lies_in(one.box)], found.text)
        if word is None and columns_of(found.text) is not None:
            word = _word(self._evidence_there(found.corners), found.text) or None
        return word

    def _evidence_there(self, corners: tuple[Point, ...]) -> list[Evidence]:
        if corners not in self._there and len(self._there) < ASKED_THERE_MAX:
            patch = patch_at(self._picture, corners)
            self._there[corners] = list(_until_certain(_evidence(patch))) if patch else []
        return self._there.get(corners, [])


def _word(here: Sequence[Evidence], text: str) -> bool | None:
    likeliest = max((one.best for one in here), default=0.0)
    for one in here:
        fit = one.fit_of(text)
        if fit >= max(AGREES_FIT, likeliest - AGREES_BELOW) and one.best - fit <= AGREES_GAP:
            return True
    others = (reading for one in here if (reading := one.reading()) is not None)
    return False if any(other.fit >= CLEAR_FIT and other.text != text for other in others) else None


def _is_sure(readings: list[Reading]) -> bool:
    """Blur along the bars can make another code of one, once; not in three bands, and not so like its drawing."""
    return len(readings) >= OFTEN or max(one.fit for one in readings) >= SURE_FIT


def _until_certain(seen: Iterator[Evidence]) -> Iterator[Evidence]:
    """A code that was read so often needs no more looks."""
    read: Counter[str] = Counter()
    for one in seen:
        yield one
        reading = one.reading()
        if reading is not None and reading.certain:
            read[reading.text] += 1
            if read[reading.text] >= OFTEN:
                return


def _evidence(patch: Patch) -> Iterator[Evidence]:
    for samples in samples_of(patch.pixels):
        yield from (Evidence(scores, patch.box) for scores in likenesses(samples))
