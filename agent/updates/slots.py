"""Two slots: the software that sells, and room for the next. A slot is whole or it cannot be started.

A release is one archive: wheels and a manifest. It is unpacked and nothing of it is run: a wheel is a zip, and code that
runs at installing would be code before its examination. What makes a slot startable, `slot.json`, is written last and
holds the hash of everything in it; the launcher compares before every start.
"""

from __future__ import annotations

import errno
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import launcher
from .launcher import SLOTS, State, read_state, sync_folder, tree_digest, write_durably, write_state
from .machine import Release
from .words import Refusal

UNPACKED_BYTES_MAX = 1_000_000_000  # signed or not, an archive that unpacks without end would fill the card
COMPILE_S = 300.0
SYNC_S = 300.0
PLACES = (
    "purelib",
    "platlib",
)  # what a wheel may put beside its own tree; scripts and headers are for no box


class ArchiveWrong(Exception):
    """The archive is not one of ours, or unpacks to more than a slot holds. The message says which."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The folder that the launcher works in."""

    root: Path

    def state(self) -> State:
        """What the launcher goes by. A file that is lost is written anew from what can be started."""
        state = read_state(self.root)
        if state is None:
            _, state = launcher.choose(None, launcher.bootable(self.root))
        if state is None:
            raise ArchiveWrong(f"{self.root} has no slot that can be started; seed one first")
        return state

    def home(self, slot: str) -> Path:
        """A slot's folder."""
        return self.root / "slots" / slot

    def lib(self, slot: str) -> Path:
        """What stands in front of the interpreter's own libraries."""
        return self.home(slot) / "lib"

    @property
    def idle(self) -> str:
        """The slot that is not the good one."""
        return next(slot for slot in SLOTS if slot != self.state().good)

    def told(self, slot: str) -> dict[str, Any]:
        """What a slot says of itself; empty for a slot that is not whole."""
        try:
            found: dict[str, Any] = json.loads((self.home(slot) / "slot.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def base_lock(self) -> str:
        """The hash of the libraries that the interpreter itself has; empty where nobody said."""
        try:
            return str(json.loads((self.root / "base.json").read_bytes())["lock"])
        except (OSError, ValueError, KeyError):
            return ""

    def holds(self, release: Release) -> bool:
        """Whether the idle slot is this release already, whole: a power cut came between, or the till was busy."""
        slot = self.idle
        return self.told(slot).get("sha256") == release.sha256 and slot in launcher.bootable(self.root)

    def stage(self, archive: Path, release: Release) -> str:
        """Unpack a release into the idle slot, whole and on the disk; the slot. It is not on trial by this."""
        slot = self.idle
        if self.holds(release):
            return slot
        self._fill(slot, archive, {"version": release.version, "sha256": release.sha256})
        return slot

    def arm(self, release: Release) -> None:
        """Put the idle slot on trial: from this write on the launcher starts it."""
        write_state(self.root, replace(self.state(), trial=self.idle, starts=0, version=release.version))

    def remember(self, release: Release, refusal: Refusal) -> None:
        """Do not take this version again."""
        state, text = self.state(), refusal.text
        refused = {**state.refused, release.version: {"zh": text.zh, "en": text.en}}
        write_state(self.root, replace(state, refused=refused))

    def seed(self, archive: Path, lock: str) -> None:
        """The first release of a box, the launcher, and what the interpreter has: an engineer's or an image's doing."""
        self.root.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(launcher.__file__, self.root / "launcher.py")
        write_durably(self.root / "base.json", json.dumps({"lock": lock}).encode())
        self._fill("a", archive, {"version": read_manifest(archive)["version"], "sha256": ""})
        write_durably(self.home("a") / "kept", b"")
        write_state(self.root, State("a"))

    def _fill(self, slot: str, archive: Path, told: dict[str, Any]) -> None:
        home = self.home(slot)
        home.mkdir(parents=True, exist_ok=True)
        # From here until slot.json is there again the slot cannot be started, whenever the power goes.
        for name in ("slot.json", "kept"):
            (home / name).unlink(missing_ok=True)
        sync_folder(home)
        shutil.rmtree(home / "lib", ignore_errors=True)
        unpack(archive, home / "lib")
        _compile(home / "lib")
        _sync_tree(home / "lib")
        digest = tree_digest(home / "lib")
        write_durably(home / "slot.json", json.dumps({**told, "digest": digest}).encode())


def read_manifest(archive: Path) -> dict[str, Any]:
    """What an archive says of itself. ArchiveWrong where it says nothing."""
    try:
        with zipfile.ZipFile(archive) as whole:
            found = json.loads(whole.read("manifest.json"))
            return {"version": str(found["version"]), "wheels": [str(name) for name in found["wheels"]]}
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as wrong:
        raise ArchiveWrong(f"{archive.name} is no release: {wrong}") from wrong


def unpack(archive: Path, lib: Path) -> None:
    """Lay the wheels of a release side by side."""
    wheels = read_manifest(archive)["wheels"]
    left = UNPACKED_BYTES_MAX
    with zipfile.ZipFile(archive) as whole:
        for name in wheels:
            with zipfile.ZipFile(io.BytesIO(whole.read(name))) as wheel:
                left -= sum(one.file_size for one in wheel.infolist())
                if left < 0:
                    raise ArchiveWrong(f"{archive.name} unpacks to more than {UNPACKED_BYTES_MAX} bytes")
                for member, path in _members(wheel):
                    _write(lib, path, wheel.read(member))


def _members(wheel: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    for member in wheel.infolist():
        top, _, rest = member.filename.partition("/")
        place, _, beneath = rest.partition("/")
        if member.is_dir() or (top.endswith(".data") and place not in PLACES):
            continue
        yield member, beneath if top.endswith(".data") else member.filename


def _write(lib: Path, name: str, data: bytes) -> None:
    path = lib / name
    if not path.resolve().is_relative_to(lib.resolve()):
        raise ArchiveWrong(f"{name} would be written outside the slot")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _compile(lib: Path) -> None:
    """Compile once, here: a slot is never written to later, so a power cut cannot tear it."""
    command = ["nice", "-n", "5", sys.executable, "-I", "-m", "compileall", "-q", str(lib)]
    subprocess.run(
        command, timeout=COMPILE_S, check=False, stdin=subprocess.DEVNULL
    )  # compiles, runs nothing of it


def _sync_tree(lib: Path) -> None:
    """One flush of the whole file system: five hundred flushes of one file each take a card a quarter of a minute."""
    done = subprocess.run(
        ["sync", "--file-system", str(lib)], timeout=SYNC_S, check=False, capture_output=True
    )
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.decode(errors="replace").strip())
