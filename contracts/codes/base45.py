"""Base45 (RFC 9285): bytes as the 45 characters of a QR code's alphanumeric mode."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """Bytes as text: two bytes become three characters, a last single one becomes two."""
    parts: list[str] = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, rest = divmod(number, 45)
            parts.append(ALPHABET[rest])
    return "".join(parts)


def decode(text: str) -> bytes:
    """Text as bytes. ValueError for a foreign character, a wrong length, or a number that no bytes make."""
    if len(text) % 3 == 1:
        raise ValueError("a base45 text never has 3n+1 characters")
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        try:
            number = sum(_VALUES[character] * 45**place for place, character in enumerate(group))
        except KeyError as missing:
            raise ValueError(f"{missing} is not in the base45 alphabet") from None
        size = len(group) - 1
        if number >= 256**size:
            raise ValueError(f"{group!r} is no {size} bytes")
        data += number.to_bytes(size, "big")
    return bytes(data)
