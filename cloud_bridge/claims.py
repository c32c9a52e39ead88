"""What a record may touch: the payments, leases and sales of the box that wrote it, and nobody else's.

A box is believed about its own counter, for it stands there. What it says of another box's payment, lease
or sale is not taken: the record is kept, the claim is dropped from it, the sum stays with the box's own
drawer, and somebody is told. It refuses to post anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection, Row, Select, bindparam, select

from tillbox.contracts.messages import CouponUse, Refund, Sale, Void

from .store.tables import lease, payment, txn

Reversal = TypeVar("Reversal", Void, Refund)
CHUNK = 400  # names per SELECT

_PAYMENTS = select(payment.c.attempt, payment.c.device).where(
    payment.c.attempt.in_(bindparam("names", expanding=True))
)
_LEASES = select(lease).where(lease.c.id.in_(bindparam("names", expanding=True)))
_TXNS = select(txn.c.tid, txn.c.device).where(txn.c.tid.in_(bindparam("names", expanding=True)))


class Claims:
    """Whose is what, for one batch: looked up once for all its records, and told of the new ones."""

    def __init__(self, connection: Connection, bodies: Iterable[BaseModel | None]) -> None:
        attempts: set[str] = set()
        leases: set[str] = set()
        sales: set[str] = set()
        for body in bodies:
            if isinstance(body, Sale):
                attempts |= {body.tender.attempt} if body.tender.attempt else set()
                leases |= {body.coupon.lease} if body.coupon else set()
            elif isinstance(body, (Void, Refund)):
                attempts |= {body.attempt} if body.attempt else set()
                sales.add(body.of)
        self._payments: dict[str, str] = {
            row.attempt: row.device for row in _rows(connection, _PAYMENTS, attempts)
        }
        self._leases = {row.id: row for row in _rows(connection, _LEASES, leases)}
        self._sales: dict[str, str] = {row.tid: row.device for row in _rows(connection, _TXNS, sales)}

    def sold(self, tid: str, device: str) -> None:
        """A sale of this very batch, which a later record in it may take back."""
        self._sales.setdefault(tid, device)

    def own_sale(self, device: str, body: Sale) -> tuple[Sale, list[str]]:
        """The sale without what is not this box's, and what that was."""
        dropped = []
        if body.tender.attempt and self._payments.get(body.tender.attempt) != device:
            dropped.append("payment")
            body = body.model_copy(update={"tender": body.tender.model_copy(update={"attempt": None})})
        if body.coupon is not None and not self._covers(device, body.coupon):
            dropped.append("coupon")
            body = body.model_copy(update={"coupon": None})
        return body, dropped

    def own_reversal(self, device: str, body: Reversal) -> tuple[Reversal, list[str]]:
        """The void or refund without what is not this box's, and what that was."""
        dropped = []
        if self._sales.get(body.of, device) != device:
            dropped.append("sale")
        if body.attempt and self._payments.get(body.attempt) != device:
            dropped.append("payment")
            body = body.model_copy(update={"attempt": None})
        return body, dropped

    def _covers(self, device: str, use: CouponUse) -> bool:
        row = self._leases.get(use.lease)
        if row is None or row.device != device or row.template != use.template:
            return False
        return bool(row.first <= use.serial <= row.last)


def _rows(connection: Connection, statement: Select[Any], names: set[str]) -> list[Row[Any]]:
    ordered = sorted(names)
    chunks = (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
    return [row for chunk in chunks for row in connection.execute(statement, {"names": chunk})]
