"""Which code reader a line of configuration means. A driver is loaded when a box asks for it, and not before:
OpenCV alone takes more memory than the rest of a box that has no camera.
"""

from __future__ import annotations

from collections.abc import Callable

from .ports import CodeReader


def reader(kind: str, name: str, address: str) -> CodeReader:
    """A reader that is not started yet; ValueError with the choices for a kind that does not exist.

    reader("serial", "counter", "/dev/ttyACM0")
    reader("keys", "counter", "/dev/input/by-id/usb-Honeywell_1400g-event-kbd")
    reader("camera", "eye", "0")                   # /dev/video0
    reader("folder", "inbox", "/srv/pictures")
    reader("film", "rehearsal", "monday.avi")
    """
    if kind not in READERS:
        raise ValueError(f"There is no reader of kind {kind!r}. Choose one of: {', '.join(READERS)}.")
    return READERS[kind](name, address)


def _serial(name: str, address: str) -> CodeReader:
    from .drivers.scanner_serial import SerialScanner

    return SerialScanner(name, address)


def _keys(name: str, address: str) -> CodeReader:
    from .drivers.scanner_keys import KeysScanner

    return KeysScanner(name, address)


def _camera(name: str, address: str) -> CodeReader:
    from .drivers.camera import CameraReader
    from .drivers.frames_opencv import V4L2Frames

    number = address.removeprefix("/dev/video")
    if not number.isdecimal():
        raise ValueError(f"{address!r} is no camera. Give its number, or /dev/video and its number.")
    return CameraReader(name, V4L2Frames(int(number)))


def _folder(name: str, address: str) -> CodeReader:
    from .drivers.camera import CameraReader
    from .drivers.frames import FolderFrames

    return CameraReader(name, FolderFrames(address))


def _film(name: str, address: str) -> CodeReader:
    from .drivers.camera import CameraReader
    from .drivers.frames_opencv import FilmFrames

    return CameraReader(name, FilmFrames(address))


READERS: dict[str, Callable[[str, str], CodeReader]] = {
    "serial": _serial,
    "keys": _keys,
    "camera": _camera,
    "folder": _folder,
    "film": _film,
}
