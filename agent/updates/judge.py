"""Judges a trial from the outside: this is the good slot's software, and it believes nothing that the new one says of itself.

The till must come up and its line with it. Then it must sell a canary: the record is read here out of the journal, by this
software's reader; its figures are compared with this software's; and the core must have acknowledged it.
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from pydantic import ValidationError

from tillbox.agent.config import BoxConfig
from tillbox.agent.inspect import JournalRow, NoJournal, newest, rows
from tillbox.contracts.messages import Canary
from tillbox.contracts.verdicts import Text
from tillbox.hardware.drivers.worker import monotonic_ms

from . import machine
from .health import CANARY, judge_figures
from .launcher import KEPT
from .machine import EndTrial, Failed, Keep, Release, SellCanary, Settled, Started, TillUp, WaitForTill
from .settings import Updates
from .words import Refusal, Why

LOOK_S = 0.1
PRESS_S = 1.0  # between two requests for a canary: the till may have been busy
ASK_S = 3.0  # one answer of the till's page
ROWS_MAX = 1_000  # records made during a trial
PERHAPS_THE_LINE = (Why.NO_LINE, Why.CANARY_UNSETTLED)  # a few such trials, before a release is given up
SERVING = ("Ringing", "Checking", "Paying")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the trial is kept, in words."""

    kept: bool
    text: Text
    lasting: bool = True

    def line(self) -> str:
        """As the launcher reads it."""
        return json.dumps(
            {"kept": self.kept, "lasting": self.lasting, "zh": self.text.zh, "en": self.text.en}
        )


class Till:
    """The trial's own page, as anybody on this machine may use it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def look(self) -> dict[str, Any]:
        """What the page says; empty while nobody answers."""
        with (
            suppress(OSError, HTTPException, ValueError),
            urllib.request.urlopen(f"{self._url}/state.json", timeout=ASK_S) as answer,
        ):
            found = json.load(answer)
            return found if isinstance(found, dict) else {}
        return {}

    def ask_canary(self, question: str, token: str) -> None:
        """Have it sell a canary, if it can now."""
        body = urllib.parse.urlencode({"token": token, "question": question}).encode()
        request = urllib.request.Request(
            f"{self._url}/do/canary", body, {"X-Requested-With": "fetch"}
        )  # loopback
        with suppress(OSError, HTTPException), urllib.request.urlopen(request, timeout=ASK_S):
            pass


class Judge:
    """One trial."""

    def __init__(self, config: BoxConfig, room: Updates, *, breathe: Callable[[], None]) -> None:
        self._room = room
        self._till = Till(config.screen_port)
        self._journal = config.state / "journal.db"
        self._breathe = breathe
        self._outcome: Outcome | None = None
        self._state: machine.State = machine.Steady()

    def run(self, release: Release) -> Outcome:
        """Judge it to its end."""
        self._happen(Started(release))
        assert self._outcome is not None, self._state
        return self._outcome

    def _happen(self, event: machine.Event) -> None:
        self._state, effects = machine.step(self._state, event)
        for effect in effects:
            match effect:
                case WaitForTill():
                    self._happen(self._wait_for_till())
                case SellCanary():
                    self._happen(self._sell_canary())
                case Keep():
                    self._outcome = Outcome(True, Text(KEPT.zh, KEPT.en))
                case EndTrial(refusal):
                    self._let_customer_finish()
                    self._outcome = Outcome(False, refusal.back, refusal.why not in PERHAPS_THE_LINE)

    def _wait_for_till(self) -> TillUp | Failed:
        until_ms, up = monotonic_ms() + int(self._room.up_s * 1_000), False
        while monotonic_ms() < until_ms:
            page = self._till.look()
            up = page.get("phase", "starting") != "starting"
            if up and page.get("online") is True:
                return TillUp()
            time.sleep(LOOK_S)
        return Failed(Refusal(Why.NO_LINE if up else Why.NO_SCREEN, f"{self._room.up_s:.0f} s"))

    def _sell_canary(self) -> Settled | Failed:
        asked, right = CANARY
        mark, after = secrets.token_hex(16), self._newest()
        question = asked.model_copy(update={"mark": mark}).model_dump_json()
        left_s, press_s, row = self._room.canary_s, 0.0, None
        while left_s > 0:
            row = row or self._find(mark, after)
            if row is not None and (wrong := _wrong(row, right)) is not None:
                return Failed(wrong)
            if row is not None and self._is_settled(row):
                return Settled()
            page = self._till.look()
            if row is None and page.get("phase") in SERVING:
                self._breathe()  # it serves a customer: that time is not counted against it
            else:
                left_s -= LOOK_S
                press_s -= LOOK_S
            if row is None and press_s <= 0 and page.get("phase") == "Idle":
                self._till.ask_canary(question, str(page.get("token", "")))
                press_s = PRESS_S
            time.sleep(LOOK_S)
        return Failed(
            Refusal(Why.NO_CANARY if row is None else Why.CANARY_UNSETTLED, f"{self._room.canary_s:.0f} s")
        )

    def _let_customer_finish(self) -> None:
        """A trial that fails may still be serving somebody. What is on its disk is safe; a basket is not."""
        until_ms = monotonic_ms() + int(self._room.customer_s * 1_000)
        while monotonic_ms() < until_ms and self._till.look().get("phase") in SERVING:
            time.sleep(LOOK_S)

    def _newest(self) -> int:
        with suppress(NoJournal):
            return newest(self._journal)
        return 0

    def _find(self, mark: str, after: int) -> JournalRow | None:
        with suppress(NoJournal):
            for row in rows(self._journal, after=after, most=ROWS_MAX):
                if row.kind == "canary" and row.body.get("mark") == mark:
                    return row
        return None

    def _is_settled(self, row: JournalRow) -> bool:
        with suppress(NoJournal):
            return next(rows(self._journal, after=row.position - 1, most=1)).settled
        return False


def _wrong(row: JournalRow, right: Canary) -> Refusal | None:
    try:
        found = judge_figures(Canary.model_validate(row.body), right)
    except ValidationError:
        return Refusal(Why.CANARY_WRONG)
    return Refusal(Why.CANARY_WRONG, found.detail) if found else None
