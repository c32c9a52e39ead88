"""What systemd hears of a box, and that a machine without systemd hears nothing."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.agent.app import Box
from tillbox.agent.config import BoxConfig
from tillbox.broker.supervisor import Supervisor


class Systemd:
    """The other end of the way."""

    def __init__(self, path: Path) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def heard(self) -> list[list[str]]:
        words = []
        try:
            while True:
                words.append(self._socket.recv(4_096).decode().split("\n"))
        except BlockingIOError:
            return words

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Systemd:
    return Systemd(tmp_path / "notify")


def test_the_first_word_says_ready_and_the_others_feed_the_watchdog(systemd: Systemd) -> None:
    clock = [0.0]
    supervisor = Supervisor(systemd.environment, lambda: clock[0])
    supervisor.alive("box-1 is online")
    clock[0] = 10.0
    supervisor.alive("box-1 is\noffline")
    assert systemd.heard() == [
        ["READY=1", "WATCHDOG=1", "STATUS=box-1 is online"],
        ["WATCHDOG=1", "STATUS=box-1 is offline"],
    ]
    systemd.close()


def test_a_loop_that_turns_often_says_three_words_in_the_watchdogs_time(systemd: Systemd) -> None:
    clock = [0.0]
    supervisor = Supervisor(systemd.environment, lambda: clock[0])
    for tenth in range(300):
        clock[0] = tenth / 10
        supervisor.alive()
    assert len(systemd.heard()) == 3
    systemd.close()


def test_nobody_is_told_where_nobody_listens(systemd: Systemd) -> None:
    Supervisor({}).alive("all is well")
    assert systemd.heard() == []
    systemd.close()
    Supervisor(systemd.environment).alive("systemd is gone, and the till is not")


def test_a_box_is_ready_when_it_can_sell_and_one_that_cannot_record_says_so_and_lives(tmp_path: Path) -> None:
    """A card that is no folder is out of reach for good: another start would not help, so the box is not killed."""
    for name, sells in (("state", True), ("card", False)):
        (tmp_path / "card").touch()
        words: list[str] = []
        box = Box(config(tmp_path, tmp_path / name), alive=words.append)
        thread = threading.Thread(target=box.run)
        thread.start()
        assert eventually(lambda words=words: words)
        box.stop()
        thread.join(10.0)
        assert ("0 of 1 records" in words[0] or "1 of 1 records" in words[0]) is sells
        assert ("box-1 does not sell: journal_broken" in words[0]) is not sells


def config(folder: Path, state: Path) -> BoxConfig:
    files = dict.fromkeys(("authority", "certificate", "key"), folder / "none")
    broker = {"host": "127.0.0.1", "port": 9, **files}
    return BoxConfig.model_validate(
        {"device": "box-1", "tenant": "tea", "shop": "Tea", "state": state, "broker": broker}
    )
