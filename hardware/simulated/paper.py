"""A printer's eye: ESC/POS bytes as a picture of the paper. Written apart from the encoder on purpose, from
the command set alone, so that it judges what the encoder made."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
CELL, HEIGHT, MARGIN = 12, 30, 18
DOTS = {80: 576, 58: 384}
CODE_PAGES = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
}


@dataclass(slots=True)
class _Run:
    text: str
    bold: bool
    scale: int
    align: int


@dataclass(slots=True)
class Seen:
    """What was found on the way through the bytes."""

    lines: list[_Run | Image.Image | int] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    kicks: int = 0


class _Reader:
    """Walks through the bytes by the commands' true lengths."""

    def __init__(self, data: bytes, dots: int) -> None:
        self.data, self.at, self.dots = data, 0, dots
        self.seen = Seen()
        self.bold, self.scale, self.align = False, 1, 0
        self.text = bytearray()
        self.alphabet, self.in_chinese = "gb18030", False
        self.qr_data, self.qr_dots = b"", 4
        self.bar_height = 80

    def read(self) -> Seen:
        while self.at < len(self.data):
            byte = self.take(1)
            if byte == b"\n":
                self.flush(force=True)
            elif byte in (b"\x1b", b"\x1d", b"\x1c", b"\x10"):
                self.command(byte)
            elif byte >= b" ":
                self.text += byte
        self.flush()
        return self.seen

    def take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += count
        return found

    def flush(self, *, force: bool = False) -> None:
        if self.text or force:
            text = self.text.decode(self.alphabet, "replace")
            self.seen.lines.append(_Run(text, self.bold, self.scale, self.align))
        self.text = bytearray()

    def command(self, lead: bytes) -> None:
        code = lead + self.take(1)
        match code:
            case b"\x1b@":
                self.bold, self.scale, self.align = False, 1, 0
            case b"\x1c&":
                self.flush()
                self.alphabet = "gb18030"
            case b"\x1c.":
                self.flush()
                self.alphabet = "cp437"
            case b"\x1bt":
                self.flush()
                self.alphabet = CODE_PAGES.get((self.take(1) or b"\x00")[0], "latin-1")
            case b"\x1dH" | b"\x1dw":
                self.take(1)
            case b"\x1dh":
                self.bar_height = (self.take(1) or b"\x50")[0]
            case b"\x1dk":
                self.bars()
            case b"\x1ba":
                self.align = (self.take(1) or b"\x00")[0] % 48
            case b"\x1bE":
                self.bold = bool((self.take(1) or b"\x00")[0] & 1)
            case b"\x1d!":
                self.scale = 2 if (self.take(1) or b"\x00")[0] else 1
            case b"\x1bd":
                self.flush()
                self.seen.lines += [HEIGHT] * (self.take(1) or b"\x00")[0]
            case b"\x1bp":
                self.take(3)
                self.seen.kicks += 1
            case b"\x1dV":
                self.flush()
                if self.take(1) in (b"A", b"B", b"a", b"b"):
                    self.take(1)
                self.seen.cuts += 1
            case b"\x1d(":
                kind, size = self.take(1), int.from_bytes(self.take(2), "little")
                self.extended(kind, self.take(size))
            case b"\x1dv":
                self.raster()
            case b"\x1dr" | b"\x10\x04":
                self.take(1)
            case _:
                self.seen.unknown[code.hex()] += 1

    def bars(self) -> None:
        kind, size = self.take(1), (self.take(1) or b"\x00")[0]
        data = self.take(size)
        if kind == b"\x49" and data.startswith(b"{B"):
            self.seen.lines.append(
                bar_picture(data[2:].replace(b"{{", b"{").decode("ascii"), "Code128", self.bar_height)
            )
        elif kind == b"\x43":
            self.seen.lines.append(bar_picture(data.decode("ascii"), "EAN13", self.bar_height))
        else:
            self.seen.unknown[f"1d6b{kind.hex()}"] += 1

    def extended(self, kind: bytes, body: bytes) -> None:
        if kind != b"k" or body[:1] != b"1":
            self.seen.unknown[f"1d28{kind.hex()}"] += 1
            return
        function, rest = body[1:2], body[2:]
        if function == b"C":
            self.qr_dots = (rest or b"\x04")[0]
        elif function == b"P":
            self.qr_data = rest[1:]
        elif function == b"Q" and self.qr_data:
            self.seen.lines.append(_qr_picture(self.qr_data, self.qr_dots))

    def raster(self) -> None:
        self.take(2)
        self.dots_of(int.from_bytes(self.take(2), "little"), int.from_bytes(self.take(2), "little"))

    def dots_of(self, row_bytes: int, rows: int) -> None:
        body = self.take(row_bytes * rows).ljust(row_bytes * rows, b"\x00")
        if not row_bytes or not rows or row_bytes > 256 or rows > 4_096:
            self.seen.unknown["raster"] += 1
            return
        strip = Image.frombytes("1", (row_bytes * 8, rows), bytes(byte ^ 0xFF for byte in body)).convert("L")
        last = self.seen.lines[-1] if self.seen.lines and not self.text else None
        if isinstance(last, Image.Image) and last.width == strip.width:
            self.seen.lines[-1] = _below(last, strip)  # a long picture comes in strips
        else:
            self.seen.lines.append(strip)


class _StarReader(_Reader):
    """The same for Star's commands."""

    def command(self, lead: bytes) -> None:
        if lead == b"\x1c" or lead == b"\x10":
            self.seen.unknown[lead.hex()] += 1
            return
        code = lead + self.take(1)
        match code:
            case b"\x1b@":
                self.bold, self.scale, self.align, self.alphabet = False, 1, 0, "cp437"
            case b"\x1bE" | b"\x1bF":
                self.bold = code == b"\x1bE"
            case b"\x1bi":
                self.scale = 2 if self.take(2)[:1] == b"\x01" else 1
            case b"\x1bd":
                self.flush()
                self.take(1)
                self.seen.cuts += 1
            case b"\x1bb":
                self.star_bars()
            case b"\x1b\x1d":
                self.star_extended()
            case _:
                self.seen.unknown[code.hex()] += 1

    def star_bars(self) -> None:
        kind, _, _, height = (self.take(1) for _ in range(4))
        end = self.data.find(b"\x1e", self.at)
        text = self.take(max(0, end - self.at)).decode("ascii", "replace")
        self.take(1)
        drawing = {b"6": "Code128", b"3": "EAN13"}.get(kind)
        if drawing and text:
            self.seen.lines.append(bar_picture(text, drawing, height[0]))

    def star_extended(self) -> None:
        kind = self.take(1)
        if kind == b"a":
            self.align = (self.take(1) or b"\x00")[0]
        elif kind == b"t":
            self.alphabet = CODE_PAGES.get((self.take(1) or b"\x00")[0], "latin-1")
        elif kind == b")":
            self.take(1)
            body = self.take(int.from_bytes(self.take(2), "little"))
            self.alphabet = "utf-8" if body == b"0\x01" else self.alphabet
        elif kind == b"S":
            self.take(1)
            row_bytes, rows = int.from_bytes(self.take(2), "little"), int.from_bytes(self.take(2), "little")
            self.take(1)
            self.dots_of(row_bytes, rows)
        elif kind == b"y":
            self.star_qr(self.take(1))
        else:
            self.seen.unknown[f"1b1d{kind.hex()}"] += 1

    def star_qr(self, function: bytes) -> None:
        if function == b"S":
            which, value = self.take(1), self.take(1)
            self.qr_dots = value[0] if which == b"2" else self.qr_dots
        elif function == b"D":
            self.take(2)
            self.qr_data = self.take(int.from_bytes(self.take(2), "little"))
        elif function == b"P":
            self.seen.lines.append(_qr_picture(self.qr_data, self.qr_dots))


def read(data: bytes, width_mm: int = 80, language: str = "escpos") -> Seen:
    """Everything on the paper, in order. Bytes that are no command of ours are counted, never obeyed."""
    eye = _StarReader if language == "star" else _Reader
    return eye(data, DOTS[width_mm]).read()


def paper_text(data: bytes, width_mm: int = 80, language: str = "escpos") -> str:
    """What a person reads on it."""
    lines = read(data, width_mm, language).lines
    return "\n".join(run.text.rstrip() for run in lines if isinstance(run, _Run)) + "\n"


def paper_picture(data: bytes, width_mm: int = 80, language: str = "escpos") -> bytes:
    """The paper as a PNG."""
    seen, dots = read(data, width_mm, language), DOTS[width_mm]
    heights = [_height(item) for item in seen.lines]
    page = Image.new("L", (dots + 2 * MARGIN, sum(heights) + 4 * MARGIN), 252)
    pen = ImageDraw.Draw(page)
    top = 2 * MARGIN
    for item, height in zip(seen.lines, heights, strict=True):
        if isinstance(item, _Run):
            _write(pen, item, top, dots)
        elif isinstance(item, Image.Image):
            page.paste(item, (MARGIN + max(0, (dots - item.width) // 2), top))
        top += height
    out = io.BytesIO()
    page.save(out, "PNG", optimize=True)
    return out.getvalue()


def _height(item: _Run | Image.Image | int) -> int:
    if isinstance(item, int):
        return item
    return item.height + 6 if isinstance(item, Image.Image) else HEIGHT * item.scale


def _write(pen: ImageDraw.ImageDraw, run: _Run, top: int, dots: int) -> None:
    font = _font(24 * run.scale)
    widths = [_cells(character) * CELL * run.scale for character in run.text]
    left = MARGIN + {0: 0, 1: max(0, (dots - sum(widths)) // 2), 2: max(0, dots - sum(widths))}.get(
        run.align, 0
    )
    for character, width in zip(run.text, widths, strict=True):
        pen.text(
            (left, top), character, fill=20, font=font, stroke_width=1 if run.bold else 0, stroke_fill=20
        )
        left += width


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if FONT.exists():
        return ImageFont.truetype(str(FONT), size, index=1)  # the monospaced face
    return ImageFont.load_default(size)


def _below(upper: Image.Image, lower: Image.Image) -> Image.Image:
    whole = Image.new("L", (upper.width, upper.height + lower.height), 255)
    whole.paste(upper, (0, 0))
    whole.paste(lower, (0, upper.height))
    return whole


def bar_picture(text: str, kind: str, height_dots: int) -> Image.Image:
    """Bars of two dots a module."""
    import zxingcpp

    drawn = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    bars = Image.fromarray(np.array(drawn.to_image(scale=1, add_quiet_zones=True)))
    return bars.crop((0, 0, bars.width, 1)).resize((bars.width * 2, height_dots))


def _qr_picture(data: bytes, module_dots: int) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(data, error="m").save(out, kind="png", scale=max(1, module_dots), border=4)
    out.seek(0)
    return Image.open(out).convert("L")
