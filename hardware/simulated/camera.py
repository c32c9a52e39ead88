"""A camera without a lens: a source of frames for the real camera driver, held before what it is shown.

It keeps giving the same picture, as a camera on a counter does, until it is shown another or nothing. It
holds one frame; what it was shown and nobody looked at in time was never seen.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.decoding import Picture, load
from tillbox.hardware.ports import DeviceLost

FRAME_MS = 50  # twenty frames a second, as a cheap USB camera gives
COUNTER = np.full((480, 640), 160, dtype=np.uint8)  # an empty counter, light grey


class SimulatedCamera:
    """The twin of a camera, and a `FrameSource`.

    camera = SimulatedCamera()
    reader = CameraReader("eye", camera)
    camera.show("coupon.png")      # until it is shown something else
    camera.clear()                 # the customer takes the phone away
    """

    steady = True

    def __init__(self) -> None:
        self._before: Picture = COUNTER
        self._changed = threading.Condition()
        self._frozen = False
        self._torn = False
        self._plugged = True

    # what a person does

    def show(self, picture: bytes | str | Path) -> Refused | None:
        """Hold a picture before it; says why if it is none, and goes on with what it saw."""
        loaded = load(picture)
        if isinstance(loaded, Refused):
            return loaded
        self._change(_before=loaded)
        return None

    def clear(self) -> None:
        """Take away what was held before it."""
        self._change(_before=COUNTER)

    def freeze(self) -> None:
        """It is there and gives no frame any more."""
        self._change(_frozen=True)

    def thaw(self) -> None:
        """It goes on."""
        self._change(_frozen=False)

    def tear(self) -> None:
        """Its next frame comes in pieces."""
        self._change(_torn=True)

    def unplug(self) -> None:
        """Pull the cable."""
        self._change(_plugged=False)

    def plug(self) -> None:
        """Put the cable in."""
        self._change(_plugged=True)

    # what the driver calls

    def open(self) -> None:
        """There is nothing to open but a cable that may be out."""
        with self._changed:
            self._look_at_cable()

    def next(self, wait_ms: int) -> Picture | Refused | None:
        """What is before it, after one frame's time or as soon as that changes."""
        with self._changed:
            self._look_at_cable()
            self._changed.wait(min(wait_ms, FRAME_MS) / 1000)
            self._look_at_cable()
            if self._frozen:
                return None
            if self._torn:
                self._torn = False
                return Refused(Reason.NO_PICTURE, "it is torn or damaged")
            return self._before

    def close(self) -> None:
        """Nothing is held."""

    def _change(self, **changed: object) -> None:
        with self._changed:
            for name, value in changed.items():
                setattr(self, name, value)
            self._changed.notify_all()

    def _look_at_cable(self) -> None:
        if not self._plugged:
            raise DeviceLost("camera", "Is the camera's cable in?")
