"""A small black-and-white picture from a seed, as PNG. Its bits hold what looks like a cut, so that nobody who reads
a stream may look for bytes instead of commands."""

from __future__ import annotations

import base64
import struct
import zlib
from random import Random

WIDTH, HEIGHT = 128, 40
LIKE_A_CUT = b"\x1dV\x00"


def logo(seed: int) -> str:
    """Base64 of a one-bit PNG; a set bit is white there, so the picture is turned over for the printer's black."""
    chance = Random(f"logo {seed}")
    rows = bytearray(chance.randbytes(WIDTH // 8 * HEIGHT))
    rows[32 : 32 + len(LIKE_A_CUT)] = LIKE_A_CUT
    lines = [
        bytes(byte ^ 0xFF for byte in rows[at : at + WIDTH // 8]) for at in range(0, len(rows), WIDTH // 8)
    ]
    pixels = zlib.compress(b"".join(b"\x00" + line for line in lines))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 1, 0, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
