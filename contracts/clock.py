"""Time as an interval: a box may not know the hour, and says how far it may be off.

A Raspberry Pi has no battery for its clock. What a box knows is a *floor* (it is not earlier than the
newest time it ever saw proven) and, once the core has told it the time in this boot, an *anchor* on the
clock that counts since boot and never jumps. Nothing here reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

DRIFT_PPM = 200
"""How wrong a cheap crystal may run (200 ppm is 17 s a day)."""

FAR_FUTURE_MS = 2**47 - 1
"""The upper end while nobody has told the time: the year 6429."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """The true time lies in [lo_ms, hi_ms], Unix milliseconds."""

    lo_ms: int
    hi_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.lo_ms <= self.hi_ms:
            raise ValueError(f"[{self.lo_ms}, {self.hi_ms}] is no interval")

    @property
    def is_known(self) -> bool:
        """Whether the hour is known at all, and not only that it is later than some day."""
        return self.hi_ms < FAR_FUTURE_MS


@dataclass(frozen=True, slots=True)
class Anchor:
    """At `boot_ms` since boot the true time was in `told`."""

    boot_ms: int
    told: TimeInterval


@dataclass(frozen=True, slots=True)
class TimeBelief:
    """What a box believes about the time in this boot."""

    floor_ms: int
    anchor: Anchor | None = None

    def at(self, boot_ms: int) -> TimeInterval:
        """The time at `boot_ms` since boot. It widens as the crystal drifts from the anchor."""
        if self.anchor is None:
            return TimeInterval(self.floor_ms, FAR_FUTURE_MS)
        passed_ms = max(0, boot_ms - self.anchor.boot_ms)
        drift_ms = passed_ms * DRIFT_PPM // 1_000_000 + 1
        lo_ms = self.anchor.told.lo_ms + passed_ms - drift_ms
        return TimeInterval(
            max(self.floor_ms, lo_ms), max(self.floor_ms, self.anchor.told.hi_ms + passed_ms + drift_ms)
        )

    def told(self, core_ms: int, *, asked_boot_ms: int, answered_boot_ms: int) -> TimeBelief:
        """Believe a time that the core gave between question and answer; the narrower belief wins."""
        round_trip_ms = max(0, answered_boot_ms - asked_boot_ms)
        offered = Anchor(answered_boot_ms, TimeInterval(core_ms, core_ms + round_trip_ms))
        mine = self.at(answered_boot_ms)
        if (
            mine.is_known
            and mine.hi_ms - mine.lo_ms <= round_trip_ms
            and mine.lo_ms <= core_ms + round_trip_ms
        ):
            return self
        return TimeBelief(self.floor_ms, offered)
