"""A receipt printer on the network (port 9100). One connection a job, a deadline for everything, and no word
of success without the printer's own: after the last byte it is asked for its paper, and only an answer
counts as printed."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tillbox.hardware.ports import PrintEnd, PrinterState, PrintOutcome

PROBE = b"\x1dr\x01"  # GS r 1 answers in order: after everything before it was taken
STATUS = b"\x10\x04"  # DLE EOT n answers at once
STATUS_MASK, STATUS_FIXED = 0x93, 0x12  # four bits of each such answer are always the same
CONNECT_S = 2.0
JOB_S = 10.0


@dataclass(frozen=True, slots=True)
class TcpPrinter:
    """A printer at an address."""

    name: str
    host: str
    port: int

    def print(self, job_id: str, data: bytes) -> PrintOutcome:  # noqa: ARG002
        """Send one job and wait for its end, at most ten seconds."""
        try:
            with socket.create_connection((self.host, self.port), CONNECT_S) as line:
                line.settimeout(JOB_S)
                state = self._state(line)
                if not state.prints:
                    return PrintOutcome(PrintEnd.FAILED, state, _HINTS[state])
                return self._send(line, data + PROBE, state)
        except OSError:
            return PrintOutcome(PrintEnd.FAILED, PrinterState.LOST, _HINTS[PrinterState.LOST])

    def state(self) -> PrinterState:
        """Ask the printer how it is."""
        try:
            with socket.create_connection((self.host, self.port), CONNECT_S) as line:
                line.settimeout(CONNECT_S)
                return self._state(line)
        except OSError:
            return PrinterState.LOST

    def _send(self, line: socket.socket, data: bytes, state: PrinterState) -> PrintOutcome:
        try:
            line.sendall(data)
            answer = line.recv(1)
        except OSError:
            answer = b""
        if answer:
            return PrintOutcome(PrintEnd.CONFIRMED, state)
        return PrintOutcome(PrintEnd.UNKNOWN, PrinterState.SILENT, PERHAPS)

    def _state(self, line: socket.socket) -> PrinterState:
        line.settimeout(CONNECT_S)
        try:
            offline, errors, paper = (self._ask(line, number) for number in (2, 3, 4))
        except OSError:
            return PrinterState.SILENT
        line.settimeout(JOB_S)
        if paper & 0x60:
            return PrinterState.PAPER_OUT
        if offline & 0x04:
            return PrinterState.COVER_OPEN
        if errors & 0x08:
            return PrinterState.CUTTER_JAM
        return PrinterState.PAPER_NEAR_END if paper & 0x0C else PrinterState.READY

    def _ask(self, line: socket.socket, number: int) -> int:
        line.sendall(STATUS + bytes([number]))
        answer = line.recv(1)
        if not answer or answer[0] & STATUS_MASK != STATUS_FIXED:
            raise OSError("the printer hung up, or what answers is none")
        return answer[0]


PERHAPS = "the printer took the job and said nothing: look whether it printed"
_HINTS = {
    PrinterState.LOST: "no printer answers: is it switched on, is the cable in?",
    PrinterState.SILENT: "the printer does not answer: switch it off and on again",
    PrinterState.PAPER_OUT: "no paper: put in a new roll",
    PrinterState.COVER_OPEN: "the cover is open: close it",
    PrinterState.CUTTER_JAM: "the cutter is stuck: open the cover and free it",
}
"""What a person can do now, for every state in which nothing or perhaps nothing was printed."""
