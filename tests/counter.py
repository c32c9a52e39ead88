"""What lies on the counter before a reader: everything that it handed over and said, in order."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tillbox.contracts.codes.reads import CodeRead
from tillbox.hardware.ports import DeviceBack, DeviceTrouble


@dataclass
class Counter:
    """Ears for one reader: give it `deliver` and `news.append`."""

    deliveries: list[tuple[CodeRead, ...]] = field(default_factory=list, init=False)
    news: list[DeviceTrouble | DeviceBack] = field(default_factory=list, init=False)
    threads: set[str] = field(default_factory=set, init=False)

    def deliver(self, reads: tuple[CodeRead, ...]) -> None:
        self.threads.add(threading.current_thread().name)
        self.deliveries.append(reads)

    @property
    def reads(self) -> list[CodeRead]:
        return [read for reads in self.deliveries for read in reads]

    @property
    def codes(self) -> list[bytes]:
        return [read.raw for read in self.reads]

    def told(self) -> list[str]:
        return [one.kind if isinstance(one, DeviceTrouble) else "back" for one in self.news]

    def hints(self) -> str:
        return " ".join(one.hint for one in self.news if isinstance(one, DeviceTrouble))
