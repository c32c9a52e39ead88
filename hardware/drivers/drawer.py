"""The cash drawer behind a printer: a pulse that the printer passes on. It cannot be asked whether it opened."""

from __future__ import annotations

from tillbox.hardware.ports import DeviceLost, PrintEnd, Printer
from tillbox.hardware.printing import kick
from tillbox.hardware.printing.profiles import Profile


class PrinterDrawer:
    """A `Drawer` on the plug of a receipt printer. Whoever owns the printer calls it: two at a time would mix a pulse
    into a receipt."""

    def __init__(self, printer: Printer, profile: Profile) -> None:
        self._printer, self._pulse = printer, kick(profile)

    def kick(self, reason: str) -> None:  # noqa: ARG002 - for the audit, which is the caller's
        """Send the pulse; `DeviceLost` when it surely did not go out."""
        outcome = self._printer.print(self._pulse)
        if outcome.end is PrintEnd.FAILED:
            raise DeviceLost("drawer", outcome.hint)
