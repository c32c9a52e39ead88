"""Bytes packed for a message, and never more of them unpacked than there may be."""

from __future__ import annotations

import zlib

from .proofs import unweb, web


def packed(data: bytes) -> str:
    """Compressed, as text. Records are mostly names of fields: a third of them is left."""
    return web(zlib.compress(data, 6))


def unpacked(text: str, *, most: int) -> bytes | None:
    """The bytes again; None where it is no such text, or there are more than `most`."""
    return inflated(unweb(text), most=most)


def inflated(data: bytes, *, most: int) -> bytes | None:
    """Compressed bytes, unpacked; None where they are none, or more than `most`."""
    engine = zlib.decompressobj()
    try:
        found = engine.decompress(data, most)
    except zlib.error:
        return None
    return found if engine.eof else None
