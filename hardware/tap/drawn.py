"""One lesson in a till's letters: a captured receipt, what a person typed, and the profile that comes out. Pure."""

from __future__ import annotations

from .glyphs import GlyphBook
from .grid import lay
from .learn import Profile
from .letters import Alphabet
from .raster import picture_of
from .stream import dots_of, is_drawn, width_of
from .teach import teach
from .tokens import Token, tokens


def lesson(
    data: bytes, typed: str, profile: Profile, *, alike: bool = False
) -> tuple[Profile, int, dict[int, str]] | str:
    """The profile with what was learned, how many shapes are new, and the typed lines that are refused, by number with
    why; or what is wrong, in a sentence. `alike`: see `teach.py`."""
    paper = _first_paper(data)
    if not is_drawn(lay(paper, alphabet=Alphabet(profile.chinese))):
        return "This receipt is not drawn, or not only: its letters are sent as letters and need no lesson."
    columns = profile.columns or width_of(paper, profile.chinese)
    found = teach(picture_of(paper, dots_of(columns)), typed, profile.glyphs or GlyphBook(), alike=alike)
    if isinstance(found, str):
        return found
    return profile.model_copy(update={"glyphs": found.book}), found.learned, found.refused


def _first_paper(data: bytes) -> list[Token]:
    """Up to the first cut after something was printed."""
    paper: list[Token] = []
    for token in tokens(data):
        if token.cuts and lay(paper).lines:
            break
        paper.append(token)
    return paper
