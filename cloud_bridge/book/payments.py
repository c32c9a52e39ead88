"""What a channel's word becomes: paid is a debt to the customer until a sale takes it up."""

from __future__ import annotations

from tillbox.contracts.money import CNY
from tillbox.contracts.verdicts import Reason

from .accounts import channel, payment, variance
from .engine import Entry, Part, leg


def paid(channel_name: str, attempt: str, minor: int) -> Entry:
    """The channel took money from a customer for us."""
    return Entry((Part((leg(channel(channel_name), minor, CNY), leg(payment(attempt), -minor, CNY))),))


def paid_back(channel_name: str, attempt: str, minor: int) -> Entry:
    """The channel gave it back. It has happened: where we did not owe so much (a sale of a box with an old
    card took the money up meanwhile), it is a variance, and somebody must look."""
    owed = (leg(payment(attempt), minor, CNY), leg(channel(channel_name), -minor, CNY))
    not_owed = (leg(variance(channel_name), minor, CNY), leg(channel(channel_name), -minor, CNY))
    return Entry((Part(owed, not_owed, Reason.REFUND_TOO_LARGE),))
