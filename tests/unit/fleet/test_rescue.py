"""A dead box's records on their way to a core that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tillbox.agent.provisioning import rescue
from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.agent.provisioning.rescue import Batch, Disk, Sent
from tillbox.broker.line import Happening, Message, Up
from tillbox.contracts.messages import Ack
from tillbox.contracts.verdicts import TEXTS, Reason

INC = "a1" * 8


class Core:
    """A core behind its door: it holds up to `most` records today, and counts what it is sent."""

    def __init__(self, most: int) -> None:
        self.most, self.held, self.sent = most, 0, 0

    def start(self, deliver: Callable[[Happening], None]) -> None:
        self.deliver = deliver
        deliver(Up())

    def publish(self, _: str, __: bytes) -> None:
        self.sent += 1
        enough = self.held >= self.most
        self.held += 0 if enough else 10
        refused = Reason.ENOUGH_TODAY if enough else None
        ack = Ack(inc=INC, wm=self.held, head="0" * 64, credit=0, refused=refused)
        self.deliver(Message("x", ack.model_dump_json().encode()))

    def stop(self) -> None:
        pass


@pytest.mark.parametrize(("most", "taken", "sent"), [(20, 20, 3), (1_000, 50, 5)])
def test_who_has_handed_in_enough_today_hears_it_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, taken: int, sent: int
) -> None:
    core = Core(most)
    monkeypatch.setattr(rescue, "MqttLine", lambda _: core)
    monkeypatch.setattr(rescue, "door", lambda *_: None)
    batches = tuple(Batch(INC, at + 1, at + 10, b"x") for at in range(0, 50, 10))
    disk = Disk(tmp_path, SimpleNamespace(root=tmp_path), FileKeyStore(tmp_path / "box.key"), batches, 0)  # type: ignore[arg-type]
    found = rescue.send(disk, "core", 8884, tmp_path, lambda _: None)
    refused = (f"a1a1:21-30 {TEXTS[Reason.ENOUGH_TODAY].en}",) if most == 20 else ()
    assert (found, core.sent) == (Sent(taken, refused), sent)
