"""A printer's eye: ESC/POS bytes as a picture of the paper. Written apart from the encoder on purpose, from
the command set alone, so that it judges what the encoder made."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
CELL, HEIGHT, MARGIN = 12, 30, 18
DOTS = {80: 576, 58: 384}


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
        self.qr_data, self.qr_dots = b"", 4

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
            text = self.text.decode("gb18030", "replace")
            self.seen.lines.append(_Run(text, self.bold, self.scale, self.align))
        self.text = bytearray()

    def command(self, lead: bytes) -> None:
        code = lead + self.take(1)
        match code:
            case b"\x1b@":
                self.bold, self.scale, self.align = False, 1, 0
            case b"\x1c&" | b"\x1c.":
                pass
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
        row_bytes, rows = int.from_bytes(self.take(2), "little"), int.from_bytes(self.take(2), "little")
        body = self.take(row_bytes * rows).ljust(row_bytes * rows, b"\x00")
        if not row_bytes or not rows or row_bytes > 256 or rows > 4_096:
            self.seen.unknown["raster"] += 1
            return
        ink = Image.frombytes("1", (row_bytes * 8, rows), bytes(byte ^ 0xFF for byte in body))
        self.seen.lines.append(ink.convert("L"))


def read(data: bytes, width_mm: int = 80) -> Seen:
    """Everything on the paper, in order. Bytes that are no command of ours are counted, never obeyed."""
    return _Reader(data, DOTS[width_mm]).read()


def paper_text(data: bytes, width_mm: int = 80) -> str:
    """What a person reads on it."""
    return "\n".join(run.text.rstrip() for run in read(data, width_mm).lines if isinstance(run, _Run)) + "\n"


def paper_picture(data: bytes, width_mm: int = 80) -> bytes:
    """The paper as a PNG."""
    seen, dots = read(data, width_mm), DOTS[width_mm]
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


def _qr_picture(data: bytes, module_dots: int) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(data, error="m").save(out, kind="png", scale=max(1, module_dots), border=4)
    out.seek(0)
    return Image.open(out).convert("L")
