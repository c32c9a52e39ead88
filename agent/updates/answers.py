"""The new release's side of its examination: it answers what it is asked with its own till and its own receipt.

Run as `tillbox update answer`, out of the slot that is examined. It knows no right answer.
"""

from __future__ import annotations

import base64

from tillbox.agent import till as shop
from tillbox.agent.past import Past
from tillbox.agent.receipts import Shop, slip_document
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Refused
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.profiles import WIDE

from .health import Answer, Rehearsal

IDS = tuple(uuid7(1, bytes([number]) * 10) for number in range(shop.IDS_PER_STEP))
MOMENT = shop.Moment(TimeInterval(1_000, 2_000), 50_000, IDS)


def event_of(asked: Rehearsal) -> shop.CanaryAsked:
    """The rehearsal as the till takes it."""
    return shop.CanaryAsked(asked.mark, asked.lines(), asked.offer(), Amount(asked.received, CNY))


def answer(asked: Rehearsal) -> Answer | None:
    """What this software makes of it; None where it refuses to sell that."""
    till = shop.boot(shop.Setup("box", "examination"), Past())
    found = shop.rehearse(till, event_of(asked), MOMENT)
    if isinstance(found, Refused):
        return None
    canary, slip = found
    paper = encode(slip_document(slip, Shop("examination", "box", ""), MOMENT.at, ""), WIDE)
    return Answer(canary=canary, receipt=base64.b64encode(paper).decode())
