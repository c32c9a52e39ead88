"""Finding out how a box is: for `tillbox doctor`, beside a running box or without one, and for the till's own page.

It changes nothing that lasts: a file for the flush is written beside the journal and taken away; a test slip is printed only
where it was asked for.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tillbox.broker.mqtt import Endpoint, reach
from tillbox.contracts.codes import CodeRead
from tillbox.contracts.settings import SettingsWrong
from tillbox.hardware.finding import Found, find
from tillbox.hardware.ports import CodeReader, DeviceBack, DeviceLost, DeviceTrouble, Face, FaceKind, PrintEnd
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import QR, Cut, Document, Feed, Line
from tillbox.hardware.printing.drawing import system_letters
from tillbox.hardware.printing.profiles import PROFILES

from .app import SOFTWARE, Box
from .clock import wall_ms
from .config import BoxConfig
from .doctor import DeviceFact, Facts
from .inspect import NoJournal, count
from .provisioning.compose import config_in
from .provisioning.keystore import KeyUnsafe
from .provisioning.tpm import is_sealed
from .vitals import certificate_ends_ms

ASK_S = 3.0
FLUSHES = 20
FLUSH_BYTES = 4_096
LOOK_S = 1.0  # a device that is not there says so at once
SLIP_S = 30.0  # a person walks to the printer and holds the slip before the scanner
SLIP_PREFIX = "TILLBOX-TEST-"
CLOCK_MARK = Path("/run/systemd/timesync/synchronized")
YEAR_MIN = 2025  # this software did not exist before

Tell = Callable[[str], None]


def of_file(path: Path, *, slip: bool, tell: Tell) -> Facts:
    """A box by its configuration, asked device by device. A running box keeps its devices to itself: they say so."""
    try:
        config = config_in(path)
    except SettingsWrong as wrong:
        return Facts(software=SOFTWARE, config_fault=str(wrong))
    except KeyUnsafe as unsafe:
        return Facts(software=SOFTWARE, key_fault=str(unsafe))
    return of_config(config, slip=slip, tell=tell)


def of_config(config: BoxConfig, *, slip: bool, tell: Tell) -> Facts:
    """The same by a configuration that was loaded, or made."""
    tell("the disk")
    records, fault = _journal(config.state)
    free, flush = _disk(config.state)
    tell("the line to the core")
    line, days = _line(config)
    tell("the readers")
    heard = _Ears()
    readers = [one.make() for one in config.readers]
    for reader in readers:
        reader.start(heard.read, heard.trouble)
    time.sleep(LOOK_S)
    tell("the printer")
    receipts = config.printer.make() if config.printer else None
    printed = _slip(config, heard, tell) if slip and receipts else None
    facts = Facts(
        software=SOFTWARE,
        journal_fault=fault,
        journal_records=records,
        free_bytes=free,
        flush_ms=flush,
        clock_known=_clock(),
        line_fault=line,
        certificate_days=days,
        key_sealed=is_sealed(config.broker.key),
        readers=tuple(
            _reader(one, reader, heard) for one, reader in zip(config.readers, readers, strict=True)
        ),
        printer=receipts.state() if receipts else None,
        display=_display(config),
        slip=printed,
        unused=_unused(config, find()),
    )
    for reader in readers:
        reader.stop()
    return facts


def of_box(box: Box) -> Facts:
    """The same of a running box, from the inside: nothing is opened twice, nothing is printed."""
    config, view = box.config, box.view
    free, flush = _disk(config.state)
    troubles = dict(box.troubles)
    return Facts(
        software=SOFTWARE,
        journal_records=box.records,
        free_bytes=free,
        flush_ms=flush,
        clock_known=view.clock_known if view else None,
        line_fault="" if view and view.till.line_up else "the line to the core is down",
        certificate_days=_days(config.broker.certificate),
        key_sealed=is_sealed(config.broker.key),
        pending=view.pending if view else None,
        readers=tuple(DeviceFact(one.name, one.kind, troubles.get(one.name, "")) for one in config.readers),
        printer=view.printer if view else None,
        unanswered_prints=len(view.perhaps) if view else 0,
        display=DeviceFact("display", config.display.kind, troubles.get("display", ""))
        if config.display
        else None,
        voice=DeviceFact("voice", config.voice.kind, troubles.get("voice", "")) if config.voice else None,
        tap=DeviceFact("tap", config.tap.listen, troubles.get("tap", "")) if config.tap else None,
        unused=_unused(config, find()),
    )


def of_running(path: Path) -> dict[str, Any] | None:
    """The page of a box that runs on this machine by this configuration; None if there is none."""
    try:
        config = config_in(path)
        address = f"http://127.0.0.1:{config.screen_port}/doctor.json"
        with urllib.request.urlopen(address, timeout=ASK_S) as answer:
            page = json.load(answer)
    except (SettingsWrong, KeyUnsafe, OSError, ValueError):
        return None
    return page if isinstance(page, dict) and page.get("device") == config.device else None


class _Ears:
    """What the readers say while they are looked at."""

    def __init__(self) -> None:
        self.hints: dict[str, str] = {}
        self.codes: set[bytes] = set()
        self.came = threading.Condition()

    def read(self, reads: tuple[CodeRead, ...]) -> None:
        with self.came:
            self.codes |= {one.raw for one in reads}
            self.came.notify_all()

    def trouble(self, what: DeviceTrouble | DeviceBack) -> None:
        if isinstance(what, DeviceTrouble):
            self.hints[what.device] = what.hint
        else:
            self.hints.pop(what.device, None)


def _reader(one: object, reader: CodeReader, heard: _Ears) -> DeviceFact:
    return DeviceFact(reader.name, getattr(one, "kind", ""), heard.hints.get(reader.name, ""))


def _journal(state: Path) -> tuple[int | None, str]:
    path = state / "journal.db"
    if not path.exists():
        return 0, ""
    try:
        return count(path), ""
    except NoJournal as why:
        return None, str(why)


def _disk(state: Path) -> tuple[int | None, tuple[float, float] | None]:
    """Free space, and how long a write takes until it is safe."""
    folder = state if state.is_dir() else state.parent
    try:
        free = shutil.disk_usage(folder).free
        probe = folder / f".doctor-{secrets.token_hex(4)}"
        try:
            return free, _flush(probe)
        finally:
            probe.unlink(missing_ok=True)
    except OSError:
        return None, None


def _flush(probe: Path) -> tuple[float, float]:
    taken = []
    with probe.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            file.write(b"\0" * FLUSH_BYTES)
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1_000)
    return round(statistics.median(taken), 2), round(max(taken), 2)


def _now() -> datetime:
    return datetime.fromtimestamp(wall_ms() / 1_000, UTC)


def _clock() -> bool:
    return CLOCK_MARK.exists() or _now().year >= YEAR_MIN


def _line(config: BoxConfig) -> tuple[str, int | None]:
    broker = config.broker
    endpoint = Endpoint(
        host=broker.host,
        port=broker.port,
        client_id=config.device,
        authority=broker.authority,
        certificate=broker.certificate,
        key=broker.key,
        subscriptions=(),
    )
    return reach(endpoint), _days(broker.certificate)


def _days(path: Path) -> int | None:
    ends_ms = certificate_ends_ms(path)
    return None if ends_ms is None else (ends_ms - wall_ms()) // 86_400_000


def _display(config: BoxConfig) -> DeviceFact | None:
    if config.display is None:
        return None
    hint = ""
    try:
        config.display.make().show(Face(FaceKind.IDLE))
    except DeviceLost as lost:
        hint = lost.hint
    return DeviceFact("display", config.display.kind, hint)


def _slip(config: BoxConfig, heard: _Ears, tell: Tell) -> str:
    """Print a slip with a code that nobody else has, and wait until a reader of this box has read it."""
    assert config.printer is not None
    code = SLIP_PREFIX + secrets.token_hex(6).upper()
    parts = (
        Line("测试小票 TEST SLIP", align="center", bold=True, double=True),
        Line("￥1234567890.00 中文 English", align="center"),
        QR(code),
        Line("请对着扫码枪或摄像头 Hold it before the scanner", align="center"),
        Feed(3),
        Cut(),
    )
    profile = PROFILES[config.printer.profile]
    outcome = config.printer.make().print(encode(Document(parts), profile, system_letters()))
    if outcome.end in (PrintEnd.FAILED, PrintEnd.UNKNOWN):
        return f"the slip was not printed: {outcome.hint}"
    tell(f"hold the slip before a scanner or camera of this box ({SLIP_S:.0f} s)")
    with heard.came:
        heard.came.wait_for(lambda: code.encode() in heard.codes, SLIP_S)
        return (
            "" if code.encode() in heard.codes else "the slip was printed, and no reader of this box read it"
        )


def _unused(config: BoxConfig, plugged: tuple[Found, ...]) -> tuple[str, ...]:
    told = {one.address for one in config.readers} | {
        one.address for one in (config.printer, config.display) if one is not None
    }
    if config.tap:
        told.add(config.tap.printer)
    real = {os.path.realpath(address) for address in told}
    cameras = {
        f"/dev/video{one.address.removeprefix('/dev/video')}"
        for one in config.readers
        if one.kind == "camera"
    }
    return tuple(
        f"{one.name} ({one.address})"
        for one in plugged
        if one.sure
        and one.setting in ("readers", "printer")
        and os.path.realpath(one.address) not in real | cameras
    )
