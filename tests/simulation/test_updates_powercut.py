"""The power goes at every step at which an update makes something durable, on a disk that keeps only what it was told to keep.

The real launcher and the real slots; only starting processes and the judge's word are played. After every cut the slot that
is started is whole, and it is the old release, or the new one on trial or kept; and at the end it is one of the two for good.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.releases import archive

from tillbox.agent.updates import launcher, slots
from tillbox.agent.updates.launcher import KEPT, STARTS_MAX, Launcher, Verdict, bootable, choose, read_state
from tillbox.agent.updates.machine import Release
from tillbox.agent.updates.slots import Slots

OLD, NEW = "0.1.0", "0.2.0"
RELEASE = Release(NEW, "new.zip", "ab" * 32, 1, "lock")
BAD = Verdict(False, "坏", "It is bad.")
Work = Callable[[], Any]


class PowerCut(BaseException):
    """The box is off."""


class Disk:
    """Counts the calls that matter, ends the power at one of them, and then loses what nobody had waited for."""

    def __init__(self, patch: pytest.MonkeyPatch, seed: int) -> None:
        self.cuts: list[int] = []
        self.calls = 0
        self.works = True
        self._random = random.Random(seed)
        self._unsynced: set[Path] = set()
        self._unsynced_names: dict[Path, bytes | None] = {}
        replace, unlink, write = os.replace, os.unlink, Path.write_bytes
        patch.setattr(
            os, "replace", lambda old, new: self._call(lambda: self._replace(replace, Path(old), Path(new)))
        )
        patch.setattr(os, "unlink", lambda path, **how: self._call(lambda: unlink(path, **how)))
        patch.setattr(os, "fsync", lambda file: self._call(lambda: self._fsync(file)))
        patch.setattr(
            Path, "write_bytes", lambda path, data: self._call(lambda: self._write(write, path, data))
        )
        opened = Path.open

        def open_(path: Path, mode: str = "r", *more: Any, **how: Any) -> Any:
            if self.works and "w" in mode:
                self._unsynced.add(path)
            return opened(path, mode, *more, **how)

        patch.setattr(Path, "open", open_)
        patch.setattr(subprocess, "run", lambda words, **_: self._call(lambda: self._program(words)))

    def cut_off(self) -> None:
        """What a card may look like afterwards: torn where nobody waited, a name old or new."""
        self.works = False
        for path in self._unsynced:
            if path.exists():
                data = path.read_bytes()
                with path.open("wb") as file:
                    file.write(data[: self._random.randrange(len(data) + 1)])
        for path, before in self._unsynced_names.items():
            if self._random.random() < 0.5:
                if before is None:
                    path.unlink(missing_ok=True)
                else:
                    with path.open("wb") as file:
                        file.write(before)
        self._unsynced.clear()
        self._unsynced_names.clear()
        self.works = True

    def _call(self, work: Work) -> Any:
        if self.works:
            self.calls += 1
            if self.calls in self.cuts:
                raise PowerCut
        return work()

    def _replace(self, replace: Callable[[Path, Path], None], old: Path, new: Path) -> None:
        self._unsynced_names.setdefault(new, new.read_bytes() if new.exists() else None)
        replace(old, new)
        self._unsynced.discard(new)
        if old in self._unsynced:
            self._unsynced.discard(old)
            self._unsynced.add(new)

    def _fsync(self, file: Any) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{file if isinstance(file, int) else file.fileno()}"))
        self._unsynced.discard(path)
        self._unsynced_names = {
            name: data for name, data in self._unsynced_names.items() if name.parent != path
        }

    def _write(self, write: Callable[[Path, bytes], int], path: Path, data: bytes) -> int:
        self._unsynced.add(path)
        return write(path, data)

    def _program(self, words: list[str]) -> subprocess.CompletedProcess[bytes]:
        if words[0] == "sync":
            self._unsynced.clear()
        return subprocess.CompletedProcess(words, 0, b"", b"")


class Box(Launcher):
    """The launcher; what runs in its slots is a few lines: the good one takes the release, the judge says one word."""

    def __init__(self, root: Path, archive: Path, verdict: Verdict) -> None:
        super().__init__(root, Path("box.json"))
        self.slots, self.archive, self.word = Slots(root), archive, verdict

    def _start(self, slot: str, *_: str, ears: int | None = None) -> Any:
        return slot

    def _end(self, process: Any) -> None:
        pass

    def _verdict(self, box: Any, judge: Any) -> Verdict:
        return self.word

    def _wait(self, box: Any) -> None:
        state = self.slots.state()
        if self.slots.told(box)["version"] == NEW or NEW in state.refused:
            self.stop()
            return
        self.slots.stage(self.archive, RELEASE)
        self.slots.arm(RELEASE)


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    Slots(tmp_path / "seeded").seed(archive(tmp_path, OLD), "lock")
    archive(tmp_path, NEW)
    return tmp_path


def live(folder: Path, disk: Disk, cuts: list[int], verdict: Verdict) -> launcher.State:
    """One update with power cuts; the state in which it ends."""
    root = folder / "updates"
    shutil.copytree(folder / "seeded", root)
    disk.cuts, disk.calls, gone = cuts, 0, 0
    while True:
        try:
            Box(root, folder / f"tillbox-{NEW}-any.zip", verdict).run()
            break
        except PowerCut:
            disk.cut_off()
            gone += 1
            slot, after = choose(read_state(root), bootable(root))
            assert slot in bootable(root), f"after cut {gone} of {cuts} no slot can be started"
            version = Slots(root).told(slot)["version"]
            assert after is not None
            on_trial = after.trial == slot and after.starts <= STARTS_MAX
            assert version == OLD or on_trial or verdict.kept, f"{version} runs for good, and was never kept"
    state = read_state(root)
    disk.works = False
    shutil.rmtree(root)
    disk.works = True
    assert state is not None
    return state


@pytest.mark.parametrize("verdict", [KEPT, BAD], ids=["kept", "bad"])
def test_the_power_goes_once_at_every_step(
    seeded: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict
) -> None:
    disk = Disk(monkeypatch, seed=1)
    whole = live(seeded, disk, [], verdict)
    steps = disk.calls
    assert (whole.good, steps > 12) == ("b" if verdict.kept else "a", True)
    for step in range(1, steps + 1):
        state = live(seeded, disk, [step], verdict)
        assert (state.good, state.trial, state.last["kept"]) == (whole.good, "", verdict.kept), step


@pytest.mark.parametrize("seed", range(25))
def test_the_power_goes_again_and_again(seeded: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    chance = random.Random(seed)
    disk = Disk(monkeypatch, seed)
    verdict = chance.choice([KEPT, BAD])
    cuts = sorted(chance.sample(range(1, 20), chance.randint(2, 8)))
    state = live(seeded, disk, cuts, verdict)
    assert disk.calls >= cuts[-1], "a cut that never came proves nothing"
    assert state.trial == ""
    assert state.last["kept"] is (state.good == "b")
    assert verdict.kept or state.good == "a"


def test_slots_that_are_not_waited_for_are_seen(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the flush of the unpacked tree a cut leaves a torn slot; the launcher's hash sees it and starts the good one."""
    monkeypatch.setattr(slots, "_sync_tree", lambda _: None)
    disk = Disk(monkeypatch, seed=3)
    live(seeded, disk, [], KEPT)
    ends = {live(seeded, disk, [step], KEPT).last["kept"] for step in range(1, disk.calls + 1)}
    assert False in ends, "no cut tore anything: this disk would hide a missing flush"
