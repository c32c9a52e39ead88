"""A patch of stripes as samples to read digits from: bands along it, levelled, and where in them a code may lie.

Nothing is read here and nothing judged but the guards, which look the same for every code: the samples of a likely place
begin `QUIET` modules before its first bar and end as many after its last, `SAMPLES` to a module.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from .digits import BARS, MIDDLE, MODULES, QUIET, SAMPLES, Scores, Signal, alike, drawn_of
from .picture import Picture

CANDIDATES = 6  # pairs of ends that are worth a whole look
BANDS, BAND_ROWS = 5, 24
GUARDS_MIN = 1.2  # of 3, which would be three perfect guards
SHEARS = np.linspace(-0.75, 0.75, 9)

_GUARDS = (
    (-5, 8, drawn_of("00000101")),
    (MIDDLE, 5, drawn_of("01010")),
    (MODULES - 3, 8, drawn_of("10100000")),
)
"""Where each begins, in modules from the first bar, how wide it is, and how it is drawn; with some of the quiet zone."""


def samples_of(pixels: Picture) -> Iterator[Signal]:
    """For each band, as it is and sharpened: the likely places in it, a row for each, read from either end."""
    for band in _bands(pixels):
        for signal in (band, _sharpened(band)):
            level, starts, ends = _bars(signal)
            if min(len(starts), len(ends)) >= BARS // 2:
                samples = _placed(level, starts, ends)
                if len(samples):
                    # A code may stand on its head: its guards look the same either way.
                    yield np.concatenate((samples, samples[:, ::-1]))


# bands


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
