"""One release as one file: its wheels and a manifest, byte for byte the same for the same wheels."""

from __future__ import annotations

import email
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THEN = (2020, 1, 1, 0, 0, 0)  # a zip keeps a time; one that moved would make another hash of the same wheels
VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")


class WheelWrong(Exception):
    """The wheel is not Tillbox's, or its version cannot be compared. The message says which."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive, its file's name, and what is signed beside its hash."""

    name: str
    data: bytes
    custom: dict[str, Any]


def pack(wheel: Path, lock: Path, *, hardware: str, minimum: str, libraries: Sequence[Path] = ()) -> Packed:
    """Pack a release. `libraries` are the wheels of `lock`, for boxes whose interpreter has others."""
    version = wheel_version(wheel)
    if not VERSION.fullmatch(minimum):
        raise WheelWrong(f"{minimum!r} is no version: numbers and dots")
    wheels = sorted(libraries, key=lambda path: path.name)
    # Ours last: what it brings is never covered by a library's.
    names = [path.name for path in (*wheels, wheel)]
    manifest = {"version": version, "wheels": names}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json", THEN), json.dumps(manifest, sort_keys=True))
        for path in (*wheels, wheel):
            archive.writestr(zipfile.ZipInfo(path.name, THEN), path.read_bytes())
    custom = {
        "version": version,
        "hardware": hardware,
        "minimum": minimum,
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "libraries": bool(wheels),
    }
    return Packed(f"tillbox-{version}-{hardware}.zip", whole.getvalue(), custom)


def wheel_version(wheel: Path) -> str:
    """The version that a wheel says it is. WheelWrong where it is not one of ours."""
    try:
        with zipfile.ZipFile(wheel) as whole:
            name = next(name for name in whole.namelist() if name.endswith(".dist-info/METADATA"))
            told = email.message_from_bytes(whole.read(name))
    except (OSError, zipfile.BadZipFile, StopIteration) as wrong:
        raise WheelWrong(f"{wheel} is no wheel") from wrong
    if told["Name"] != "tillbox" or not VERSION.fullmatch(told["Version"]):
        raise WheelWrong(
            f"{wheel} is {told['Name']} {told['Version']}; a release is a tillbox wheel whose version is numbers and dots"
        )
    return str(told["Version"])
