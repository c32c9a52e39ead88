"""The bars of EAN-13, EAN-8 and Code 128 as rows of modules, computed from the standards' tables. Pure.

Sources: GS1 General Specifications, 5.2 (EAN) and 5.4 (Code 128, ISO/IEC 15417).
"""

from __future__ import annotations

import functools
import re
from typing import Literal

from tillbox.contracts.codes.goods import check_digit_fits

BarKind = Literal["ean_13", "ean_8", "code_128"]

BAR_LETTERS_MAX = 48  # more is wider than any label

_LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")  # fmt: skip
_RIGHT = tuple(digit.translate(str.maketrans("01", "10")) for digit in _LEFT)
_MIRRORED = tuple(digit[::-1] for digit in _RIGHT)
_FIRST = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
"""The first digit of an EAN-13 has no bars; the drawing of the next six says which it is."""

_WIDTHS = [
    "212222",
    "222122",
    "222221",
    "121223",
    "121322",
    "131222",
    "122213",
    "122312",
    "132212",
    "221213",
    "221312",
    "231212",
    "112232",
    "122132",
    "122231",
    "113222",
    "123122",
    "123221",
    "223211",
    "221132",
    "221231",
    "213212",
    "223112",
    "312131",
    "311222",
    "321122",
    "321221",
    "312212",
    "322112",
    "322211",
    "212123",
    "212321",
    "232121",
    "111323",
    "131123",
    "131321",
    "112313",
    "132113",
    "132311",
    "211313",
    "231113",
    "231311",
    "112133",
    "112331",
    "132131",
    "113123",
    "113321",
    "133121",
    "313121",
    "211331",
    "231131",
    "213113",
    "213311",
    "213131",
    "311123",
    "311321",
    "331121",
    "312113",
    "312311",
    "332111",
    "314111",
    "221411",
    "431111",
    "111224",
    "111422",
    "121124",
    "121421",
    "141122",
    "141221",
    "112214",
    "112412",
    "122114",
    "122411",
    "142112",
    "142211",
    "241211",
    "221114",
    "413111",
    "241112",
    "134111",
    "111242",
    "121142",
    "121241",
    "114212",
    "124112",
    "124211",
    "411212",
    "421112",
    "421211",
    "212141",
    "214121",
    "412121",
    "111143",
    "111341",
    "131141",
    "114113",
    "114311",
    "411113",
    "411311",
    "113141",
    "114131",
    "311141",
    "411131",
    "211412",
    "211214",
    "211232",
    "2331112",
]
_TO_C, _TO_B, _START_B, _START_C, _STOP = 99, 100, 104, 105, 106


@functools.lru_cache(maxsize=256)
def modules(text: str, kind: BarKind) -> str:
    """The modules from left to right, 1 for a bar, without the white beside them. ValueError for what these bars
    cannot carry: an EAN takes its digits with the check digit, Code 128 printable ASCII."""
    if kind == "code_128":
        return _code_128(text)
    digits = {"ean_13": 13, "ean_8": 8}[kind]
    if not (text.isascii() and text.isdecimal() and len(text) == digits and check_digit_fits(text)):
        raise ValueError(f"an EAN-{digits} is {digits} digits, the last of them its check digit")
    return _ean_13(text) if kind == "ean_13" else _ean(text[:4], "LLLL", text[4:])


def _ean_13(text: str) -> str:
    return _ean(text[1:7], _FIRST[int(text[0])], text[7:])


def _ean(left: str, drawing: str, right: str) -> str:
    first = (
        (_LEFT if how == "L" else _MIRRORED)[int(digit)] for digit, how in zip(left, drawing, strict=True)
    )
    return "101" + "".join(first) + "01010" + "".join(_RIGHT[int(digit)] for digit in right) + "101"


def _code_128(text: str) -> str:
    if not (text.isascii() and text.isprintable() and 0 < len(text) <= BAR_LETTERS_MAX):
        raise ValueError(f"Code 128 holds 1 to {BAR_LETTERS_MAX} letters of a plain keyboard")
    values = _values(text)
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    widths = "".join(_WIDTHS[value] for value in (*values, check, _STOP))
    return "".join("10"[place % 2] * int(width) for place, width in enumerate(widths))


def _values(text: str) -> list[int]:
    """Set B, and set C where four digits or more make it shorter."""
    values: list[int] = []
    for run in re.findall(r"(?:\d\d){2,}|(?:(?!\d{4}).)+", text):
        pairs = run.isdecimal() and len(run) >= 4
        if values:
            values.append(_TO_C if pairs else _TO_B)
        else:
            values.append(_START_C if pairs else _START_B)
        values += (
            [int(run[at : at + 2]) for at in range(0, len(run), 2)]
            if pairs
            else [ord(letter) - 32 for letter in run]
        )
    return values
