"""Phone numbers and dynamic member codes: they identify, they prove nothing, and they are masked."""

from __future__ import annotations

from typing import Literal

import pytest

from tillbox.contracts.codes import MemberCode, PhoneNumber, totp
from tillbox.contracts.codes.member import member_code, phone_number

SECRET = b"1234567890" * 7
Algorithm = Literal["sha1", "sha256", "sha512"]


@pytest.mark.parametrize(
    ("algorithm", "secret_bytes", "unix_seconds", "number"),
    [
        ("sha1", 20, 59, "94287082"),
        ("sha1", 20, 1111111109, "07081804"),
        ("sha1", 20, 1111111111, "14050471"),
        ("sha1", 20, 1234567890, "89005924"),
        ("sha1", 20, 2000000000, "69279037"),
        ("sha1", 20, 20000000000, "65353130"),
        ("sha256", 32, 59, "46119246"),
        ("sha256", 32, 1111111109, "68084774"),
        ("sha256", 32, 20000000000, "77737706"),
        ("sha512", 64, 59, "90693936"),
        ("sha512", 64, 1111111109, "25091201"),
        ("sha512", 64, 20000000000, "47863826"),
    ],
)
def test_the_vectors_of_rfc_6238(
    algorithm: Algorithm, secret_bytes: int, unix_seconds: int, number: str
) -> None:
    assert totp(SECRET[:secret_bytes], unix_seconds, 8, algorithm) == number


def test_a_number_lives_for_one_step_and_keeps_its_leading_zero() -> None:
    assert totp(SECRET[:20], 30) == totp(SECRET[:20], 59) != totp(SECRET[:20], 60)
    assert totp(SECRET[:20], 1111111109, digits=6) == "081804"


def test_a_member_code_is_taken_apart_and_put_together() -> None:
    code = MemberCode("07", "12345678", totp(SECRET[:20], 59))
    assert code.text == "98071234567894287082"
    assert member_code(code.text) == code


def test_a_member_code_shows_neither_its_handle_nor_its_number() -> None:
    code = MemberCode("07", "12345678", "94287082")
    assert code.masked == "9807******78********"
    assert "123456" not in f"{code!r} {code}"
    assert "94287082" not in f"{code!r} {code}"


@pytest.mark.parametrize("text", ["9807123456789428708", "980712345678942870821", "97071234567894287082", ""])
def test_what_is_no_member_code(text: str) -> None:
    assert member_code(text) is None


@pytest.mark.parametrize(
    "parts", [("7", "12345678", "94287082"), ("071", "2345678", "94287082"), ("07", "1234567x", "94287082")]
)
def test_a_member_code_is_only_built_of_whole_parts(parts: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="2 digits of tenant"):
        MemberCode(*parts)


@pytest.mark.parametrize("text", ["13812341234", "+8613812341234", "tel:13812341234", "TEL:+8613812341234"])
def test_a_phone_number_is_one_number_however_it_is_written(text: str) -> None:
    assert phone_number(text) == PhoneNumber("13812341234")


@pytest.mark.parametrize(
    "text", ["12812341234", "1381234123", "138123412345", "8613812341234", "+1 202 555 0143", "138-1234-1234"]
)
def test_what_is_no_mobile_number_here(text: str) -> None:
    assert phone_number(text) is None


def test_a_phone_number_is_masked_and_only_built_whole() -> None:
    phone = PhoneNumber("13812341234")
    assert phone.masked == "138****1234"
    assert "13812341234" not in f"{phone!r} {phone}"
    with pytest.raises(ValueError, match="eleven digits") as raised:
        PhoneNumber("+8613812341234")
    assert "13812341234" not in str(raised.value)
