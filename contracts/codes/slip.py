"""The code on every slip of paper: what one record says about money, signed by its box. A box that died leaves its paper.

It stands behind the `#` of the address on the receipt, which a phone's browser keeps to itself: the customer's page opens
as ever, and whoever brings the papers in scans the very same code. Where a shop has no such page it stands alone.

    slip = bytes of a CBOR list, then 64 bytes of signature (see proofs.py)
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import cbor2

from tillbox.contracts.ids import is_device_id
from tillbox.contracts.messages import SUM_MAX
from tillbox.contracts.proofs import SIGNATURE_BYTES, unweb, web

from . import base45

SLIP = 3
"""As a coupon is 1 and a claim 2."""
PREFIX = "TBS1:"
BYTES_MAX = 400
TEXT_MAX = 1_000  # with the address of whatever console stands before it
QUIET_MAX = 60  # records without a paper before one with: a bad morning of leases and payments that failed
CONTENT_BYTES = 16
WHAT = ("sale", "void", "refund")
TENDERS = ("cash", "merchant_scan")
_FIELDS = 16


@dataclass(frozen=True, slots=True)
class CouponSpent:
    """The coupon of a sale, and the right that it was spent under."""

    template: str
    serial: int
    lease: str
    rights_count: int


@dataclass(frozen=True, slots=True)
class SlipCode:
    """What a paper proves, once its signature holds. `quiet` is how many records without a paper lie directly before this
    one; `content` is the beginning of the hash of what the record says, so that the record itself, if it comes after all,
    is known again."""

    device: str
    inc: str
    seq: int
    tid: str
    what: str
    number: int
    total: int
    amount: int
    tender: str
    attempt: str | None
    of: str | None
    at_ms: int
    quiet: int
    content: str
    coupon: CouponSpent | None = None

    def payload(self) -> bytes:
        """What is signed. Times in whole seconds."""
        spent = self.coupon
        return cbor2.dumps(
            [
                SLIP,
                self.device,
                bytes.fromhex(self.inc),
                self.seq,
                uuid.UUID(self.tid).bytes,
                WHAT.index(self.what),
                self.number,
                self.total,
                self.amount,
                TENDERS.index(self.tender),
                uuid.UUID(self.attempt).bytes if self.attempt else None,
                uuid.UUID(self.of).bytes if self.of else None,
                self.at_ms // 1000,
                self.quiet,
                bytes.fromhex(self.content),
                [spent.template, spent.serial, uuid.UUID(spent.lease).bytes, spent.rights_count]
                if spent
                else None,
            ],
            canonical=True,
        )


@dataclass(frozen=True, slots=True)
class SignedSlip:
    """A well-formed slip. Nothing in it is trusted yet."""

    code: SlipCode
    payload: bytes
    signature: bytes


def slip_text(payload: bytes, signature: bytes, page: str) -> str:
    """What the symbol carries: the customer's page with the slip behind it, or the slip alone."""
    data = payload + signature
    return f"{page}#{web(data)}" if page else PREFIX + base45.encode(data)


def slip_in(text: str) -> SignedSlip | None:
    """The slip in what a symbol carried; None where there is none. Never raises."""
    data = _bytes_in(text)
    if not SIGNATURE_BYTES < len(data) <= BYTES_MAX:
        return None
    payload, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
    try:
        code = _parsed(cbor2.loads(payload))
        sound = code is not None and code.payload() == payload
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        RecursionError,
        AttributeError,
        cbor2.CBORError,
    ):
        return None
    return SignedSlip(code, payload, signature) if code is not None and sound else None


def _bytes_in(text: str) -> bytes:
    if len(text) > TEXT_MAX:
        return b""
    if text.startswith(PREFIX):
        try:
            return base45.decode(text.removeprefix(PREFIX)[: BYTES_MAX * 2])
        except ValueError:
            return b""
    _, mark, data = text.partition("#")
    return unweb(data) if mark and len(data) <= BYTES_MAX * 2 else b""


def _parsed(found: Any) -> SlipCode | None:
    if not isinstance(found, list) or len(found) != _FIELDS or found[0] != SLIP:
        return None
    (
        _,
        device,
        inc,
        seq,
        tid,
        what,
        number,
        total,
        amount,
        tender,
        attempt,
        of,
        at_s,
        quiet,
        content,
        spent,
    ) = found
    numbers = (seq, number, total, amount, at_s, quiet)
    if not all(type(one) is int and 0 <= one <= SUM_MAX for one in numbers) or not is_device_id(device):
        return None
    if len(inc) != 8 or len(content) != CONTENT_BYTES or quiet >= seq or quiet > QUIET_MAX:
        return None
    return SlipCode(
        device=device,
        inc=inc.hex(),
        seq=seq,
        tid=str(uuid.UUID(bytes=tid)),
        what=WHAT[what],
        number=number,
        total=total,
        amount=amount,
        tender=TENDERS[tender],
        attempt=str(uuid.UUID(bytes=attempt)) if attempt is not None else None,
        of=str(uuid.UUID(bytes=of)) if of is not None else None,
        at_ms=at_s * 1000,
        quiet=quiet,
        content=content.hex(),
        coupon=CouponSpent(spent[0], spent[1], str(uuid.UUID(bytes=spent[2])), spent[3]) if spent else None,
    )
