"""What a scanner typed: the pure half of the keyboard scanner, with the kernel's events in hand."""

from __future__ import annotations

import string
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.hardware.drivers.framing import FRAME_BYTES_MAX, Overrun, Suffix
from tillbox.hardware.drivers.keys import (
    CAPS_LOCK,
    ENTER,
    EV_KEY,
    EV_SYN,
    EVENT,
    KEYPAD_ENTER,
    PRESSED,
    RELEASED,
    SYN_DROPPED,
    SYN_REPORT,
    TAB,
    Dropped,
    Ended,
    KeyEvent,
    KeyStream,
    events,
)  # fmt: skip
from tillbox.hardware.simulated.keyboard import Stroke, press, stamped, typed

GAP_MS, PATIENCE_MS = 150, 1_000
GOODS = b"6901234567892"
LEFT_SHIFT, RIGHT_SHIFT, LEFT_CONTROL, LEFT_ALT, NUM_LOCK, F8 = 42, 54, 29, 56, 69, 66
LOSS = [(EV_SYN, SYN_DROPPED, 0), (EV_SYN, SYN_REPORT, 0)]
PRINTABLE = string.digits + string.ascii_letters + string.punctuation + " "


def keyboard(suffix: Suffix = Suffix.CR) -> KeyStream:
    return KeyStream(suffix, GAP_MS, PATIENCE_MS)


def read(stream: KeyStream, strokes: Iterable[Stroke], at_ms: int = 0) -> list[Ended]:
    return [ended for event in stamped(strokes, at_ms) for ended in stream.feed(event)]


def down(code: int) -> Stroke:
    return (EV_KEY, code, PRESSED)


def up(code: int) -> Stroke:
    return (EV_KEY, code, RELEASED)


@given(st.text(st.sampled_from(PRINTABLE), min_size=1, max_size=200))
def test_whatever_is_typed_comes_out_exactly(text: str) -> None:
    assert read(keyboard(), [*typed(text.encode()), *press(ENTER)]) == [text.encode()]


@pytest.mark.parametrize(
    ("code", "plain", "shifted"),
    [(2, b"1", b"!"), (3, b"2", b"@"), (5, b"4", b"$"), (12, b"-", b"_"), (16, b"q", b"Q"), (27, b"]", b"}"),
     (30, b"a", b"A"), (40, b"'", b'"'), (41, b"`", b"~"), (43, b"\\", b"|"), (44, b"z", b"Z"),
     (53, b"/", b"?"), (57, b" ", b" "), (71, b"7", b"7"), (82, b"0", b"0"), (83, b".", b"."),
     (98, b"/", b"/")],
)  # fmt: skip
def test_the_table_is_that_of_a_us_keyboard(code: int, plain: bytes, shifted: bytes) -> None:
    assert read(keyboard(), [*press(code), *press(ENTER)]) == [plain]
    assert read(keyboard(), [*press(code, shifted=True), *press(ENTER)]) == [shifted]


@pytest.mark.parametrize("shift", [LEFT_SHIFT, RIGHT_SHIFT])
def test_either_shift_will_do_and_one_of_two_may_be_let_go(shift: int) -> None:
    other = LEFT_SHIFT + RIGHT_SHIFT - shift
    strokes = [down(shift), down(other), up(other), *press(30), up(shift), *press(30), *press(ENTER)]
    assert read(keyboard(), strokes) == [b"Aa"]


def test_caps_lock_turns_letters_and_nothing_else() -> None:
    strokes = [*press(CAPS_LOCK), *typed(b"tb-1:Q"), *press(CAPS_LOCK), *typed(b"tb"), *press(ENTER)]
    assert read(keyboard(), strokes) == [b"TB-1:qtb"]


@pytest.mark.parametrize("enter", [ENTER, KEYPAD_ENTER])
def test_both_enter_keys_end_a_code(enter: int) -> None:
    assert read(keyboard(), [*typed(GOODS), *press(enter), *typed(b"7"), *press(enter)]) == [GOODS, b"7"]


def test_a_scanner_may_end_with_tab_and_no_other_key_then_does() -> None:
    strokes = [*typed(b"one"), *press(ENTER), *typed(b"two"), *press(TAB)]
    assert read(keyboard(Suffix.TAB), strokes) == [b"one\rtwo"]
    with pytest.raises(ValueError, match="CR or TAB"):
        keyboard(Suffix.CRLF)


def test_the_keypad_gives_digits_whatever_numlock_says() -> None:
    keypad = {"7": 71, "8": 72, "9": 73, "4": 75, "5": 76, "6": 77, "1": 79, "2": 80, "3": 81, "0": 82}
    strokes = [stroke for sign in GOODS.decode() for stroke in press(keypad[sign])]
    assert read(keyboard(), [*press(NUM_LOCK), *strokes, *press(NUM_LOCK), *press(KEYPAD_ENTER)]) == [GOODS]


def test_a_key_that_is_held_and_keys_without_a_sign_type_nothing_more() -> None:
    held = [down(2), *[(EV_KEY, 2, 2)] * 50, up(2)]
    assert read(keyboard(), [*press(F8), *held, *press(103), *press(ENTER)]) == [b"1"]


def test_the_separator_of_a_gs1_code_is_typed_with_control_or_as_a_number() -> None:
    with_control = [down(LEFT_CONTROL), *press(27), up(LEFT_CONTROL)]
    as_a_number = [down(LEFT_ALT), *press(82), *press(80), *press(73), up(LEFT_ALT)]
    for separator in (with_control, as_a_number):
        strokes = [*typed(b"10LOT"), *separator, *typed(b"17"), *press(ENTER)]
        assert read(keyboard(), strokes) == [b"10LOT\x1d17"]


@pytest.mark.parametrize("number", [b"256", b"99999999999"])
def test_a_number_that_is_no_byte_types_nothing(number: bytes) -> None:
    codes = {
        ord(sign): code
        for sign, code in zip("7894561230", (71, 72, 73, 75, 76, 77, 79, 80, 81, 82), strict=True)
    }
    keys = [stroke for sign in number for stroke in press(codes[sign])]
    assert read(keyboard(), [down(LEFT_ALT), *keys, up(LEFT_ALT), *press(2), *press(ENTER)]) == [b"1"]


# where a scan ends without a suffix


def test_a_scanner_without_a_suffix_is_read_by_its_silence() -> None:
    stream = keyboard()
    assert read(stream, typed(GOODS), at_ms=10) == []
    assert list(stream.silence(10 + GAP_MS - 1)) == []
    assert list(stream.silence(10 + GAP_MS)) == [GOODS]


def test_a_stuck_trigger_is_thrown_away_whole_and_the_next_code_is_read() -> None:
    flood = typed(b"8" * (FRAME_BYTES_MAX + 9))
    strokes = [*flood, *press(ENTER), *typed(GOODS), *press(ENTER)]
    assert read(keyboard(), strokes) == [Overrun(FRAME_BYTES_MAX + 9), GOODS]


# when the kernel dropped events


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_wherever_events_are_lost_no_part_of_that_code_is_a_code(first: int, length: int) -> None:
    strokes = [*typed(b"28763443825664"), *press(ENTER)]
    start = first % (len(strokes) - 8)
    end = min(start + length % len(strokes), len(strokes) - 8)  # the suffix itself arrives
    stream = keyboard()
    assert read(stream, [*strokes[:start], *LOSS, *strokes[end:]]) == [Dropped()]
    assert read(stream, [*typed(GOODS), *press(ENTER)], at_ms=5) == [GOODS]


def test_what_the_kernel_sends_before_the_next_report_is_not_believed() -> None:
    strokes = [(EV_SYN, SYN_DROPPED, 0), down(LEFT_SHIFT), down(ENTER), (EV_SYN, SYN_REPORT, 0)]
    stream = keyboard()
    assert read(stream, [*strokes, *typed(b"66"), *press(ENTER)]) == [Dropped()]
    assert read(stream, [*typed(b"66"), *press(ENTER)]) == [b"66"]


def test_a_shift_that_was_held_when_events_were_lost_is_let_go() -> None:
    stream = keyboard()
    assert read(stream, [*press(CAPS_LOCK), down(LEFT_SHIFT), *press(30), *LOSS, *press(ENTER)]) == [
        Dropped()
    ]
    assert read(stream, [*typed(b"tb1"), *press(ENTER)]) == [b"tb1"]


def test_many_losses_in_one_code_are_told_once() -> None:
    strokes = [*typed(b"28"), *LOSS, *typed(b"76"), *LOSS, *typed(b"34"), *press(ENTER)]
    assert read(keyboard(), strokes) == [Dropped()]


def test_a_loss_that_took_the_suffix_too_ends_with_a_long_silence() -> None:
    stream = keyboard()
    assert read(stream, [*typed(b"2876"), *LOSS, *typed(b"34")], at_ms=100) == [Dropped()]
    assert list(stream.silence(100 + PATIENCE_MS - 1)) == []
    assert read(stream, typed(b"43"), at_ms=200) == []
    assert list(stream.silence(200 + PATIENCE_MS)) == []
    assert read(stream, [*typed(GOODS), *press(ENTER)], at_ms=2_000) == [GOODS]


# what comes from the device


def test_events_are_read_as_the_kernel_packs_them() -> None:
    data = EVENT.pack(12, 345_678, EV_KEY, 30, 1) + EVENT.pack(12, 346_000, EV_SYN, 0, -1)
    assert events(data) == [KeyEvent(12_345, EV_KEY, 30, 1), KeyEvent(12_346, EV_SYN, 0, -1)]


def test_a_piece_of_an_event_is_refused() -> None:
    with pytest.raises(ValueError, match="not whole events"):
        events(EVENT.pack(0, 0, EV_KEY, 30, 1)[:-1])


@given(st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 65_535), st.integers(-(2**31), 2**31 - 1))))
def test_no_event_whatever_it_says_breaks_the_reader(strokes: list[Stroke]) -> None:
    stream = keyboard()
    read(stream, strokes)
    stream.silence(10_000)
    stream.forget()
    assert read(stream, [*typed(GOODS), *press(ENTER)]) == [GOODS]
