"""Slips of paper come back: what a box printed and could not hand in is in the book all the same, once.

The paper carries its box's signature, so that anybody may bring it. If the record itself comes after all, it is the
same transaction by its id, and is known by the beginning of its hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select

from tillbox.cloud_bridge.chains import Chains
from tillbox.cloud_bridge.complaints import Complaints, Counts
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.postings import Postings
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.cloud_bridge.store.tables import device, incarnation, recovered
from tillbox.contracts.codes.slip import SlipCode, slip_in
from tillbox.contracts.messages import CouponUse, Line, Record, Refund, Sale, Tender, Void, Wire
from tillbox.contracts.proofs import SLIP, is_proven
from tillbox.contracts.verdicts import Reason, Refused

from .fences import Fence, fences

FROM_PAPER = "凭条补录 From paper"


@dataclass(frozen=True, slots=True)
class Taken:
    """One paper: whose, and whether it was news."""

    device: str
    tid: str
    new: bool


def take(connection: Connection, text: str, *, now_ms: int, schedule: Schedule) -> Taken | Refused:
    """Take one paper in, in the caller's transaction."""
    slip = slip_in(text)
    if slip is None:
        return Refused(Reason.NOT_A_SLIP)
    code = slip.code
    key = connection.execute(select(device.c.public_key).where(device.c.device == code.device)).scalar()
    if key is None:
        return Refused(Reason.BOX_UNKNOWN, code.device)
    if not is_proven(key, SLIP, slip.payload, slip.signature):
        return Refused(Reason.SIGNATURE_WRONG)
    fence = fences(connection, {code.device}).get(code.device)
    if fence is not None and _is_too_late(code, fence):
        return Refused(fence.reason, code.device)
    try:
        new = _post(connection, code, now_ms, schedule)
    except ValidationError:
        # Well signed, and nothing that a box can have sold.
        return Refused(Reason.NOT_A_SLIP)
    _keep(connection, code, now_ms)
    return Taken(code.device, code.tid, new)


def _is_too_late(code: SlipCode, fence: Fence) -> bool:
    """As for records. A box that was revoked may be in a thief's hands, and its clock with it: no wallet gives money back
    on its word."""
    gives_back = code.what != "sale" and code.tender != "cash"
    stolen = fence.reason is Reason.BOX_REVOKED
    return fence.closed or code.at_ms > fence.since_ms or (stolen and gives_back)


def _post(connection: Connection, code: SlipCode, now_ms: int, schedule: Schedule) -> bool:
    ledger = Ledger(connection, now_ms)
    if ledger.known([code.tid]):
        return False
    complaints = Complaints(connection, now_ms, Counts())
    body = _body(code)
    postings = Postings(
        connection,
        ledger,
        Chains(connection, now_ms, Counts(), complaints, ()),
        complaints,
        now_ms=now_ms,
        schedule=schedule,
        bodies=[(code.device, body)],
    )
    at = (code.at_ms, code.at_ms)
    record = Record(
        v=1, dev=code.device, inc=code.inc, seq=code.seq, tid=code.tid, kind=code.what, at=at, prev="0" * 64,
        body=body.model_dump(mode="json"),
    )  # fmt: skip
    postings.apply(record, body, code.content)
    ledger.flush()
    postings.write()
    complaints.write()
    return True


def _keep(connection: Connection, code: SlipCode, now_ms: int) -> None:
    """Note that its number is accounted for, unless the record itself is here."""
    held = (incarnation.c.device == code.device) & (incarnation.c.inc == code.inc)
    watermark = connection.execute(select(incarnation.c.watermark).where(held)).scalar() or 0
    mine = (recovered.c.device == code.device) & (recovered.c.inc == code.inc) & (recovered.c.seq == code.seq)
    if code.seq <= watermark or connection.execute(select(recovered.c.seq).where(mine)).first():
        return
    row = {"device": code.device, "inc": code.inc, "seq": code.seq, "tid": code.tid, "way": "paper"}
    connection.execute(insert(recovered), {**row, "quiet": code.quiet, "at_ms": now_ms})


def _body(code: SlipCode) -> Wire:
    """The record as far as the paper tells it."""
    if code.what == "void":
        return Void(of=code.of or "", amount=code.amount, tender_type=_tender(code), attempt=code.attempt)
    if code.what == "refund":
        return Refund(of=code.of or "", amount=code.amount, tender_type=_tender(code), attempt=code.attempt)
    spent, off = code.coupon, code.total - code.amount
    return Sale(
        lines=(Line(name=FROM_PAPER, price=code.total),),
        total=code.total,
        discount=max(0, off),
        tender=Tender(type=_tender(code), amount=code.amount, attempt=code.attempt),
        coupon=CouponUse(
            template=spent.template,
            serial=spent.serial,
            lease=spent.lease,
            discount=max(0, off),
            rights_count=spent.rights_count,
        )
        if spent
        else None,
        number=code.number,
    )


def _tender(code: SlipCode) -> Literal["cash", "merchant_scan"]:
    return "cash" if code.tender == "cash" else "merchant_scan"
