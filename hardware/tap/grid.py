"""Tokens laid on paper: every letter at its dot, every line as a person sees it. Pure.

A printer moves a pen. Letters take 12 dots (9 in the small font), twice as many when they are wide; some programs
never print a space and move the pen instead. So a line is built from places and not from bytes: whoever strips the
commands reads `23.507.00` where the paper says 2, 3.50 and 7.00.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .letters import LINE, Alphabet, Letter
from .tokens import Kind, Token

CELL_DOTS = 12
SMALL_CELL_DOTS = 9
DOTS_OF_COLUMNS = {32: 384, 42: 512, 48: 576}
TAB_COLUMNS = 8  # where no tabs were set
SPACE_COLUMNS, WORD_GAP_COLUMNS = 0.6, 1.6  # white between words, and so much of it that they are two columns
RULE_LETTERS = 4
LINE_LETTERS_MAX = 300  # more than any paper is wide, also where letters are printed over one another
FRAME_SIGNS = frozenset("+-=_|")
LINES = frozenset({LINE, "|"}) | {chr(code) for code in range(0x2500, 0x2580)}
WHITE = LINES | {" ", "\u3000", "\u00a0"}


@dataclass(frozen=True, slots=True)
class Span:
    """Letters that stand together, with less than two columns of white between them; places in columns."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class GridLine:
    """One line on paper: what stands together, and where. `start` and `end` are its place in the stream.

    In `text` one space is white between words and two are white between columns. A line that is drawn across the
    paper has no letters and is a `rule`; the lines of a frame are white.
    """

    text: str
    spans: tuple[Span, ...]
    start: int
    end: int
    rule: bool = False
    picture: bool = False
    unknown: bool = False
    """Drawn, with a letter on it that is not known."""
    right: int = 0
    """The column at which its last letter ends, or the line that is drawn."""


@dataclass(slots=True)
class _Glyph:
    text: str
    left: int
    width: int


@dataclass(slots=True)
class Sheet:
    """A whole stream on paper, and what happened on the way."""

    lines: list[GridLine] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    kicks: int = 0
    asked: int = 0
    codes: list[str] = field(default_factory=list)
    unknown: int = 0
    align: int = 0
    """How the till had left its lines: 0 left, 1 centred, 2 right."""


def lay(stream: Iterable[Token], columns: int = 48, alphabet: Alphabet | None = None) -> Sheet:
    """The sheet that a printer of so many columns makes of a stream."""
    pen = _Pen(columns, alphabet or Alphabet())
    for token in stream:
        pen.take(token)
    pen.feed()
    pen.sheet.align = pen.align
    return pen.sheet


class _Pen:
    """The printer's state: where it writes next, how large, and from which edge."""

    def __init__(self, columns: int, alphabet: Alphabet) -> None:
        self.sheet = Sheet()
        self.paper_dots = DOTS_OF_COLUMNS.get(columns, columns * CELL_DOTS)
        self.alphabet = alphabet
        self.glyphs: list[_Glyph] = []
        self.start = self.end = 0
        self.reset()

    def reset(self) -> None:
        self.left = self.dot = self.gap = 0
        self.align = 0
        self.area = self.paper_dots
        self.wide = 1
        self.small = False
        self.tabs: list[int] = []
        self.line_dots = 30
        self.alphabet.reset()

    def take(self, token: Token) -> None:
        self.end = token.end
        match token.kind:
            case Kind.TEXT:
                self.alphabet.feed(token.body)
            case Kind.CONTROL:
                self.write(self.alphabet.flush())
                self.control(token.name)
            case Kind.COMMAND:
                self.write(self.alphabet.flush())
                self.command(token)
            case Kind.UNKNOWN:
                self.write(self.alphabet.flush())
                self.sheet.unknown += 1

    # moving and writing

    def write(self, letters: Iterable[Letter]) -> None:
        cell = SMALL_CELL_DOTS if self.small else CELL_DOTS
        for letter in letters:
            width = (letter.cells * (CELL_DOTS if letter.cells == 2 else cell) + self.gap) * self.wide
            if self.dot + width > self.area and self.dot > 0:
                self.feed()
            if len(self.glyphs) < LINE_LETTERS_MAX:
                self.glyphs.append(_Glyph(letter.text, self.dot, width))
            self.dot += width

    def feed(self) -> None:
        """Print the line and go to the next."""
        self.write(self.alphabet.flush())
        if self.glyphs:
            self.sheet.lines.append(self.line())
        self.glyphs = []
        self.dot = 0
        self.start = self.end

    def line(self) -> GridLine:
        shift = {1: (self.area - self.dot) // 2, 2: self.area - self.dot}.get(self.align, 0) + self.left
        glyphs = sorted((one for one in self.glyphs if one.text not in WHITE), key=lambda one: one.left)
        spans: list[Span] = []
        for one in glyphs:
            left = (one.left + max(0, shift)) / CELL_DOTS
            right = left + one.width / CELL_DOTS
            last = spans[-1] if spans else None
            white = (left - last.right) / self.wide if last else 0.0
            if last and white < WORD_GAP_COLUMNS:
                spans[-1] = Span(last.text + " " * (white > SPACE_COLUMNS) + one.text, last.left, right)
            else:
                spans.append(Span(one.text, left, right))
        drawn = any(one.text in LINES for one in self.glyphs)
        words = [span for span in spans if not is_rule(span.text)]
        rule = not words and (drawn or bool(spans))
        text = "  ".join(span.text for span in words)
        ends = [one.left + one.width for one in self.glyphs if one.text.strip()]
        right = round((max(ends, default=0) + max(0, shift)) / CELL_DOTS)
        return GridLine(text, tuple(words), self.start, self.end, rule=rule, right=right)

    def tab(self) -> None:
        stops = self.tabs or [column * TAB_COLUMNS for column in range(1, 12)]
        self.dot = next((stop * CELL_DOTS for stop in stops if stop * CELL_DOTS > self.dot), self.dot)

    # commands

    def control(self, name: bytes) -> None:
        if name in (b"\n", b"\x0c"):
            self.feed()
        elif name == b"\t":
            self.tab()
        elif name == b"\r":
            # A carriage return after a line feed, or before one, is the same line's end.
            self.dot = 0 if not self.glyphs else self.dot

    def command(self, token: Token) -> None:
        first, body, name = token.first, token.body, token.name
        if token.cuts:
            self.feed()
            self.sheet.cuts.append(token.start)
            return
        match name:
            case b"\x1b@":
                self.feed()
                self.reset()
            case b"\x1b!":
                self.small, self.wide = bool(body[0] & 1), 2 if body[0] & 0x20 else 1
            case b"\x1d!":
                self.wide = (body[0] >> 4 & 7) + 1
            case b"\x1c!":
                self.wide = 2 if body[0] & 4 else 1
            case b"\x1cW":
                self.wide = 2 if first else 1
            case b"\x1bM":
                self.small = first == 1
            case b"\x1b ":
                self.gap = body[0]
            case b"\x1ba":
                self.align = first % 3
            case b"\x1b$":
                self.dot = int.from_bytes(body, "little")
            case b"\x1b\\":
                step = int.from_bytes(body, "little", signed=True)
                self.dot = max(0, self.dot + step)
            case b"\x1dL":
                self.left = int.from_bytes(body, "little")
            case b"\x1dW":
                self.area = min(int.from_bytes(body, "little") or self.paper_dots, self.paper_dots)
            case b"\x1bD":
                self.tabs = list(body[:-1])
            case b"\x1bd" | b"\x1bJ" | b"\x1be":
                self.feed()
            case b"\x1bp" | b"\x10\x14":
                self.sheet.kicks += 1
            case b"\x10\x04" | b"\x1dr" | b"\x1da" | b"\x1dI":
                self.sheet.asked += 1
            case b"\x1dv0" | b"\x1b*" | b"\x1d(L" | b"\x1d8L" | b"\x1cp":
                self.picture(token)
            case b"\x1d(k":
                self.qr(body)
            case b"\x1dk":
                self.bars(body)
            case _:
                self.alphabet.command(name, first)

    def picture(self, token: Token) -> None:
        if self.sheet.lines and self.sheet.lines[-1].picture:
            return  # strips of one picture
        self.feed()
        self.sheet.lines.append(GridLine("", (), token.start, token.end, picture=True))

    def qr(self, body: bytes) -> None:
        if body[2:4] == b"1P":
            self.sheet.codes.append(body[5:].decode("utf-8", "replace"))

    def bars(self, body: bytes) -> None:
        data = body[1:].rstrip(b"\x00") if body[0] <= 6 else body[2:]
        self.sheet.codes.append(data.decode("ascii", "replace"))


def is_rule(text: str) -> bool:
    """Four and more of one sign, or of the signs that people draw frames with, are a line and no word."""
    signs = set(text.replace(" ", ""))
    return len(text) >= RULE_LETTERS and (signs <= FRAME_SIGNS or (len(signs) == 1 and not text[0].isalnum()))
