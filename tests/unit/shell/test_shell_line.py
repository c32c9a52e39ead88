"""The two ends of a remote shell, joined by a line that loses, repeats and reorders; and everybody who holds that line."""

from __future__ import annotations

from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tillbox.contracts.ids import uuid7
from tillbox.contracts.shells import (
    AGAIN_MS,
    BEAT_MS,
    DATA_BYTES_MAX,
    KEY_BYTES,
    WAITING_MAX,
    WINDOW,
    Channel,
    Keys,
    Kind,
    agreed,
    keys_of,
    public_of,
    shell_of,
    size_bytes,
    size_of,
)
from tillbox.contracts.verdicts import Reason, Refused

SHELL = uuid7(1_790_000_000_000, b"s" * 10)
FOREIGN = Refused(Reason.SHELL_FOREIGN)
CORE, BOX = b"c" * KEY_BYTES, b"b" * KEY_BYTES


def ends(shell: str = SHELL, *, core: bytes = CORE, box: bytes = BOX) -> tuple[Channel, Channel]:
    """The core's and the box's, each from its own secret and the other's public part."""
    transcript = agreed(shell, core=public_of(core), box=public_of(box))
    ours = keys_of(core, public_of(box), transcript=transcript)
    theirs = keys_of(box, public_of(core), transcript=transcript)
    assert isinstance(ours, Keys)
    assert ours == theirs
    return (
        Channel(shell, send=ours.down, receive=ours.up, now_ms=0),
        Channel(shell, send=ours.up, receive=ours.down, now_ms=0),
    )


def typed(core: Channel, text: bytes, now_ms: int = 0) -> bytes:
    core.say(Kind.DATA, text)
    (frame,) = core.due(now_ms)
    return frame


@pytest.mark.parametrize("seed", range(8))
def test_every_byte_arrives_once_and_in_order_over_a_line_that_loses_repeats_and_reorders(seed: int) -> None:
    random, (core, box) = Random(seed), ends()
    sent, came = {core: [], box: []}, {core: [], box: []}
    other = {core: box, box: core}
    for turn in range(2_000):
        now_ms = turn * 100
        for end in (core, box):
            if turn < 400 and random.random() < 0.3 and end.say(Kind.DATA, word := random.randbytes(5)):
                sent[end].append(word)
            frames = end.due(now_ms)
            frames = [frame for frame in frames for _ in range(random.choice((0, 1, 1, 1, 2)))]
            random.shuffle(frames)
            for frame in frames:
                heard = other[end].hear(frame, now_ms)
                came[other[end]] += [body for _, body in heard] if not isinstance(heard, Refused) else []
        if turn > 400 and core.is_idle and box.is_idle:
            break
    assert (came[box], came[core]) == (sent[core], sent[box]), f"seed {seed}"
    assert len(sent[core]) > 20


def test_what_was_opened_once_is_not_opened_again() -> None:
    core, box = ends()
    frame = typed(core, b"reboot\n")
    assert box.hear(frame, 0) == [(Kind.DATA, b"reboot\n")]
    assert box.hear(frame, 1) == FOREIGN
    assert box.hear(frame, 10**9) == FOREIGN
    assert box.heard_ms == 0, "and nobody keeps a session alive by repeating it"


@pytest.mark.parametrize("at", [0, 15, 16, 23, 24, 40, -1])
def test_a_frame_with_another_bit_is_none(at: int) -> None:
    core, box = ends()
    frame = bytearray(typed(core, b"ls\n"))
    frame[at] ^= 1
    assert box.hear(bytes(frame), 0) == FOREIGN
    assert box.hear(typed(ends()[0], b"ls\n"), 0) == [(Kind.DATA, b"ls\n")]


def test_nothing_of_another_session_direction_or_hand_is_taken() -> None:
    core, box = ends()
    box.say(Kind.DATA, b"shown")
    (shown,) = box.due(0)
    assert box.hear(shown, 0) == FOREIGN, "a box's own words come back to it"
    other = uuid7(1_790_000_000_000, b"t" * 10)
    assert box.hear(typed(ends(other)[0], b"x"), 0) == FOREIGN
    again, _ = ends(other)
    moved = SHELL_BYTES + typed(again, b"x")[16:]
    assert box.hear(moved, 0) == FOREIGN, "a frame of another session under this one's name"
    fleet_key_thief, _ = ends(core=b"f" * KEY_BYTES)
    assert box.hear(typed(fleet_key_thief, b"x"), 0) == FOREIGN
    assert core.hear(b"", 0) == core.hear(bytes(24), 0) == core.hear(bytes(100_000), 0) == FOREIGN


SHELL_BYTES = bytes.fromhex(SHELL.replace("-", ""))


def test_a_public_key_that_is_none_agrees_on_nothing() -> None:
    for none in (bytes(KEY_BYTES), b"\x01" + bytes(31), b"short"):
        assert keys_of(CORE, none, transcript=b"") == Refused(Reason.NOT_UNDERSTOOD)


def test_two_sessions_of_the_same_keys_share_no_key() -> None:
    private = X25519PrivateKey.generate().private_bytes_raw()
    found = {
        keys_of(
            private, public_of(BOX), transcript=agreed(shell, core=public_of(private), box=public_of(BOX))
        )
        for shell in (SHELL, uuid7(1, b"t" * 10))
    }
    assert len(found) == 2


def test_only_so_much_waits_and_only_so_much_is_on_its_way() -> None:
    core, _ = ends()
    taken = [core.say(Kind.DATA, b"x" * DATA_BYTES_MAX) for _ in range(WAITING_MAX + 3)]
    assert taken == [True] * WAITING_MAX + [False] * 3
    assert len(core.due(0)) == WINDOW
    assert core.due(AGAIN_MS - 1) == []
    assert len(core.due(AGAIN_MS)) == WINDOW, "what nobody answered goes again, sealed anew"


def test_a_silent_end_still_says_that_it_lives_and_a_quiet_one_says_no_more() -> None:
    core, box = ends()
    assert len(core.due(0)) == 1
    assert core.due(BEAT_MS - 1) == []
    (beat,) = core.due(BEAT_MS)
    assert box.hear(beat, 7) == []
    assert box.heard_ms == 7
    box.say(Kind.DATA, b"output")
    box.due(7, quiet=True)
    assert not box.is_idle
    assert [core.hear(frame, 8) for frame in box.due(8)] == [[(Kind.DATA, b"output")]]


@pytest.mark.parametrize("body", [b"", b"\0\0\0\0", b"\xff\xff\xff\xff", bytes(9)])
def test_a_size_that_no_window_has_is_none(body: bytes) -> None:
    assert size_of(body) is None
    assert size_of(size_bytes(10**6, -3)) == (500, 1)


def test_a_frame_says_whose_it_is_and_that_proves_nothing() -> None:
    assert shell_of(typed(ends()[0], b"x")) == SHELL
    assert shell_of(b"x") == ""
