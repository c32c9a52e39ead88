"""A camera's looks, spread over its frames: a cheap one at each frame, and one costly one, each in its turn.

A photograph is all there is of a code; a camera has another frame in a moment. So no frame is looked at in every
way. What reads most codes costs 2 ms and is done to each; the rest take turns while there is something new to
see, and seldom when there is not. What counts is judged as on a photograph (`cascade.py`), frame by frame.
Pure but for the decoders and `enough`.
"""

from __future__ import annotations

from collections.abc import Callable

from .cascade import Sight, SightLook, lines, look_lines, whole
from .easier import at_rows, at_size, made, threshold
from .found import Found
from .looks import look_linear_quick, look_qr_quick, look_square_quick, look_zbar, look_zxing, look_zxing_flat
from .picture import Picture

HALVE_PIXELS_MIN = 600_000  # a larger frame shows at half its size what is held before it
ROWS_HALVED = 2  # four rows are one then; bars are forty high and more
RESTING_FRAMES = 24  # a costly look in a second or two is enough for a counter on which nothing moves


class Gaze:
    """Looks at one camera's frames, as they come.

    if motion.moved(frame):
        gaze.wake()                 # every costly look is worth its turn
    codes = gaze.look(frame)
    """

    def __init__(self) -> None:
        self._owed = 0
        self._turn = 0
        self._rested = 0

    @property
    def awake(self) -> bool:
        """Whether costly looks are owed to what moved."""
        return self._owed > 0

    def wake(self) -> None:
        """What is before the camera has changed. Who was asleep begins with the look that finds most."""
        if not self.awake:
            self._turn = 0
        self._owed = len(TURNS)

    def look(self, picture: Picture, *, enough: Callable[[], bool] = lambda: False) -> tuple[Found, ...]:
        """The codes that count on this frame. `enough` says that this frame has had its time; a reading that
        waits for the stripes' word is judged all the same."""
        sight = Sight(picture)
        sight.take(look_quickly)
        close = not sight.settled and not enough() and self._has_turn()
        if close:
            sight.take(TURNS[self._turn])
        for look in (look_lines, Sight.ask_stripes_there):
            if sight.waits and not sight.settled:
                sight.take(look)
        counted = sight.counted
        if close and not counted:  # a look that has found something will find it again
            self._turn = (self._turn + 1) % len(TURNS)
        return counted

    def _has_turn(self) -> bool:
        if self._owed:
            self._owed -= 1
            return True
        self._rested = (self._rested + 1) % RESTING_FRAMES
        return not self._rested


def _half(picture: Picture) -> float:
    return 0.5 if picture.size >= HALVE_PIXELS_MIN else 1


_squares = at_size(look_qr_quick, _half)
_bars = at_rows(look_linear_quick, ROWS_HALVED)


def look_quickly(sight: Sight) -> tuple[Found, ...]:
    """What a customer mostly holds there: a QR code, or bars that stand upright."""
    return _squares(sight.picture) + _bars(sight.picture)


TURNS: tuple[SightLook, ...] = (
    look_lines,
    whole(look_square_quick),
    Sight.ask_stripes,
    lines(made(threshold, look_zbar)),
    whole(at_size(look_zxing, _half)),
    whole(at_size(look_zxing_flat, lambda _: 1 / 3)),
)
