"""Which utterances are still worth saying. Pure: what time it is comes in."""

from __future__ import annotations

from tillbox.hardware.ports import Utterance

STALE_MS = 10_000  # by then another customer stands at the counter
WAITING_MAX = 4  # an amount takes about three seconds to say, so a fifth would be stale before its turn


def is_fresh(utterance: Utterance, now_ms: int) -> bool:
    """Whether it may be said now. One from the future is of another boot's clock, and never may."""
    return 0 <= now_ms - utterance.said_ms < STALE_MS
