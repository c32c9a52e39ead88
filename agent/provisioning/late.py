"""The line of a box that was put out: it carries old records to the core and nothing else.

Its certificate is void, so it comes in at the door for boxes that have none, and each message bears the signature of
its own key. To the runtime it is a line like any other: what is not a record is not taken.
"""

from __future__ import annotations

from dataclasses import replace

from tillbox.broker.line import Deliver, Happening, Line, Message, Will
from tillbox.contracts import topics
from tillbox.contracts.messages import LateRecords
from tillbox.contracts.packing import packed
from tillbox.contracts.proofs import LATE, web

from .keystore import KeyStore


def late_message(key: KeyStore, records: bytes) -> bytes:
    """Records of this box, signed by it, as the core takes them from anybody's hand."""
    signature = web(key.sign(LATE + records))
    said = LateRecords(device=key.device, records=packed(records), signature=signature)
    return said.model_dump_json().encode()


class LateLine(Line):
    """Old records up, acknowledgements down, over a line to the claim door under the name `nonce`."""

    def __init__(self, door: Line, nonce: str, key: KeyStore) -> None:
        self._line, self._nonce, self._key = door, nonce, key

    def start(self, deliver: Deliver) -> None:
        ack = topics.ack_down(self._key.device)

        def passed(happening: Happening) -> None:
            deliver(replace(happening, topic=ack) if isinstance(happening, Message) else happening)

        self._line.start(passed)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,  # noqa: ARG002
        retain: bool = False,  # noqa: ARG002
        correlation: bytes = b"",  # noqa: ARG002
        expires_s: int | None = None,  # noqa: ARG002
        spare: bool = False,  # noqa: ARG002
    ) -> bool:
        if topic != topics.records_up(self._key.device):
            return False
        return self._line.publish(topics.late_up(self._nonce), late_message(self._key, payload))

    def acknowledge(self, token: int) -> None:
        self._line.acknowledge(token)

    def reconnect(self) -> None:
        self._line.reconnect()

    def stop(self, *, goodbye: Will | None = None) -> None:  # noqa: ARG002
        self._line.stop()
