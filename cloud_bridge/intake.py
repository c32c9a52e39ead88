"""What waits for the core's one worker: bounded, and fair. No box can fill it, however much it says, and the newest
telemetry of a box stands for all before it. What is let go is acknowledged to the broker all the same: one that
waits for twenty answers sends nothing more, and whoever said it says it again.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

from tillbox.broker.line import Message
from tillbox.contracts import topics

WAITING_MAX = 60_000  # messages of all boxes: what ten thousand that come up at once say first, five each, and some more
WAITING_BYTES_MAX = 128 * 1024 * 1024  # and that is all that it may cost
TELEMETRY_AT_ONCE = (
    1_000  # of as many boxes, in one transaction: cheap, and nobody may wait so long that he seems lost
)
WAITING_PER_BOX = 64  # an honest box has four messages of records and a few questions under way

News = TypeVar("News")


class Intake(Generic[News]):
    """Messages from the line, and news from elsewhere in the house. Any thread puts, one takes.

    `let_go` is called on the thread that puts, with each message that nobody will read.
    """

    def __init__(self, let_go: Callable[[Message], None]) -> None:
        self._let_go = let_go
        self._filled = threading.Condition()
        self._items: deque[Message | News] = deque()
        self._telemetry: dict[str, Message] = {}
        self._of: Counter[str] = Counter()
        self._bytes = 0

    def put(self, message: Message) -> bool:
        """Keep a message from the line; False where there is no room for it."""
        device = _sender(message)
        with self._filled:
            if message.topic == topics.telemetry_up(device):
                # In its old place: a box that was sent to the end with every word of its would never be heard.
                gone = self._telemetry.get(device)
                self._telemetry[device] = message
            elif self._of[device] >= WAITING_PER_BOX or self._is_full(message):
                gone = message
            else:
                gone = None
                self._of[device] += 1
                self._bytes += len(message.payload)
                self._items.append(message)
            self._filled.notify()
        if gone is not None:
            self._let_go(gone)
        return gone is not message

    def tell(self, news: News) -> None:
        """Keep news from the house. It is never let go: whoever tells has few of them under way."""
        with self._filled:
            self._items.append(news)
            self._filled.notify()

    def take(self, most: int, wait_s: float) -> list[Message | News]:
        """What waits, `most` of it and the oldest first, and telemetry last; empty after the longest wait."""
        with self._filled:
            if not self._items and not self._telemetry:
                self._filled.wait(wait_s)
            taken: list[Message | News] = []
            while self._items and len(taken) < most:
                item = self._items.popleft()
                if isinstance(item, Message):
                    self._of[_sender(item)] -= 1
                    self._bytes -= len(item.payload)
                taken.append(item)
            reports = min(len(self._telemetry), TELEMETRY_AT_ONCE)
            for _ in range(reports):
                taken.append(self._telemetry.pop(next(iter(self._telemetry))))
            return taken

    def _is_full(self, message: Message) -> bool:
        return len(self._items) >= WAITING_MAX or self._bytes + len(message.payload) > WAITING_BYTES_MAX


def _sender(message: Message) -> str:
    """Who gets room of its own: a box, or a hand that carries a dead box's records."""
    return topics.device_of(message.topic) or topics.nonce_of(message.topic) or ""
