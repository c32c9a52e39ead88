"""A TPM 2.0 in software (swtpm), which can be cut off like a board whose plug is pulled."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.patience import eventually

MISSING = [name for name in ("swtpm", "tpm2_create") if shutil.which(name) is None]
WHY_NOT = f"{' and '.join(MISSING)} not on PATH: a key in a TPM is not tried here"


@dataclass
class Chip:
    """One chip. What it keeps through a power cut is in its folder; a socket's path must be short."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="chip-")))
    process: subprocess.Popen[bytes] | None = None

    @property
    def door(self) -> str:
        """What TPM2TOOLS_TCTI says to reach it."""
        return f"swtpm:path={self.folder}/door"

    def start(self) -> None:
        doors = [self.folder / "door", self.folder / "door.ctrl"]
        for one in doors:
            one.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--flags", "not-need-init,startup-clear",
             "--server", f"type=unixio,path={doors[0]}", "--ctrl", f"type=unixio,path={doors[1]}"],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert eventually(lambda: all(one.exists() for one in doors))

    def cut(self) -> None:
        """The plug is pulled (kill -9)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def gone(self) -> None:
        self.cut()
        shutil.rmtree(self.folder)

    def guesses(self) -> tuple[bool, int]:
        """Whether it is locked, and how many failed guesses it has counted."""
        said = subprocess.run(
            ["tpm2_getcap", "properties-variable"], check=True, capture_output=True, text=True
        ).stdout
        found = dict(line.strip().split(":", 1) for line in said.splitlines() if line.count(":") == 1)
        return found["inLockout"].strip() == "1", int(found["TPM2_PT_LOCKOUT_COUNTER"], 16)
