"""Head office of a simulated town: it commands boxes, and somebody on the line repeats, bends and forges what it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from random import Random

from sqlalchemy import select

from tillbox.cloud_bridge.store import tables
from tillbox.contracts.commands import Command, seal_command
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.messages import BODIES, CommandState, Record

from .checkers import Given, Noted
from .keys import FLEET_KEY
from .nodes import BoxNode, CoreNode

VERBS = ("quarantine", "release", "release", "drain", "resume", "resume", "self-test", "self-test")
"""Twice as often the words that let a till go, or nobody would sell."""
AGO_MS = (0, 0, 45_000, 55_000)
"""A command lives a minute at least, and a whole day of these shops half of one: some were given a while ago."""
MINUTE_MS = 60_000
OTHER_KEY = bytes(reversed(range(32)))


class HeadOffice:
    """Whoever sits there. `boxes` may grow."""

    def __init__(self, core: CoreNode, boxes: Sequence[BoxNode], random: Random) -> None:
        self.core, self.boxes, self.random = core, boxes, random
        self.counts: Counter[str] = Counter()
        self._verbs: list[str] = []

    def command(self) -> None:
        """Have one box do something."""
        box = self.random.choice(self.boxes)
        body = {"box": box.place, "verb": self.random.choice(VERBS), "minutes": 1}
        if body["verb"] in ("quarantine", "drain"):
            body["why"] = "stocktaking"
        made = self.core.act("send-command", body, ago_ms=self.random.choice(AGO_MS))
        self.counts["commands_given"] += made is not None

    def forged(self) -> tuple[str, bytes]:
        """A command that is to change nothing, and the box that it is said to."""
        box, random = self.random.choice(self.boxes), self.random
        sealed = self.core.sealed
        roll = random.random()
        if sealed and roll < 0.4:
            name, heard = random.choice(sealed)  # once more, to its own box
            return name, heard
        if sealed and roll < 0.55:
            return box.device, random.choice(sealed)[1]  # and to another
        if sealed and roll < 0.7:
            bent = json.loads(random.choice(sealed)[1])
            bent["doc"] = bent["doc"].replace('"release"', '"quarantine"').replace('"self-test"', '"release"')
            return box.device, json.dumps(bent).encode()
        now_ms = self.core.now_ms
        made = Command(
            id=uuid7(now_ms, random.randbytes(CHANCE_BYTES)),
            device=box.device,
            epoch=box.epoch if random.random() < 0.5 else box.epoch - 1,
            verb=random.choice(("quarantine", "release")),
            params={},
            made_ms=now_ms,
            expires_ms=now_ms + MINUTE_MS,
        )
        if made.verb == "quarantine":
            made = made.model_copy(update={"params": {"why": "a stranger"}})
        # Of an earlier epoch it is well signed: it was meant for the box that stood there then.
        return box.device, seal_command(
            made, private_key=FLEET_KEY if made.epoch < box.epoch else OTHER_KEY
        ).encode()

    def overheard(self) -> list[tuple[str, str]]:
        """Commands that were on the line, with their verbs."""
        said = [json.loads(json.loads(sealed)["doc"]) for _, sealed in self.core.sealed]
        return [(one["id"], one["verb"]) for one in said]

    def given(self) -> list[Given]:
        """Every command that was given, as it stands at the core."""
        assert self.core.database is not None
        column = tables.command.c
        columns = (
            column.id,
            column.device,
            column.verb,
            column.expires_ms,
            column.state,
            column.guessed,
            column.sends,
        )
        guesses = select(tables.command_event.c.command).where(tables.command_event.c.told_by == "core")
        with self.core.database.reading() as connection:
            given = [Given(*row) for row in connection.execute(select(*columns))]
            guessed = set(connection.execute(guesses).scalars())
        self.counts["commands_ended"] = sum(one.state in ("successful", "failed") for one in given)
        self.counts["commands_unheard"] = len(guessed)
        self.counts["commands_corrected"] = sum(one.id in guessed and not one.guessed for one in given)
        return given


def noted(lines: Sequence[bytes]) -> list[Noted]:
    """What a box's journal says of its sales and of commands, in its order."""
    found = []
    for line in lines:
        record = Record.model_validate_json(line)
        said = BODIES[record.kind].model_validate(record.body) if record.kind == "command_state" else None
        command, verb, state = (
            (said.command, said.verb, said.state) if isinstance(said, CommandState) else ("", "", "")
        )
        found.append(Noted(record.tid, record.kind, record.inc, record.seq, record.at, command, verb, state))
    return found
