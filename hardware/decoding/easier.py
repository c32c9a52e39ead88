"""The same picture, made easier for a decoder: another size, one threshold, sharper, or its rows averaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from .found import Found
from .looks import Look
from .picture import Picture

SMALL_SIDE = 30  # nothing smaller holds a code, nor does a third of three times that


def made(easier: Callable[[Picture], Picture], look: Look) -> Look:
    """Look at what is made of the picture; it keeps its size."""
    return lambda picture: look(easier(picture))


def at_size(look: Look, times: Callable[[Picture], float]) -> Look:
    """Look at the picture at another size; what was found is where it is on the picture itself."""

    def look_at_size(picture: Picture) -> tuple[Found, ...]:
        factor = times(picture)
        if factor == 1:
            return look(picture)
        how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
        size = tuple(max(1, round(side * factor)) for side in reversed(picture.shape))
        if min(size) < SMALL_SIDE:
            return ()
        found = look(np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8))
        return tuple(_where(one, 1 / factor, 1 / factor) for one in found)

    return look_at_size


def at_rows(look: Look, halvings: int) -> Look:
    """Look at averages of two rows each, or four …: bars that stand about upright lose their noise and no width."""

    def look_at_rows(picture: Picture) -> tuple[Found, ...]:
        averaged = picture
        for _ in range(halvings):
            rows = len(averaged) // 2 * 2
            averaged = _mean(averaged[:rows:2], averaged[1:rows:2])
        return tuple(_where(one, 1, 2**halvings) for one in look(averaged)) if len(averaged) else ()

    return look_at_rows


def _mean(one: Picture, other: Picture) -> Picture:
    return np.asarray(cv2.addWeighted(one, 0.5, other, 0.5, 0), np.uint8) if len(one) else one


def _where(one: Found, across: float, down: float) -> Found:
    return replace(one, corners=tuple((round(x * across), round(y * down)) for x, y in one.corners))


def threshold(picture: Picture) -> Picture:
    """Black and white, each part by its own brightness: for glare, moiré and the dark."""
    return np.asarray(
        cv2.adaptiveThreshold(picture, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 71, 7), np.uint8
    )


def sharp(picture: Picture) -> Picture:
    """Edges as a lens in focus would show them."""
    return np.asarray(cv2.addWeighted(picture, 2.5, cv2.GaussianBlur(picture, (0, 0), 3), -1.5, 0), np.uint8)


BANDS = ((8, 3.0, 1.5), (8, 3.0, 3.0), (24, 2.0, 3.0))
"""Rows to average, and how far and how much to sharpen what that gives."""


def banded(patch: Picture) -> Picture:
    """The rows of upright bars averaged and then sharpened, each way of doing it below the other: noise goes
    first, so that what is sharpened is bars. It shows nothing but bars."""
    parts = []
    for rows, sigma, amount in BANDS:
        bands = cv2.resize(patch, (patch.shape[1], len(patch) // rows), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(bands, (0, 0), sigmaX=sigma, sigmaY=0.01)
        parts.append(cv2.addWeighted(bands, 1 + amount, soft, -amount, 0))
    return np.repeat(np.concatenate(parts), 8, axis=0)
