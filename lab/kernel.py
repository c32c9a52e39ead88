"""The kernel of the lab: the newest that this Debian offers for amd64, unpacked in a folder, never installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

NEWEST = "linux-image-amd64"  # the package that depends on the newest kernel there is
FETCH_S = 300


class Kernel(NamedTuple):
    """A kernel on the disk: its image, and the folder that has `lib/modules`."""

    image: Path
    root: Path
    version: str


def kernel(cache: Path) -> Kernel:
    """The kernel that is there, or a new one; SystemExit with what to do if none can be had."""
    return _unpacked(cache) or _fetched(cache)


def _unpacked(cache: Path) -> Kernel | None:
    for root in sorted(cache.glob("linux-image-*"), reverse=True):
        for image in root.glob("boot/vmlinuz-*"):
            return Kernel(image, root, image.name.removeprefix("vmlinuz-"))
    return None


def _fetched(cache: Path) -> Kernel:
    package = _newest()
    if package is None:
        _say("asking for the list of packages")
        _do("apt-get", "update", "-qq")
        package = _newest()
    if package is None:
        raise SystemExit(f"lab: no {NEWEST} here. It needs Debian on amd64, and its package sources.")
    _say(f"fetching {package}")
    work = cache / "fetching"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    if not _do("apt-get", "download", "-qq", package, folder=work):
        _do("apt-get", "update", "-qq")  # an old list names versions that are gone
        if not _do("apt-get", "download", "-qq", package, folder=work):
            raise SystemExit(
                f"lab: {package} cannot be fetched. Is there a network, and a fresh `apt-get update`?"
            )
    (archive,) = work.glob("*.deb")
    _do("dpkg-deb", "-x", archive.name, "root", folder=work)
    archive.unlink()
    (version,) = (path.name for path in work.glob("root/lib/modules/*"))
    _do("/sbin/depmod", "-b", "root", version, folder=work)
    (work / "root").rename(cache / package)  # only a whole one has its name
    work.rmdir()
    return Kernel(cache / package / "boot" / f"vmlinuz-{version}", cache / package, version)


def _newest() -> str | None:
    told = subprocess.run(
        ["apt-cache", "depends", "--important", NEWEST],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    for line in told.stdout.splitlines():
        word, _, name = line.strip().partition(": ")
        if word == "Depends" and name.startswith("linux-image-"):
            return name
    return None


def _do(*command: str, folder: Path | None = None) -> bool:
    return (
        subprocess.run(command, check=False, cwd=folder, stdout=sys.stderr, timeout=FETCH_S).returncode == 0
    )


def _say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)
