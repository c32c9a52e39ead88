"""A folder of signed releases: metadata/ and targets/, for any web server that serves files.

Four roles sign. *root* says whose keys count; *targets* says which archives are releases and which of them a channel points
to; *snapshot* binds the versions of that together; *timestamp* says what is current, and soon expires. Every version is one
more than the last; files are written whole, the timestamp last, so that a reader never sees a half.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from .archive import Packed
from .keys import ROOT_THRESHOLD, ROOTS

Role = TypeVar("Role", Root, Timestamp, Snapshot, Targets)


class RepositoryWrong(Exception):
    """The folder is no repository, or is one already. The message says which."""


@dataclass(frozen=True, slots=True)
class Terms:
    """For how many days each role's word is good: the shorter, the sooner a box notices that news is held back, and the more
    often somebody must sign. Refresh the timestamp daily."""

    root: int = 365
    targets: int = 180
    snapshot: int = 30
    timestamp: int = 3


class Repository:
    """One folder of releases. Times are the caller's."""

    def __init__(self, folder: Path, terms: Terms | None = None) -> None:
        self.folder, self.terms = folder, terms or Terms()
        self.metadata, self.targets = folder / "metadata", folder / "targets"

    def create(self, keys: dict[str, CryptoSigner], now: datetime) -> None:
        """A repository without releases. `keys` has one signer for each name in keys.py."""
        if self.metadata.exists():
            raise RepositoryWrong(f"{self.folder} is a repository already")
        for path in (self.metadata, self.targets):
            path.mkdir(parents=True)
        for path in (self.folder, self.metadata, self.targets):
            path.chmod(0o755)  # for the web server: nothing here is secret
        root = Root(expires=self._until(now, self.terms.root), consistent_snapshot=True)
        for name in ROOTS:
            root.add_key(keys[name].public_key, "root")
        root.roles["root"].threshold = ROOT_THRESHOLD
        for role in ("targets", "snapshot", "timestamp"):
            root.add_key(keys[role].public_key, role)
        self._sign("root", Metadata(root), [keys[name] for name in ROOTS])
        targets = Targets(expires=self._until(now, self.terms.targets))
        self._sign("targets", Metadata(targets), [keys["targets"]])
        self.publish(keys["snapshot"], keys["timestamp"], now)

    def add(self, packed: Packed, channel: str, signer: CryptoSigner, now: datetime) -> None:
        """Sign a release and point a channel to it. Nobody sees it before it is published."""
        targets = self._read("targets", Targets)
        hardware = packed.custom["hardware"]
        pointer = json.dumps({"archive": packed.name}).encode()
        for name, data, custom in (
            (packed.name, packed.data, packed.custom),
            (f"{channel}-{hardware}.json", pointer, None),
        ):
            target = TargetFile.from_data(name, data, ["sha256"])
            known = targets.signed.targets.get(name)
            if custom is not None:
                if known is not None and known.hashes != target.hashes:
                    raise RepositoryWrong(
                        f"{name} was signed with other content: a release gets a new version"
                    )
                target.unrecognized_fields["custom"] = custom
            targets.signed.targets[name] = target
            _replace(self.targets / f"{target.hashes['sha256']}.{name}", data)
        targets.signed.version += 1
        targets.signed.expires = self._until(now, self.terms.targets)
        self._sign("targets", targets, [signer])

    def publish(self, snapshot_key: CryptoSigner, timestamp_key: CryptoSigner, now: datetime) -> None:
        """Make what is signed current."""
        data = self._path("targets").read_bytes()
        meta = MetaFile.from_data(self._newest("targets"), data, ["sha256"])
        snapshot = self._next("snapshot", Snapshot, now, self.terms.snapshot)
        snapshot.signed.meta = {"targets.json": meta}
        self._sign("snapshot", snapshot, [snapshot_key])
        self.refresh(timestamp_key, now)

    def refresh(self, timestamp_key: CryptoSigner, now: datetime) -> None:
        """Say once more that this is current."""
        data = self._path("snapshot").read_bytes()
        timestamp = self._next("timestamp", Timestamp, now, self.terms.timestamp)
        timestamp.signed.snapshot_meta = MetaFile.from_data(self._newest("snapshot"), data, ["sha256"])
        self._sign("timestamp", timestamp, [timestamp_key])

    def renew_root(self, signers: Iterable[CryptoSigner], now: datetime) -> None:
        """The same keys for another year: by as many root keys as must sign."""
        root = self._read("root", Root)
        root.signed.version += 1
        root.signed.expires = self._until(now, self.terms.root)
        self._sign("root", root, list(signers))

    def expiries(self) -> dict[str, datetime]:
        """When each role's word ends."""
        return {
            "root": self._read("root", Root).signed.expires,
            "targets": self._read("targets", Targets).signed.expires,
            "snapshot": self._read("snapshot", Snapshot).signed.expires,
            "timestamp": self._read("timestamp", Timestamp).signed.expires,
        }

    def releases(self) -> dict[str, dict[str, object]]:
        """Every signed archive, and what is signed beside it."""
        signed = self._read("targets", Targets).signed.targets
        return {
            name: one.unrecognized_fields["custom"] for name, one in signed.items() if one.unrecognized_fields
        }

    def channels(self) -> dict[str, str]:
        """What each channel points to."""
        signed = self._read("targets", Targets).signed.targets
        pointers = [one for one in signed.values() if not one.unrecognized_fields]
        files = {one.path: self.targets / f"{one.hashes['sha256']}.{one.path}" for one in pointers}
        return {
            name.removesuffix(".json"): json.loads(path.read_bytes())["archive"]
            for name, path in files.items()
        }

    def _next(self, role: str, kind: type[Role], now: datetime, days: int) -> Metadata[Role]:
        if not self._newest(role):
            return Metadata(kind(expires=self._until(now, days)))
        found = self._read(role, kind)
        found.signed.version += 1
        found.signed.expires = self._until(now, days)
        return found

    def _sign(self, role: str, metadata: Metadata[Role], signers: list[CryptoSigner]) -> None:
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(signer, append=True)
        version = "" if role == "timestamp" else f"{metadata.signed.version}."
        _replace(self.metadata / f"{version}{role}.json", metadata.to_bytes())

    def _read(self, role: str, kind: type[Role]) -> Metadata[Role]:
        found: Metadata[Role] = Metadata.from_file(str(self._path(role)))
        assert isinstance(found.signed, kind), (role, found.signed.type)
        return found

    def _path(self, role: str) -> Path:
        version = "" if role == "timestamp" else f"{self._newest(role)}."
        path = self.metadata / f"{version}{role}.json"
        if not path.exists():
            raise RepositoryWrong(
                f"{self.folder} is no repository of releases: make one with `tillbox release init`"
            )
        return path

    def _newest(self, role: str) -> int:
        """The version of the newest file of a role; 0 where there is none."""
        if role == "timestamp":
            return int((self.metadata / "timestamp.json").exists())
        named = (
            re.fullmatch(rf"(\d+)\.{role}\.json", path.name) for path in self.metadata.glob(f"*.{role}.json")
        )
        return max((int(one[1]) for one in named if one), default=0)

    def _until(self, now: datetime, days: int) -> datetime:
        return now.replace(microsecond=0) + timedelta(days=days)


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.new")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.chmod(0o644)
    part.replace(path)
