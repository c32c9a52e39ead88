"""The ways to a printer: network, USB printer class, serial line, a file, a queue of the print spooler.

A wire carries bytes both ways and knows nothing of what they mean. Nothing here waits without an end: a printer whose
cover is open takes no bytes, and a write that waited for it would stand for ever.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import shutil
import socket
import subprocess
import termios
import time
from pathlib import Path
from typing import Protocol

import serial

from tillbox.hardware.ports import DeviceLost

CONNECT_S = 2.0
SPOOL_S = 10.0  # a spooler on this machine takes a job at once, or is not there
EMPTY_ANSWER_S = 0.01
CHUNK_BYTES = 4_096  # a printer that stops in the middle has taken this much more at the most


class Wire(Protocol):
    """One way to one printer; one job at a time."""

    @property
    def answers(self) -> bool:
        """Whether anything can come back on it."""

    @property
    def stays(self) -> bool:
        """Whether what comes late comes on the next `open` too: a cable does, a connection does not."""

    def open(self) -> None:
        """Take it for this job, or raise `DeviceLost`."""

    def send(self, data: bytes, wait_s: float) -> int:
        """How many of the bytes were taken in time. Raises `OSError` when the wire is cut."""

    def receive(self, wait_s: float) -> bytes:
        """What came within the wait; empty if nothing did. Raises `OSError` when the wire is cut."""

    def close(self) -> None:
        """Let go; never raises. What was sent goes on to the printer."""


class _Descriptor:
    """Sending and receiving on a file descriptor that never blocks."""

    answers = True
    stays = True
    _descriptor = -1

    def send(self, data: bytes, wait_s: float) -> int:
        sent, until_s = 0, time.monotonic() + wait_s
        while sent < len(data):
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([], [self._descriptor], [], left_s)[1]:
                break
            with contextlib.suppress(BlockingIOError):
                sent += os.write(self._descriptor, data[sent : sent + CHUNK_BYTES])
        return sent

    def receive(self, wait_s: float) -> bytes:
        if not select.select([self._descriptor], [], [], wait_s)[0]:
            return b""
        try:
            came = os.read(self._descriptor, CHUNK_BYTES)
        except BlockingIOError:
            return b""
        if not came:
            self._heard_nothing()
        return came

    def _heard_nothing(self) -> None:
        """A read that was ready and brought nothing."""
        raise ConnectionError(errno.ECONNRESET, "the other end hung up")


class NetworkWire(_Descriptor):
    """A printer on the network, port 9100 by custom."""

    stays = False

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def open(self) -> None:
        host, port = self._address
        try:
            self._socket = socket.create_connection(self._address, CONNECT_S)
        except OSError as why:
            hint = f"No printer answers at {host}:{port}: is it switched on, is its cable in?"
            raise DeviceLost(f"{host}:{port}", hint) from why
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._descriptor = self._socket.fileno()

    def close(self) -> None:
        line, self._socket = self._socket, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()


class UsbWire(_Descriptor):
    """A printer of the USB printer class, `/dev/usb/lp0`, through the kernel's own driver.

    The kernel keeps it for one program at a time, and what it has taken it hands on by itself.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def open(self) -> None:
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as why:
            raise DeviceLost(self._path, _HINTS.get(why.errno or 0, f"Nothing is at {self._path}: is its cable in, is it switched on?")) from why  # fmt: skip

    def _heard_nothing(self) -> None:
        time.sleep(EMPTY_ANSWER_S)  # an empty answer is an answer on this bus; a pulled cable is ENODEV

    def close(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1


class SerialWire(_Descriptor):
    """A printer on a serial line. Its baud is set at the printer, by switches or its self test's word."""

    def __init__(self, path: str, baud: int) -> None:
        self._path, self._baud = path, baud
        self._port: serial.Serial | None = None

    def open(self) -> None:
        try:
            self._port = serial.Serial(self._path, self._baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as why:  # a `termios.error` is no `OSError`
            hint = _HINTS.get(
                getattr(why, "errno", None) or 0, f"Nothing is at {self._path}: is its cable in?"
            )
            raise DeviceLost(self._path, hint) from why
        self._descriptor = self._port.fd  # opened with O_NONBLOCK

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):
                port.close()


class FileWire:
    """A file that the bytes are added to: for a rehearsal, or a program that prints it later."""

    answers = False
    stays = False

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def open(self) -> None:
        try:
            self._path.open("ab").close()
        except OSError as why:
            raise DeviceLost(str(self._path), f"{self._path} cannot be written: {why.strerror}.") from why

    def send(self, data: bytes, wait_s: float) -> int:  # noqa: ARG002 - a file does not wait
        with self._path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return len(data)

    def receive(self, wait_s: float) -> bytes:  # noqa: ARG002
        return b""

    def close(self) -> None:
        return


class SpoolerWire:
    """A raw queue of CUPS. The spooler has the job then; it cannot say whether there is paper."""

    answers = False
    stays = False

    def __init__(self, queue: str) -> None:
        self._queue = queue

    def open(self) -> None:
        if shutil.which("lp") is None:
            raise DeviceLost(self._queue, "There is no print spooler here: install the package cups-client.")
        known = self._run(["lpstat", "-a", self._queue], b"")
        if known.returncode:
            raise DeviceLost(self._queue, f"The spooler has no queue {self._queue}: see `lpstat -a`.")

    def send(self, data: bytes, wait_s: float) -> int:  # noqa: ARG002 - it takes the whole or nothing
        command = ["lp", "-s", "-d", self._queue, "-o", "raw", "-"]
        done = self._run(command, data)
        return len(data) if done.returncode == 0 else 0

    def receive(self, wait_s: float) -> bytes:  # noqa: ARG002
        return b""

    def close(self) -> None:
        return

    def _run(self, command: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(command, input=data, capture_output=True, timeout=SPOOL_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as why:
            raise DeviceLost(
                self._queue, "The print spooler does not answer: restart the service cups."
            ) from why


_HINTS = {
    errno.EACCES: "This program may not open it: add its user to the group lp (USB) or dialout (serial).",
    errno.EPERM: "This program may not open it: add its user to the group lp (USB) or dialout (serial).",
    errno.EBUSY: "Another program has the printer open. Close that one.",
    errno.EAGAIN: "Another program has the printer open. Close that one.",
}
