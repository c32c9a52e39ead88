"""From a document to bytes, purely. Start with `document.py` (what is to be read), then `profiles.py` (what a printer
can do), `escpos.py` and `star.py` (the bytes it takes), `status.py` (what its answers mean), and `paper.py` (the same
as plain text, for screens and golden files)."""

from __future__ import annotations

from . import escpos, star
from .document import Document
from .drawing import Letters
from .profiles import Profile

__all__ = ["encode", "kick"]


def encode(document: Document, profile: Profile, letters: Letters | None = None) -> bytes:
    """The bytes that print a document on a printer of this profile."""
    if profile.language == "star":
        return star.encode(document, profile, letters)
    return escpos.encode(document, profile, letters)


def kick(profile: Profile) -> bytes:
    """The bytes that open the drawer behind a printer of this profile, and print nothing."""
    return star.KICK if profile.language == "star" else escpos.kick_drawer()
