"""The pictures of a till's stream put together into one: every dot where the printer would burn it. Pure.

Many drivers print no letter; they draw the paper and send it in strips, by any of four commands. Strips that follow each
other touch, because a driver that sends a picture in strips means one picture. It reads no letters: `glyphs.py` does.
Source of the commands' fields: Epson's ESC/POS command reference.
"""

from __future__ import annotations

from collections.abc import Iterable

from .tokens import Kind, Token

Rows = list[int]
"""A bitmap: one integer a row of dots, whose bit x is the dot at x from the left."""

ROWS_MAX = 24_000  # three metres of paper; a receipt of more is a report
DOTS_ACROSS_MAX = 1_024  # wider than any receipt printer; what is drawn beyond is not printed
LINE_ROWS = 30  # what a line feed moves where nothing was drawn: a sixth of an inch
PICTURES = (b"\x1dv0", b"\x1b*", b"\x1d(L", b"\x1d8L")
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
STRETCH = {0: (2, 3), 1: (1, 3), 32: (2, 1), 33: (1, 1)}
"""How many dots wide and rows high one dot of `ESC *` is, by its mode: 8-dot and 24-dot, single and double density."""


def picture_of(stream: Iterable[Token], paper_dots: int) -> Rows:
    """Everything that a stream draws on a paper so many dots wide; letters of the printer's own are not drawn."""
    plate = _Plate(paper_dots)
    for token in stream:
        if len(plate.rows) > ROWS_MAX:
            break
        plate.take(token)
    plate.advance(0)
    return plate.rows[:ROWS_MAX]


def drawn_dots(stream: Iterable[Token]) -> int:
    """How wide the widest picture is, 0 where there is none."""
    return max((_width(token) for token in stream if token.name in PICTURES), default=0)


class _Plate:
    """The paper, and the line that has not been printed yet (`ESC *` is part of a line, like a letter)."""

    def __init__(self, paper_dots: int) -> None:
        self.rows: Rows = []
        self.paper_dots = paper_dots
        self.reset()

    def reset(self) -> None:
        self.line: Rows = []
        self.stored: Rows = []
        self.dot = self.left = self.align = 0
        self.line_rows = LINE_ROWS

    def take(self, token: Token) -> None:
        body = token.body
        if token.kind is Kind.CONTROL and token.name == b"\n":
            self.advance(self.line_rows)
        elif token.kind is Kind.COMMAND:
            match token.name:
                case b"\x1b@":
                    self.advance(0)
                    self.reset()
                case b"\x1ba":
                    self.align = token.first % 3
                case b"\x1dL":
                    self.left = int.from_bytes(body, "little")
                case b"\x1b$":
                    self.dot = int.from_bytes(body, "little")
                case b"\x1b3":
                    self.line_rows = body[0]
                case b"\x1b2":
                    self.line_rows = LINE_ROWS
                case b"\x1bJ":
                    self.advance(body[0])
                case b"\x1bd":
                    self.advance(self.line_rows * body[0])
                case b"\x1b*":
                    self.columns(body)
                case b"\x1dv0":
                    self.advance(0)
                    self.place(
                        _stretched(_of_rows(body[5:], body[1] + 256 * body[2]), body[0] & 1, body[0] >> 1 & 1)
                    )
                case b"\x1d(L":
                    self.graphics(body[2:])
                case b"\x1d8L":
                    self.graphics(body[4:])

    def advance(self, rows: int) -> None:
        """Print the line; the next begins below it, at least so many rows on where nothing was drawn."""
        if self.line:
            self.rows += self.shifted(self.line)
            self.rows += [0] * (rows - len(self.line) if rows > len(self.line) + LINE_ROWS else 0)
        else:
            self.rows += [0] * min(rows, ROWS_MAX)
        self.line, self.dot = [], 0

    def place(self, rows: Rows) -> None:
        self.rows += self.shifted(rows)

    def shifted(self, rows: Rows) -> Rows:
        width = max((row.bit_length() for row in rows), default=0)
        free = max(0, self.paper_dots - width)
        by = self.left + {1: free // 2, 2: free}.get(self.align, 0)
        return [row << by for row in rows] if by else rows

    def columns(self, body: bytes) -> None:
        """`ESC * m nL nH d…`: columns from the top, at the pen's place; the pen moves on."""
        high = 3 if body[0] in (32, 33) else 1
        wide, tall = STRETCH.get(body[0], (1, 1))
        rows = [0] * (8 * high)
        for at in range(0, len(body) - 3, high):
            ink = int.from_bytes(body[3 + at : 3 + at + high], "big")
            column = at // high
            while ink:
                bit = ink.bit_length() - 1
                rows[8 * high - 1 - bit] |= 1 << column
                ink ^= 1 << bit
        rows = [_wide(row) if wide == 2 else row for row in rows for _ in range(tall)]
        self.line += [0] * (len(rows) - len(self.line))
        for at, row in enumerate(rows):
            self.line[at] |= row << min(self.dot, DOTS_ACROSS_MAX)
        self.dot += (len(body) - 3) // high * wide

    def graphics(self, body: bytes) -> None:
        """`GS ( L` and `GS 8 L`: 112 and 113 store a picture by rows or by columns, 2 and 50 print what is stored."""
        function = body[1] if len(body) > 1 else 0
        if function in (2, 50):
            self.advance(0)
            self.place(self.stored)
            self.stored = []
        elif function in (112, 113) and len(body) > 10:
            across, down = body[6] + 256 * body[7], body[8] + 256 * body[9]
            by_rows = function == 112
            rows = _of_rows(body[10:], -(-across // 8)) if by_rows else _of_columns(body[10:], down)
            rows = [row & (1 << across) - 1 for row in rows[:down]]
            self.stored += _stretched(rows, body[3] == 2, body[4] == 2)


def _of_rows(data: bytes, bytes_across: int) -> Rows:
    """Rows of whole bytes, the highest bit left."""
    if not bytes_across:
        return []
    mask = (1 << DOTS_ACROSS_MAX) - 1
    turned = data.translate(MIRRORED)
    return [
        int.from_bytes(turned[at : at + bytes_across], "little") & mask
        for at in range(0, len(turned), bytes_across)
    ]


def _of_columns(data: bytes, down: int) -> Rows:
    """Columns of whole bytes, the highest bit on top."""
    high = -(-down // 8)
    rows = [0] * down
    for column in range(len(data) // high if high else 0):
        ink = int.from_bytes(data[column * high : column * high + high], "big")
        for row in range(down):
            rows[row] |= (ink >> (8 * high - 1 - row) & 1) << column
    return rows


def _stretched(rows: Rows, wide: int, tall: int) -> Rows:
    return [_wide(row) if wide else row for row in rows for _ in range(2 if tall else 1)]


def _wide(row: int) -> int:
    """Every dot twice."""
    doubled = "".join(bit * 2 for bit in f"{row:b}")
    return int(doubled, 2)


def _width(token: Token) -> int:
    body = token.body
    if token.name == b"\x1dv0":
        return 8 * (body[1] + 256 * body[2]) * (2 if body[0] & 1 else 1)
    if token.name == b"\x1b*":
        return int.from_bytes(body[1:3], "little") * STRETCH.get(body[0], (1, 1))[0]
    rest = body[2:] if token.name == b"\x1d(L" else body[4:]
    return int.from_bytes(rest[6:8], "little") if rest[1:2] in (b"p", b"q") else 0
