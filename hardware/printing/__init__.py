"""From a document to bytes, purely. Start with `document.py` (what is to be read), then `profiles.py` (what a printer
can do) and `encoder.py` (the way to bytes), which says it in the words of `escpos.py` or `star.py` and draws with
`drawing.py` what they have no word for. `status.py` says what a printer's answers mean, and `paper.py` is the same
slip as plain text, for screens and golden files. Labels have a room of their own, `labels/`."""

from __future__ import annotations

from . import encoder, escpos, star
from .document import Document
from .drawing import Letters
from .profiles import Profile

__all__ = ["encode", "kick"]

TONGUES = {"escpos": escpos.TONGUE, "star": star.TONGUE}


def encode(document: Document, profile: Profile, letters: Letters | None = None) -> bytes:
    """The bytes that print a document on a printer of this profile."""
    return encoder.encode(document, TONGUES[profile.language], profile, letters)


def kick(profile: Profile) -> bytes:
    """The bytes that open the drawer behind a printer of this profile, and print nothing."""
    return TONGUES[profile.language].kick
