"""A printer's eye: the bytes that it was sent, as what is on its paper, as a person reads it, and as a picture.

The readers of each language, `paper_escpos.py` and `paper_star.py`, share nothing with the encoders that they judge.
"""

from __future__ import annotations

from .paper_escpos import Reader
from .paper_picture import Run, Seen, picture_of
from .paper_star import StarReader

DOTS = {80: 576, 58: 384}


def read(data: bytes, width_mm: int = 80, language: str = "escpos") -> Seen:
    """Everything on the paper, in order. Bytes that are no command of ours are counted, never obeyed."""
    eye = StarReader if language == "star" else Reader
    return eye(data, DOTS[width_mm]).read()


def paper_text(data: bytes, width_mm: int = 80, language: str = "escpos") -> str:
    """What a person reads on it."""
    lines = read(data, width_mm, language).lines
    return "\n".join(run.text.rstrip() for run in lines if isinstance(run, Run)) + "\n"


def paper_picture(data: bytes, width_mm: int = 80, language: str = "escpos") -> bytes:
    """The paper as a PNG."""
    return picture_of(read(data, width_mm, language), DOTS[width_mm])
