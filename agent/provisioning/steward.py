"""Sees to a box's place as long as it lives: the first certificate where there was no line, a fresh one in time, the birth
slip, and the word that the box was put out. It looks now and then; the till never waits for it.

What is due is decided by `due`, which is pure.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography import x509

from tillbox.agent.app import SOFTWARE, Box, Terms, TwinStands
from tillbox.agent.clock import BootClock, wall_ms
from tillbox.agent.config import BoxConfig, FleetBoxConfig
from tillbox.agent.till import Show
from tillbox.broker.line import Line
from tillbox.broker.mqtt import MqttLine
from tillbox.contracts.desired import Desired, open_desired
from tillbox.contracts.messages import BornAnswer, BornAsk, EnrolAnswer
from tillbox.contracts.verdicts import TEXTS, Reason, Refused

from .arriving import ask_core, claim_door, refusal_of
from .birth import accept_link, birth_slip
from .compose import caps_of, compose, settings_of
from .keystore import KeyStore
from .late import LateLine
from .place import Identity, Place, Trust
from .trial import Trial, Verdict, judge

TURN_S = 1.0
ASK_S = 10.0
AGAIN_MIN_S, AGAIN_MAX_S = 5.0, 300.0  # between two questions to a core that did not answer, or said no
DOWN_S = 10.0  # a line that is down for so long may be one that does not want us any more
RENEW_AT = 2 / 3  # of a certificate's life: the last third is for weeks without a line
BORN_AGAIN_S = 10.0
GONE = frozenset({Reason.BOX_REPLACED, Reason.BOX_REVOKED, Reason.BOX_RETIRED})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the steward sees of its box. Times are seconds of a clock that never jumps."""

    provisional: bool
    line_up: bool
    down_since: float
    life_share: float
    """How much of the certificate's life is over; 1 and more is over altogether."""
    asked: float
    again_s: float


def due(seen: Seen, now: float) -> bool:
    """Whether to ask the core for a certificate now."""
    if now - seen.asked < seen.again_s:
        return False
    if seen.provisional or seen.life_share >= RENEW_AT:
        return True
    return not seen.line_up and now - seen.down_since >= DOWN_S


class Steward:
    """One thread beside a box."""

    def __init__(
        self, box: Box, machine: FleetBoxConfig, trust: Trust, identity: Identity, key: KeyStore, place: Place
    ) -> None:
        self._box, self._machine, self._trust, self._identity = box, machine, trust, identity
        self._key, self.place = key, place
        self._line_up, self._down_since = False, _now()
        self._asked, self._again_s = -AGAIN_MAX_S, AGAIN_MIN_S
        self._born_asked = -BORN_AGAIN_S
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="steward", daemon=True)
        box.on_line, box.on_born = self._line_changed, self._born
        box.on_desired, box.on_changed = self._desired_came, self._changed
        self._came: bytes | None = None
        self._trial = Trial(_now()) if identity.on_trial else None
        box.twin = self._twin()

    def start(self) -> None:
        """Go to work."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; a question that is under way is left to itself."""
        self._ended.set()

    # the box's threads

    def _line_changed(self, up: bool) -> None:
        if not up:
            self._down_since = _now()
        self._line_up = up

    def _born(self, answer: BornAnswer) -> None:
        """The core has noted the self-test: now the paper for the engineer, once."""
        place = self.place
        if answer.epoch != place.epoch or not place.report:
            return
        link = accept_link(answer.accept_url, place.report, self._key) if answer.accept_url else ""
        checks = _checks(place.report)
        slip = birth_slip(
            checks,
            title=self._box.config.shop,
            position=place.position,
            epoch=place.epoch,
            device=self._key.device,
            software=SOFTWARE,
            link=link,
        )
        self._box.print_slip("birth", f"{place.position} #{place.epoch}", slip)
        self.place = place.model_copy(update={"report": ""})
        self._identity.keep(self.place)

    def _desired_came(self, sealed: bytes) -> None:
        self._came = sealed

    def _changed(self) -> None:
        """The box goes by its new settings from now on; its old line is no word for the new one."""
        self._line_up = False
        self._trial = Trial(_now()) if self._identity.on_trial else None

    # its own thread

    def _work(self) -> None:
        while not self._ended.wait(TURN_S):
            try:
                self.turn(_now())
            except Exception:
                log.exception("steward.failed", hint="it is tried again")
                self._asked, self._again_s = _now(), AGAIN_MAX_S

    def turn(self, now: float) -> None:
        """Once: ask for what is due."""
        if self.place.put_out:
            return
        if (sealed := self._came) is not None:
            self._came = None
            self._take(sealed)
        if self._trial is not None:
            self._judge(self._trial, now)
        if self.place.report and not self.place.is_provisional and self._line_up:
            self._tell_birth(now)
        seen = Seen(
            self.place.is_provisional,
            self._line_up,
            self._down_since,
            self._life_share(),
            self._asked,
            self._again_s,
        )
        if due(seen, now):
            self._ask()
            self._asked = _now()

    def _take(self, sealed: bytes) -> None:
        """Settings that came over the line: for this box, signed, newer, and of use; or a refusal that the core hears."""
        text = sealed.decode("utf-8", "replace")
        found = open_desired(text, keys=self._trust.by_kid(), device=self._key.device)
        settings = settings_of(found) if isinstance(found, Desired) else found
        if not isinstance(found, Desired):
            log.warning("twin.refused", reason=found.reason)
            return
        refused = self._identity.refused()
        if isinstance(settings, Refused):
            self._not_taken(found.version, settings)
        elif found.version > self._version() and not (refused and refused[0] == found.version):
            self._apply(text, found.version)
        else:
            self._box.tell_twin(self._twin())

    def _apply(self, text: str, version: int) -> None:
        before = self._box.config.broker
        self._identity.try_desired(text)
        composed = self._composed()
        if (composed.broker.host, composed.broker.port) == (before.host, before.port):
            self._identity.confirmed()
        log.info("twin.taken", version=version, on_trial=self._identity.on_trial)
        self._box.twin = self._twin()
        self._box.change(composed, terms_of(self._machine, self.place, self._identity, self._key))

    def _judge(self, trial: Trial, now: float) -> None:
        view = self._box.view  # its clock is known once the core has answered in this very boot
        heard = self._line_up and view is not None and view.clock_known
        match judge(trial, heard=heard, now=now):
            case Verdict.KEEP:
                self._identity.confirmed()
                self._trial = None
                self._box.tell_twin(self._twin())
                log.info("twin.confirmed", version=self._version())
            case Verdict.GO_BACK:
                version = self._version()
                self._identity.go_back()
                self._trial = None
                self._not_taken(version, Refused(Reason.SETTINGS_UNCONFIRMED))
                self._box.change(
                    self._composed(), terms_of(self._machine, self.place, self._identity, self._key)
                )
            case Verdict.WAIT:
                pass

    def _not_taken(self, version: int, refused: Refused) -> None:
        log.warning("twin.refused", version=version, reason=refused.reason, detail=refused.detail)
        self._identity.keep_refused(version, f"{refused.reason} {refused.detail}"[:80])
        self._box.tell_twin(self._twin())

    def _version(self) -> int:
        """The version in use; 0 where there is none yet."""
        text = self._identity.desired()
        found = open_desired(text, keys=self._trust.by_kid(), device=self._key.device) if text else None
        return found.version if isinstance(found, Desired) else 0

    def _twin(self) -> TwinStands:
        refused = self._identity.refused()
        version = self._version()
        if refused is None or refused[0] <= version:
            return TwinStands(version)
        return TwinStands(version, refused[1], refused[0])

    def _tell_birth(self, now: float) -> None:
        if now - self._born_asked >= BORN_AGAIN_S:
            self._born_asked = now
            ask = BornAsk(epoch=self.place.epoch, report=self.place.report)
            self._box.work(lambda runtime: runtime.ask("born", ask))

    def _ask(self) -> None:
        answer = ask_core(
            claim_door(self._machine, self._identity, self.place), self._key, self.place, patience_s=ASK_S
        )
        if isinstance(answer, EnrolAnswer) and answer.certificate is not None:
            self._again_s = AGAIN_MIN_S
            self._taken_in(answer)
            return
        # Twice as long each time: a core that is away, or that said no, is not asked every second by ten thousand.
        self._again_s = min(AGAIN_MAX_S, self._again_s * 2) * (0.75 + os.urandom(1)[0] / 512)
        if isinstance(answer, EnrolAnswer):
            self._refused(refusal_of(answer))

    def _taken_in(self, answer: EnrolAnswer) -> None:
        before, self.place = self.place, self._identity.taken_in(self.place, answer)
        if before.is_provisional or before.epoch != self.place.epoch:
            log.info("place.taken_in", position=self.place.position, epoch=self.place.epoch)
            self._box.troubles.pop("place", None)
            self._box.change(self._composed(), terms_of(self._machine, self.place, self._identity, self._key))

    def _refused(self, refused: Refused) -> None:
        text = TEXTS[refused.reason]
        log.warning("place.refused", reason=refused.reason, detail=refused.detail)
        self._box.troubles["place"] = f"{text.en} {refused.detail}".strip()
        if refused.reason in GONE:
            self.place = self.place.model_copy(update={"put_out": refused.reason})
            self._identity.keep(self.place)
            self._box.change(self._composed(), terms_of(self._machine, self.place, self._identity, self._key))
        elif self.place.is_provisional:
            self._box.work(lambda runtime: runtime.parts.hands.show(Show(refused)))

    def _composed(self) -> BoxConfig:
        return compose(self._machine, self._identity, self.place, self._key.device, self._trust)

    def _life_share(self) -> float:
        try:
            leaf = x509.load_pem_x509_certificate(self._identity.certificate.read_bytes())
        except (OSError, ValueError):
            return 1.0
        begun, ends = (
            one.timestamp() * 1000 for one in (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
        )
        return (wall_ms() - begun) / (ends - begun)


def terms_of(machine: FleetBoxConfig, place: Place, identity: Identity, key: KeyStore) -> Terms:
    """How a box stands, by what its folder says."""
    if not place.put_out:
        return Terms(caps_of(place), sign=key.sign)

    def late_line() -> Line:
        door = claim_door(machine, identity, place)
        return LateLine(MqttLine(door), door.client_id, key)

    return Terms(put_out=Reason(place.put_out), late_line=late_line, sign=key.sign)


def _checks(report: str) -> list[dict[str, Any]]:
    """The lines of a self-test that this box wrote itself."""
    checks: list[dict[str, Any]] = json.loads(report)["checks"]
    return checks


def _now() -> float:
    return BootClock().boot_ms() / 1000
