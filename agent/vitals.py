"""How the machine under a box is doing, read from /proc and /sys now and then. The till never waits for it.

Where a machine does not say something, or says nonsense, there is None: a box on a board without a thermometer is not cold.
The folders are arguments, so that a twin of them can be read in a test.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import structlog
from cryptography import x509

from tillbox.contracts.messages import Vitals

LOOK_S = 30.0
SECTOR = 512  # what /sys counts in, whatever the disk's own sectors are
PACE_MIN_S = 3_600  # a machine that started a moment ago says nothing about a day
SIZE_MAX = 2**48
WEAR_STEP, WEAR_MAX = 10, 11  # an eMMC says its used life in tenths; 11 is over

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look. `state` is the folder of the journal: its disk is the one that matters."""

    state: Path
    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    device: tuple[int, int] | None = None
    """The disk's numbers; None: those of `state`."""


def read_vitals(machine: Machine) -> Vitals:
    """One look."""
    uptime_s = _uptime_s(machine.proc)
    disk = _disk(machine)
    written = _written_bytes(disk)
    known = written is not None and uptime_s is not None and uptime_s >= PACE_MIN_S
    heard, sent = _traffic(machine.proc)
    return Vitals(
        uptime_s=uptime_s,
        disk_bytes=_disk_bytes(machine.state),
        written_bytes_day=min(SIZE_MAX, written * 86_400 // uptime_s)
        if known and written and uptime_s
        else None,
        wear_percent=_wear_percent(disk),
        celsius=_celsius(machine.sys),
        sent_bytes=sent,
        heard_bytes=heard,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _numbers(text: str) -> list[int]:
    try:
        return [int(word, 0) for word in text.split()]
    except ValueError:
        return []


def _uptime_s(proc: Path) -> int | None:
    try:
        found = int(float(_text(proc / "uptime").split()[0]))
    except (IndexError, ValueError, OverflowError):
        return None
    return found if 0 <= found < 2**31 else None


def _disk_bytes(state: Path) -> int | None:
    try:
        found = os.statvfs(state)
    except OSError:
        return None
    return min(SIZE_MAX, found.f_blocks * found.f_frsize)


def _disk(machine: Machine) -> Path | None:
    """The whole disk in /sys, not the partition: what wears out is the card."""
    try:
        number = machine.device or _device_of(machine.state)
        found = (machine.sys / f"dev/block/{number[0]}:{number[1]}").resolve(strict=True)
    except OSError:
        return None
    return found.parent if (found / "partition").exists() else found


def _device_of(folder: Path) -> tuple[int, int]:
    number = folder.stat().st_dev
    return os.major(number), os.minor(number)


def _written_bytes(disk: Path | None) -> int | None:
    numbers = _numbers(_text(disk / "stat")) if disk else []
    return numbers[6] * SECTOR if len(numbers) > 6 and numbers[6] >= 0 else None


def _wear_percent(disk: Path | None) -> int | None:
    """An eMMC says it in two numbers; a plain SD card says nothing."""
    numbers = _numbers(_text(disk / "device/life_time")) if disk else []
    sound = len(numbers) == 2 and all(0 <= one <= WEAR_MAX for one in numbers)
    return max(numbers) * WEAR_STEP if sound and any(numbers) else None


def _celsius(sys: Path) -> int | None:
    zones = [_numbers(_text(path)) for path in sorted((sys / "class/thermal").glob("thermal_zone*/temp"))]
    told = [int(zone[0] / 1_000) for zone in zones if zone and -60_000 <= zone[0] <= 200_000]
    return max(told, default=None)


def _traffic(proc: Path) -> tuple[int | None, int | None]:
    """Bytes in and out since the start, of all that is no loopback."""
    heard, sent, any_ = 0, 0, False
    for line in _text(proc / "net/dev").splitlines():
        name, colon, rest = line.partition(":")
        numbers = _numbers(rest)
        if colon and name.strip() != "lo" and len(numbers) > 8 and min(numbers) >= 0:
            heard, sent, any_ = heard + numbers[0], sent + numbers[8], True
    return (min(SIZE_MAX, heard), min(SIZE_MAX, sent)) if any_ else (None, None)


def certificate_ends_ms(certificate: Path) -> int | None:
    """When a box's certificate ends; None where it cannot be read."""
    with suppress(OSError, ValueError):
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
        return int(ends.astimezone(UTC).timestamp() * 1_000)
    return None


@dataclass
class VitalsRoom:
    """One thread that looks; whoever asks gets what was seen last."""

    machine: Machine
    certificate: Callable[[], Path]
    seen: Vitals | None = None
    certificate_ends_ms: int | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Go to work."""
        threading.Thread(target=self._work, name="vitals", daemon=True).start()

    def stop(self) -> None:
        """End soon."""
        self._ended.set()

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                self.seen = read_vitals(self.machine)
                self.certificate_ends_ms = certificate_ends_ms(self.certificate())
            except Exception:
                # The box sells without figures of its machine, and they are looked for again.
                log.exception("vitals.failed", hint="the till goes on; it is looked again")
            self._ended.wait(LOOK_S)
