"""An address in a configuration: host:port, or the path of a device or file. Pure."""

from __future__ import annotations

from pathlib import Path


def endpoint(text: str) -> tuple[str, int] | Path:
    """endpoint("192.168.1.50:9100") -> ("192.168.1.50", 9100); endpoint("/dev/usb/lp0") -> Path("/dev/usb/lp0").

    What begins with a slash is a path, whatever colons are in it. ValueError for what is neither.
    """
    if text.startswith("/"):
        return Path(text)
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError(
            f"{text!r} is no address: write host:port, for example 192.168.1.50:9100, or a path that begins with /."
        )
    return host, int(port)
