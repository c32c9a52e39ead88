"""Which records of a box are known to exist and are not here, exactly. Counting the gaps is pure; the registry is looked at beside it.

A box tells with its telemetry how far its journal went; a paper tells its own number. What lies between what is held
and that is missing. That there is nothing beyond it nobody can know of a box that died without a line: a person says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import Connection, select

from tillbox.cloud_bridge.store.tables import box, incarnation, recovered


class Gap(BaseModel):
    """Numbers of one boot of a box that are missing, both ends included."""

    inc: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Recovered:
    """A record that came back as a paper; `quiet` ones without money lie directly before it."""

    inc: str
    seq: int
    quiet: int


def gaps(held: Mapping[str, int], said: Iterable[tuple[str, int]], found: Iterable[Recovered]) -> list[Gap]:
    """What is missing, boot by boot: `held` is how far each is here without a gap, `said` how far it went."""
    tops = dict(held)
    covered: dict[str, set[int]] = {}
    for one in found:
        covered.setdefault(one.inc, set()).update(range(one.seq - one.quiet, one.seq + 1))
    for inc, top in [*said, *((inc, max(numbers)) for inc, numbers in covered.items())]:
        tops[inc] = max(tops.get(inc, 0), top)
    return [
        gap
        for inc, top in sorted(tops.items())
        for gap in _of_boot(inc, held.get(inc, 0), top, covered.get(inc, set()))
    ]


def _of_boot(inc: str, watermark: int, top: int, covered: set[int]) -> list[Gap]:
    found, first = [], watermark + 1
    for seq in [*sorted(one for one in covered if watermark < one <= top), top + 1]:
        if first < seq:
            found.append(Gap(inc=inc, first=first, last=seq - 1))
        first = seq + 1
    return found


def missing(connection: Connection, device: str) -> list[Gap]:
    """What is missing of a box."""
    return missing_of(connection, [device]).get(device, [])


def missing_of(connection: Connection, devices: Sequence[str]) -> dict[str, list[Gap]]:
    """What is missing of each of some boxes, in three statements however many they are."""
    held: dict[str, dict[str, int]] = {}
    said: dict[str, list[tuple[str, int]]] = {}
    found: dict[str, list[Recovered]] = {}
    boot = select(incarnation.c.device, incarnation.c.inc, incarnation.c.watermark)
    for name, inc, watermark in connection.execute(boot.where(incarnation.c.device.in_(devices))):
        held.setdefault(name, {})[inc] = watermark
    heard = select(box.c.device, box.c.telemetry).where(box.c.device.in_(devices))
    for name, telemetry in connection.execute(heard):
        health = json.loads(telemetry or b"{}")
        said[name] = [(str(health["inc"]), int(health["seq"]))] if "seq" in health else []
    for row in connection.execute(select(recovered).where(recovered.c.device.in_(devices))):
        found.setdefault(row.device, []).append(Recovered(row.inc, row.seq, row.quiet))
    return {name: gaps(held.get(name, {}), said.get(name, ()), found.get(name, ())) for name in devices}
