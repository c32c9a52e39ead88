"""From a document to bytes, whatever the language: what a line is, where it wraps, what is drawn. Pure.

How a printer is told to do it is its `Tongue`, a table of a language's words. A line with a letter that the printer's
font lacks is drawn whole, so that its columns stay in place; so is a QR code where it has no command for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .document import (
    QR,
    Align,
    BarCode,
    Columns,
    Cut,
    Document,
    Feed,
    Kick,
    Line,
    Part,
    Picture,
    Rule,
    clean,
    set_columns,
    stand_in,
    wrap,
)
from .drawing import Letters, bands, draw_qr
from .profiles import Profile

BAND_ROWS = 96  # printers lose their place in raster pictures of more than 255 rows; some of more than 100
RESET = b"\x1b@"
_ALIGN: dict[Align, bytes] = {"left": b"\x00", "center": b"\x01", "right": b"\x02"}


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language's words for what stands on a slip. A pair is what says no, and what says yes."""

    alphabet: Callable[[Profile], bytes]
    align: bytes  # 0, 1 or 2 comes after it
    bold: tuple[bytes, bytes]
    double: tuple[bytes, bytes]
    plain: bytes  # neither bold nor double any more
    qr: Callable[[bytes, int], bytes]  # of these bytes, each square so many dots
    bars: Callable[[BarCode], bytes]
    raster: Callable[[Picture], bytes]  # of no more than `BAND_ROWS`
    feed: Callable[[int], bytes]
    cut: tuple[bytes, bytes]  # where there is no knife, and where there is one
    kick: bytes


def encode(document: Document, tongue: Tongue, profile: Profile, letters: Letters | None) -> bytes:
    """The bytes that print a document, and nothing that its texts may have wanted besides."""
    pen = _Pen(tongue, profile, letters)
    return RESET + tongue.alphabet(profile) + b"".join(map(pen.write, document.parts))


@dataclass(frozen=True, slots=True)
class _Pen:
    """What writes one part after the other."""

    tongue: Tongue
    profile: Profile
    letters: Letters | None

    def write(self, part: Part) -> bytes:
        columns = self.profile.columns
        match part:
            case Line():
                return self._lines(wrap(clean(part.text), columns // 2 if part.double else columns), part)
            case Columns():
                lines = set_columns(clean(part.left), clean(part.right), columns)
                return self._lines(lines, Line("", bold=part.bold))
            case Rule():
                return b"-" * columns + b"\n"
            case QR():
                return self._centred(self._qr(part))
            case BarCode():
                return self._centred(self.tongue.bars(part))
            case Picture():
                return self._centred(self._picture(part))
            case Feed():
                return self.tongue.feed(min(255, max(0, part.lines)))
            case Cut():
                return self.tongue.cut[self.profile.cutter]
            case Kick():
                return self.tongue.kick

    def _lines(self, lines: list[str], style: Line) -> bytes:
        say = self.tongue
        before = say.align + _ALIGN[style.align] + say.bold[style.bold] + say.double[style.double]
        text = b"".join(self._text(line, 2 if style.double else 1) for line in lines)
        return before + text + (say.plain if style.bold or style.double else b"")

    def _text(self, line: str, scale: int) -> bytes:
        known = self.profile.bytes_of(line)
        if known is not None:
            return known + b"\n"
        if self.letters:
            return self._picture(self.letters(line, scale))
        return stand_in(line, self.profile.knows).encode(self.profile.alphabet) + b"\n"

    def _qr(self, qr: QR) -> bytes:
        data = qr.text.encode("utf-8")
        if self.profile.native_qr:
            return self.tongue.qr(data, qr.module_dots)
        return self._picture(draw_qr(data, qr.module_dots, self.profile.dots)) + b"\n"

    def _picture(self, picture: Picture) -> bytes:
        return b"".join(map(self.tongue.raster, bands(picture, BAND_ROWS)))

    def _centred(self, data: bytes) -> bytes:
        return self.tongue.align + _ALIGN["center"] + data + self.tongue.align + _ALIGN["left"]
