"""Where a drill's releases are made: really built from this tree, each with one thing changed, and really signed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from tillbox.cloud_bridge.releases.archive import pack
from tillbox.cloud_bridge.releases.keys import make_keys
from tillbox.cloud_bridge.releases.repository import Repository

TREE = Path(__file__).resolve().parents[2]
ROOMS = ("contracts", "hardware", "broker", "agent", "cloud_bridge", "demo", "proof", "src")
BUILD_S = 120.0
CUTS = Path(__file__).with_name("cuts.py")

Change = tuple[str, str, str]
"""A file, what stands in it, and what is to stand there."""

GOOD: tuple[Change, ...] = ()
_BORN = "    if box is None:\n        return\n"
CRASHES: tuple[Change, ...] = (("agent/commands.py", _BORN, f"{_BORN}    raise RuntimeError(3)\n"),)
NEVER_STARTS: tuple[Change, ...] = (("agent/commands.py", _BORN, f"{_BORN}    signal.pause()\n"),)
OFF_BY_A_FEN: tuple[Change, ...] = (
    (
        "contracts/offers/threshold.py",
        "return self.discount if self.discount < total else total",
        "return Amount(min(self.discount, total).minor - 1, total.unit)",
    ),
)
NEVER_SETTLES: tuple[Change, ...] = (
    (
        "agent/runtime.py",
        "    def _acked(self, ack: Ack) -> None:\n",
        "    def _acked(self, ack: Ack) -> None:\n        return\n",
    ),
)
"""Its sales do not reach anybody: it does not understand the core's acks."""


class NoTree(Exception):
    """Releases are built from a checkout, and this is none."""


@dataclass(slots=True)
class Workshop:
    """A folder with releases, keys, a repository, and an interpreter that has every library but no Tillbox."""

    folder: Path
    wheels: dict[str, Path] = field(default_factory=dict)
    keys: dict[str, CryptoSigner] = field(init=False)
    repository: Repository = field(init=False)

    def open(self) -> None:
        """Make the keys, an empty repository and the interpreter."""
        if not (TREE / "pyproject.toml").is_file():
            raise NoTree(f"{TREE} is no checkout: a drill builds its releases from one")
        self.keys = make_keys(self.folder / "keys")
        self.repository = Repository(self.folder / "releases")
        # A day ago, so that a drill may publish words that were good then.
        self.repository.create(self.keys, datetime.now(UTC) - timedelta(days=1))
        venv.create(self.folder / "base", symlinks=True)
        home = next((self.folder / "base" / "lib").glob("python*/site-packages"))
        shutil.copyfile(CUTS, home / "tillbox_cuts.py")
        libraries = next(path for path in sys.path if path.endswith("site-packages"))
        (home / "drill.pth").write_text(f"{libraries}\nimport tillbox_cuts\n")

    @property
    def python(self) -> Path:
        """The interpreter of the slots."""
        return self.folder / "base" / "bin" / "python"

    @property
    def lock(self) -> Path:
        """The libraries that it has."""
        return TREE / "requirements.lock"

    def build(self, version: str, changes: tuple[Change, ...] = GOOD) -> None:
        """A wheel of this tree under another version, with the changes in it."""
        tree = self.folder / "tree" / version
        tree.mkdir(parents=True)
        for name in ROOMS:
            ignored = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(TREE / name, tree / name, symlinks=True, ignore=ignored)
        for name in ("pyproject.toml", "README.md"):
            shutil.copyfile(TREE / name, tree / name)
        for name, before, after in (
            ("pyproject.toml", '\nversion = "0.1.0"\n', f'\nversion = "{version}"\n'),
            *changes,
        ):
            text = (tree / name).read_text()
            assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {name}"
            (tree / name).write_text(text.replace(before, after))
        out = self.folder / "wheels"
        words = (
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-build-isolation",
            "--no-deps",
            "--no-index",
            "-w",
            str(out),
            str(tree),
        )
        subprocess.run(
            [sys.executable, *words],
            check=True,
            timeout=BUILD_S,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.rmtree(tree)
        self.wheels[version] = out / f"tillbox-{version}-py3-none-any.whl"

    def build_all(self, what: Mapping[str, tuple[Change, ...]]) -> None:
        """Several of them."""
        for version, changes in what.items():
            self.build(version, changes)

    def publish(self, version: str, *, days_ago: int = 0) -> None:
        """Sign a release and make it what the channel points to."""
        now = datetime.now(UTC) - timedelta(days=days_ago)
        packed = pack(self.wheels[version], self.lock, hardware="any", minimum="0")
        self.repository.add(packed, "stable", self.keys["targets"], now)
        self.repository.publish(self.keys["snapshot"], self.keys["timestamp"], now)

    def archive(self, version: str) -> Path:
        """A release's file, as the web server has it."""
        return next(self.repository.targets.glob(f"*.tillbox-{version}-any.zip"))
