"""Base45: the vectors of RFC 9285, and that each text has one meaning."""

from __future__ import annotations

import pytest

from tillbox.contracts.codes import base45

VECTORS = [
    (b"AB", "BB8"),
    (b"Hello!!", "%69 VD92EX0"),
    (b"base-45", "UJCLQE7W581"),
    (b"ietf!", "QED8WEX0"),
    (b"", ""),
    (b"\xff\xff", "FGW"),
    (b"\xff", "U5"),
]


@pytest.mark.parametrize(("data", "text"), VECTORS)
def test_the_published_vectors(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "B",  # no bytes make one character
        "BB8B",
        "GGW",  # 65,536: one more than two bytes hold
        ":::",
        "V5",  # 256
        "bb8",  # small letters are not in the alphabet
        "BB,",
        "中文字",
    ],
)
def test_a_text_that_no_bytes_make_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base45|is no"):
        base45.decode(text)
