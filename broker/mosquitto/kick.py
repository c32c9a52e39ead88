"""End a client's connection by taking its place: a broker has one client of a name at a time (MQTT 5, 3.1.4).

It works on every broker, needs no plugin, and it also tells whether the kick holds: a client that still gets in takes
its place back, and we hear of that. It refuses to do anything else on that connection.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from pathlib import Path

CONNECT, CONNACK, DISCONNECT = 0x10, 0x20, 0xE0
CLEAN_START, HAS_PASSWORD, HAS_USER = 0x02, 0x40, 0x80
ANSWER_S = 5.0


class KickFailed(Exception):
    """The broker's service door cannot be reached, or did not let us in; the message says why."""


def kick(
    port: int,
    client: str,
    *,
    user: str,
    password: str,
    hold_s: float,
    host: str = "127.0.0.1",
    authority: Path | None = None,
) -> bool:
    """Take a client's place and keep it for a while. False where it was taken back: that client still gets in. With an
    authority by TLS: a password goes in the clear on this machine alone."""
    try:
        with _line(host, port, authority) as line:
            line.sendall(_connect(client, user, password))
            answer = _packet(line, time.monotonic() + ANSWER_S)
            if answer[0] != CONNACK or answer[2] != 0:
                raise KickFailed(
                    f"the broker's service door refused us (reason {answer[2]:#x}); is its password right?"
                )
            try:
                _packet(line, time.monotonic() + hold_s)  # a goodbye, and nothing else is said to us
            except ConnectionResetError:
                return False  # some brokers hang up without one
            except TimeoutError:
                line.sendall(bytes((DISCONNECT, 0)))
                return True
            return False
    except (OSError, IndexError) as fault:
        raise KickFailed(f"the broker's service door at {host}:{port} cannot be used: {fault}") from fault


def _line(host: str, port: int, authority: Path | None) -> socket.socket:
    line = socket.create_connection((host, port), ANSWER_S)
    if authority is None:
        return line
    try:
        return ssl.create_default_context(cafile=authority).wrap_socket(line, server_hostname=host)
    except OSError:
        line.close()
        raise


def _connect(client: str, user: str, password: str) -> bytes:
    flags = CLEAN_START | HAS_USER | HAS_PASSWORD
    head = _text("MQTT") + bytes((5, flags)) + struct.pack(">H", 60) + b"\0"
    body = head + _text(client) + _text(user) + _text(password)
    size = len(body)
    assert size < 16_384, "a name and a password: two bytes of length at the most"
    return bytes((CONNECT, *((size,) if size < 128 else (size & 0x7F | 0x80, size >> 7)))) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _packet(line: socket.socket, due: float) -> bytes:
    """The next packet without its length, or nothing of sense where the line ends."""
    kind, size = _read(line, 1, due)[0], 0
    for shift in (0, 7, 14, 21):
        byte = _read(line, 1, due)[0]
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return bytes((kind & 0xF0,)) + _read(line, min(size, 1_024), due)


def _read(line: socket.socket, count: int, due: float) -> bytes:
    data = b""
    while len(data) < count:
        left = due - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        found = line.recv(count - len(data))
        if not found:
            raise ConnectionResetError("the broker hung up")
        data += found
    return data
