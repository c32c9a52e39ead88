"""A camera's frames in, each code that came into sight out. Pure but for the decoders: frames and the time come in.

It looks at what moved until every look has had its turn, and at what does not move only now and then.
"""

from __future__ import annotations

from collections.abc import Callable

from tillbox.hardware.decoding import Found, Gaze, Picture

from .motion import Motion
from .repeats import Repeats


class Watch:
    """Motion, gaze and repeats of one camera.

    fresh = Watch(repeat_ms=1_500, look_again_ms=500).see(frame, now_ms)
    """

    def __init__(self, *, repeat_ms: int, look_again_ms: int) -> None:
        self._look_again_ms = look_again_ms
        self._looked_ms = -look_again_ms
        self._motion = Motion()
        self._gaze = Gaze()
        self._repeats = Repeats(repeat_ms)

    def see(
        self, picture: Picture, now_ms: int, enough: Callable[[], bool] = lambda: False
    ) -> tuple[Found, ...]:
        """What is in sight now and was not lately."""
        moved = self._motion.moved(picture)
        if moved:
            self._gaze.wake()
        elif not self._gaze.awake and now_ms - self._looked_ms < self._look_again_ms:
            self._repeats.unchanged(now_ms)
            return ()
        self._looked_ms = now_ms
        return self._repeats.fresh(self._gaze.look(picture, enough=enough), now_ms, still=not moved)

    def forget(self, now_ms: int) -> None:
        """There is no picture: whatever comes into sight from now on was out of it."""
        self._repeats.fresh((), now_ms)
