"""What a scanner typed, without what it was told to type around the code. Pure.

Prefixes and AIM identifiers are configured and never guessed: a code may begin with any of them. One that is configured and
missing means that the scanner is not set up as the box believes, and then nothing it says is believed.
Source: ISO/IEC 15424 for the identifiers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tillbox.contracts.codes.reads import Symbology

AIM = re.compile(rb"\](?P<letter>[A-Za-z])(?P<modifier>[0-9A-Za-z])")
KINDS: dict[str, Symbology] = {
    "A": Symbology.CODE_39,
    "C": Symbology.CODE_128,
    "E": Symbology.EAN_13,
    "F": Symbology.CODABAR,
    "G": Symbology.CODE_93,
    "I": Symbology.ITF,
    "L": Symbology.PDF417,
    "Q": Symbology.QR,
    "d": Symbology.DATA_MATRIX,
    "e": Symbology.DATABAR,
    "z": Symbology.AZTEC,
}
EAN_8 = "]E4"  # every other EAN and UPC comes as the thirteen digits that it stands for


@dataclass(frozen=True, slots=True)
class Typing:
    """What this scanner types before each code."""

    prefix: bytes = b""
    aim: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """One code, bare."""

    raw: bytes
    symbology: Symbology
    aim: str


def bare(frame: bytes, typing: Typing) -> Typed | str:
    """The code in a frame, or what is wrong with the scanner's set-up, in a sentence."""
    if not frame.startswith(typing.prefix):
        return "The scanner does not type its prefix: is it set up as the configuration says?"
    data = frame[len(typing.prefix) :]
    if not typing.aim:
        return Typed(data, Symbology.UNKNOWN, "")
    found = AIM.match(data)
    if found is None:
        return "The scanner does not type its AIM identifier: is that switched on?"
    aim = found.group().decode()
    symbology = Symbology.EAN_8 if aim == EAN_8 else KINDS.get(aim[1], Symbology.UNKNOWN)
    return Typed(data[len(aim) :], symbology, aim)


def is_text(frame: bytes) -> bool:
    """Whether a frame looks like a code and not like a line at the wrong speed: printable, or with GS between fields."""
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter.isprintable() or letter in "\x1d\x02" for letter in text)
