"""The signed code of a slip: what its record says, for the day when only the paper is left. Pure but for the journal that it
reads."""

from __future__ import annotations

import json
from collections.abc import Callable

from tillbox.broker.journal import Entry, Journal
from tillbox.contracts.codes.slip import CONTENT_BYTES, QUIET_MAX, CouponSpent, SlipCode, slip_text
from tillbox.contracts.messages import CouponUse, canonical, digest
from tillbox.contracts.proofs import SLIP

from .tally import MONEY, kind_of
from .till import Slip

Sign = Callable[[bytes], bytes]


def signed_code(slip: Slip, journal: Journal, *, device: str, sign: Sign, page: str) -> str:
    """What the symbol on a slip carries; empty where its record is not found. A copy carries the code of the sale."""
    tid = slip.sale if slip.kind in ("receipt", "copy") else slip.id
    entry = journal.find(tid)
    if entry is None:
        return ""
    code = _code(slip, entry, _quiet(journal, entry), device)
    payload = code.payload()
    return slip_text(payload, sign(SLIP + payload), f"{page}{slip.sale}" if page else "")


def _code(slip: Slip, entry: Entry, quiet: int, device: str) -> SlipCode:
    record = json.loads(entry.bytes)
    sale, is_sale = slip.content, slip.kind in ("receipt", "copy")
    return SlipCode(
        device=device,
        inc=entry.inc,
        seq=entry.seq,
        tid=entry.tid,
        what=record["kind"],
        number=sale.number,
        total=sale.total if is_sale else slip.amount,
        amount=sale.tender.amount if is_sale else slip.amount,
        tender=sale.tender.type,
        attempt=sale.tender.attempt,
        of=None if is_sale else slip.sale,
        at_ms=record["at"][0],
        quiet=quiet,
        content=digest(record["kind"].encode() + canonical(record["body"]))[: CONTENT_BYTES * 2],
        coupon=_spent(sale.coupon) if is_sale and sale.coupon else None,
    )


def _spent(use: CouponUse) -> CouponSpent:
    return CouponSpent(use.template, use.serial, use.lease, use.rights_count)


def _quiet(journal: Journal, entry: Entry) -> int:
    """How many records without a paper lie directly before this one, in its own incarnation."""
    most = min(QUIET_MAX, entry.seq - 1)
    before = journal.pending(entry.position - most - 1, most) if most else []
    quiet = 0
    for one in reversed(before):
        if kind_of(one.bytes) in MONEY:
            break
        quiet += 1
    return quiet
