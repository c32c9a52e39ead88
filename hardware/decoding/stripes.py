"""EAN and UPC read as a whole: how well does each digit's drawing fit what the picture shows?

A decoder that looks for edges fails where edges are gone: in blur, in glare, at two pixels a bar. Here nothing
is cut into bars. A band of the picture is laid upright, both ends of the code are guessed from the bars there
are, and every digit is correlated with its ten drawings, wherever it may have slid a little. The picture's own
numbers then say how sure this is: `fit` (how alike the whole is) and `margin` (how much worse the runner-up of
the least certain digit is). On 515 photographs and 525 made pictures no wrong reading had a fit of 0.895, or was
read three times.

The idea is old: matching deformable templates, as in Gallo and Manduchi, "Reading 1D Barcodes with Mobile
Phones Using Deformable Templates" (IEEE TPAMI 33, 2011).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tillbox.contracts.codes.reads import Symbology

from .digits import (
    BARS,
    MIDDLE,
    MODULES,
    QUIET,
    SAMPLES,
    Scores,
    Signal,
    alike,
    check,
    columns_of,
    digits_of,
    drawn_of,
    likenesses,
)
from .found import Found, Point
from .patches import Patch, patch_at
from .picture import Picture

CANDIDATES = 6  # pairs of ends that are worth a whole look
BANDS, BAND_ROWS = 5, 24
CERTAIN_FIT, CERTAIN_MARGIN, SURE_FIT, OFTEN = 0.86, 0.085, 0.895, 3
AGREES_FIT, AGREES_BELOW, AGREES_GAP = 0.77, 0.06, 0.012
CLEAR_FIT = 0.84
ASKED_THERE_MAX = 2  # readings of one picture; each takes 5 to 10 ms
REMINDS_FIT = 0.72  # as two in three striped things that are no code are not, and nine codes in ten are
GUARDS_MIN = 1.2  # of 3, which would be three perfect guards
SHEARS = np.linspace(-0.75, 0.75, 9)


_GUARDS = (
    (-5, 8, drawn_of("00000101")),
    (MIDDLE, 5, drawn_of("01010")),
    (MODULES - 3, 8, drawn_of("10100000")),
)
"""Where each begins, in modules from the first bar, how wide it is, and how it is drawn; with some of the quiet zone."""


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
    for band in _bands(patch.pixels):
        for signal in (band, _sharpened(band)):
            yield from _guesses(signal, patch.box)


# bands of a patch


def _bands(pixels: Picture) -> Iterator[Signal]:
    """The darkness along each band of a patch, the band slanted so that its bars are steepest."""
    rows, columns = pixels.shape
    tops = np.linspace(0, rows - BAND_ROWS, BANDS).astype(int).tolist()
    for top in sorted(tops, key=lambda top: abs(top - (rows - BAND_ROWS) / 2)):
        band = pixels[top : top + BAND_ROWS].astype(np.float32)
        slanted = [_slanted(band, float(shear), columns) for shear in SHEARS]
        steepest = max(slanted, key=lambda signal: float(np.abs(np.diff(signal)).sum()))
        yield np.asarray(255 - steepest, np.float32)


def _slanted(band: Signal, shear: float, columns: int) -> Signal:
    matrix = np.array([[1, shear, -shear * BAND_ROWS / 2], [0, 1, 0]], np.float32)
    turned = cv2.warpAffine(band, matrix, (columns, BAND_ROWS), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned.mean(0), np.float32)


def _sharpened(signal: Signal) -> Signal:
    blurred = cv2.GaussianBlur(signal.reshape(1, -1), (0, 0), 4).ravel()
    return np.asarray(2.5 * signal - 1.5 * blurred, np.float32)


# where a code begins and ends


def _guesses(signal: Signal, box: tuple[Point, ...]) -> Iterator[Evidence]:
    level, starts, ends = _bars(signal)
    if min(len(starts), len(ends)) >= BARS // 2:
        samples = _placed(level, starts, ends)
        if len(samples):
            # A code may stand on its head: its guards look the same either way.
            both = np.concatenate((samples, samples[:, ::-1]))
            yield from (Evidence(scores, box) for scores in likenesses(both))


def _bars(signal: Signal) -> tuple[Signal, Scores, Scores]:
    """The signal levelled to about -0.5 to 0.5, and where bars begin and end, in fractions of a pixel."""
    row = signal.reshape(1, -1)
    size = max(15, row.shape[1] // 12) | 1
    low = cv2.blur(cv2.erode(row, np.ones((1, size), np.uint8)), (size, 1)).ravel()
    high = cv2.blur(cv2.dilate(row, np.ones((1, size), np.uint8)), (size, 1)).ravel()
    contrast = high - low
    apart = np.asarray(signal - (low + high) / 2, np.float32)
    level = np.asarray(apart / np.maximum(contrast, 1e-6), np.float32)
    apart[contrast < 0.12 * contrast.max()] = -1e-3  # paper, whatever its noise
    dark = apart > 0
    begin = np.flatnonzero(~dark[:-1] & dark[1:])
    end = np.flatnonzero(dark[:-1] & ~dark[1:])
    return level, _crossing(apart, begin), _crossing(apart, end)


def _crossing(apart: Signal, at: NDArray[np.int64]) -> Scores:
    """Where exactly between `at` and the next pixel the signal crosses its middle."""
    return np.asarray(at + apart[at] / (apart[at] - apart[at + 1]), np.float64)


def _placed(level: Signal, starts: Scores, ends: Scores) -> Signal:
    """The signal sampled between likely ends, a row for each: those whose three guards look like guards."""
    first, last = np.nonzero(ends[None, :] - starts[:, None] > 0.8 * MODULES)
    between = np.abs(np.searchsorted(starts, ends[last]) - first - BARS)
    likely = between <= BARS // 3
    first, last, between = first[likely], last[likely], between[likely]
    if len(first) > 600:
        chosen = np.argsort(between, kind="stable")[:600]
        first, last = first[chosen], last[chosen]
    if not len(first):
        return np.empty((0, 0), np.float32)
    begin, module = starts[first], (ends[last] - starts[first]) / MODULES
    guards = np.zeros(len(begin))
    for where, modules, drawing in _GUARDS:
        guards += alike(_sampled(level, begin, module, where, where + modules), drawing)
    likeliest = np.argsort(-guards)[:CANDIDATES]
    chosen = likeliest[guards[likeliest] >= GUARDS_MIN]
    return _sampled(level, begin[chosen], module[chosen], -QUIET, MODULES + QUIET)


def _sampled(level: Signal, begin: Scores, module: Scores, first: int, last: int) -> Signal:
    """The signal between two modules of each candidate, a row for each, whatever the width of its modules."""
    at_module = (np.arange(first * SAMPLES, last * SAMPLES) + 0.5) / SAMPLES
    at = np.clip(begin[:, None] + module[:, None] * at_module, 0, len(level) - 1.001)
    whole = at.astype(int)
    return np.asarray(level[whole] + (at - whole) * (level[whole + 1] - level[whole]), np.float32)
