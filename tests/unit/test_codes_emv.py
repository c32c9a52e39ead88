"""EMV codes: published payloads are read to the last object, and no card number comes out."""

from __future__ import annotations

import base64

import pytest

from tillbox.contracts.codes import ConsumerPresented, MerchantPresented
from tillbox.contracts.codes.emv import CHARACTERS_MAX, checksum, consumer_presented, merchant_presented
from tillbox.contracts.verdicts import Reason, Refused

BEST_TRANSPORT = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***"
    "0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)
MERCHANT_VECTORS = [
    BEST_TRANSPORT,
    "0002010102121313JCB12345678900416MASTER12345678905204531153033925407999.1235802JP5906DONGRI6005TOKYO"
    "62240104hoge0504fuga0704piyo6304C343",
    "00020101021115312031041800520446JDBMSZZXE44BFS038680016A00526628466257701083217041802030020325"
    "mchVKyozC3MbjS51h67qal4Os5204581253034185802LA5915JDBMSZZXE44BFS06009Vientiane63043F88",
    "000201010211057704736a2f41a3-c54c-fce8-32d2-0324e1c32e22*3440e5bf-81ca-4c5f-a1b2-cf989f09a039"
    "52045024530384054031005802US5913Test Merchant6008New York62080304123463046F6D",
]
CARD = (
    "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDkNBUkRIT0xERVIv"
    "RU1WXy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw=="
)
DAMAGED = Refused(Reason.CODE_DAMAGED, "EMV")


def _sealed(body: str) -> str:
    return f"{body}6304{checksum(body + '6304'):04X}"


def _card(data: bytes) -> str:
    return base64.b64encode(b"\x85\x05CPV01" + data).decode()


def test_the_checksum_is_the_published_one() -> None:
    assert checksum("123456789") == 0x29B1


@pytest.mark.parametrize("text", MERCHANT_VECTORS)
def test_published_merchant_codes_are_read_and_written_again(text: str) -> None:
    code = merchant_presented(text)
    assert isinstance(code, MerchantPresented)
    assert code.text == text


def test_a_merchant_code_says_who_where_and_how_much() -> None:
    code = merchant_presented(BEST_TRANSPORT)
    assert isinstance(code, MerchantPresented)
    assert (code.merchant_name, code.merchant_city, code.country) == ("BEST TRANSPORT", "BEIJING", "CN")
    assert (code.currency, code.amount_shown, code.is_dynamic) == ("156", "23.72", True)
    assert code.template("64") == (("00", "ZH"), ("01", "最佳运输"), ("02", "北京"))
    assert code.template("62")[:2] == (("03", "1234"), ("06", "***"))
    assert code.template("59") == ()
    assert code.template("26") == ()


def test_a_merchants_account_is_not_printed() -> None:
    code = merchant_presented(MERCHANT_VECTORS[1])
    assert repr(code) == "MerchantPresented('DONGRI', 'TOKYO', 'JP')"


@pytest.mark.parametrize("place", range(6, len(BEST_TRANSPORT)))
def test_a_merchant_code_with_any_one_character_wrong_is_damaged(place: int) -> None:
    other = "7" if BEST_TRANSPORT[place] != "7" else "8"
    assert merchant_presented(BEST_TRANSPORT[:place] + other + BEST_TRANSPORT[place + 1 :]) == DAMAGED


@pytest.mark.parametrize(
    "text",
    [
        "000201x",
        BEST_TRANSPORT[:-1],
        BEST_TRANSPORT[:-8],
        _sealed("0002015802CN5802CN"),  # a tag twice
        _sealed("0002015800"),  # an object without a value
        _sealed("0002015899CN"),  # a length beyond the end
        _sealed("000201XX02CN"),
        _sealed("0002015902AB"),  # no country
        _sealed("00020163045802"),  # a checksum in the middle
    ],
)
def test_a_merchant_code_that_does_not_come_out_even_is_damaged(text: str) -> None:
    assert merchant_presented(text) == DAMAGED


def test_a_row_of_digits_is_no_merchant_code_and_a_book_is_too_long() -> None:
    assert merchant_presented("00020100000000000018") is None
    long = _sealed("000201" + "".join(f"{tag}99{'x' * 99}" for tag in range(80, 86)))
    assert len(long) > CHARACTERS_MAX
    assert merchant_presented(long) == Refused(Reason.CODE_TOO_LONG, "EMV")


def test_objects_that_make_no_merchant_code_are_not_built() -> None:
    with pytest.raises(ValueError, match="begin with 00"):
        MerchantPresented((("58", "CN"),))
    with pytest.raises(ValueError, match="country"):
        MerchantPresented((("00", "01"), ("59", "TEA")))


def test_a_published_card_is_read_without_giving_its_number_away() -> None:
    code = consumer_presented(CARD)
    assert isinstance(code, ConsumerPresented)
    assert code.text == CARD
    assert code.applications == ("A0000000555555", "A0000000666666")
    assert code.values(0x50) == (b"Product1", b"Product2")
    assert code.transaction_count == 1
    assert code.cryptogram is not None
    assert code.cryptogram.hex().upper() == "584FD385FA234BCC"
    assert code.masked_card == "************3458"
    assert repr(code) == "ConsumerPresented(A0000000555555, A0000000666666, card ************3458)"


def test_the_card_number_of_track_2_is_masked_too() -> None:
    code = consumer_presented(_card(bytes.fromhex("610a5708" + "6212345678d26121")))
    assert isinstance(code, ConsumerPresented)
    assert code.masked_card == "******5678"


def test_a_card_without_a_number_is_still_a_card() -> None:
    code = consumer_presented(_card(b""))
    assert isinstance(code, ConsumerPresented)
    assert (code.masked_card, code.applications, code.transaction_count, code.cryptogram) == (
        None,
        (),
        None,
        None,
    )


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("6105"),  # shorter than it says
        bytes.fromhex("61"),
        bytes.fromhex("9f"),
        bytes.fromhex("5a80"),  # indefinite length
        bytes.fromhex("5a83000001aa"),  # a length of three bytes
        bytes.fromhex("5a82ff"),
        bytes.fromhex("6106620464025a00"),  # a template too deep
    ],
)
def test_card_data_that_does_not_come_out_even_or_goes_too_deep_is_damaged(data: bytes) -> None:
    assert consumer_presented(_card(data)) == DAMAGED


@pytest.mark.parametrize("text", ["hQVDUFY", CARD[:-1], CARD[:-2] + "--", CARD + "\n", CARD.replace("=", "")])
def test_broken_base64_is_damaged(text: str) -> None:
    assert consumer_presented(text) == DAMAGED


def test_base64_with_its_spare_bits_set_is_a_second_text_and_refused() -> None:
    assert base64.b64decode(CARD[:-3] + "x==") == base64.b64decode(CARD)
    assert consumer_presented(CARD[:-3] + "x==") == DAMAGED


def test_a_long_card_is_refused_before_it_is_decoded() -> None:
    assert consumer_presented(_card(b"\x00" * 400)) == Refused(Reason.CODE_TOO_LONG, "EMV")


def test_other_bytes_are_not_built_into_a_card() -> None:
    with pytest.raises(ValueError, match="format indicator CPV"):
        ConsumerPresented(b"\x61\x00")
