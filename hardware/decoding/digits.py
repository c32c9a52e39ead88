"""How each digit of an EAN or UPC is drawn, and how alike a signal is to these drawings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
Scores = NDArray[np.float64]

# The seven modules of each digit, as ISO/IEC 15420 draws them: 1 is dark.
_ODD = (
    "0001101", "0011001", "0010011", "0111101", "0100011",
    "0110001", "0101111", "0111011", "0110111", "0001011",
)  # fmt: skip
_RIGHT = tuple("".join("10"[int(module)] for module in digit) for digit in _ODD)
_EVEN = tuple(digit[::-1] for digit in _RIGHT)
_PARITIES = (
    "OOOOOO", "OOEOEE", "OOEEOE", "OOEEEO", "OEOOEE", "OEEOOE", "OEEEOO", "OEOEOE", "OEOEEO", "OEEOEO",
)  # fmt: skip
"""The first of the thirteen digits is not drawn: it is which of the next six are drawn with even parity."""

SAMPLES = 4  # samples of a module
QUIET = 6  # modules beside the code that are looked at too
SLIDE = 6  # samples that a digit may have slid to either side: paper bends
MODULES, BARS, MIDDLE = 95, 30, 45
STARTS = (*range(3, 45, 7), *range(50, 92, 7))
"""Where the twelve drawn digits begin, in modules from the first bar."""


def digits_of(columns: NDArray[np.int64]) -> list[int] | None:
    """The thirteen digits of twelve drawings: 0 to 9 odd or right-hand, 10 to 19 even; None where the parity of the
    left-hand six stands for no first digit."""
    parity = "".join("E" if column >= 10 else "O" for column in columns[:6])
    return (
        [_PARITIES.index(parity), *(int(column) % 10 for column in columns)] if parity in _PARITIES else None
    )


def columns_of(text: str) -> list[int] | None:
    """The twelve drawings of thirteen digits, or None where it is no such text."""
    if len(text) != 13 or not (text.isascii() and text.isdecimal()):
        return None
    digits = [int(digit) for digit in text]
    parity = _PARITIES[digits[0]]
    return [d + 10 * (p == "E") for d, p in zip(digits[1:7], parity, strict=True)] + digits[7:]


def check(digits: list[int]) -> int:
    """Nought where the last digit checks the others."""
    weighted = reversed(digits)
    return sum(digit * (3 if n % 2 else 1) for n, digit in enumerate(weighted)) % 10


# likeness


def drawn_of(modules: str) -> Signal:
    """Modules as a signal to correlate with: a little blurred, about nought, of length one."""
    drawn = np.repeat([float(module) for module in modules], SAMPLES)
    drawn = np.convolve(np.pad(drawn, 1, mode="edge"), np.ones(3) / 3, "valid")
    drawn = drawn - drawn.mean()
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


_LEFT = np.array([drawn_of(digit) for digit in _ODD + _EVEN])
_RIGHT_HAND = np.array([drawn_of(digit) for digit in _RIGHT])


def alike(parts: NDArray[np.floating], drawings: Signal) -> NDArray[np.floating]:
    """The correlation of each row with one drawing or with each of several."""
    level = parts - parts.mean(-1, keepdims=True)
    length = np.linalg.norm(level, axis=-1) + 1e-6
    found = level @ drawings.T
    return np.asarray(found / (length[..., None] if drawings.ndim == 2 else length))


def likenesses(samples: Signal) -> Scores:
    """Each digit's likenesses, where it fits best: a digit follows the one before it, give or take a sample.
    One table for each row of samples."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, 7 * SAMPLES, axis=1)
    slides = np.arange(-SLIDE, SLIDE + 1)
    scores = np.full((len(samples), len(STARTS), len(slides), 20), -9.0)
    for digit, start in enumerate(STARTS):
        drawings = _LEFT if digit < 6 else _RIGHT_HAND
        parts = windows[:, (QUIET + start) * SAMPLES + slides]
        scores[:, digit, :, : len(drawings)] = alike(parts, drawings)
    path = _smoothest(scores.max(3))
    return np.asarray(np.take_along_axis(scores, path[:, :, None, None], axis=2)[:, :, 0])


def _smoothest(best: Scores) -> NDArray[np.int64]:
    """How far each digit slid, on the best path (Viterbi): a step costs, and two are possible over the middle."""
    rows, count, slides = best.shape
    ends = 0.03 * np.abs(np.arange(slides) - SLIDE)
    total = best[:, 0] - ends
    came = np.zeros((count, rows, slides), np.int64)
    for digit in range(1, count):
        reach = 2 if digit == 6 else 1
        steps = np.full((2 * reach + 1, rows, slides), -1e9)
        for n, step in enumerate(range(-reach, reach + 1)):
            to = slice(max(0, step), slides + min(0, step))
            origin = slice(max(0, -step), slides + min(0, -step))
            steps[n, :, to] = total[:, origin] - 0.02 * abs(step)
        chosen = steps.argmax(0)
        came[digit] = np.arange(slides) - (chosen - reach)
        total = steps.max(0) + best[:, digit]
    path = [(total - ends).argmax(1)]
    for digit in range(count - 1, 0, -1):
        path.append(came[digit][np.arange(rows), path[-1]])
    return np.stack(path[::-1], axis=1)
