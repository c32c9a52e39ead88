"""From a stream's bytes to letters: which alphabet is spoken, and how wide each letter is. Pure.

What the stream says (`ESC t`, `FS &`, `FS .`, `ESC R`) is believed where it makes sense; Chinese tills print GB18030 on any
code page, because their printers read it on any. So two bytes that are a common Chinese letter are one, unless the
stream has just said that it is not Chinese; and rows of one byte are rules, which are Chinese letters in no language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LINE = "\u2502"  # whatever is drawn and no letter
RULE_RUN = 4  # so many equal line bytes are a rule and no text
CODE_PAGES = {
    0: "cp437", 1: "katakana", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 11: "cp851", 12: "cp853", 13: "cp857",
    14: "cp737", 15: "iso8859_7", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858", 36: "cp862", 37: "cp864",
    45: "cp1250", 46: "cp1251", 47: "cp1253", 48: "cp1254", 49: "cp1255", 50: "cp1256", 51: "cp1257", 52: "cp1258",
}  # fmt: skip
"""Epson's numbers; 1 is Katakana, whose upper letters are lines and frames here."""
LINES = frozenset(b"\xb3\xb4\xba\xbf\xc0\xc1\xc2\xc3\xc4\xc5\xcd\xd9\xda\xdc\xdf\xdb")
"""Frames of code page 437, single and double."""
KATAKANA_LINES = frozenset(range(0x80, 0xA0)) | frozenset(range(0xE0, 0xFE))


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter and how many half-width cells it takes."""

    text: str
    cells: int


class Alphabet:
    """Bytes to letters, in the order of the stream.

    `chinese` is what the shop's configuration says of this till; None finds out from the bytes.
    """

    def __init__(self, chinese: bool | None = None) -> None:
        self._shop = chinese
        self._held = b""
        self.reset()

    def reset(self) -> None:
        """The printer was initialised."""
        self._page = 0
        self._mode: bool | None = None  # FS & or FS . as the stream said last

    def command(self, name: bytes, first: int) -> None:
        """A command that may change the alphabet."""
        match name:
            case b"\x1bt":
                self._page = first
            case b"\x1c&":
                self._mode = True
            case b"\x1c.":
                self._mode = False
            case b"\x1bR":
                self._mode = True if first == 15 else self._mode

    def feed(self, data: bytes) -> None:
        """More bytes of a text; a letter's two halves may come in two of them, and a rule in many."""
        self._held += data

    def flush(self) -> Iterator[Letter]:
        """The letters of the text up to here: a command comes, or the line's end."""
        data, self._held = self._held, b""
        at = 0
        while at < len(data):
            letter, size = self._letter(data, at)
            yield letter
            at += size

    def _letter(self, data: bytes, at: int) -> tuple[Letter, int]:
        byte = data[at]
        if byte < 0x80:
            return Letter(chr(byte), 1), 1
        if self._is_line(data, at):
            return Letter(LINE, 1), 1
        pair = data[at : at + 2]
        if len(pair) == 2 and self._is_chinese(pair):
            text = _gb18030(pair)
            if text:
                return Letter(text, 2), 2
        return Letter(self._from_page(byte), 1), 1

    def _is_line(self, data: bytes, at: int) -> bool:
        byte = data[at]
        if self._page == 1 and self._mode is False:
            return byte in KATAKANA_LINES
        if byte not in LINES:
            return False
        if _run(data, at) >= RULE_RUN:
            return True
        return self._mode is not True and byte in (0xB3, 0xBA) and data[at + 1 : at + 2] in (b" ", b"", b"\n")

    def _is_chinese(self, pair: bytes) -> bool:
        if self._mode is False and self._shop is not True:
            return False
        if self._mode or self._shop:
            return 0x81 <= pair[0] <= 0xFE and 0x40 <= pair[1] <= 0xFE and pair[1] != 0x7F
        return _common(pair)

    def _from_page(self, byte: int) -> str:
        page = CODE_PAGES.get(self._page, "cp437")
        if page == "cp857" and byte == 0xD5:
            return "€"  # as the printers have it; Python's table is older
        if page == "katakana":
            return LINE if byte in KATAKANA_LINES else "?"
        try:
            letter = bytes([byte]).decode(page)
        except (UnicodeDecodeError, LookupError):
            return "�"
        return letter if letter.isprintable() else " "


def _run(data: bytes, at: int) -> int:
    """How many times the byte at a place stands there in a row, before and behind."""
    first, last = at, at
    while first > 0 and data[first - 1] == data[at]:
        first -= 1
    while last + 1 < len(data) and data[last + 1] == data[at]:
        last += 1
    return last - first + 1


def _common(pair: bytes) -> bool:
    """A letter of GB2312: punctuation, full-width signs, or one of its 6,763 Hanzi."""
    return (0xA1 <= pair[0] <= 0xA3 or 0xB0 <= pair[0] <= 0xF7) and 0xA1 <= pair[1] <= 0xFE


def _gb18030(pair: bytes) -> str:
    try:
        text = pair.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return text if unicodedata.category(text)[0] not in "C" else ""
