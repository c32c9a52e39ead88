"""A cable between a box and the broker that can be cut, also in the middle of a packet."""

from __future__ import annotations

import contextlib
import socket
import threading

CHUNK = 16_384
CONNECTIONS_MAX = 64  # a box has one; a few more while it reconnects


class Wire:
    """A TCP relay on loopback."""

    def __init__(self, target_port: int, *, port: int = 0) -> None:
        self._target_port = target_port
        self._server = socket.create_server(("127.0.0.1", port))
        self._server.settimeout(0.2)
        self.port: int = self._server.getsockname()[1]
        self.cuts = 0
        self._whole = True
        self._left: int | None = None
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="wire", daemon=True)
        self._thread.start()

    @property
    def whole(self) -> bool:
        """Whether anything passes."""
        return self._whole

    def cut(self) -> None:
        """Cut it now: connections die, new ones are refused."""
        self._whole = False
        self.cuts += 1
        self._drop_all()

    def mend(self) -> None:
        """Whole again; whoever wants to connects anew."""
        self._left = None
        self._whole = True

    def cut_after(self, count: int) -> None:
        """Drop the connections after so many more bytes, wherever in a packet that is; the cable stays whole."""
        with self._lock:
            self._left = count

    def close(self) -> None:
        """Take the cable away."""
        self._ended.set()
        self._drop_all()
        self._thread.join(5.0)
        self._server.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._server.accept()
            except TimeoutError:
                continue
            if not self._whole or len(self._pairs) >= CONNECTIONS_MAX:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port), 2.0)
            except OSError:
                near.close()
                continue
            pair = near, far
            with self._lock:
                self._pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._relay, args=(source, sink, pair), daemon=True).start()

    def _relay(
        self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        source.settimeout(None)
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                passed, over = self._pass(data)
                sink.sendall(passed)
                if over:
                    self._drop_all()
                    break
        self._drop(pair)

    def _pass(self, data: bytes) -> tuple[bytes, bool]:
        """What may still pass of some bytes, and whether the cut falls in them."""
        with self._lock:
            if self._left is None:
                return data, False
            passed = data[: self._left]
            self._left -= len(passed)
            if self._left > 0:
                return passed, False
            self._left = None
            self.cuts += 1
            return passed, True

    def _drop_all(self) -> None:
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
