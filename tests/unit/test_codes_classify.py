"""One scan, one answer: which family a code belongs to, and what is refused before anybody looks into it."""

from __future__ import annotations

import json

import pytest

from tillbox.contracts.codes import (
    CODE_BYTES_MAX,
    Code,
    CodeRead,
    ConsumerPresented,
    GoodsCode,
    LinkCode,
    MemberCode,
    MerchantPresented,
    PaymentCode,
    PhoneNumber,
    ScannerMode,
    SignedEnvelope,
    Symbology,
    Wallet,
    classify,
    describe,
)
from tillbox.contracts.codes.classify import FAMILIES, GOODS_ONLY, ORDER
from tillbox.contracts.verdicts import Reason, Refused

WECHAT = "134567890123456789"
CARTON = "106141411234567897"  # a good SSCC, and 18 digits from 10
MERCHANT = (
    "0002010102121313JCB12345678900416MASTER12345678905204531153033925407999.1235802JP5906DONGRI6005TOKYO"
    "62240104hoge0504fuga0704piyo6304C343"
)
CARD = (
    "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDkNBUkRIT0xERVIv"
    "RU1WXy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw=="
)
COUPON = (
    "TB1:TWGSLK/-4N69-09-6LZOC-U9 6BJGLW50A9DX C59D7%ESYCLVCX CQV6L23FN0PIDU%K1T0KJDKE6VY0K:0H+05B0%21R7T1HK78"
    "686HLX6W78W LR84 3EA5LG9G8F4Z.NXAJ8I76GA5W3:S32.9%R51VBIN6E+3HFK2%24CO6.PO 24CA5QTTGP%W5/F14SHRD7M043L8D0"
)


def _shown(
    text: str | bytes, symbology: Symbology = Symbology.QR, mode: ScannerMode = ScannerMode.TILL
) -> Code | Refused:
    raw = text if isinstance(text, bytes) else text.encode()
    return classify(CodeRead(raw, symbology, "counter"), mode)


@pytest.mark.parametrize("mode", ScannerMode)
@pytest.mark.parametrize(
    ("text", "symbology", "family"),
    [
        ("628888888888888888", Symbology.QR, Refused),
        ("6288888888888888888", Symbology.QR, PaymentCode),
        ("2888888888888888", Symbology.CODE_128, PaymentCode),
        (COUPON, Symbology.QR, SignedEnvelope),
        ("6901234567892", Symbology.EAN_13, GoodsCode),
        (MERCHANT, Symbology.QR, MerchantPresented),
        (CARD, Symbology.QR, ConsumerPresented),
        ("https://shop.example/p/1", Symbology.QR, LinkCode),
        ("13812341234", Symbology.QR, PhoneNumber),
        ("98071234567894287082", Symbology.CODE_128, MemberCode),
    ],
)
def test_what_is_not_ambiguous_is_the_same_in_every_mode(
    text: str, symbology: Symbology, family: type, mode: ScannerMode
) -> None:
    if mode is ScannerMode.GOODS and family is Refused:
        assert _shown(text, symbology, mode) == Refused(Reason.CODE_DAMAGED, "SSCC")
    else:
        assert isinstance(_shown(text, symbology, mode), family)


def test_a_carton_scanned_among_goods_never_charges_anybody() -> None:
    assert _shown(CARTON, Symbology.CODE_128) == PaymentCode(Wallet.WECHAT, CARTON)
    among_goods = _shown(CARTON, Symbology.CODE_128, ScannerMode.GOODS)
    assert among_goods == Refused(Reason.NOT_FOR_THIS_TILL, "SSCC")
    assert _shown(WECHAT, Symbology.QR, ScannerMode.GOODS) == Refused(Reason.CODE_DAMAGED, "SSCC")


def test_a_product_with_a_count_is_no_digital_yuan_where_goods_are_scanned() -> None:
    label = "0109501101530003371"  # (01) product, (37) one piece: 19 digits from 01
    assert isinstance(_shown(label, Symbology.CODE_128), PaymentCode)
    assert _shown(label, Symbology.CODE_128, ScannerMode.GOODS) == GoodsCode("9501101530003")


@pytest.mark.parametrize("symbology", sorted(GOODS_ONLY))
def test_a_drawing_for_goods_never_carries_a_payment_code(symbology: Symbology) -> None:
    for digits in (WECHAT, "6288888888888888888", "2888888888888888"):
        assert isinstance(_shown(digits, symbology, ScannerMode.PAYMENT), Refused)


def test_one_line_end_is_the_scanners_and_no_more() -> None:
    code = PaymentCode(Wallet.WECHAT, WECHAT)
    for end in ("", "\r", "\n", "\r\n"):
        assert _shown(WECHAT + end) == code
    for spoilt in (WECHAT + "\n\n", "\n" + WECHAT, WECHAT + "\n\r", WECHAT + "\t"):
        assert _shown(spoilt) == Refused(Reason.CONTROL_CHARACTERS)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\xff\xfe", "茶".encode("gb18030"), b"\xed\xa0\x80"])
def test_what_is_no_text_cannot_be_read(raw: bytes) -> None:
    assert _shown(raw) == Refused(Reason.UNREADABLE)


@pytest.mark.parametrize(
    "character",
    [
        "\x00",
        "\x1b",
        "\x1d",
        "\x7f",
        "\x85",
        "\x9b",
        "\u200b",
        "\u202e",
        "\u2066",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\ue000",
    ],
)
def test_characters_that_devices_obey_are_refused(character: str) -> None:
    for text in (f"https://shop.example/{character}x", f"{character}{WECHAT}", f"tea{character}"):
        assert _shown(text) == Refused(Reason.CONTROL_CHARACTERS)


def test_the_group_separator_is_welcome_in_a_gs1_symbol_only() -> None:
    assert _shown("010950110153000310AB\x1d21X", Symbology.DATA_MATRIX) == GoodsCode("9501101530003")
    assert _shown("010950110153000310AB\x1b21X", Symbology.DATA_MATRIX) == Refused(Reason.CONTROL_CHARACTERS)
    assert _shown(f"{WECHAT}\x1d") == Refused(Reason.CONTROL_CHARACTERS)


def test_a_code_has_a_length_that_ends() -> None:
    assert _shown(b"a" * CODE_BYTES_MAX) == Refused(Reason.UNKNOWN_CODE)
    assert _shown(b"a" * (CODE_BYTES_MAX + 1)) == Refused(Reason.CODE_TOO_LONG)
    assert _shown(b"\xff" * 3_000_000) == Refused(Reason.CODE_TOO_LONG)


@pytest.mark.parametrize(
    "text",
    ["hello", "茶", "wxp://f2f0abc", "189012345678901234", "440101199003078515", "1PEF224A4", "TB2:BB8", " "],
)
def test_what_nobody_knows_is_unknown(text: str) -> None:
    assert _shown(text) == Refused(Reason.UNKNOWN_CODE)


@pytest.mark.parametrize(
    ("text", "symbology"),
    [
        ("6901234567893", Symbology.EAN_13),
        (COUPON[:-3], Symbology.QR),
        (COUPON[:-1] + "!", Symbology.QR),
        (MERCHANT[:-1] + "4", Symbology.QR),
        (CARD[:-3], Symbology.QR),
        ("https://", Symbology.QR),
    ],
)
def test_a_damaged_code_is_said_to_be_damaged(text: str, symbology: Symbology) -> None:
    answer = _shown(text, symbology)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.CODE_DAMAGED


def test_every_mode_asks_every_family_and_only_goods_ask_for_cartons() -> None:
    for mode, names in ORDER.items():
        assert sorted(names) == sorted(set(FAMILIES) - (set() if mode is ScannerMode.GOODS else {"carton"}))
    assert set(ORDER) == set(ScannerMode)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (WECHAT, {"family": "payment", "wallet": "wechat", "digits": "13****6789"}),
        ("6901234567892", {"family": "goods", "gtin": "6901234567892"}),
        ("13812341234", {"family": "phone", "digits": "138****1234"}),
        ("98071234567894287082", {"family": "member", "tenant": "07", "digits": "9807******78********"}),
        ("https://a@b.example/", {"family": "link", "url": "https://a@b.example/", "host": "b.example"}),
        ("hello", {"family": "refused", "reason": "unknown_code", "detail": ""}),
        (
            MERCHANT,
            {
                "family": "emv_merchant",
                "merchant": "DONGRI",
                "city": "TOKYO",
                "country": "JP",
                "currency": "392",
                "amount": "999.123",
                "dynamic": True,
            },
        ),
        (
            CARD,
            {
                "family": "emv_consumer",
                "applications": "A0000000555555, A0000000666666",
                "card": "************3458",
                "transaction_count": 1,
            },
        ),
        (
            COUPON,
            {"family": "coupon_or_signed", "kid": "56475aa75463474c", "payload_bytes": 53, "verified": False},
        ),
    ],
)
def test_a_code_is_described_without_its_secrets(text: str, summary: dict[str, object]) -> None:
    told = describe(_shown(text))
    assert json.loads(json.dumps(told)) == summary
