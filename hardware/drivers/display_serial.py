"""A customer display on a serial line, whichever bytes its model takes.

It writes one face at a time and reads nothing: these displays do not answer, so it cannot know that one is
switched off, only that its cable or its adapter is gone. It decides nothing about what is shown.
"""

from __future__ import annotations

import termios
from contextlib import suppress
from typing import Literal, Protocol

import serial
from pydantic import Field

from tillbox.hardware.displays.led8 import Led8
from tillbox.hardware.displays.vfd import Vfd
from tillbox.hardware.ports import DeviceLost, Face
from tillbox.hardware.registry import Driver, Options

from .hints import open_hint

WRITE_S = 1.0  # 50 bytes at 2400 baud take 0.2 s; a line that does not take them by now never will


class Model(Protocol):
    """What the driver must know of a display: `displays/` has them."""

    @property
    def baud(self) -> int:
        """How fast it listens, 8N1."""
        ...

    def encode(self, face: Face) -> bytes:
        """The bytes that show a face."""
        ...


class SerialDisplay:
    """A `CustomerDisplay` for `/dev/ttyUSB0` and its kin.

    SerialDisplay("customer", "/dev/ttyUSB0", CHINESE).show(Face(FaceKind.TOTAL, Amount(1250, CNY)))

    The line is opened by the first face and held; after trouble the next face opens it again.
    """

    def __init__(self, name: str, path: str, model: Model) -> None:
        self._name = name
        self._path = path
        self._model = model
        self._port: serial.Serial | None = None

    @property
    def name(self) -> str:
        """What the shop calls it."""
        return self._name

    def show(self, face: Face) -> None:
        """Write one face into the line."""
        data = self._model.encode(face)
        try:
            if self._port is None:
                self._port = serial.Serial(
                    self._path, self._model.baud, write_timeout=WRITE_S, exclusive=True
                )
            self._port.write(data)
        except (OSError, ValueError, termios.error) as why:
            self._let_go()
            raise DeviceLost(self._name, self._hint(why)) from why

    def close(self) -> None:
        """Give the line back; what is shown stays. Harmless when repeated."""
        port, self._port = self._port, None
        if port is not None:
            with suppress(OSError, termios.error):
                port.close()

    def _let_go(self) -> None:
        """Close a line that failed. What it still holds is dropped first: the kernel would wait for it."""
        if self._port is not None:
            with suppress(OSError, termios.error):
                self._port.reset_output_buffer()
        self.close()

    def _hint(self, why: Exception) -> str:
        """What a person can do about a line that does not open, has gone, or takes nothing."""
        if isinstance(why, serial.SerialTimeoutException):
            return "It takes no more bytes: switch the customer display off and on again."
        absent = f"Is the customer display's cable in? Nothing is at {self._path}."
        return open_hint(why, "the customer display", group="dialout", absent=absent)


# the drivers that a configuration may name


class VfdOptions(Options):
    """Two lines of letters."""

    alphabet: Literal["ascii", "gb18030"] = Field(
        default="ascii", description="What its own letters are; gb18030 has Chinese."
    )
    baud: int = Field(default=9600, description="Its speed, set by its switches.")


class Led8Options(Options):
    """Eight digits; the lamps that say what they are come in two manners."""

    lamps: Literal["stx", "esc"] = Field(
        default="stx", description="The byte that begins the command for its lamps."
    )
    baud: int = Field(default=2400, description="Its speed, set by its switches.")


def _vfd(name: str, address: str, options: VfdOptions) -> SerialDisplay:
    return SerialDisplay(name, address, Vfd(encoding=options.alphabet, baud=options.baud))


def _led8(name: str, address: str, options: Led8Options) -> SerialDisplay:
    return SerialDisplay(name, address, Led8(lamps=options.lamps, baud=options.baud))


VFD = Driver(_vfd, VfdOptions)
LED8 = Driver(_led8, Led8Options)
