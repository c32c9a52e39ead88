"""Product numbers: one product, one key in the price list, whatever drawing carried it."""

from __future__ import annotations

import pytest

from tillbox.contracts.codes import GoodsCode, Symbology, normal_gtin
from tillbox.contracts.codes.goods import carton_code, check_digit_fits, expand_upc_e, goods_code
from tillbox.contracts.verdicts import Reason, Refused

DAMAGED = Reason.CODE_DAMAGED


@pytest.mark.parametrize(
    ("text", "symbology", "gtin"),
    [
        ("6901234567892", Symbology.EAN_13, "6901234567892"),
        ("4006381333931", Symbology.EAN_13, "4006381333931"),
        ("73513537", Symbology.EAN_8, "0000073513537"),
        ("036000291452", Symbology.UPC_A, "0036000291452"),
        ("0036000291452", Symbology.UPC_A, "0036000291452"),
        ("01234565", Symbology.UPC_E, "0012345000065"),
        ("0012345000065", Symbology.UPC_E, "0012345000065"),
        ("30712345000010", Symbology.ITF, "30712345000010"),
        ("00012345678905", Symbology.ITF, "0012345678905"),
        ("6901234567892", Symbology.UNKNOWN, "6901234567892"),
        ("73513537", Symbology.UNKNOWN, "0000073513537"),
        ("6901234567892", Symbology.QR, "6901234567892"),
        ("0109501101530003", Symbology.CODE_128, "9501101530003"),
        ("\x1d0109501101530003", Symbology.DATA_MATRIX, "9501101530003"),
        ("(01)09501101530003", Symbology.DATABAR, "9501101530003"),
        ("0130712345000010", Symbology.CODE_128, "30712345000010"),
        ("010950110153000317260101\x1d10AB-12", Symbology.CODE_128, "9501101530003"),
        (
            "01095040000591012112345678p901\x1d101234567p\x1d1714112082" + "00http://www.gs1.org/demo/",
            Symbology.DATA_MATRIX,
            "9504000059101",
        ),
    ],
)
def test_every_drawing_of_a_product_gives_its_one_number(text: str, symbology: Symbology, gtin: str) -> None:
    assert goods_code(text, symbology) == GoodsCode(gtin)


@pytest.mark.parametrize(
    ("eight", "twelve"),
    [
        ("01234505", "012000003455"),
        ("01234514", "012100003454"),
        ("01234523", "012200003453"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
        ("00123457", "001234000057"),
        ("01234565", "012345000065"),
        ("01234572", "012345000072"),
        ("01234589", "012345000089"),
        ("01234596", "012345000096"),
    ],
)
def test_upc_e_expands_by_its_last_digit_and_keeps_its_check_digit(eight: str, twelve: str) -> None:
    assert expand_upc_e(eight) == twelve
    assert check_digit_fits(twelve)


@pytest.mark.parametrize("digits", ["21234565", "0123456", "012345650", "0123456x", ""])
def test_what_is_no_upc_e_expands_to_nothing(digits: str) -> None:
    assert expand_upc_e(digits) is None


def test_eight_digits_of_an_unnamed_drawing_are_upc_e_where_ean_8_does_not_check() -> None:
    assert not check_digit_fits("01234505")
    assert goods_code("01234505", Symbology.UNKNOWN) == GoodsCode("0012000003455")
    assert check_digit_fits("01234565")  # it checks as either; EAN-8 is the one that shops here sell
    assert goods_code("01234565", Symbology.UNKNOWN) == GoodsCode("0000001234565")


@pytest.mark.parametrize("place", range(13))
def test_any_single_wrong_digit_is_noticed(place: int) -> None:
    right = "6901234567892"
    for digit in set("0123456789") - {right[place]}:
        wrong = right[:place] + digit + right[place + 1 :]
        answer = goods_code(wrong, Symbology.EAN_13)
        assert isinstance(answer, Refused)
        assert answer.reason is DAMAGED


@pytest.mark.parametrize(
    ("text", "symbology"),
    [
        ("690123456789", Symbology.EAN_13),  # a digit lost
        ("690123456789x", Symbology.EAN_13),
        ("73513538", Symbology.EAN_8),
        ("30712345000011", Symbology.ITF),
        ("6901234567893", Symbology.UNKNOWN),
        ("0109501101530004", Symbology.CODE_128),
    ],
)
def test_a_damaged_product_number_is_said_to_be_damaged(text: str, symbology: Symbology) -> None:
    answer = goods_code(text, symbology)
    assert isinstance(answer, Refused)
    assert answer.reason is DAMAGED


@pytest.mark.parametrize(
    ("text", "symbology"),
    [
        ("0829220875", Symbology.ITF),  # a parcel label
        ("6901234567893", Symbology.QR),  # thirteen digits in a QR code need not be a product
        ("12345670", Symbology.CODE_128),
        ("005-3379497200006", Symbology.CODE_128),
        ("６９０１２３４５６７８９２", Symbology.UNKNOWN),
        ("", Symbology.UNKNOWN),
    ],
)
def test_what_is_no_product_number_is_left_to_others(text: str, symbology: Symbology) -> None:
    assert goods_code(text, symbology) is None


@pytest.mark.parametrize(
    "gtin", ["73513537", "036000291452", "6901234567893", "06901234567892", "690123456789x"]
)
def test_a_goods_code_is_only_built_in_its_one_form(gtin: str) -> None:
    with pytest.raises(ValueError, match="is no GTIN"):
        GoodsCode(gtin)


def test_a_price_list_is_keyed_by_the_same_form() -> None:
    assert normal_gtin("73513537") == "0000073513537"
    assert normal_gtin("06901234567892") == "6901234567892"
    assert normal_gtin("6901234567893") is None
    assert normal_gtin("abc") is None


def test_a_carton_is_told_from_a_product_and_from_a_damaged_label() -> None:
    assert carton_code("106141411234567897") == Refused(Reason.NOT_FOR_THIS_TILL, "SSCC")
    assert carton_code("00106141411234567897") == Refused(Reason.NOT_FOR_THIS_TILL, "SSCC")
    assert carton_code("106141411234567890") == Refused(DAMAGED, "SSCC")
    assert carton_code("6901234567892") is None
