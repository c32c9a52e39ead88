"""The bench of the camera: what it measures, on readers whose speed and eyesight are known."""

from __future__ import annotations

from itertools import islice

import numpy as np

from tillbox.hardware.decoding import Gaze, gaze
from tillbox.proof.camera import PATIENCE_FRAMES, Watching, until_read, waits
from tillbox.proof.decoding import Read
from tillbox.proof.pictures import FAULTS, KINDS, counter, hold, make
from tillbox.proof.tables import camera_markdown

FRAMES = [np.full((4, 4), number, np.uint8) for number in range(PATIENCE_FRAMES)]


def reads(says: bytes, since: int) -> Watching:
    """Reads one thing, from some frame on."""

    def watching(frame: np.ndarray, now_ms: int) -> list[Read]:
        return [(says, says.decode())] if frame[0, 0] >= since else []

    return watching


def test_a_code_that_is_read_at_the_fourth_frame_was_waited_for_three_frames_long() -> None:
    waited_ms, wrong = until_read(reads(b"TEA", since=3), b"TEA", FRAMES)
    assert waited_ms is not None
    assert waited_ms >= 200
    assert not wrong


def test_what_is_never_read_or_read_wrong_is_said_so() -> None:
    assert until_read(reads(b"TEA", since=99), b"TEA", FRAMES) == (None, False)
    assert until_read(reads(b"MILK", since=2), b"TEA", FRAMES) == (None, True)


def test_a_code_that_was_never_read_counts_as_the_longest_wait() -> None:
    assert waits([10.0, 20.0, 30.0]) == {"read": 3, "p50_ms": 20.0, "p95_ms": 30.0}
    assert waits([10.0, None, 20.0]) == {"read": 2, "p50_ms": 20.0, "p95_ms": None}


def test_a_held_code_shakes_and_stays_the_same_code() -> None:
    says, frames = hold("payment", "clean", seed=1)
    shown = list(islice(frames, 3))
    assert not np.array_equal(shown[0], shown[1])
    gazing = Gaze()
    assert [[one.raw for one in gazing.look(frame)] for frame in shown] == [[says]] * 3
    assert hold("payment", "clean", seed=1)[0] == says != hold("payment", "clean", seed=2)[0]


def test_nothing_on_an_empty_counter_is_read_in_any_way_of_looking() -> None:
    gazing = Gaze()
    gazing.wake()
    assert [gazing.look(frame) for frame in islice(counter(seed=1), len(gaze.TURNS))] == [()] * len(
        gaze.TURNS
    )


def test_the_report_is_a_table() -> None:
    names = ("tillbox", "pyzbar", "zxing-cpp")
    score = {"read": 7, "p50_ms": 3.0, "p95_ms": None, "wrong": 1}
    report = {
        "empty_ms": dict.fromkeys(names, 1.5),
        "motion_ms": 0.1,
        "gated_core_percent": 0.9,
        "clean_payment_ms": {name: {"median_ms": 1.6, "p95_ms": 2.4} for name in names},
        "held": [{"kind": kind, "holds": len(FAULTS), **dict.fromkeys(names, score)} for kind in KINDS],
    }
    text = camera_markdown(report)
    assert text.count("7 (1), 3.0 / never") == len(KINDS) * len(names)
    assert "0.9 % of a core" in text


def test_pictures_are_the_same_for_the_same_seed() -> None:
    one, other = (next(make("ticket", 1, seed=4)) for _ in range(2))
    assert one.says == other.says
    assert np.array_equal(one.picture, other.picture)
