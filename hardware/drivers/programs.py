"""Other programs that a driver needs, each run with a deadline and ended by `stop`. Argument lists only: no word from
outside ever meets a shell.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

REAP_S = 1.0  # a killed program is gone in milliseconds, unless the kernel holds it in a broken device


class ProgramTrouble(Exception):
    """A program did not do its work. `program` is how it was called."""

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program


class ProgramMissing(ProgramTrouble):
    """There is no such program on this box, or it may not be run."""


class ProgramHung(ProgramTrouble):
    """It was not done in time, and was ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: 0 is well, and `said` is what it put out, `complaint` what it complained of."""

    code: int
    said: bytes
    complaint: str


def is_installed(program: str) -> bool:
    """Whether there is such a program, by name or by path."""
    return shutil.which(program) is not None


class Programs:
    """One program at a time, and none after `stop`."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(self, arguments: Sequence[str], given: bytes, deadline_s: float) -> Ended:
        """Give a program its input and wait for its end. Raises `ProgramMissing` or `ProgramHung`."""
        program = self._start(arguments)
        try:
            said, complaint = program.communicate(given, timeout=deadline_s)
        except subprocess.TimeoutExpired as late:
            raise ProgramHung(arguments[0]) from late
        finally:
            self._running = None
            _end(program)
        return Ended(program.returncode, said, complaint.decode(errors="replace"))

    def stop(self) -> None:
        """End the one that runs, and start no other."""
        with self._turn:
            self._stopped = True
            if self._running is not None:
                self._running.kill()

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        found = shutil.which(arguments[0])
        with self._turn:
            if found is None or self._stopped:
                raise ProgramMissing(arguments[0])
            pipe = subprocess.PIPE
            try:
                self._running = subprocess.Popen(  # noqa: S603 - our own arguments, and no shell
                    [found, *arguments[1:]], stdin=pipe, stdout=pipe, stderr=pipe
                )
            except OSError as why:
                raise ProgramMissing(arguments[0]) from why
            return self._running


def _end(program: subprocess.Popen[bytes]) -> None:
    """Leave no process and no open pipe behind, whatever happened."""
    if program.poll() is None:
        program.kill()
        with suppress(subprocess.TimeoutExpired):
            program.wait(REAP_S)
    for pipe in (program.stdin, program.stdout, program.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
