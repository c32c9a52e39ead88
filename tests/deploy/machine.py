"""A Debian of its own, booted with its real systemd in namespaces of this machine: packages are installed, services run as
the users and under the rights that their units say. Nothing is left of it when it is switched off."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.patience import eventually

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / "var/deb"
DEBIAN = "bookworm"
INSIDE = ("python3", "libzbar0", "systemd", "systemd-sysv", "udev", "mosquitto")
"""What the packages depend on or recommend, and nothing else: dpkg says what would be missing."""
BOOT_S = 30.0
COMMAND_S = 120.0


def clean_root() -> Path:
    """A smallest Debian with those packages, fetched once."""
    if os.geteuid() != 0:
        pytest.skip("a machine of its own can be booted by root only")
    if shutil.which("mmdebstrap") is None:
        pytest.fail("mmdebstrap is not on this machine; run: apt-get install mmdebstrap")
    key = hashlib.sha256(" ".join((DEBIAN, *INSIDE)).encode()).hexdigest()[:12]
    root = CACHE / f"debian-{key}"
    if not root.is_dir():
        part = CACHE / f"part-{key}"
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        packages = f"--include={','.join(INSIDE)}"
        done = subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", packages, DEBIAN, str(part)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        part.rename(root)
    return root


class Machine:
    """One running machine; `packages` is what it finds under /packages."""

    def __init__(self, packages: Path) -> None:
        command = ["unshare", "-m", "-p", "-f", "-C", "-n", "-u", "-i", "--kill-child", HERE / "boot.sh"]
        self._process = subprocess.Popen(
            [*command, clean_root(), packages], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        assert eventually(self._first, BOOT_S), "the machine did not boot"
        up = ("running", "degraded")
        assert eventually(
            lambda: self.run("systemctl", "is-system-running", check=False).strip() in up, BOOT_S
        ), self.run("systemctl", "list-units", "--failed", check=False)

    def run(self, *command: str, check: bool = True) -> str:
        """A command on it, as root; what it said on both ways."""
        done = subprocess.run(
            [*self._inside(), *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=COMMAND_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}\n{self.log()}"
        return done.stdout

    def beside(self, script: Path, *told: str) -> dict[str, Any]:
        """A program of the tests beside it, on its network: what stands on the counter, and who stands before it."""
        done = subprocess.run(
            ["nsenter", "--target", self._first(), "-n", sys.executable, script, *told],
            stdout=subprocess.PIPE, text=True, timeout=COMMAND_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{self.log()}"
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def put(self, path: str, content: str | bytes, *, owner: str = "root", mode: str = "644") -> None:
        """Lay a file down on it."""
        data = content.encode() if isinstance(content, str) else content
        write = 'install -D -o "$2" -g "$2" -m "$3" /dev/stdin "$1"'
        subprocess.run(
            [*self._inside(), "sh", "-c", write, "sh", path, owner, mode],
            input=data, check=True, capture_output=True,
        )  # fmt: skip

    def edit(self, path: str, *changes: tuple[str, str]) -> None:
        """As an engineer edits a file: each old text is there once."""
        text = self.run("cat", path)
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        # As an editor that keeps the file's owner and mode.
        subprocess.run(
            [*self._inside(), "tee", path],
            input=text.encode(),
            check=True,
            capture_output=True,
        )

    def shows(self, unit: str, what: str) -> str:
        """A property of a unit, as systemd has it."""
        return self.run("systemctl", "show", "--property", what, "--value", unit).strip()

    def log(self) -> str:
        """The newest that its services said."""
        return self.run("journalctl", "--no-pager", "-n", "40", "-u", "tillbox-*", check=False)

    def switch_off(self) -> None:
        """At once, as by its cable; nothing of it is kept."""
        self._process.kill()
        self._process.wait(10.0)

    def _first(self) -> str:
        """The number of its first process, as it is known here; empty while there is none."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for child in children.read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return ""

    def _inside(self) -> list[str]:
        enter = ["nsenter", "--target", self._first(), "-m", "-p", "-u", "-i", "-C", "-n", "-r"]
        return [*enter, "env", "-i", "-C", "/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
