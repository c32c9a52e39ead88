"""A face as bytes: exact for the few that a manual shows, and judged by a customer's eye for all others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.contracts.money import CNY, MINOR_MAX, POINT, Amount
from tillbox.hardware.displays.led8 import ESC_LAMPS, NO_FIGURE, STX_LAMPS
from tillbox.hardware.displays.vfd import CHINESE, LATIN, Vfd, passthrough
from tillbox.hardware.ports import Face, FaceKind
from tillbox.hardware.simulated.customer import LedEye, Seen, VfdEye

TOTAL = Face(FaceKind.TOTAL, Amount(1250, CNY))
AMOUNTS = st.integers(-MINOR_MAX, MINOR_MAX)
KINDS = st.sampled_from(list(FaceKind))


def seen(eye: VfdEye | LedEye, *sent: bytes) -> Seen:
    for data in sent:
        eye.take(data)
    assert not eye.unknown
    return eye.sees()


def test_the_bytes_of_a_text_display() -> None:
    assert LATIN.encode(TOTAL) == b"\x1b@\x0c" + b"Total               " + b"               12.50"
    assert CHINESE.encode(TOTAL)[3:7] == bytes.fromhex("bacfbcc6")  # 合计
    assert passthrough(b"hello") == b"\x1b=\x02hello\x1b=\x01"


def test_the_bytes_of_a_digit_display() -> None:
    assert STX_LAMPS.encode(TOTAL) == b"\x1bQA12.50\r\x02L0100"
    assert ESC_LAMPS.encode(TOTAL) == b"\x1bQA12.50\r\x1bs2"
    assert STX_LAMPS.encode(Face(FaceKind.IDLE)) == b"\x0c\x02L0000"


@pytest.mark.parametrize(
    ("kind", "lamp"), [("price", "单价"), ("total", "合计"), ("received", "收款"), ("change", "找零"), ("paid", "收款")]
)  # fmt: skip
@pytest.mark.parametrize("lamps", ["stx", "esc"])
def test_the_lamp_says_what_the_digits_are(kind: str, lamp: str, lamps: str) -> None:
    model = STX_LAMPS if lamps == "stx" else ESC_LAMPS
    face = Face(FaceKind(kind), Amount(99_999_999, CNY))
    assert seen(LedEye(lamps=lamps), model.encode(face)) == Seen(("999999.99",), (lamp,))


@given(KINDS, AMOUNTS)
def test_digits_are_the_whole_amount_or_dashes(kind: FaceKind, fen: int) -> None:
    amount = Amount(fen, CNY)
    (shown,) = seen(LedEye(), STX_LAMPS.encode(Face(kind, amount))).lines
    assert shown == (amount.decimal() if -9_999_999 <= fen <= 99_999_999 else NO_FIGURE)


def test_points_are_dashes_where_they_would_be_taken_for_yuan() -> None:
    points = Face(FaceKind.TOTAL, Amount(100, POINT))
    assert seen(LedEye(), STX_LAMPS.encode(points)).lines == (NO_FIGURE,)
    assert seen(VfdEye(), LATIN.encode(points)).lines[1].strip() == "100 POINT"
    narrow = Vfd("ascii", columns=8)
    assert narrow.encode(points).endswith(b"--------")


@given(KINDS, AMOUNTS, st.text(max_size=60), st.booleans())
def test_no_text_moves_an_amount_or_becomes_a_command(kind, fen, text, chinese) -> None:
    model = CHINESE if chinese else LATIN
    amount = Amount(fen, CNY)
    lines = seen(VfdEye(chinese=chinese), model.encode(Face(kind, amount, text))).lines
    assert lines[1] == amount.decimal().rjust(20)
    assert "\ufffd" not in lines[0]


@given(st.text(st.sampled_from("茶×·€\x1b\x0c@=é𠮷😀 a"), max_size=40), st.booleans())
def test_a_text_ends_between_two_characters(text: str, chinese: bool) -> None:
    model = CHINESE if chinese else LATIN
    data = model.encode(Face(FaceKind.PRICE, None, text))
    assert len(data) == 3 + 40
    data[3:23].decode(model.encoding)
    assert b"\x1b" not in data[3:]
    assert b"\x0c" not in data[3:]


def test_a_latin_display_leaves_out_what_it_cannot_show() -> None:
    face = Face(FaceKind.PRICE, Amount(1800, CNY), "茉莉 Jasmine tea")
    assert seen(VfdEye(), LATIN.encode(face)).lines[0] == "Price Jasmine tea   "
    assert seen(VfdEye(chinese=True), CHINESE.encode(face)).lines[0] == "单价 茉莉 Jasmine te"
    rare = Face(
        FaceKind.PRICE, None, "𠮷😀 tea"
    )  # four bytes each, which these displays show as four wrong signs
    assert seen(VfdEye(chinese=True), CHINESE.encode(rare)).lines[0] == "单价 tea            "


def test_a_display_in_the_printers_cable_leaves_the_paper_alone() -> None:
    eye = VfdEye(behind_printer=True)
    data = Vfd("ascii", behind_printer=True).encode(TOTAL)
    assert seen(eye, b"receipt", data, b" goes on").lines == seen(VfdEye(), LATIN.encode(TOTAL)).lines
    assert eye.on_paper == b"receipt goes on"


@given(st.integers(1, 30))
def test_a_command_may_arrive_in_two_parts(at: int) -> None:
    for model, eye in (
        (CHINESE, VfdEye(chinese=True)),
        (STX_LAMPS, LedEye()),
        (ESC_LAMPS, LedEye(lamps="esc")),
    ):
        data = model.encode(TOTAL)
        in_two = seen(eye, data[:at], data[at:])
        assert "12.50" in in_two.lines[-1]


@given(st.binary(max_size=300))
def test_the_twins_eye_survives_noise(noise: bytes) -> None:
    for eye in (VfdEye(), VfdEye(chinese=True, behind_printer=True), LedEye(), LedEye(lamps="esc")):
        eye.take(noise)
        eye.sees()
