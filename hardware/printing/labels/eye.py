"""A label printer's eye: TSPL or ZPL bytes as a picture of each label. Written apart from the encoders on purpose, from
the command sets alone, so that it judges what they made.

It obeys as a printer would: a command that it does not know is counted, and so is what a printer obeys at once in the
middle of anything (`ESC !`). Codes are drawn by zxing-cpp's writer, which the encoders do not use.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

PAPER_DOTS_MAX = 4_000
DOTS_PER_MM = 8
_Format = zxingcpp.BarcodeFormat


@dataclass(frozen=True, slots=True)
class SeenLabel:
    """One label, and how many of it."""

    picture: Image.Image
    copies: int


@dataclass(slots=True)
class Seen:
    """Everything that came out, the commands in order, and what was no command of the language."""

    labels: list[SeenLabel] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)


def read(data: bytes, language: str, dots_per_mm: int = DOTS_PER_MM) -> Seen:
    """What a printer of this language makes of these bytes."""
    return _Tspl(data, dots_per_mm).read() if language == "tspl" else _Zpl(data).read()


def _page(width: int, height: int) -> Image.Image:
    return Image.new("L", (min(PAPER_DOTS_MAX, max(1, width)), min(PAPER_DOTS_MAX, max(1, height))), 255)


def _dots(page: Image.Image, left: int, top: int, row_bytes: int, ink: bytes, *, over: bool) -> None:
    """Dots where 1 is black; `over` makes white ones white."""
    if not row_bytes:
        return
    mask = Image.frombytes("1", (row_bytes * 8, len(ink) // row_bytes), ink).convert("L")
    if over:
        page.paste(255, (left, top, left + mask.width, top + mask.height))
    page.paste(0, (left, top), mask)


def _squares(data: bytes, level: str, dots: int) -> Image.Image:
    drawn = zxingcpp.create_barcode(data.decode("latin-1"), _Format.QRCode, ec_level=level)
    image = Image.fromarray(np.array(drawn.to_image(scale=1, add_quiet_zones=False)))
    return image.resize((image.width * dots, image.height * dots), Image.Resampling.NEAREST)


def _bars(data: bytes, kind: str, dots: int, height: int) -> Image.Image:
    drawn = zxingcpp.create_barcode(data.decode("ascii"), getattr(_Format, kind))
    image = Image.fromarray(np.array(drawn.to_image(scale=1, add_quiet_zones=False)))
    return image.crop((0, 0, image.width, 1)).resize((image.width * dots, height), Image.Resampling.NEAREST)


class _Tspl:
    """A line is a command; a BITMAP is followed by as many bytes as it says."""

    def __init__(self, data: bytes, dots_per_mm: int) -> None:
        self.data, self.at, self.dots_per_mm = data, 0, dots_per_mm
        self.seen, self.page = Seen(), _page(0, 0)
        self.size = (0, 0)
        self.seen.unknown.update("ESC !" for _ in re.findall(rb"\x1b!", data))

    def read(self) -> Seen:
        while self.at < len(self.data):
            head = re.compile(rb"BITMAP (\d+),(\d+),(\d+),(\d+),0,").match(self.data, self.at)
            if head:
                self.bitmap(head)
                continue
            end = self.data.find(b"\r\n", self.at)
            end = len(self.data) if end < 0 else end
            line, self.at = self.data[self.at : end], end + 2
            if line:
                self.command(line)
        return self.seen

    def bitmap(self, head: re.Match[bytes]) -> None:
        left, top, row_bytes, rows = map(int, head.groups())
        white = self.data[head.end() : head.end() + row_bytes * rows]
        self.at = head.end() + row_bytes * rows
        self.seen.commands.append("BITMAP")
        ink = bytes(byte ^ 0xFF for byte in white.ljust(row_bytes * rows, b"\xff"))
        _dots(self.page, left, top, row_bytes, ink, over=True)
        if self.data[self.at : self.at + 2] != b"\r\n":
            self.seen.unknown["after BITMAP"] += 1
        self.at += 2

    def command(self, line: bytes) -> None:
        name, _, rest = line.partition(b" ")
        does = {b"SIZE": self.paper, b"BAR": self.bar, b"BOX": self.box, b"QRCODE": self.qr}
        does |= {b"BARCODE": self.bars, b"PRINT": self.out}
        self.seen.commands.append(name.decode("latin-1"))
        if line == b"CLS":
            self.page = _page(*self.size)
            return
        if name in (b"DIRECTION", b"REFERENCE", b"GAP"):
            return
        try:
            does[name](rest)
        except (KeyError, ValueError, AttributeError):
            self.seen.unknown[line[:20].hex()] += 1

    def paper(self, rest: bytes) -> None:
        width, height = rest.split(b",")
        if not (width.endswith(b" mm") and height.endswith(b" mm")):
            raise ValueError("a size in inches")
        self.size = (int(width[:-3]) * self.dots_per_mm, int(height[:-3]) * self.dots_per_mm)
        self.page = _page(*self.size)

    def bar(self, rest: bytes) -> None:
        left, top, width, height = map(int, rest.split(b","))
        self.page.paste(0, (left, top, left + width, top + height))

    def box(self, rest: bytes) -> None:
        left, top, right, foot, thick = map(int, rest.split(b","))
        ImageDraw.Draw(self.page).rectangle((left, top, right - 1, foot - 1), outline=0, width=thick)

    def qr(self, rest: bytes) -> None:
        found = re.fullmatch(rb'(\d+),(\d+),([LMQH]),(\d+),A,0,M2,S7,"(.*)"', rest)
        left, top, level, dots, text = found.groups() if found else (b"",) * 5
        picture = _squares(self.said(text), level.decode(), int(dots))
        self.page.paste(picture, (int(left), int(top)))

    def bars(self, rest: bytes) -> None:
        found = re.fullmatch(rb'(\d+),(\d+),"(128|EAN13|EAN8)",(\d+),0,0,(\d+),\d+,"(.*)"', rest)
        left, top, kind, height, dots, text = found.groups() if found else (b"",) * 6
        name = {b"128": "Code128", b"EAN13": "EAN13", b"EAN8": "EAN8"}[kind]
        self.page.paste(_bars(self.said(text), name, int(dots), int(height)), (int(left), int(top)))

    @staticmethod
    def said(text: bytes) -> bytes:
        r"""What stands between quotes: a quote is \["], CR is \[R], LF is \[L], and a bare quote ends it."""
        if b'"' in text.replace(b'\\["]', b""):
            raise ValueError("a quote in the middle")
        return text.replace(b'\\["]', b'"').replace(b"\\[R]", b"\r").replace(b"\\[L]", b"\n")

    def out(self, rest: bytes) -> None:
        sets, copies = map(int, rest.split(b","))
        self.seen.labels.append(SeenLabel(self.page.copy(), sets * copies))


class _Zpl:
    """`^` and `~` begin a command wherever they are; a field ends with `^FS`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.seen, self.page = Seen(), _page(0, 0)
        self.width = self.height = 0
        self.copies, self.bar_dots, self.bar_height = 1, 2, 10
        self.fresh()

    def fresh(self) -> None:
        self.at, self.code, self.hex, self.field = (0, 0), (b"", b""), b"", None

    at: tuple[int, int]
    code: tuple[bytes, bytes]
    hex: bytes
    field: bytes | None

    def read(self) -> Seen:
        before, *parts = re.split(rb"(?=[\^~])", self.data)
        if before.strip():
            self.seen.unknown["before"] += 1
        for part in parts:
            sign = part[:3]
            rest = part[3:] if sign == b"^FD" else part[3:].rstrip(b"\n")
            self.seen.commands.append(sign.decode("latin-1"))
            try:
                self.command(sign, rest)
            except (KeyError, ValueError, AttributeError):
                self.seen.unknown[part[:20].hex()] += 1
        return self.seen

    def command(self, sign: bytes, rest: bytes) -> None:
        match sign:
            case b"^XA":
                self.width = self.height = 0
                self.copies = 1
            case b"^PW":
                self.width = int(rest)
            case b"^LL":
                self.height = int(rest)
                self.page = _page(self.width, self.height)
            case b"^LH":
                assert rest == b"0,0", rest
            case b"^PQ":
                self.copies = int(rest.split(b",")[0])
            case b"^FO":
                left, top = map(int, rest.split(b","))
                self.at = (left, top)
            case b"^BY":
                dots, _, height = map(int, rest.split(b","))
                self.bar_dots, self.bar_height = dots, height
            case b"^BQ" | b"^BC" | b"^BE" | b"^B8":
                self.code = (sign, rest)
            case b"^FH":
                self.hex = rest[:1] or b"_"
            case b"^FD":
                self.field = self.said(rest)
            case b"^GB":
                self.filled(rest)
            case b"^GF":
                self.graphic(rest)
            case b"^FS":
                self.draw()
                self.fresh()
            case b"^XZ":
                self.seen.labels.append(SeenLabel(self.page.copy(), self.copies))
            case _:
                raise KeyError(sign)

    def said(self, rest: bytes) -> bytes:
        if not self.hex:
            return rest
        pattern = re.escape(self.hex) + rb"([0-9A-Fa-f]{2})"
        return re.sub(pattern, lambda found: bytes.fromhex(found[1].decode()), rest)

    def filled(self, rest: bytes) -> None:
        width, height, thick = map(int, rest.split(b","))
        left, top = self.at
        box = (left, top, left + width - 1, top + height - 1)
        ImageDraw.Draw(self.page).rectangle(box, outline=0, width=thick)

    def graphic(self, rest: bytes) -> None:
        how, total, _, row_bytes, data = rest.split(b",", 4)
        ink = bytes.fromhex(data.decode("ascii"))
        if how != b"A" or len(ink) != int(total):
            raise ValueError("another length than it says")
        _dots(self.page, *self.at, int(row_bytes), ink, over=False)

    def draw(self) -> None:
        (sign, how), data, (left, top) = self.code, self.field, self.at
        if not sign or data is None:
            return
        if sign == b"^BQ":
            _, _, dots = how.split(b",")
            if data[1:3] != b"A,":
                raise ValueError("no automatic mode")
            # the field's origin is so far above the code
            picture, top = _squares(data[3:], data[:1].decode(), int(dots)), top + self.bar_height
        else:
            name, height = {b"^BC": "Code128", b"^BE": "EAN13", b"^B8": "EAN8"}[sign], int(how.split(b",")[1])
            picture = _bars(data, name, self.bar_dots, height)
        self.page.paste(picture, (left, top))
