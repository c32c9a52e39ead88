"""What a counter's devices cost: making a receipt's bytes, and standing between a till and its printer. Beside the same
receipt by the pixel, and beside the printer alone."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from _say import say

from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import QR, Columns, Cut, Document, Line, Rule
from tillbox.hardware.printing.drawing import system_letters
from tillbox.hardware.printing.profiles import PROFILES
from tillbox.hardware.simulated.printer import SimulatedPrinter
from tillbox.hardware.tap.doors import NetworkDoor, network_printer
from tillbox.hardware.tap.relay import Relay

TURNS = 300
RECEIPT = Document(
    (
        Line("街角茶铺 Corner Tea", align="center", bold=True, double=True),
        *(Columns(f"茉莉花茶 Jasmine tea {number}", f"{number}.00") for number in range(37)),
        Rule(),
        Line("谢谢 Thank you"),
        QR("https://tea.example/r/0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a71"),
        Cut(),
    )
)


def main() -> None:
    letters = system_letters()
    native, drawn = PROFILES["chinese-80"], replace(PROFILES["latin-80"], native_qr=False)
    printer = SimulatedPrinter()
    door = NetworkDoor("127.0.0.1", 0)
    relay = Relay(door, network_printer("127.0.0.1", printer.port), on_paper=lambda _: None)
    alone = _asks(printer.port)
    relay.start()
    through = _asks(door.port)
    relay.stop()
    printer.close()
    say(
        "counter",
        {
            "receipt_of_40_lines_ms_p50": _median(lambda: encode(RECEIPT, native, letters)),
            "receipt_bytes": len(encode(RECEIPT, native, letters)),
            "the_same_drawn_ms_p50": _median(lambda: encode(RECEIPT, drawn, letters), turns=20),
            "the_same_drawn_bytes": len(encode(RECEIPT, drawn, letters)),
            "status_by_relay_ms_p50": through[0],
            "status_by_relay_ms_p99": through[1],
            "status_alone_ms_p50": alone[0],
            "status_alone_ms_p99": alone[1],
            "relay_adds_ms_p50": round(through[0] - alone[0], 3),
        },
    )


def _median(work: Callable[[], object], turns: int = TURNS) -> float:
    taken = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1_000)
    return round(statistics.median(taken), 3)


def _asks(port: int) -> tuple[float, float]:
    """How long a printer's answer to a status question takes at a port: median and 99th of a hundred."""
    taken = []
    with socket.create_connection(("127.0.0.1", port)) as till:
        till.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(TURNS):
            began = time.perf_counter()
            till.sendall(b"\x10\x04\x01")
            till.recv(1)
            taken.append((time.perf_counter() - began) * 1_000)
    return round(statistics.median(taken), 3), round(statistics.quantiles(taken, n=100)[98], 3)


main()
