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

_TABLE = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122"
    "123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323"
    "131123131321112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131"
    "213113213311213131311123311321331121312113312311332111314111221411431111111224111422121124121421141122"
    "141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212124112"
    "124211411212421112421211212141214121412121111143111341131141114113114311411113411311113141114131311141"
    "411131211412211214211232"
)
_WIDTHS = (*(_TABLE[at : at + 6] for at in range(0, len(_TABLE), 6)), "2331112")
"""The widths of bars and gaps of each value, and of the stop."""
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
