"""A journal on a file system that really is full. Needs to mount one, so it needs root."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest
from tests.patience import eventually

from tillbox.agent import app
from tillbox.agent.app import Box
from tillbox.agent.config import BoxConfig, Broker
from tillbox.agent.till import Basket, Idle, LineRung, Stopped
from tillbox.broker import journal as journals
from tillbox.broker.journal import Draft, Journal, JournalBroken, JournalFull, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Ack, Line, Sale, Tender
from tillbox.contracts.verdicts import Reason

AT = TimeInterval(1_000, 2_000)
NAME = "x" * 80


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    where, image = tmp_path / "card", tmp_path / "card.img"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(where)]
    if request.param == "ext4":
        image.touch()
        os.truncate(image, 6 * 2**20)
        mount = ["mount", "-o", "loop", str(image), str(where)]
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount here: {mounted.stderr.decode().strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def fill(disk: Path) -> Path:
    """Somebody else's log takes every byte that is left."""
    filler = disk / "somebody-elses.log"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))
    return filler


def opened(disk: Path, number: int) -> Journal:
    journal, _ = open_journal(
        FileMedium(disk / "journal.db"), device="box-1", incarnation=f"{number:016x}", tid=uuid7(number, b"o" * 10),
        at=AT,
    )  # fmt: skip
    return journal


def sale(number: int) -> Draft:
    lines = tuple(Line(name=NAME, price=100) for _ in range(20))
    body = Sale(lines=lines, total=2_000, tender=Tender(type="cash", amount=2_000))
    return Draft(uuid7(number, os.urandom(10)), "sale", body, AT)


def tids(journal: Journal) -> list[str]:
    return [entry.tid for entry in journal.entries()]


def test_below_its_low_water_a_box_records_nothing_and_goes_on_when_there_is_room(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "LOW_WATER_BYTES", 1_500_000)
    journal = opened(disk, 1)
    journal.record([sale(1)])
    stranger = disk / "somebody-elses.log"
    room = os.statvfs(disk)
    stranger.write_bytes(bytes(room.f_bavail * room.f_frsize - 1_000_000))
    before = tids(journal)
    with pytest.raises(JournalFull):
        journal.record([sale(2)])
    assert tids(journal) == before
    head = journal.head
    assert (
        journal.settle(Ack(inc=journal.incarnation, wm=2, head=head, credit=1)) == 2
    )  # there is room for this
    stranger.unlink()
    journal.record([sale(3)])
    assert len(tids(journal)) == len(before) + 1
    journal.close()


def test_a_disk_that_is_full_to_the_last_byte_loses_nothing_that_was_recorded(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the low water, sell until nothing goes any more; then empty the disk and look."""
    monkeypatch.setattr(journals, "LOW_WATER_BYTES", 0)
    journal = opened(disk, 1)
    promised = tids(journal)
    stopped: type[Exception] | None = None
    for number in range(2, 9_000):
        draft = sale(number)
        try:
            journal.record([draft])
        except (JournalFull, JournalBroken) as fault:
            stopped = type(fault)
            break
        promised.append(draft.tid)
    assert stopped is not None, "the disk was never full"
    assert len(promised) > 50
    journal.close()
    again = opened_once_there_is_room(disk)
    assert tids(again)[: len(promised)] == promised
    again.close()


def test_a_box_that_starts_on_a_full_disk_waits_and_does_not_take_its_journal_for_damaged(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "LOW_WATER_BYTES", 0)
    journal = opened(disk, 1)
    journal.record([sale(1)])
    promised = tids(journal)
    journal.close()
    (disk / "journal.reserve").unlink(missing_ok=True)
    again = opened_once_there_is_room(disk)
    assert tids(again)[: len(promised)] == promised
    again.close()


def test_a_box_says_so_on_its_screen_lets_nothing_be_pressed_and_comes_back_by_itself(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "LOW_WATER_BYTES", 0)
    monkeypatch.setattr(app, "REOPEN_S", 0.2)
    opened(disk, 1).close()
    filler = fill(disk)
    missing = tmp_path / "no-such.pem"
    broker = Broker(host="127.0.0.1", port=1, authority=missing, certificate=missing, key=missing)
    box = Box(BoxConfig(device="box-1", tenant="town", shop="shop", state=disk, broker=broker))
    running = threading.Thread(target=box.run)
    running.start()
    assert eventually(lambda: box.view is not None)
    assert box.view is not None
    assert box.view.till.phase == Stopped(Reason.DISK_FULL, Basket())
    box.offer(LineRung(Line(name="tea", price=800)))
    sleep(0.5)
    filler.unlink()
    assert eventually(lambda: box.view is not None and box.view.till.phase == Idle())
    assert box.view.till.past.number == 0
    box.stop()
    running.join(10)


def opened_once_there_is_room(disk: Path) -> Journal:
    filler = fill(disk)
    with pytest.raises(JournalFull):
        opened(disk, 5_000)
    filler.unlink()
    journal = opened(disk, 5_001)
    journal.record([sale(5_002)])
    return journal
