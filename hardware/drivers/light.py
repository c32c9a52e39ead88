"""Whether there is light enough to read by, and not too much. Pure: frames and the time come in.

A counter at night is dark and a customer's phone shines by itself, so only what lasts is said: a lens that is covered, a lamp
that is off, a window behind the counter. What to do is a person's affair; the camera's own exposure is left to itself.
"""

from __future__ import annotations

import numpy as np

from tillbox.hardware.decoding import Picture

LOOK_MS = 1_000
LASTS_MS = 20_000  # a hand before the lens, or a car's lights, is over by then
STRIDE = 16
DARK_LEVEL, BURNT_LEVEL = (
    30,
    225,
)  # of 255: the brightest twentieth is darker, or the darkest twentieth is brighter

DARK = "The camera sees hardly anything. Is something before it, is there light on the counter?"
BURNT = "The camera sees nothing but light. Is a lamp or a window shining into it?"


class Light:
    """Looks at a frame now and then.

    light = Light()
    light.wrong(frame, now_ms)     -> what is wrong for so long that it should be said, or empty
    """

    def __init__(self) -> None:
        self._looked_ms = self._since_ms = -LOOK_MS
        self._now = ""

    def wrong(self, picture: Picture, now_ms: int) -> str:
        """What a person should do about the light; empty while it is well, or not yet wrong for long."""
        if now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            seen = _judge(picture)
            if seen != self._now:
                self._now, self._since_ms = seen, now_ms
        return self._now if now_ms - self._since_ms >= LASTS_MS else ""


def _judge(picture: Picture) -> str:
    darkest, brightest = np.percentile(picture[::STRIDE, ::STRIDE], (5, 95))
    if brightest < DARK_LEVEL:
        return DARK
    return BURNT if darkest > BURNT_LEVEL else ""
