"""Who stands at the counter of a machine under test: a printer of ours on its port, and somebody who presses the till's
buttons. Run beside the machine, on its network: cashier.py sell | wait-online. It says in JSON what came of it."""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from tillbox.hardware.simulated.paper import paper_text
from tillbox.hardware.simulated.printer import SimulatedPrinter

SCREEN = "http://127.0.0.1:8090"
PRINTER_PORT = 9100
GTIN = "6901234567892"
PATIENCE_S = 30.0


def look() -> dict[str, Any]:
    """What the till's page says; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"{SCREEN}/state.json", timeout=3) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except OSError:
        return {}


def press(action: str, **fields: str) -> None:
    """Press a button of the till's page, as its form does."""
    body = urllib.parse.urlencode({"token": look().get("token", ""), **fields}).encode()
    asked = urllib.request.Request(f"{SCREEN}/do/{action}", body, {"X-Requested-With": "fetch"})
    with urllib.request.urlopen(asked, timeout=3):
        pass


def until(what: str, true: Callable[[], object]) -> None:
    """Wait until it is so, and not for ever."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            sys.exit(f"in vain: {what}; the till says {look()}")
        time.sleep(0.05)


def sell() -> dict[str, Any]:
    """One tea for cash, and the paper that comes out."""
    printer = SimulatedPrinter(port=PRINTER_PORT)
    until("the till", lambda: "token" in look())
    press("pick", gtin=GTIN)
    until("one product", lambda: look().get("total") == "12.00")
    press("cash", amount="20", due="12.00")
    until("the receipt", lambda: printer.papers)
    said = {
        "paper": paper_text(printer.papers[-1].data),
        "kicks": printer.kicks,
        "pending": look()["pending"],
    }
    printer.close()
    return said


def wait_online() -> dict[str, Any]:
    """Until the core has everything."""
    until("the core", lambda: look().get("online") is True and look().get("pending") == 0)
    return {"pending": look()["pending"]}


if __name__ == "__main__":
    print(json.dumps({"sell": sell, "wait-online": wait_online}[sys.argv[1]]()))
