"""Records of a box that is not there to say them, in whoever's hand: the box's own signature says whose they are."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy import Connection, select

from tillbox.cloud_bridge.ingest import Arrived
from tillbox.cloud_bridge.store.tables import device
from tillbox.contracts.messages import BATCH_BYTES_MAX, LateRecords
from tillbox.contracts.packing import unpacked
from tillbox.contracts.proofs import LATE, is_proven, unweb
from tillbox.contracts.verdicts import Reason

MESSAGE_BYTES_MAX = 250_000


def arrived(connection: Connection, payload: bytes) -> Arrived | Reason:
    """The records and their box, or why they are not taken."""
    if len(payload) > MESSAGE_BYTES_MAX:
        return Reason.TOO_LARGE
    try:
        late = LateRecords.model_validate_json(payload)
    except ValidationError:
        return Reason.NOT_UNDERSTOOD
    key = connection.execute(select(device.c.public_key).where(device.c.device == late.device)).scalar()
    if key is None:
        return Reason.BOX_UNKNOWN
    records = unpacked(late.records, most=BATCH_BYTES_MAX)
    if records is None:
        return Reason.NOT_UNDERSTOOD
    if not is_proven(key, LATE, records, unweb(late.signature)):
        return Reason.SIGNATURE_WRONG
    return Arrived(late.device, records)
