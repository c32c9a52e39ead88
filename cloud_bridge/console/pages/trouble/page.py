"""What somebody must look at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.cloud_bridge.console.pages.asked import Asked
from tillbox.cloud_bridge.store import reading
from tillbox.cloud_bridge.store.reading import AlarmRow, AwayRow, OpenPayment, RefusedRow


@dataclass(frozen=True, slots=True)
class TroublePage:
    """Boxes that are away, payments that have not ended, alarms, refused messages."""

    away: tuple[AwayRow, ...]
    payments: tuple[OpenPayment, ...]
    alarms: tuple[AlarmRow, ...]
    refused: tuple[RefusedRow, ...]

    @property
    def all_well(self) -> bool:
        """Whether there is nothing to look at."""
        return not (self.away or self.payments or self.alarms or self.refused)


def show(connection: Connection, _: Asked) -> TroublePage:
    """All of it."""
    return TroublePage(
        away=tuple(reading.away(connection)),
        payments=tuple(reading.payments_open(connection)),
        alarms=tuple(reading.alarms(connection)),
        refused=tuple(reading.refused(connection)),
    )
