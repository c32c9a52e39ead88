"""What a camera costs and how soon it reads: the box's watch beside each decoder alone, on the same frames.

Four figures for frames of 1280x720 in grey on one core: what an empty counter costs a frame, with every look
that a camera takes and with the motion gate; what a clean payment code costs; and how long after its first frame
a code is read that somebody holds before it, in every fault of `pictures.py`. Frames that a reader is too slow for
are lost to it, as they are at a camera. The milliseconds are the processor's, so that a busy machine does not
count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import cv2

from tillbox.hardware.decoding import Gaze, Picture
from tillbox.hardware.drivers.motion import Motion
from tillbox.hardware.drivers.watch import Watch

from .decoding import READERS, Read
from .pictures import FAULTS, KINDS, counter, hold, make

FRAMES_PER_SECOND = 15
EMPTY_FRAMES = 144  # each costly look once
GATED_FRAMES = 600
CLEAN = 20
RESTING_FRAMES = 8  # more than there are costly looks
PATIENCE_FRAMES = 15  # nobody holds a phone there for longer than a second

Watching = Callable[[Picture, int], list[Read]]
"""What a reader says is there, frame by frame: the picture and the time in milliseconds."""


def run(holds: int, said: Callable[[str], None]) -> dict[str, Any]:
    """The four figures. `holds` is how often each kind of code is held there in each fault."""
    cv2.setNumThreads(1)
    said("an empty counter")
    empty = list(islice(counter(seed=1), 8))
    report: dict[str, Any] = {
        "empty_ms": {
            name: _mean(_each_ms(start(), empty * (EMPTY_FRAMES // 8))) for name, start in _STARTS.items()
        },
        "motion_ms": _mean(_each_ms(_motion(), empty * 20)),
        "gated_core_percent": _gated(empty),
    }
    said("clean payment codes")
    clean = [
        one.picture for one in make("payment", CLEAN * len(FAULTS), seed=2) if one.name.endswith("clean")
    ]
    report["clean_payment_ms"] = {
        name: _spread([_each_ms(start(), [picture])[0] for picture in clean])
        for name, start in _STARTS.items()
    }
    report["held"] = [_held(kind, holds, said) for kind in KINDS]
    return report


def _ours() -> Watching:
    """A gaze at every frame, whether or not anything moves."""
    gaze = Gaze()
    return lambda picture, _: [(one.raw, one.text) for one in gaze.look(picture)]


def _gated_watch() -> Watching:
    watch = Watch(repeat_ms=1_500, look_again_ms=500)
    return lambda picture, now_ms: [(one.raw, one.text) for one in watch.see(picture, now_ms)]


def _rested_watch() -> Watching:
    """One that has seen nothing but the empty counter for a while."""
    watching = _gated_watch()
    for before, frame in enumerate(islice(counter(seed=1), RESTING_FRAMES)):
        watching(frame, _at_ms(before - RESTING_FRAMES))
    return watching


def _motion() -> Watching:
    motion = Motion()

    def moved(picture: Picture, _: int) -> list[Read]:
        motion.moved(picture)
        return []

    return moved


def _alone(name: str) -> Callable[[], Watching]:
    return lambda: lambda picture, _: READERS[name](picture)


_STARTS: dict[str, Callable[[], Watching]] = {
    "tillbox": _ours,
    "pyzbar": _alone("pyzbar"),
    "zxing-cpp": _alone("zxing-cpp"),
}
"""How each reader begins at a camera; ours remembers from frame to frame."""


def _gated(empty: Sequence[Picture]) -> float:
    each_ms = _each_ms(_gated_watch(), [empty[number % len(empty)] for number in range(GATED_FRAMES)])
    return round(sum(each_ms) / (GATED_FRAMES * 1000 / FRAMES_PER_SECOND) * 100, 2)


def _each_ms(watching: Watching, frames: Sequence[Picture]) -> list[float]:
    return [_timed(watching, frame, _at_ms(number))[1] for number, frame in enumerate(frames)]


def _timed(watching: Watching, frame: Picture, now_ms: int) -> tuple[list[Read], float]:
    began_ns = time.thread_time_ns()
    reads = watching(frame, now_ms)
    return reads, (time.thread_time_ns() - began_ns) / 1e6


def _at_ms(number: int) -> int:
    return round(number * 1000 / FRAMES_PER_SECOND)


# held before it


def _held(kind: str, holds: int, said: Callable[[str], None]) -> dict[str, Any]:
    said(f"{kind} held before it")
    starts = {**_STARTS, "tillbox": _rested_watch}
    until_ms: dict[str, list[float | None]] = {name: [] for name in starts}
    wrong = dict.fromkeys(starts, 0)
    for fault in FAULTS:
        for seed in range(holds):
            says, frames = hold(kind, fault, seed)
            shown = list(islice(frames, PATIENCE_FRAMES))
            for name, start in starts.items():
                watching = start()
                said_ms, was_wrong = until_read(watching, says, shown)
                until_ms[name].append(said_ms)
                wrong[name] += was_wrong
    return {"kind": kind, "holds": holds * len(FAULTS)} | {
        name: {**waits(times), "wrong": wrong[name]} for name, times in until_ms.items()
    }


def until_read(watching: Watching, says: bytes, frames: Sequence[Picture]) -> tuple[float | None, bool]:
    """When it was read, in milliseconds after it was first shown, or None; and whether something else was."""
    now_ms, number, wrong = 0.0, 0, False
    while number < len(frames):
        now_ms = max(now_ms, _at_ms(number))
        reads, took_ms = _timed(watching, frames[number], round(now_ms))
        now_ms += took_ms
        wrong = wrong or any(raw != says for raw, _ in reads)
        if any(raw == says for raw, _ in reads):
            return now_ms, wrong
        number = max(number + 1, int(now_ms * FRAMES_PER_SECOND / 1000))  # the newest there is
    return None, wrong


def waits(times_ms: Sequence[float | None]) -> dict[str, Any]:
    """How many were read, and how soon; a code that was not read was waited for in vain and has no time."""
    waited = sorted(float("inf") if one is None else one for one in times_ms)
    return {
        "read": sum(one is not None for one in times_ms),
        "p50_ms": _finite(waited[len(waited) // 2]),
        "p95_ms": _finite(waited[min(len(waited) - 1, int(len(waited) * 0.95))]),
    }


def _finite(value: float) -> float | None:
    return None if value == float("inf") else round(value, 1)


def _mean(values: Sequence[float]) -> float:
    return round(statistics.fmean(values), 2)


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 2),
    }
