"""`tillbox fleet drill revoke`: a box is stolen. It is off within seconds and stays off; its certificate opens nothing that
is not its own, in neither direction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tillbox.broker.line import Down, Happening, Message, Unheard, Up
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.contracts import topics
from tillbox.demo.town import GOODS

from .stage import Stage
from .station import DrillFailed

GOAL_S = 5.0
STAYS_OFF_S = 20.0
ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that must not work, or must work at once."""

    what: str
    expected: str
    seen: str
    seconds: float | None
    ok: bool


def run(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """The whole theft."""
    stage = Stage(folder, say)
    try:
        stage.open()
        stage.plan("store1/lane1", "store1/lane2")
        rows = list(_rows(stage))
    finally:
        stage.close()
    for row in rows:
        say(f"{row.what}: {row.seen}")
    return {"rows": [asdict(row) for row in rows], "goal_s": GOAL_S, "ok": all(row.ok for row in rows)}


def _rows(stage: Stage) -> Iterator[Row]:
    thief, stolen, _ = stage.box("stolen", "store1/lane1")
    victim, honest, _ = stage.box("honest", "store1/lane2")
    identity = thief.state / "identity"
    thief.process.stop()  # the card is in the thief's machine now
    yield from _topics(stage, identity, stolen, honest)
    yield _other_name(stage, identity, honest)
    yield _name_at_the_door(stage, identity, victim, honest)
    victim_sells = victim.look().get("online") is True
    yield Row(
        "the honest box meanwhile", "online", "online" if victim_sells else "offline", None, victim_sells
    )
    thief.process.start()
    stage.until("the stolen box to be on", lambda: thief.look().get("online") is True)
    yield from _revocation(stage, thief, stolen)


def _revocation(stage: Stage, thief: Any, stolen: str) -> Iterator[Row]:
    began = time.monotonic()
    stage.api.act("revoke-box", {"device": stolen})
    stage.until("the stolen box to be off", lambda: thief.look().get("online") is False)
    off_s = time.monotonic() - began
    yield Row(
        "revoked", f"off within {GOAL_S:.0f} s", f"off after {off_s:.1f} s", round(off_s, 1), off_s < GOAL_S
    )
    stage.until("the till to stop", lambda: thief.look().get("phase") == "Stopped")
    stopped_s = time.monotonic() - began
    thief.press("pick", gtin=GOODS[0][0])
    time.sleep(0.5)
    seen = thief.look()
    rung = seen.get("phase") != "Stopped" or seen.get("total") not in (None, "", "0.00")
    said = f"rang up {seen.get('total')}" if rung else "stopped; a press on goods rings up nothing"
    yield Row("its till", "sells nothing", said, round(stopped_s, 1), not rung)
    identity = thief.state / "identity"
    thief.process.stop()
    line = _Line(stage, identity, stolen)
    refused = not line.is_up(STAYS_OFF_S)
    why = line.why
    line.stop()
    yield Row(
        "its certificate afterwards", "refused", why or "let in", STAYS_OFF_S, refused and "revoked" in why
    )
    said = _refusal(stage, identity)
    yield Row("asking for a new certificate", "refused", said, None, "service" in said or "revoked" in said)


def _refusal(stage: Stage, identity: Path) -> str:
    from tillbox.agent.provisioning.arriving import ask_core, refusal_of
    from tillbox.agent.provisioning.enrolling import door
    from tillbox.agent.provisioning.keystore import FileKeyStore
    from tillbox.agent.provisioning.place import Identity

    own = Identity(identity)
    place = own.place()
    if place is None:
        raise DrillFailed("the stolen card has no place")
    endpoint = door("127.0.0.1", stage.town.doors.claim_port, own.root, "00" * 16)
    answer = ask_core(endpoint, FileKeyStore(own.key), place, patience_s=ANSWER_S)
    return (
        answer
        if isinstance(answer, str)
        else refusal_of(answer).say("en")
        if answer.refused
        else "a certificate"
    )


def _topics(stage: Stage, identity: Path, stolen: str, honest: str) -> Iterator[Row]:
    """Every topic of the honest box, in both directions, with the stolen certificate under its own name."""
    written = [
        topics.records_up(honest),
        *(topics.ask_up(honest, name) for name in topics.ASKS),
        topics.state_up(honest),
        topics.telemetry_up(honest),
        topics.live_up(honest),
        topics.ack_down(honest),
        topics.answer_down(honest),
        topics.desired_down(honest),
        topics.ack_down(stolen),
        topics.desired_down(stolen),
        topics.enrol_down(honest),
    ]
    line = _Line(stage, identity, stolen)
    if not line.is_up(ANSWER_S):
        raise DrillFailed(f"the stolen certificate was not let in before it was revoked: {line.why}")
    passed = [topic for topic in written if not line.is_refused(topic)]
    yield Row(
        f"writing to {len(written)} topics that are not its own",
        "refused",
        f"passed: {passed}",
        None,
        not passed,
    )
    line.stop()
    spy = _Line(stage, identity, stolen, f"tb/1/d/{honest}/dn/#", "tb/1/d/+/dn/#", "tb/1/p/+/rs", "#")
    if not spy.is_up(ANSWER_S) and "refused to let us listen" not in spy.why:
        raise DrillFailed(f"the spy did not get in: {spy.why}")
    time.sleep(6.0)  # the honest box sends telemetry and hears acknowledgements meanwhile
    heard = sorted({topic for topic in spy.topics if f"/{stolen}/" not in topic})
    yield Row("listening to everything", "hears only its own", f"heard: {heard}", None, not heard)
    spy.stop()


def _other_name(stage: Stage, identity: Path, honest: str) -> Row:
    """The stolen certificate, presenting itself under the honest box's client id."""
    line = _Line(stage, identity, honest)
    line.is_up(ANSWER_S)
    taken = not line.is_refused(topics.state_up(honest))
    line.stop()
    return Row(
        "the honest box's client id",
        "refused",
        "taken" if taken else "refused: it is the stolen box all the same",
        None,
        not taken,
    )


def _name_at_the_door(stage: Stage, identity: Path, victim: Any, honest: str) -> Row:
    """Anybody, at the door for claims, under the honest box's name: its line must not notice."""
    from tillbox.agent.provisioning.enrolling import door

    heard: list[Happening] = []
    log = victim.process.log
    before = log.read_text(errors="replace").count("line.lost")
    line = MqttLine(door("127.0.0.1", stage.town.doors.claim_port, identity / "root.crt", honest))
    line.start(heard.append)
    stage.until("the door to open", lambda: any(isinstance(one, Up) for one in heard))
    time.sleep(2.0)
    line.stop()
    lost = log.read_text(errors="replace").count("line.lost") - before
    return Row(
        "the honest box's name at the door for claims",
        "it loses no line",
        f"lost {lost} times",
        None,
        lost == 0,
    )


class _Line:
    """A line with a stolen card."""

    def __init__(self, stage: Stage, identity: Path, client_id: str, *listens: str) -> None:
        self.why = ""
        """Every reason that it was refused for. The end of a connection may overtake the broker's own, once or twice."""
        self.topics: list[str] = []
        self._up, self._news = threading.Event(), threading.Condition()
        self._refused: list[str] = []
        endpoint = Endpoint(
            host="127.0.0.1",
            port=stage.town.box_port,
            client_id=client_id,
            authority=identity / "root.crt",
            certificate=identity / "box.crt",
            key=identity / "box.key",
            subscriptions=tuple((topic, 1) for topic in listens),
            reconnect_max_s=2,
        )
        self._line = MqttLine(endpoint)
        self._line.start(self._hear)

    def _hear(self, happening: Happening) -> None:
        with self._news:
            match happening:
                case Up():
                    self._up.set()
                case Down(why=why):
                    self.why = f"{self.why}; {why}" if self.why else why
                case Message(topic=topic):
                    self.topics.append(topic)
                case Unheard(topic=topic, reason=reason) if reason >= 0x80:
                    self._refused.append(topic)
            self._news.notify_all()

    def is_up(self, wait_s: float) -> bool:
        """Whether it is let in within so long."""
        return self._up.wait(wait_s)

    def is_refused(self, topic: str) -> bool:
        """Whether the broker says no to a message there."""
        self._line.publish(topic, b"{}")
        with self._news:
            return self._news.wait_for(lambda: topic in self._refused, ANSWER_S)

    def stop(self) -> None:
        """Hang up."""
        self._line.stop()
