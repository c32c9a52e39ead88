"""Where the power goes in the drill of updates: at named steps, each of which a whole update must have been seen to take."""

from __future__ import annotations

import re
from collections.abc import Iterator


class PointUnknown(Exception):
    """An update takes no such step any more; the drill would prove nothing there."""


POINTS: tuple[tuple[str, str, str], ...] = (
    ("before a newer timestamp is believed", "before", r"replace metadata/timestamp\.json#1"),
    ("a newer timestamp is believed, the rest is not", "after", r"replace metadata/timestamp\.json#1"),
    ("before newer targets are believed", "before", r"replace metadata/targets\.json#1"),
    ("before the archive is on the disk", "before", r"sync downloads/.*\.part#1"),
    ("the archive is on the disk", "after", r"sync downloads/.*\.part#1"),
    ("the idle slot is no release any more", "after", r"sync slots/b#1"),
    ("before the new tree is on the disk", "before", r"sync slots/b/slot\.json\.new#1"),
    ("before the new slot can be started", "before", r"replace slots/b/slot\.json#1"),
    ("the new slot can be started", "after", r"replace slots/b/slot\.json#1"),
    ("before the trial is written down", "before", r"replace state\.json#1"),
    ("the trial is written down", "after", r"replace state\.json#1"),
    ("before its first start is counted", "before", r"replace state\.json#2"),
    ("its first start is counted", "after", r"replace state\.json#2"),
    ("before it is marked as kept", "before", r"replace slots/b/kept#1"),
    ("it is marked as kept, and still on trial", "after", r"replace slots/b/kept#1"),
    ("before it is kept", "before", r"replace state\.json#3"),
    ("it is kept", "after", r"replace state\.json#3"),
)
"""In the order in which they come, in words; each must be among the steps that a whole update was seen to take."""

SHORT = POINTS[6], POINTS[12], POINTS[14], POINTS[15]
LATE = re.compile(r"state\.json|kept")  # from here on a release that is staged already will do


def cuts_of(steps: list[str], *, short: bool = False) -> Iterator[tuple[str, str]]:
    """What is cut, in words, and at which step. A point that no step is like would prove nothing."""
    for label, when, pattern in SHORT if short else POINTS:
        step = next((step for step in steps if re.fullmatch(pattern, step)), None)
        if step is None:
            raise PointUnknown(f"an update has no step like {pattern}: this drill does not know it any more")
        yield label, f"{when} {step}"
