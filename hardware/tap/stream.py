"""A stream of a till's bytes cut into papers, each read. Pure.

A cut ends a paper. So does the end of the stream, and so does a long silence, which the relay tells by calling `end`. What
comes between two papers and prints nothing (a drawer, a question, an initialisation) is no paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .glyphs import GlyphBook, read_lines
from .grid import DOTS_OF_COLUMNS, Sheet, lay
from .letters import Alphabet
from .raster import PICTURES, drawn_dots, picture_of
from .reading import Reading, read_sheet
from .template import TEMPLATES, Template
from .tokens import Kind, Token, Tokeniser, tokens

WIDEST_COLUMNS = 64  # wider than any receipt, so that nothing wraps while its width is looked for
PAPER_TOKENS_MAX = 20_000  # a receipt has hundreds


@dataclass(frozen=True, slots=True)
class Tapped:
    """One paper: what it says, and how it lay on the sheet. `cut` is where its cut begins in the stream."""

    reading: Reading
    sheet: Sheet
    columns: int
    cut: int | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What is known of a till's papers. `columns` 0 finds the width out; `chinese` None finds the alphabet out;
    without a `book` a drawn paper is a picture and no more."""

    columns: int = 0
    chinese: bool | None = None
    templates: Sequence[Template] = TEMPLATES
    book: GlyphBook | None = None


class Papers:
    """Papers out of a stream that is still coming.

    papers = Papers(Settings())
    papers.feed(b"...")      -> [Tapped(...)] as soon as a cut has come
    papers.end()             -> the paper that was not cut
    """

    def __init__(self, settings: Settings, at: int = 0) -> None:
        self._settings = settings
        self._tokeniser = Tokeniser(at)
        self._tokens: list[Token] = []

    @property
    def position(self) -> int:
        """Where in the stream the next byte will be."""
        return self._tokeniser.position

    def feed(self, data: bytes) -> list[Tapped]:
        """The papers that are whole now."""
        return list(self._take(self._tokeniser.feed(data)))

    def end(self) -> list[Tapped]:
        """The stream is over, or silent: what is there is a paper."""
        return [*self._take(self._tokeniser.end()), *self._close(None)]

    def _take(self, new: Iterable[Token]) -> Iterator[Tapped]:
        for token in new:
            if token.cuts:
                yield from self._close(token.start)
            else:
                self._tokens.append(token)
                if len(self._tokens) > PAPER_TOKENS_MAX:
                    yield from self._close(None)

    def _close(self, cut: int | None) -> Iterator[Tapped]:
        paper, self._tokens = self._tokens, []
        if _prints(paper):
            yield read_paper(paper, self._settings, cut)


def papers_of(data: bytes, settings: Settings | None = None) -> list[Tapped]:
    """All papers of a captured stream; one that prints nothing for a stream that prints nothing."""
    settings = settings or Settings()
    papers = Papers(settings)
    found = [*papers.feed(data), *papers.end()]
    return found or [read_paper(list(tokens(data)), settings, None)]


def read_paper(paper: Sequence[Token], settings: Settings, cut: int | None) -> Tapped:
    """One paper, by its own width where the settings do not say one."""
    columns = settings.columns or width_of(paper, settings.chinese)
    sheet = lay(paper, columns, Alphabet(settings.chinese))
    if settings.book is not None and is_drawn(sheet):
        rows = picture_of(paper, dots_of(columns))
        sheet.lines = read_lines(rows, settings.book, paper[0].start, paper[-1].end)
        even = columns if settings.book.cell_dots else 0
        return Tapped(read_sheet(sheet, even, settings.templates), sheet, columns, cut)
    return Tapped(read_sheet(sheet, columns, settings.templates), sheet, columns, cut)


def width_of(paper: Sequence[Token], chinese: bool | None = None) -> int:
    """How many columns the paper has: most tills draw a line across all of them."""
    sheet = lay(paper, WIDEST_COLUMNS, Alphabet(chinese))
    if is_drawn(sheet):
        dots = drawn_dots(paper)
        return next(
            (columns for columns, wide in DOTS_OF_COLUMNS.items() if dots <= wide), max(DOTS_OF_COLUMNS)
        )
    lines = Counter(line.right for line in sheet.lines if line.rule and line.right > min(DOTS_OF_COLUMNS) - 2)
    ends = Counter(line.right for line in sheet.lines if line.right > min(DOTS_OF_COLUMNS) - 4)
    widest = max(lines or ends, key=(lines or ends).__getitem__, default=max(DOTS_OF_COLUMNS))
    return min(DOTS_OF_COLUMNS, key=lambda columns: (columns < widest - 1, columns))


def dots_of(columns: int) -> int:
    """How many dots a paper of so many columns is wide."""
    return DOTS_OF_COLUMNS.get(columns, max(DOTS_OF_COLUMNS.values()))


def is_drawn(sheet: Sheet) -> bool:
    """Whether everything on a sheet is pictures, as drivers send it that draw the whole paper."""
    return bool(sheet.lines) and all(line.picture for line in sheet.lines)


def _prints(paper: Sequence[Token]) -> bool:
    return any(token.kind is Kind.TEXT or token.name in PICTURES for token in paper)
