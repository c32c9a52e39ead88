"""A stream cut into commands by their true lengths: whole, in pieces, torn, and made of noise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import QR, BarCode, Cut, Document, Kick, Line
from tillbox.hardware.printing.profiles import NARROW
from tillbox.hardware.tap.tokens import Kind, Tokeniser, tokens

STREAMS = sorted((Path(__file__).parents[2] / "golden/tap").rglob("*.bin"))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_four_generators_send_is_known_to_the_last_byte(path: Path) -> None:
    data = path.read_bytes()
    found = list(tokens(data))
    assert b"".join(data[token.start : token.end] for token in found) == data
    assert not [token for token in found if token.kind is Kind.UNKNOWN]


def test_what_the_box_itself_prints_is_known_too() -> None:
    slip = Document((Line("茶 Tea"), QR("https://tea.example"), BarCode("TEA-1"), Kick(), Cut()))
    for profile in (NARROW,):
        assert not [token for token in tokens(encode(slip, profile)) if token.kind is Kind.UNKNOWN]


@given(data=st.binary(max_size=400))
def test_noise_is_cut_into_pieces_that_are_all_of_it(data: bytes) -> None:
    found = list(tokens(data))
    assert b"".join(data[token.start : token.end] for token in found) == data


COMMANDS = st.sampled_from(
    [b"\x1b@", b"\x1dV\x00", b"\x1dVB\x05", b"Tea 3.50", b"\n", b"\x1b$\x10\x00", b"\x1dv0\x00\x01\x00\x03\x00\x1dV\x00", b"\x1d(k\x05\x001P0\x1dV", b"\xb2\xe8", b"\x1bD\x05\x09\x00", b"\x10\x04\x01"]
)  # fmt: skip


@given(parts=st.lists(COMMANDS, max_size=12), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_a_stream_that_comes_in_pieces_is_the_same_stream(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    tokeniser, found, at, turn = Tokeniser(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        found += tokeniser.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    found += tokeniser.end()
    commands = [(token.name, token.body, token.start) for token in found if token.kind is Kind.COMMAND]
    assert commands == [(one.name, one.body, one.start) for one in tokens(data) if one.kind is Kind.COMMAND]
    assert b"".join(data[token.start : token.end] for token in found) == data


def test_a_picture_or_a_code_that_contains_a_cut_is_no_cut() -> None:
    data = b"\x1dv0\x00\x02\x00\x02\x00\x1dV\x00\x00" + b"\x1d(k\x06\x001P0\x1dV\x00" + b"\x1dV\x00"
    assert [token.start for token in tokens(data) if token.cuts] == [len(data) - 3]
