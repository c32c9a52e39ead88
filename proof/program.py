"""A box's program in a simulated town: the errand room and the alerts of a real box, without its threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from tillbox.agent.alerts import Device, Signs
from tillbox.agent.app import Box
from tillbox.agent.config import BoxConfig
from tillbox.agent.errands.doing import Errand
from tillbox.agent.errands.lately import Lately
from tillbox.agent.errands.live import LiveRoom
from tillbox.agent.errands.room import ErrandRoom
from tillbox.agent.outcomes import Outcome
from tillbox.agent.runtime import Runtime
from tillbox.broker.line import Will
from tillbox.contracts import topics
from tillbox.contracts.commands import State, Verb
from tillbox.contracts.messages import State as Standing
from tillbox.contracts.messages import Vitals

from .keys import FLEET_KEYS

DAY_MS = 86_400_000


def _certificate(signs: Signs, random: Random) -> Signs:
    return replace(signs, certificate_left_ms=random.choice((2, 20)) * DAY_MS)


def _update(signs: Signs, random: Random) -> Signs:
    return replace(signs, update_refused=random.choice(("", "boot_failed")))


def _wear(signs: Signs, random: Random) -> Signs:
    return replace(signs, vitals=Vitals(wear_percent=random.choice((10, 90))))


def _paper(signs: Signs, random: Random) -> Signs:
    return replace(signs, printer=random.choice(("ready", "paper_near_end")))


def _scanner(signs: Signs, random: Random) -> Signs:
    return replace(signs, devices={"scanner": Device(random.choice(("ready", "lost")), is_reader=True)})


TROUBLES = (_certificate, _certificate, _certificate, _update, _wear, _paper, _scanner)
"""What comes and goes on a box. The one that is news at once, both ways, comes oftener: a day is short here."""


class Program(Box):
    """What a box's program is to its errands. What is to be done on the till's thread is done at once."""

    def __init__(self, device: str, runtime: Callable[[], Runtime | None]) -> None:
        told = {
            "device": device,
            "tenant": "town",
            "shop": "茶",
            "state": str(Path("/nowhere")),
            "broker": _BROKER,
        }
        super().__init__(BoxConfig.model_validate(told))
        self._now_running = runtime
        self.signs = Signs(update_refused="", certificate_left_ms=20 * DAY_MS)
        self.tested: Counter[str] = Counter()
        """How often each self-test was really made."""

    def work(self, work: Callable[[Runtime], None]) -> bool:
        runtime = self._now_running()
        if runtime is not None:
            work(runtime)
        return runtime is not None

    def errands(self, epoch: int) -> ErrandRoom:
        """The room of a new boot: what the one before had in memory is gone."""
        lately = Lately()
        live = LiveRoom(self, lately, lambda: b"", clock_ms=lambda: 0)  # nobody watches here
        return ErrandRoom(
            self,
            keys=FLEET_KEYS,
            epoch=lambda: epoch,
            lately=lately,
            live=live,
            slow={Verb.SELF_TEST: self._test},
        )

    def _test(self, errand: Errand) -> Outcome:
        """The doctor's page is of a real machine; what counts here is how often it is written."""
        self.tested[errand.id] += 1
        return Outcome(State.SUCCESSFUL, result='{"ok":true}')


def said(device: str, state: str, inc: str) -> Will:
    """A birth, or the will of a boot."""
    told = Standing.model_validate({"s": state, "inc": inc})
    return Will(topics.state_up(device), told.model_dump_json(exclude_none=True).encode())


_BROKER = {"host": "nowhere", "port": 1, "authority": "ca", "certificate": "crt", "key": "key"}
