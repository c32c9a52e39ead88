"""Prints papers as drivers do that draw them: no letter is sent, only pictures. JSON lines in, JSON lines out.

A job says the paper (`paper.py`), its columns, `font`: `beside` (each letter as wide as it is) or `cells` (12 dots, 24 for
a Hanzi), and `send`: `raster` (`GS v 0`), `columns` (`ESC *`), `stored` (`GS 8 L`) or `short` (`GS ( L`). The answer is the
bytes in base64, and the text as a person would type it who reads the paper.

    by_picture.py --first 1 --seeds 300 --font cells --send raster      makes the receipts too, and says their truth
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import sys
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from blocks import columns_of
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
BESIDE, CELLS = "beside", "cells"
SENDS = ("raster", "columns", "stored", "short")
CELL, LETTER_ROWS, LINE_ROWS = 12, 24, 30
BIG = 36  # a tall line where letters stand beside each other
TABLE_GAP = 20  # between columns, where letters are as wide as they are


class Paper:
    """One receipt, drawn from the top down."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._cells = job["font"] == CELLS
        self._dots = CELL * job["columns"]
        self._columns: int = job["columns"]
        self._strips: list[Image.Image] = []
        self._commands = b""
        self.typed: list[str] = []
        self._chance = Random(f"picture {job['seed']}")
        for block in job["paper"]:
            getattr(self, block["block"])(block)
        self.data = b"\x1b@" + send(self._whole(), job["send"], self._chance) + self._commands

    def text(self, block: dict[str, Any]) -> None:
        for line in self._wrapped(block["text"], self._dots, block):
            width = self._width(line, block)
            left = (self._dots - width) // 2 if block["align"] == "center" else 0
            self._line([(left, line)], block)

    def pair(self, block: dict[str, Any]) -> None:
        right = self._dots - self._width(block["right"], block)
        room = right - self._width(block["left"], block)
        if room < CELL:
            self._line([(0, block["left"])], block)
            self._line([(right, block["right"])], block)
        else:
            self._line([(0, block["left"]), (right, block["right"])], block)

    def table(self, block: dict[str, Any]) -> None:
        rows = ([block["heading"]] if block["heading"] else []) + block["rows"]
        for row in rows:
            if block["frame"]:
                self.rule({"mark": "-"})
            for line in self._cells_of(block["columns"], row, frame=block["frame"]):
                self._line(line, {})
        if block["frame"]:
            self.rule({"mark": "-"})

    def rule(self, block: dict[str, Any]) -> None:
        if self._cells:
            self._line([(0, block["mark"] * self._columns)], {})
            return
        strip = Image.new("1", (self._dots, LETTER_ROWS))
        draw = ImageDraw.Draw(strip)
        for row in (12, 16) if block["mark"] == "=" else (12,):
            for left in range(0, self._dots, 8):
                draw.line((left, row, left + (8 if block["mark"] == "=" else 4), row), fill=1)
        self._strips.append(strip)

    def logo(self, block: dict[str, Any]) -> None:
        picture = (
            Image.open(io.BytesIO(base64.b64decode(block["png"]))).convert("L").point(lambda one: 255 - one)
        )
        self._picture(picture.resize((256, 80)).convert("1"))

    def qr(self, block: dict[str, Any]) -> None:
        self._picture(_noise(self._chance, 25, 25).resize((150, 150)))

    def barcode(self, block: dict[str, Any]) -> None:
        self._picture(_noise(self._chance, 120, 1).resize((240, 80)))

    def feed(self, block: dict[str, Any]) -> None:
        self._strips.append(Image.new("1", (self._dots, LINE_ROWS * block["lines"])))

    def drawer(self, _: dict[str, Any]) -> None:
        self._commands += b"\x1bp\x002\xfa"

    def ask(self, _: dict[str, Any]) -> None:
        self._commands = b"\x10\x04\x01" + self._commands

    def cut(self, _: dict[str, Any]) -> None:
        self._commands += b"\x1dVB\x00"

    # drawing

    def _line(self, parts: list[tuple[int, str]], style: dict[str, Any]) -> None:
        tall = bool(style.get("tall"))
        strip = Image.new("1", (self._dots, LINE_ROWS * (2 if tall else 1)))
        for left, words in parts:
            self._write(strip, left, words, style)
        self._strips.append(strip)
        self.typed.append(self._as_typed(parts, style))

    def _as_typed(self, parts: list[tuple[int, str]], style: dict[str, Any]) -> str:
        """With a space where there is white on the paper."""
        typed, end = "", 0
        for left, words in parts:
            typed += (" " if left > end else "") + words
            end = left + self._width(words, style)
        return typed.strip()

    def _write(self, strip: Image.Image, left: int, words: str, style: dict[str, Any]) -> None:
        if not self._cells:
            draw = ImageDraw.Draw(strip)
            draw.fontmode = "1"
            draw.text((left, 1), words, font=_font(self._size(style), 0), fill=1)
            return
        wide, tall = (2 if style.get("wide") else 1), (2 if style.get("tall") else 1)
        for one in words:
            cells = columns_of(one)
            letter = _in_cell(one).resize((CELL * cells * wide, LINE_ROWS * tall))
            strip.paste(letter, (left, 0))
            left += CELL * cells * wide

    def _size(self, style: dict[str, Any]) -> int:
        return BIG if style.get("tall") else LETTER_ROWS

    def _width(self, words: str, style: dict[str, Any]) -> int:
        if self._cells:
            return CELL * columns_of(words) * (2 if style.get("wide") else 1)
        return int(_font(self._size(style), 0).getlength(words))

    def _cells_of(
        self, columns: list[dict[str, Any]], row: list[str], *, frame: bool
    ) -> Iterator[list[tuple[int, str]]]:
        """The printed lines of one row: what does not fit its column goes on below."""
        room = [CELL * column["width"] - (0 if self._cells else TABLE_GAP // 2) for column in columns]
        parts = [
            self._wrapped(words, wide, {})
            if column["align"] == "left" and not (words.isascii() and words.isalnum())
            else [words]
            for column, words, wide in zip(columns, row, room, strict=True)
        ]
        for at in range(max(map(len, parts))):
            left, line = 0, []
            for column, wide, part in zip(columns, room, parts, strict=True):
                if frame and self._cells:
                    line.append((left, "|"))
                    left += CELL
                words = part[at] if at < len(part) else ""
                shift = wide - self._width(words, {}) if column["align"] == "right" else 0
                if words:
                    line.append((left + shift, words))
                left += CELL * column["width"]
            if frame and self._cells:
                line.append((left, "|"))
            yield line

    def _wrapped(self, words: str, room: int, style: dict[str, Any]) -> list[str]:
        lines, line = [], ""
        for one in words:
            if line and self._width(line + one, style) > room:
                lines.append(line)
                line = ""
            line += one
        return [*lines, line]

    def _picture(self, picture: Image.Image) -> None:
        strip = Image.new("1", (self._dots, picture.height + 8))
        strip.paste(picture, ((self._dots - picture.width) // 2, 4))
        self._strips.append(strip)

    def _whole(self) -> Image.Image:
        whole = Image.new("1", (self._dots, max(1, sum(strip.height for strip in self._strips))))
        top = 0
        for strip in self._strips:
            whole.paste(strip, (0, top))
            top += strip.height
        return whole


def send(picture: Image.Image, way: str, chance: Random) -> bytes:
    """A picture as a driver sends it, in strips that know nothing of lines."""
    if way == "columns":
        return _by_columns(picture, chance.choice((32, 33)))
    strips, top = b"", 0
    high = chance.choice((24, 100, 255, 1662))
    while top < picture.height:
        strip = picture.crop((0, top, picture.width, min(top + high, picture.height)))
        across, down = strip.width.to_bytes(2, "little"), strip.height.to_bytes(2, "little")
        rows = strip.tobytes()
        if way == "raster":
            strips += b"\x1dv0\x00" + (strip.width // 8).to_bytes(2, "little") + down + rows
        else:
            stored = b"\x30\x70\x30\x01\x01\x31" + across + down + rows
            short = way == "short" and len(stored) < 65_536
            head = (
                b"\x1d(L" + len(stored).to_bytes(2, "little")
                if short
                else b"\x1d8L" + len(stored).to_bytes(4, "little")
            )
            strips += head + stored + b"\x1d(L\x02\x00\x30\x32"
        top += high
    return strips


def _by_columns(picture: Image.Image, mode: int) -> bytes:
    """`ESC *`, 24 rows at once; in single density each dot is two wide, so the picture is drawn half as wide first."""
    if mode == 32:
        mode = 33  # letters of 24 dots need the full density; the lower ones are tested apart
    out = b"\x1b3\x18"
    for top in range(0, picture.height, 24):
        strip = picture.crop((0, top, picture.width, top + 24)).transpose(Image.Transpose.TRANSPOSE)
        out += b"\x1b*" + bytes([mode]) + picture.width.to_bytes(2, "little") + strip.tobytes() + b"\n"
    return out + b"\x1b2"


@cache
def _font(size: int, face: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, index=face, layout_engine=ImageFont.Layout.BASIC)


@cache
def _in_cell(one: str) -> Image.Image:
    """A letter in its cell: half-width ones are smaller, so that they fit, and some of them touch the next all the same."""
    cells = columns_of(one)
    letter = Image.new("1", (CELL * cells, LINE_ROWS))
    draw = ImageDraw.Draw(letter)
    draw.fontmode = "1"
    draw.text(
        (0, 1 if cells == 2 else 4), one, font=_font(24 if cells == 2 else 20, 0 if cells == 2 else 1), fill=1
    )
    return letter


def _noise(chance: Random, wide: int, high: int) -> Image.Image:
    picture = Image.new("1", (wide, high))
    picture.putdata([chance.randint(0, 1) for _ in range(wide * high)])
    return picture


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    made = Paper(job)
    return {"data": base64.b64encode(made.data).decode(), "typed": "\n".join(made.typed) + "\n"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=0, help="how many receipts; 0 takes jobs from the input")
    parser.add_argument("--font", choices=(BESIDE, CELLS), default=BESIDE)
    parser.add_argument("--send", choices=SENDS)
    parser.add_argument("--language", choices=("zh", "en"))
    asked = parser.parse_args()
    if not asked.seeds:
        for line in sys.stdin:
            print(json.dumps(_answer(json.loads(line))), flush=True)
        return
    from generate import job
    from receipts import receipt

    for seed in range(asked.first, asked.first + asked.seeds):
        one = receipt(seed, language=asked.language)
        way = asked.send or SENDS[seed % len(SENDS)]
        made = _answer({**job(one), "font": asked.font, "send": way})
        print(json.dumps({**made, "truth": one.as_json()}))


if __name__ == "__main__":
    main()
