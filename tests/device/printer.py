"""A printer's twin on the kernel's own `/dev/usb/lp0`: its end of the cable is a USB gadget."""

from __future__ import annotations

from tests.device.gadgets import PrinterGadget


class GadgetLine:
    """What `SimulatedPrinter` speaks over."""

    port = 0

    def __init__(self) -> None:
        self._gadget = PrinterGadget()
        self._held = b""
        self.path = self._gadget.path

    def plug(self) -> None:
        self._gadget.plug()
        self._gadget.read(0.0)  # the gadget takes nothing before it was read once

    def unplug(self) -> None:
        self._gadget.unplug()

    def accept(self, wait_s: float) -> bool:
        self._held = self._held or self._gadget.read(wait_s)
        return bool(self._held)

    def receive(self, wait_s: float) -> bytes:
        data, self._held = self._held or self._gadget.read(wait_s), b""
        return data

    def send(self, data: bytes) -> None:
        self._gadget.answer(data)

    def hang_up(self) -> None:
        return

    def close(self) -> None:
        self._gadget.close()
