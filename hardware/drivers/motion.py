"""Whether a frame differs from the last one enough to be worth decoding. Pure: frames and the time come in.

A counter is empty most of the day, and decoding an empty frame costs most of all. Blocks are compared and
not pixels, so that the sensor's noise averages out and a phone in one corner does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tillbox.hardware.decoding import Picture

STRIDE = 4  # every fourth pixel each way is enough to see a hand
BLOCK = 8  # in those pixels: noise of 20 grey levels comes out as 2.5
MOVED_LEVELS = 10


class Motion:
    """Compares each frame with the last one that was worth it."""

    def __init__(self, look_again_ms: int) -> None:
        self._look_again_ms = look_again_ms
        self._blocks: NDArray[np.float32] | None = None
        self._looked_ms = 0

    def worth_a_look(self, picture: Picture, now_ms: int) -> bool:
        """True if something moved, or if the last look is a while ago: a still code may come into focus."""
        blocks = _blocks(picture)
        last = self._blocks
        still = last is not None and last.shape == blocks.shape and _difference(last, blocks) < MOVED_LEVELS
        if still and now_ms - self._looked_ms < self._look_again_ms:
            return False
        self._blocks = blocks
        self._looked_ms = now_ms
        return True


def _blocks(picture: Picture) -> NDArray[np.float32]:
    few = picture[::STRIDE, ::STRIDE]
    down, across = few.shape[0] // BLOCK, few.shape[1] // BLOCK
    if not down or not across:
        return few.astype(np.float32)
    whole = few[: down * BLOCK, : across * BLOCK]
    blocks: NDArray[np.float32] = whole.reshape(down, BLOCK, across, BLOCK).mean((1, 3), np.float32)
    return blocks


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max())
