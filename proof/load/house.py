"""Broker, core and wallet as processes of their own, and what they say when they are asked: the core's file, read only,
and its console over HTTP with a session, as a person's browser would.
"""

from __future__ import annotations

import http.client
import time
import urllib.parse
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from tillbox.cloud_bridge.store import tables
from tillbox.demo.town import Town

from .machine import Use, use_of

OPERATOR = "demo"
PAGE_S = 60.0  # a page that takes longer is no page


class House:
    """What the boxes are up against."""

    def __init__(self, folder: Path) -> None:
        self.town = Town(folder, boxes=0)
        self.town.build()
        self._cookie = ""

    def start(self) -> None:
        """Start everything, and log in."""
        self.town.start()
        self._cookie = self._log_in()

    def stop(self) -> None:
        """Stop everything."""
        self.town.stop()

    def uses(self) -> dict[str, Use]:
        """What broker, core and wallet have used so far."""
        core, wallet = self.town.core.running, self.town.wallet.running
        return {
            "broker": use_of(self.town.broker.pid),
            "core": use_of(core.pid if core else None),
            "wallet": use_of(wallet.pid if wallet else None),
        }

    def registered(self) -> int:
        """Boxes whose journal the core has begun to hold."""
        with self.town.book() as connection:
            return connection.execute(select(func.count()).select_from(tables.incarnation)).scalar_one()

    def records(self) -> int:
        """Records that the core holds."""
        with self.town.book() as connection:
            held = connection.execute(select(func.coalesce(func.sum(tables.incarnation.c.watermark), 0)))
            return int(held.scalar_one())

    def states(self) -> Counter[str]:
        """How many boxes are in which state, as the core believes."""
        box = tables.box.c
        with self.town.book() as connection:
            rows = connection.execute(select(box.state, func.count()).group_by(box.state))
            return Counter({state: count for state, count in rows})

    def away(self) -> set[str]:
        """Boxes that the core believes not to be there."""
        box = tables.box.c
        with self.town.book() as connection:
            return set(connection.execute(select(box.device).where(box.state != "online")).scalars())

    def page_ms(self, path: str, times: int) -> tuple[list[float], int]:
        """How long the server takes for a page, whole, each time; and how large it is."""
        line = http.client.HTTPConnection("127.0.0.1", self.town.console_port, timeout=PAGE_S)
        taken, size = [], 0
        for _ in range(times):
            began = time.perf_counter()
            line.request("GET", path, headers={"Cookie": self._cookie, "Accept-Language": "en"})
            answer = line.getresponse()
            size = len(answer.read())
            taken.append((time.perf_counter() - began) * 1_000)
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"the console answered {answer.status} for {path}")
        line.close()
        return taken, size

    def _log_in(self) -> str:
        line = http.client.HTTPConnection("127.0.0.1", self.town.console_port, timeout=PAGE_S)
        form = urllib.parse.urlencode({"name": OPERATOR, "password": self.town.password})
        line.request("POST", "/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = line.getresponse()
        answer.read()
        cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]
        line.close()
        if not cookie:
            raise RuntimeError(f"the console let nobody in: {answer.status}")
        return cookie
