"""Small releases for tests: wheels that hold hardly anything, a repository that signs them, a web server that may lie."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner

from tillbox.cloud_bridge.releases.archive import THEN, pack
from tillbox.cloud_bridge.releases.keys import make_keys
from tillbox.cloud_bridge.releases.repository import Repository
from tillbox.proof.drills.webserver import WebServer


def wheel(
    folder: Path,
    version: str,
    files: dict[str, str] | None = None,
    name: str = "tillbox",
    *,
    main: bool = True,
) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    told = {
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    }
    with zipfile.ZipFile(path, "w") as whole:
        for inside, text in (
            ({f"{name}/main.py": f"VERSION = {version!r}\n"} if main else {}) | told | (files or {})
        ).items():
            whole.writestr(zipfile.ZipInfo(inside, THEN), text)
    return path


def archive(folder: Path, version: str) -> Path:
    """A release's archive as a box gets it."""
    lock = folder / "requirements.lock"
    lock.write_text("nothing\n")
    packed = pack(wheel(folder, version), lock, hardware="any", minimum="0")
    path = folder / packed.name
    path.write_bytes(packed.data)
    return path


@dataclass
class Publisher:
    """A company that signs releases, and its web server."""

    folder: Path
    repository: Repository = field(init=False)
    keys: dict[str, CryptoSigner] = field(init=False)
    web: WebServer = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keys = make_keys(self.folder / "keys")
        self.repository = Repository(self.folder / "releases")
        self.repository.create(self.keys, datetime.now(UTC) - timedelta(hours=1))
        self.web = WebServer(self.repository.folder)
        self.lock = self.folder / "requirements.lock"
        self.lock.write_text("nothing\n")

    @property
    def lock_hash(self) -> str:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()

    def publish(self, version: str, *, days_ago: float = 0, **how: Any) -> Path:
        """Sign a release and make it current; its archive."""
        now = datetime.now(UTC) - timedelta(days=days_ago)
        files = how.pop("files", None)
        packed = pack(
            wheel(self.folder, version, files), self.lock, **{"hardware": "any", "minimum": "0"} | how
        )
        self.repository.add(packed, "stable", self.keys["targets"], now)
        self.repository.publish(self.keys["snapshot"], self.keys["timestamp"], now)
        return next(self.repository.targets.glob(f"*.{packed.name}"))

    def bend(self, name: str, data: bytes) -> None:
        """From here on this file is served with other bytes."""
        self.web.bend = lambda asked, true: data if asked == name else true


def with_field(data: bytes, **changes: object) -> bytes:
    """Metadata in which somebody without the key changed something."""
    document = json.loads(data)
    document["signed"] |= changes
    return json.dumps(document).encode()
