"""The machine of the lab: a small first file system, QEMU, and an end for both.

It never writes to this machine's files: the guest has them read only, with a layer in its memory on top. It
has no network. It cannot outlive this process.
"""

from __future__ import annotations

import gzip
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from kernel import Kernel

HERE = Path(__file__).resolve().parent
FIRST_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")  # what it takes to reach the files
MEMORY_MB = 2048
PROCESSOR = "Nehalem"  # what numpy needs at least; QEMU 7.2 emulates AVX2 so that numpy's sort crashes
UNGUARDED = "mitigations=off audit=0"  # guards of a guest that holds nothing; emulated, they cost a third
DONE = "LAB IS DONE"  # the guest's last word; without it the machine fell


class Machine:
    """One guest, run once.

    machine = Machine(kernel(cache), cache)
    ended = machine.run(words={"project": "/srv/tillbox", ...}, patience_s=600)
    machine.report       # what it wrote on its second serial line
    """

    def __init__(self, kernel: Kernel, cache: Path) -> None:
        self._kernel = kernel
        self._first = cache / "first.cpio.gz"
        self.report = cache / "report.xml"

    def run(self, words: dict[str, str], patience_s: float) -> bool:
        """Boot, show what it says, and wait for its end; whether it came to it by itself."""
        self.report.unlink(missing_ok=True)
        _first_files(self._kernel, self._first, words | {"modules": str(self._kernel.root)})
        machine = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        limit = threading.Timer(patience_s, machine.kill)
        limit.start()
        try:
            assert machine.stdout is not None
            return _shown(machine.stdout)
        finally:
            limit.cancel()
            machine.kill()
            machine.wait()

    def _command(self) -> list[str]:
        return [
            # If this process dies, even by SIGKILL, the guest dies with it.
            *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"),
            *("-accel", "tcg,thread=multi", "-cpu", PROCESSOR, "-smp", "2", "-m", str(MEMORY_MB)),
            *("-nodefaults", "-display", "none", "-nic", "none", "-no-reboot"),
            *("-kernel", str(self._kernel.image), "-initrd", str(self._first)),
            *("-append", f"console=ttyS0 quiet loglevel=3 panic=1 oops=panic {UNGUARDED}"),
            *("-serial", "stdio", "-serial", f"file:{self.report}"),
            *("-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"),
            *("-device", "virtio-9p-pci,fsdev=root,mount_tag=root"),
        ]


def _shown(said: IO[bytes]) -> bool:
    """Pass the guest's console on, without what would steer a terminal, up to its last word; whether it came."""
    for line in said:
        text = "".join(sign for sign in line.decode(errors="replace") if sign.isprintable())
        if text == DONE:
            return True
        print(f"  | {text}", file=sys.stderr, flush=True)
    return False


def _first_files(kernel: Kernel, archive: Path, words: dict[str, str]) -> None:
    """busybox, the modules that reach this machine's files, and what to do with them.

    `words` are what the guest is told: `lab_project` and so on in its environment.
    """
    root = archive.with_suffix(".folder")
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "dev", "proc", "sys", "host", "layer", "root", "modules"):
        (root / folder).mkdir(parents=True)
    busybox = shutil.which("busybox") or "/bin/busybox"
    shutil.copy(busybox, root / "bin" / "busybox")
    shutil.copy(HERE / "first.sh", root / "init")
    (root / "init").chmod(0o755)
    for number, module in enumerate(_modules(kernel)):
        shutil.copy(module, root / "modules" / f"{number:02}-{module.name}")
    told = [f"export lab_{name}={shlex.quote(word)}\n" for name, word in words.items()]
    (root / "words").write_text("".join(told))
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    packed = subprocess.run(
        ["cpio", "-o", "-H", "newc", "--quiet"],
        cwd=root,
        input=names.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    archive.write_bytes(gzip.compress(packed.stdout, 1))
    shutil.rmtree(root)


def _modules(kernel: Kernel) -> list[Path]:
    """The modules to load first, each behind those it needs."""
    ordered: dict[Path, None] = {}
    for name in FIRST_MODULES:
        asked = ["/sbin/modprobe", "-d", str(kernel.root), "-S", kernel.version, "--show-depends", name]
        told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
        for line in told.stdout.splitlines():
            word, _, path = line.strip().partition(" ")
            if word == "insmod":
                ordered[Path(path.strip())] = None
    return list(ordered)
