"""Where one scan ends: the pure half of the serial scanner, with the time in hand."""

from __future__ import annotations

import pytest

from tillbox.hardware.drivers.framing import FRAME_BYTES_MAX, Framer, Overrun, Suffix

GAP_MS, PATIENCE_MS = 150, 1_000
GOODS = b"6901234567892"


def framer(suffix: Suffix = Suffix.CR) -> Framer:
    return Framer(suffix, GAP_MS, PATIENCE_MS)


@pytest.mark.parametrize("suffix", list(Suffix))
def test_two_scans_in_one_breath_are_two_codes(suffix: Suffix) -> None:
    line = GOODS + suffix.value + b"MEMBER-7" + suffix.value
    assert framer(suffix).feed(line, 0) == [GOODS, b"MEMBER-7"]


@pytest.mark.parametrize("suffix", list(Suffix))
def test_it_does_not_matter_where_the_line_cuts_the_bytes(suffix: Suffix) -> None:
    line = GOODS + suffix.value + b"MEMBER-7" + suffix.value
    for at in range(len(line)):
        cut = framer(suffix)
        assert cut.feed(line[:at], 0) + cut.feed(line[at:], 1) == [GOODS, b"MEMBER-7"]


def test_a_suffix_alone_is_no_code() -> None:
    assert framer().feed(b"\r\r\r", 0) == []


def test_only_the_configured_suffix_ends_a_code() -> None:
    """A contact card in a QR code is full of line feeds."""
    assert framer(Suffix.CR).feed(b"BEGIN:VCARD\nEND:VCARD\r", 0) == [b"BEGIN:VCARD\nEND:VCARD"]
    assert framer(Suffix.CRLF).feed(b"one\rtwo\nthree\r\n", 0) == [b"one\rtwo\nthree"]


def test_a_scanner_without_a_suffix_is_read_by_its_silence() -> None:
    cut = framer()
    assert cut.feed(GOODS, 10) == []
    assert cut.silence(10 + GAP_MS - 1) == []
    assert cut.silence(10 + GAP_MS) == [GOODS]
    assert cut.silence(10 + 10 * GAP_MS) == []


def test_a_stall_in_a_scanner_that_ends_its_codes_makes_no_half_code() -> None:
    cut = framer()
    cut.feed(b"first\r", 0)
    cut.feed(b"28763443", 100)
    assert cut.silence(100 + GAP_MS) == []
    assert cut.feed(b"825664394\r", 600) == [b"28763443825664394"]


def test_a_scanner_that_lost_its_suffix_is_still_read_a_little_later() -> None:
    cut = framer()
    cut.feed(b"first\r" + GOODS, 0)
    assert cut.silence(PATIENCE_MS) == [GOODS]


@pytest.mark.parametrize("suffix", list(Suffix))
@pytest.mark.parametrize("piece", [1, 7, 5_000])
def test_a_stuck_trigger_is_thrown_away_whole_and_the_next_code_is_read(suffix: Suffix, piece: int) -> None:
    flood = b"8" * 9_999
    line = flood + suffix.value + GOODS + suffix.value
    cut = framer(suffix)
    ended = [one for at in range(0, len(line), piece) for one in cut.feed(line[at : at + piece], at)]
    assert ended == [Overrun(9_999), GOODS]


def test_a_stuck_trigger_without_a_suffix_ends_with_silence() -> None:
    cut = framer()
    assert cut.feed(b"8" * 9_999, 0) == []
    assert cut.silence(GAP_MS) == [Overrun(9_999)]


def test_the_longest_code_passes_and_one_byte_more_does_not() -> None:
    longest = b"8" * FRAME_BYTES_MAX
    assert framer().feed(longest + b"\r", 0) == [longest]
    assert framer().feed(longest + b"8\r", 0) == [Overrun(FRAME_BYTES_MAX + 1)]


def test_what_was_half_typed_when_the_cable_came_out_is_forgotten() -> None:
    cut = framer()
    cut.feed(b"28763443", 0)
    cut.forget()
    assert cut.feed(b"825664394\r", 10) == [b"825664394"]
