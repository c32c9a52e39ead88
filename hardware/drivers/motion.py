"""Whether a frame differs from what was before the camera. Pure: frames come in.

A counter is empty most of the day, and decoding an empty frame costs most of all. Blocks are compared and
not pixels, so that the sensor's noise averages out and a phone in one corner does not.
"""

from __future__ import annotations

import cv2
import numpy as np

from tillbox.hardware.decoding import Picture

BLOCK_PIXELS = 32
ROWS_APART = 4  # a quarter of a block's pixels are enough: noise of 24 grey levels comes out as 1.5
MOVED_LEVELS = 10


class Motion:
    """Compares each frame with the one that last was new."""

    def __init__(self) -> None:
        self._blocks: Picture | None = None

    def moved(self, picture: Picture) -> bool:
        """True if something moved since this was last true: a slow hand has moved in the end."""
        blocks = _blocks(picture)
        last = self._blocks
        if last is not None and last.shape == blocks.shape and cv2.absdiff(last, blocks).max() < MOVED_LEVELS:
            return False
        self._blocks = blocks
        return True


def _blocks(picture: Picture) -> Picture:
    down, across = (side // BLOCK_PIXELS for side in picture.shape)
    if not down or not across:
        return picture
    # Whole blocks only: OpenCV averages a whole number of pixels ten times as fast as a fraction.
    few = picture[: down * BLOCK_PIXELS : ROWS_APART, : across * BLOCK_PIXELS]
    return np.asarray(cv2.resize(few, (across, down), interpolation=cv2.INTER_AREA), np.uint8)
