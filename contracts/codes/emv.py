"""EMV payment QR codes: the one a merchant presents (MPM) and the one a consumer presents (CPM).

MPM is text: two digits of tag, two of length, the value, and a checksum at the end. CPM is a card's data
in BER-TLV, as base64. Both are read to say what they are; this file refuses to pay with them, and has no
way to get a whole card number out of one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tillbox.contracts.verdicts import Reason, Refused

CHARACTERS_MAX = 512
"""The largest payload that either EMV specification allows."""
BER_DEPTH_MAX = 3
"""A template in a template in the payload; the specification uses two."""

_FIRST = ("00", "01")
_MERCHANT_START = "000201"
_CONSUMER_START = "hQVDUFY"  # 85 05 "CPV", the payload format indicator, in base64
_OBJECT = re.compile(r"([0-9]{2})([0-9]{2})")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_CHECKSUM = re.compile(r"6304[0-9A-Fa-f]{4}")


# presented by the merchant


@dataclass(frozen=True, slots=True, repr=False)
class MerchantPresented:
    """A merchant's QR code: its data objects in their order, without the checksum. ValueError if they are none."""

    objects: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        tags = [tag for tag, _ in self.objects]
        sized = all(re.fullmatch(r"[0-9]{2}", tag) and 1 <= len(value) <= 99 for tag, value in self.objects)
        if self.objects[:1] != (_FIRST,) or "63" in tags or len(set(tags)) < len(tags) or not sized:
            raise ValueError("objects of a merchant's code begin with 00, and no tag comes twice or is 63")
        # Mandatory, and what tells the shortest merchant's code from a row of digits.
        if not _COUNTRY.fullmatch(self.value("58") or ""):
            raise ValueError("a merchant's code names its country in two letters")

    def __repr__(self) -> str:
        return f"MerchantPresented({self.merchant_name!r}, {self.merchant_city!r}, {self.country!r})"

    def value(self, tag: str) -> str | None:
        """The value of a tag, or None where it is not there."""
        return next((value for one, value in self.objects if one == tag), None)

    def template(self, tag: str) -> tuple[tuple[str, str], ...]:
        """The objects inside a template (26-51, 62, 64, 80-99); none where the value is not made of objects."""
        return _merchant_objects(self.value(tag) or "") or ()

    @property
    def is_dynamic(self) -> bool:
        """Whether it was made for one sale."""
        return self.value("01") == "12"

    @property
    def merchant_name(self) -> str | None:
        """The merchant as it is called on receipts."""
        return self.value("59")

    @property
    def merchant_city(self) -> str | None:
        """Where the merchant is."""
        return self.value("60")

    @property
    def country(self) -> str | None:
        """The country in two letters."""
        return self.value("58")

    @property
    def currency(self) -> str | None:
        """The currency in the three digits of ISO 4217."""
        return self.value("53")

    @property
    def amount_shown(self) -> str | None:
        """The amount as the merchant wrote it: to be shown, never reckoned with."""
        return self.value("54")

    @property
    def text(self) -> str:
        """What the symbol carries, with its checksum."""
        body = "".join(f"{tag}{len(value):02}{value}" for tag, value in self.objects) + "6304"
        return f"{body}{checksum(body):04X}"


def checksum(text: str) -> int:
    """CRC-16 with polynomial 1021 from FFFF over the UTF-8 bytes, the `6304` of the checksum among them."""
    return binascii.crc_hqx(text.encode(), 0xFFFF)


def merchant_presented(text: str) -> MerchantPresented | Refused | None:
    """A merchant's code; a refusal if it is damaged; None if it is something else, such as a row of digits."""
    if not text.startswith(_MERCHANT_START) or text.isdecimal():
        return None
    if len(text) > CHARACTERS_MAX:
        return Refused(Reason.CODE_TOO_LONG, "EMV")
    body, end = text[:-8], text[-8:]
    objects = _merchant_objects(body)
    if not _CHECKSUM.fullmatch(end) or checksum(body + end[:4]) != int(end[4:], 16) or objects is None:
        return Refused(Reason.CODE_DAMAGED, "EMV")
    try:
        return MerchantPresented(objects)
    except ValueError:
        return Refused(Reason.CODE_DAMAGED, "EMV")


def _merchant_objects(text: str) -> tuple[tuple[str, str], ...] | None:
    """Tag, length in characters, value, to the end; None where that does not come out even."""
    objects, at = [], 0
    while at < len(text):
        head = _OBJECT.match(text, at)
        if not head:
            return None
        at = head.end() + int(head[2])
        if at > len(text):
            return None
        objects.append((head[1], text[head.end() : at]))
    return tuple(objects)


# presented by the consumer


@dataclass(frozen=True, slots=True, repr=False)
class BerObject:
    """One tag of a card's data; a constructed one holds further objects."""

    tag: int
    value: bytes
    inside: tuple[BerObject, ...] = ()

    def __repr__(self) -> str:
        return f"BerObject({self.tag:X}, {len(self.value)} bytes)"


@dataclass(frozen=True, slots=True, repr=False)
class ConsumerPresented:
    """A card's data as a phone presents it. ValueError if the bytes are none."""

    data: bytes

    def __post_init__(self) -> None:
        objects = _ber_objects(self.data, BER_DEPTH_MAX)
        if not objects or objects[0].tag != 0x85 or not objects[0].value.startswith(b"CPV"):
            raise ValueError("a consumer's code is BER-TLV that begins with the format indicator CPV")

    def __repr__(self) -> str:
        return f"ConsumerPresented({', '.join(self.applications)}, card {self.masked_card or 'unknown'})"

    def values(self, tag: int) -> tuple[bytes, ...]:
        """Every value of a tag, wherever it stands."""
        return tuple(one.value for one in self._all() if one.tag == tag)

    @property
    def applications(self) -> tuple[str, ...]:
        """The card applications offered, as hexadecimal identifiers, the preferred one first."""
        return tuple(value.hex().upper() for value in self.values(0x4F))

    @property
    def masked_card(self) -> str | None:
        """The card number with all but its last four digits hidden, from the number or from track 2."""
        numbers = [*self.values(0x5A), *self.values(0x57)]
        digits = re.split(r"[^0-9]", numbers[0].hex())[0] if numbers else ""
        return f"{'*' * (len(digits) - 4)}{digits[-4:]}" if 8 <= len(digits) <= 19 else None

    @property
    def transaction_count(self) -> int | None:
        """The card's count of its own transactions (9F36)."""
        return next((int.from_bytes(value, "big") for value in self.values(0x9F36)), None)

    @property
    def cryptogram(self) -> bytes | None:
        """What the card signed the transaction with (9F26)."""
        return next(iter(self.values(0x9F26)), None)

    @property
    def text(self) -> str:
        """What the symbol carries."""
        return base64.b64encode(self.data).decode("ascii")

    def _all(self) -> Iterator[BerObject]:
        waiting = list(_ber_objects(self.data, BER_DEPTH_MAX) or ())
        while waiting:
            one = waiting.pop(0)
            yield one
            waiting = [*one.inside, *waiting]


def consumer_presented(text: str) -> ConsumerPresented | Refused | None:
    """A consumer's code; a refusal if it is damaged; None if it is something else."""
    if not text.startswith(_CONSUMER_START):
        return None
    if len(text) > CHARACTERS_MAX:
        return Refused(Reason.CODE_TOO_LONG, "EMV")
    try:
        code = ConsumerPresented(base64.b64decode(text, validate=True))
    except ValueError:
        return Refused(Reason.CODE_DAMAGED, "EMV")
    # base64 has spare bits at its end: two texts for the same bytes are one too many.
    return code if code.text == text else Refused(Reason.CODE_DAMAGED, "EMV")


def _ber_objects(data: bytes, depth: int) -> tuple[BerObject, ...] | None:
    """Tags with their values, to the end; None where that does not come out even or goes too deep."""
    objects: list[BerObject] = []
    at = 0
    while at < len(data):
        head = _ber_head(data, at)
        if head is None or not depth:
            return None
        tag, constructed, start, end = head
        inside = _ber_objects(data[start:end], depth - 1) if constructed else ()
        if inside is None:
            return None
        objects.append(BerObject(tag, data[start:end], inside))
        at = end
    return tuple(objects)


def _ber_head(data: bytes, at: int) -> tuple[int, bool, int, int] | None:
    """Tag of one to three bytes, whether it is constructed, and where its value begins and ends."""
    size = 1
    if data[at] & 0x1F == 0x1F:
        size = 3 if data[at + 1 : at + 2] >= b"\x80" else 2
    tag, after = data[at : at + size], at + size
    length = data[after : after + 1]
    more = length[0] & 0x7F if length and length[0] & 0x80 else 0
    start = after + 1 + more
    if not length or more > 2 or length == b"\x80" or start > len(data):
        return None
    end = start + (int.from_bytes(data[after + 1 : start], "big") if more else length[0])
    return (int.from_bytes(tag, "big"), bool(tag[0] & 0x20), start, end) if end <= len(data) else None
