"""What a batch has to complain about: refusals are counted, alarms are shouted, both within its transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from tillbox.contracts.verdicts import Reason

from .alarms import Alarm
from .store import notes


@dataclass(slots=True)
class Counts:
    """What happened since this core started, for the proofs to read."""

    applied: int = 0
    replays: int = 0
    duplicates: int = 0
    gaps: int = 0
    refused: int = 0


class Complaints:
    """The complaints of one batch. `refused` is what the boxes are told in their acks."""

    def __init__(self, connection: Connection, now_ms: int, counts: Counts) -> None:
        self._connection, self._now_ms, self._counts = connection, now_ms, counts
        self.refused: dict[tuple[str, str], Reason] = {}
        self._counted: dict[tuple[str, Reason], tuple[int, bytes]] = {}

    def refuse(self, device: str, reason: Reason, sample: bytes, *, inc: str = "") -> None:
        """Count what was not taken, with a sample for a person to look at."""
        self._counts.refused += 1
        if inc:
            self.refused[device, inc] = reason
        times, _ = self._counted.get((device, reason), (0, b""))
        self._counted[device, reason] = times + 1, sample

    def counted(self) -> Counter[str]:
        """How many lines of each box were refused so far, but for those that are welcome tomorrow."""
        found: Counter[str] = Counter()
        for (device, reason), (times, _) in self._counted.items():
            found[device] += times if reason is not Reason.ENOUGH_TODAY else 0
        return found

    def write(self) -> None:
        """Write the counts, one row a device and reason however many there were."""
        for (device, reason), (times, sample) in self._counted.items():
            notes.count_refused(self._connection, device, reason, sample, self._now_ms, times=times)

    def shout(self, kind: Alarm, device: str, ref: str, detail: str) -> None:
        """Raise an alarm."""
        notes.shout(self._connection, kind, device=device, ref=ref, detail=detail, now_ms=self._now_ms)

    def not_its_own(self, device: str, tid: str, kind: str, dropped: list[str]) -> None:
        """A record spoke of what belongs to another box."""
        for what in dropped:
            self._counts.refused += 1
            self.shout(Alarm(f"{what}_of_another"), device, tid, kind)
