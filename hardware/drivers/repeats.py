"""One code held before a camera is one code, however many frames show it. Pure: the time comes in.

A code counts anew when it has been out of sight for a while. It is not a guard against paying twice; the
till is.
"""

from __future__ import annotations

from collections.abc import Iterable

from tillbox.hardware.decoding import Found


class Repeats:
    """Remembers what was in sight, and when."""

    def __init__(self, repeat_ms: int) -> None:
        self._repeat_ms = repeat_ms
        self._last_ms: dict[bytes, int] = {}  # as long as what was seen within repeat_ms
        self._in_sight: frozenset[bytes] = frozenset()

    def fresh(self, found: Iterable[Found], now_ms: int, *, still: bool = False) -> tuple[Found, ...]:
        """Of what is in sight now, what was not in sight lately.

        What the last look saw as well has never been away, however long that look is ago: a box that
        stalls for two seconds has not seen two customers. Where the picture is `still`, nothing has gone
        away either, whether or not this look at it was one that reads it.
        """
        found = tuple(found)
        fresh = tuple(
            one for one in found if one.raw not in self._in_sight and not self._lately(one.raw, now_ms)
        )
        self._in_sight = frozenset(one.raw for one in found) | (self._in_sight if still else frozenset())
        self._last_ms = {raw: ms for raw, ms in self._last_ms.items() if now_ms - ms < self._repeat_ms}
        self.unchanged(now_ms)
        return fresh

    def unchanged(self, now_ms: int) -> None:
        """Nothing moved: what was in sight still is."""
        self._last_ms |= dict.fromkeys(self._in_sight, now_ms)

    def _lately(self, raw: bytes, now_ms: int) -> bool:
        return raw in self._last_ms and now_ms - self._last_ms[raw] < self._repeat_ms
