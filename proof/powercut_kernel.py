"""`tillbox prove powercut-kernel`: the shipped journal on a real ext4, which the kernel shuts down under it.

A child records and acknowledges over a pipe; the file system is shut down without flushing its log
(EXT4_IOC_SHUTDOWN, what a pulled plug leaves behind); it is mounted again and every acknowledged record
looked for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from tillbox.broker.journal import JournalBroken, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import CHANCE_BYTES, INCARNATION_BYTES, uuid7

SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
IMAGE_MB = 160
CUTS_PER_IMAGE = 50

CHILD = """
import os, sys
from pathlib import Path
from tillbox.broker.journal import Draft, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.proof.powercut import SALE
at = TimeInterval(0, 1)
medium = FileMedium(Path(sys.argv[1]))
journal, _ = open_journal(medium, device="box-1", incarnation=os.urandom(8).hex(), tid=uuid7(0, os.urandom(10)), at=at)
while True:
    tid = uuid7(0, os.urandom(10))
    journal.record([Draft(tid, "sale", SALE, at)])
    os.write(1, tid.encode() + b"\\n")
"""


class CannotHere(Exception):
    """This machine cannot do it; the message says what is missing and what to do."""


def run(cuts: int, seed: int) -> dict[str, Any]:
    """Cut after cut on fresh images."""
    if os.geteuid() != 0:
        raise CannotHere("mounting needs root; run it with sudo")
    began, random = time.perf_counter(), Random(seed)
    report = {"cuts": 0, "records": 0, "heard_after_the_cut": 0, "lost": 0, "broken": 0}
    while report["cuts"] < cuts:
        with _image() as mounted:
            acknowledged: set[str] = set()
            for _ in range(min(CUTS_PER_IMAGE, cuts - report["cuts"])):
                _one(mounted, random, acknowledged, report)
    ok = not report["lost"] and not report["broken"]
    return {**report, "seconds": round(time.perf_counter() - began, 1), "ok": ok}


class _Mounted:
    """A loop-mounted image."""

    def __init__(self, image: Path, point: Path) -> None:
        self.image, self.point = image, point

    def mount(self) -> None:
        _do("mount", "-o", "loop", str(self.image), str(self.point))

    def unmount(self) -> None:
        _do("umount", str(self.point))

    def shut_down(self) -> None:
        descriptor = os.open(self.point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as fault:
            raise CannotHere(f"this kernel does not shut ext4 down ({fault.strerror})") from fault
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _image() -> Iterator[_Mounted]:
    with tempfile.TemporaryDirectory(prefix="tillbox-") as folder:
        image, point = Path(folder) / "disk.img", Path(folder) / "disk"
        point.mkdir()
        with image.open("wb") as file:
            file.truncate(IMAGE_MB << 20)
        _do("mkfs.ext4", "-q", "-F", str(image))
        mounted = _Mounted(image, point)
        mounted.mount()
        try:
            yield mounted
        finally:
            mounted.unmount()


def _one(mounted: _Mounted, random: Random, acknowledged: set[str], report: dict[str, int]) -> None:
    path = mounted.point / "journal.db"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None
    heard = child.stdout.readline()
    time.sleep(random.uniform(0.0, 0.08))
    # What was heard by now is a promise. What comes after the shutdown has begun is none: with real power
    # nobody would have heard it, and this kernel may let a flush that it cut short return as done.
    os.set_blocking(child.stdout.fileno(), False)
    heard += child.stdout.read() or b""
    mounted.shut_down()
    os.set_blocking(child.stdout.fileno(), True)
    child.wait()
    report["heard_after_the_cut"] += child.stdout.read().count(b"\n")
    child.stdout.close()
    lines = heard.split(b"\n")[:-1]
    acknowledged.update(line.decode() for line in lines if line)
    report["records"] += len(lines)
    report["cuts"] += 1
    mounted.unmount()
    mounted.mount()
    _judge(path, acknowledged, report)


def _judge(path: Path, acknowledged: set[str], report: dict[str, int]) -> None:
    tid, incarnation = uuid7(0, os.urandom(CHANCE_BYTES)), os.urandom(INCARNATION_BYTES).hex()
    try:
        journal, _ = open_journal(
            FileMedium(path), device="box-1", incarnation=incarnation, tid=tid, at=TimeInterval(0, 1)
        )
    except JournalBroken:
        report["broken"] += 1
        return
    found = {entry.tid for entry in journal.entries()}
    journal.close()
    report["lost"] += len(acknowledged - found)
    acknowledged &= found


def _do(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as fault:
        raise CannotHere(f"{command[0]} is not installed; run: apt-get install e2fsprogs mount") from fault
    except subprocess.CalledProcessError as fault:
        raise CannotHere(f"{' '.join(command)} failed: {fault.stderr.strip()}") from fault
