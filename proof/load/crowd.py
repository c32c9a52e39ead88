"""A process full of boxes: one thread, one epoll, one heap of what is due. It does what its owner says over a pipe,
and decides nothing: a box is `member.py`.
"""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .member import Member, Plan, Street

TURN_S = 0.02
EVENTS_MAX = 512


def run(plan: Plan, orders: Connection) -> None:
    """Live until told to end. An impatient Ctrl-C is the owner's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Crowd(plan, orders).run()


class Crowd:
    """All boxes of one process."""

    def __init__(self, plan: Plan, orders: Connection) -> None:
        self.orders = orders
        self.street = Street(plan)
        self.random = self.street.random
        self.members = [Member(self.street, device, number) for number, device in enumerate(plan.devices)]
        self._rate = 0.0
        self._owed = 0.0
        self._sold_at = 0.0
        self._ended = False

    def run(self) -> None:
        """Wait, turn what is ready, do what is due, sell, obey."""
        self.street.poll.register(self.orders, select.EPOLLIN)
        while not self._ended:
            for number, _ in self.street.poll.poll(TURN_S, EVENTS_MAX):
                member = self.street.members.get(number)
                if member is not None:
                    member.turn()
            self.street.agenda.run_until(self.street.now_ms())
            self._sell()
            while self.street.spoke:
                self.street.spoke.pop().flush()
            if self.orders.poll():
                name, arguments = self.orders.recv()
                self.orders.send(_ORDERS[name](self, *arguments))

    def _sell(self) -> None:
        now = time.monotonic()
        self._owed += self._rate * (now - self._sold_at)
        self._sold_at = now
        while self._owed >= 1:
            self._owed -= 1
            self.random.choice(self.members).twin.sell(self.street.now_ms())
            self.street.counts["sold"] += 1

    # orders

    def dress(self) -> None:
        """Read every certificate. A real box does that alone, and not in the middle of a storm."""
        for member in self.members:
            member.dress()

    def connect(self, spread_s: float) -> None:
        """Everybody begins within so many seconds."""
        for member in self.members:
            self.street.agenda.after(self.random.randint(0, int(spread_s * 1_000)), member.begin)

    def sell(self, rate: float) -> None:
        """So many sales a second from now on, at boxes that chance picks."""
        self._rate, self._owed, self._sold_at = rate, 0.0, time.monotonic()

    def look(self) -> dict[str, Any]:
        """How it is."""
        twins = [member.twin for member in self.members]
        return {
            "up": sum(twin.up for twin in twins),
            "proven": sum(twin.proven for twin in twins),
            "pending": sum(twin.pending for twin in twins),
            "records": sum(len(twin.journal) for twin in twins),
            "settled": sum(twin.delivery.settled for twin in twins),
            "counts": dict(self.street.counts),
        }

    def answers(self) -> list[int]:
        """How long each record waited for the core's answer since this was asked last, in milliseconds."""
        taken = self.street.waited_ms.copy()
        self.street.waited_ms.clear()  # every box holds on to this very list
        return taken

    def cut(self, devices: tuple[str, ...]) -> None:
        """Drop these boxes' connections without a word; they stay away."""
        for member in self._named(devices):
            member.away = True
            member.down("cut")

    def freeze(self, devices: tuple[str, ...]) -> None:
        """These boxes vanish: their connections stay, and nothing is read or written there any more."""
        for member in self._named(devices):
            member.away = True
            member.stand_still()

    def come_back(self, devices: tuple[str, ...]) -> None:
        """These boxes connect anew, now."""
        for member in self._named(devices):
            member.away = False
            member.down("came_back")
            member.begin()

    def evidence(self, path: Path) -> None:
        """Every record that was made: device, id, hash, and whether the core answered for it."""
        with path.open("w") as file:
            for twin in (member.twin for member in self.members):
                for position, kept in enumerate(twin.journal):
                    settled = int(position < twin.delivery.settled)
                    file.write(f"{twin.device} {position + 1} {kept.tid} {kept.hash} {settled}\n")

    def end(self) -> None:
        """Go."""
        self._ended = True
        for member in self.members:
            member.away = True
            member.down("ended")

    def _named(self, devices: tuple[str, ...]) -> list[Member]:
        wanted = set(devices)
        return [member for member in self.members if member.twin.device in wanted]


_ORDERS: dict[str, Callable[..., Any]] = {
    name: getattr(Crowd, name)
    for name in (
        "dress",
        "connect",
        "sell",
        "look",
        "answers",
        "cut",
        "freeze",
        "come_back",
        "evidence",
        "end",
    )
}
