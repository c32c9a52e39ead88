"""One TLS connection that never blocks: bytes out when there is room, bytes in when there are some.

It refuses to know what the bytes mean, and to wait for anything: whoever owns it waits for thousands at once.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import ssl
from enum import Enum, auto

CHUNK = 16_384  # a TLS record
_LATE_PORT = (
    24  # IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, so that one serves several addresses
)


class Stage(Enum):
    """How far a connection is."""

    REACHING = auto()
    SHAKING = auto()
    OPEN = auto()


class WireLost(Exception):
    """The connection is gone, or could not be made."""


class Wire:
    """One connection, from its first packet to its last."""

    def __init__(self, context: ssl.SSLContext, host: str, port: int, source: str) -> None:
        self.stage = Stage.REACHING
        self._context, self._host = context, host
        self._out = bytearray()
        self._plain = socket.socket()
        self._secure: ssl.SSLSocket | None = None
        self._plain.setblocking(False)
        self._plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._plain.setsockopt(socket.IPPROTO_IP, _LATE_PORT, 1)
        self._wants_write = True
        try:
            self._plain.bind((source, 0))
            found = self._plain.connect_ex((host, port))
        except OSError as fault:
            self._plain.close()
            raise WireLost(str(fault)) from fault
        if found not in (0, errno.EINPROGRESS):
            self._plain.close()
            raise WireLost(errno.errorcode.get(found, str(found)))

    def fileno(self) -> int:
        """What to wait for."""
        return self._secure.fileno() if self._secure is not None else self._plain.fileno()

    @property
    def events(self) -> int:
        """What to wait for it to be."""
        return select.EPOLLIN | (select.EPOLLOUT if self._wants_write or self._out else 0)

    def send(self, data: bytes) -> None:
        """Have it sent with the next `flush`."""
        self._out += data

    def flush(self) -> None:
        """Send what can be sent now, as one; the rest goes as soon as it can. Raises WireLost."""
        if self.stage is Stage.OPEN:
            self._write()

    def turn(self) -> bytes:
        """Go on with whatever it is at; what came in. Raises WireLost."""
        if self.stage is Stage.REACHING:
            self._reach()
        if self.stage is Stage.SHAKING:
            self._shake()
        if self.stage is not Stage.OPEN:
            return b""
        if self._out:
            self._write()
        return self._read()

    def close(self) -> None:
        """Let go, without a word: the other side sees the connection end."""
        with contextlib.suppress(OSError):
            (self._secure or self._plain).close()

    def _reach(self) -> None:
        fault = self._plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if fault:
            raise WireLost(errno.errorcode.get(fault, str(fault)))
        try:
            self._secure = self._context.wrap_socket(
                self._plain, do_handshake_on_connect=False, server_hostname=self._host
            )
        except OSError as lost:
            raise WireLost(str(lost)) from lost
        self.stage = Stage.SHAKING

    def _shake(self) -> None:
        assert self._secure is not None
        self._wants_write = False
        try:
            self._secure.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLWantWriteError:
            self._wants_write = True
            return
        except (OSError, ValueError) as fault:
            raise WireLost(str(fault)) from fault
        self.stage = Stage.OPEN

    def _write(self) -> None:
        assert self._secure is not None
        try:
            while self._out:
                del self._out[: self._secure.send(self._out)]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as fault:
            raise WireLost(str(fault)) from fault

    def _read(self) -> bytes:
        assert self._secure is not None
        found = b""
        try:
            while True:
                data = self._secure.recv(CHUNK)
                if not data:
                    raise WireLost("the broker hung up")
                found += data
                if not self._secure.pending():
                    return found
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return found
        except OSError as fault:
            raise WireLost(str(fault)) from fault
