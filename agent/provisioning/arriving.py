"""A box without a place: it asks for its claim sheet, reads it, asks the core, tests itself, and is a box.

    waiting ── a claim is shown ──> asking ── the core says yes ──> testing ──> placed
       ^                              │ └─── nobody answers ──────> testing ──> placed, provisionally
       └───────── the core says no ───┘

It may be switched off at any moment: what it was is on the disk, and the same sheet may be shown again.
"""

from __future__ import annotations

import os
import platform
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from tillbox.agent.app import SOFTWARE
from tillbox.agent.clock import BootClock, wall_ms
from tillbox.agent.config import FleetBoxConfig
from tillbox.agent.doctor import examine
from tillbox.agent.examine import of_config
from tillbox.broker.mqtt import Endpoint
from tillbox.contracts.codes import ClaimCode, CodeRead, Symbology, token_typed, typed_token
from tillbox.contracts.messages import EnrolAnswer, EnrolAsk
from tillbox.contracts.verdicts import TEXTS, Reason, Refused, Text
from tillbox.hardware.printing import encode
from tillbox.hardware.printing.document import Document
from tillbox.hardware.printing.drawing import system_letters
from tillbox.hardware.printing.profiles import PROFILES

from .birth import greeting, no_slip, report_of
from .claiming import claim_shown
from .compose import compose, via
from .enrolling import door, enrol
from .keystore import KeyStore
from .place import Identity, Place, Trust

ASK_S = 15.0  # a slow 4G line answers in three; after this the box begins provisionally and goes on asking
STICK_LOOK_S = 1.0
STICK_FILE = "claim.tillbox"
STICK_BYTES_MAX = 4_096
SHOWN_MAX = 8  # sheets held before the box while it asks for the first one

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the box is on its way, for its screen."""

    name: str
    says: Text
    detail: str = ""


WAITING = Stage(
    "waiting", Text("请扫安装单，或输入安装单上的码", "Show the claim sheet, or type its letters.")
)
ASKING = Stage("asking", Text("正在向云端申请证书…", "Asking the core for a certificate …"))
TESTING = Stage(
    "testing",
    Text("正在自检，请把测试小票对准扫码枪", "Testing itself. Hold the test slip before the scanner."),
)
PLACED = Stage("placed", Text("已就位", "In its place."))


@dataclass(frozen=True, slots=True)
class Typed:
    """A claim that came without its sheet: its letters, and where the box asks."""

    letters: str


Shown = CodeRead | Typed


class Arriving:
    """The way of one box to its place. `show` and `type_in` may be called from any thread."""

    def __init__(
        self,
        machine: FleetBoxConfig,
        trust: Trust,
        identity: Identity,
        key: KeyStore,
        *,
        patience_s: float = ASK_S,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.stage = WAITING
        self.changed = threading.Condition()
        self._machine, self._trust, self._identity, self._key = machine, trust, identity, key
        self._patience_s, self._alive = patience_s, alive
        self._shown: queue.Queue[Shown] = queue.Queue(SHOWN_MAX)
        self._ended = threading.Event()
        self._stick = ""

    def show(self, reads: tuple[CodeRead, ...]) -> None:
        """Codes from a reader."""
        for read in reads:
            with suppress(queue.Full):
                self._shown.put_nowait(read)

    def type_in(self, letters: str) -> bool:
        """Letters from the screen; False where they are no claim's."""
        if token_typed(letters) is None:
            self._stage(Stage("refused", TEXTS[Reason.CLAIM_UNKNOWN]))
            return False
        with suppress(queue.Full):
            self._shown.put_nowait(Typed(letters))
        return True

    def stop(self) -> None:
        """End soon."""
        self._ended.set()

    def run(self) -> Place | None:
        """Until it has a place; None where it was stopped."""
        self._print(greeting(self._key.device))
        while not self._ended.is_set():
            place = self._claimed()
            if place is not None:
                place = place.model_copy(update={"report": self._tested(place)})
                self._identity.keep(place)
                self._stage(PLACED)
                return place
        return None

    def _claimed(self) -> Place | None:
        """The next claim that does."""
        readers = [one.make() for one in self._machine.readers]
        for reader in readers:
            reader.start(self.show, lambda trouble: log.warning("device.trouble", device=trouble.device))
        try:
            shown = self._next()
        finally:
            for reader in readers:
                reader.stop()
        claim = self._understood(shown) if shown is not None else None
        if claim is None:
            return None
        found = claim if isinstance(claim, Refused) else self._ask(claim)
        if isinstance(found, Place):
            return found
        self._refuse(found)
        return None

    def _next(self) -> Shown | None:
        while not self._ended.is_set():
            self._alive(f"{self._key.device} waits for its claim sheet")
            with suppress(queue.Empty):
                return self._shown.get(timeout=STICK_LOOK_S)
            if (found := self._on_stick()) is not None:
                return found
        return None

    def _on_stick(self) -> CodeRead | None:
        """A claim on a memory stick, once until the stick says another."""
        for path in sorted(self._machine.fleet.sticks.glob(f"*/{STICK_FILE}")):
            with suppress(OSError):
                raw = path.read_bytes()[:STICK_BYTES_MAX].strip()
                if raw.hex() != self._stick:
                    self._stick = raw.hex()
                    return CodeRead(raw, Symbology.QR, "stick")
        return None

    def _understood(self, shown: Shown) -> ClaimCode | Place | Refused:
        if isinstance(shown, CodeRead):
            return claim_shown(shown, keys=self._trust.by_kid(), not_before_ms=wall_ms())
        told = self._machine.fleet
        if not (told.claim_host and told.claim_port):
            return Refused(Reason.CLAIM_NEEDS_SHEET)
        return Place(
            position="?", title="", tenant="t", claim_host=told.claim_host, claim_port=told.claim_port,
            token=shown.letters,
        )  # fmt: skip

    def _ask(self, claim: ClaimCode | Place) -> Place | Refused:
        self._stage(ASKING)
        sheet = isinstance(claim, ClaimCode)
        place = Place.claimed(claim, typed_token(claim.token)) if isinstance(claim, ClaimCode) else claim
        answer = ask_core(
            claim_door(self._machine, self._identity, place), self._key, place, patience_s=self._patience_s
        )
        if isinstance(answer, str):
            log.info("place.no_answer", why=answer)
            return place if sheet else Refused(Reason.CLAIM_NEEDS_LINE)
        if answer.certificate is None:
            return refusal_of(answer)
        return self._identity.taken_in(place, answer)

    def _tested(self, place: Place) -> str:
        self._stage(TESTING)
        began_ms = BootClock().boot_ms()
        config = compose(self._machine, self._identity, place, self._key, self._trust)
        facts = of_config(config, slip=config.printer is not None, tell=self._tests)
        return report_of(
            examine(facts),
            device=self._key.device,
            position=place.position,
            software=SOFTWARE,
            hardware=hardware(),
            seconds=(BootClock().boot_ms() - began_ms) / 1000,
        )

    def _tests(self, what: str) -> None:
        log.info("place.test", what=what)
        self._alive(f"{self._key.device} tests itself: {what}")

    def _refuse(self, refused: Refused) -> None:
        """Say it; the box waits for another sheet."""
        text = TEXTS[refused.reason]
        log.warning("place.refused", reason=refused.reason, detail=refused.detail)
        self._stage(Stage("refused", text, refused.detail))
        self._print(no_slip(text.zh, text.en, refused.detail))

    def _stage(self, stage: Stage) -> None:
        with self.changed:
            self.stage = stage
            self.changed.notify_all()

    def _print(self, document: Document) -> None:
        """On paper where there is a printer; the screen says the same."""
        told = self._machine.printer
        if told is not None:
            outcome = told.make().print(encode(document, PROFILES[told.profile], system_letters()))
            log.info("place.paper", end=outcome.end)


def claim_door(machine: FleetBoxConfig, identity: Identity, place: Place) -> Endpoint:
    """The door for boxes without a certificate, under a name drawn for this once."""
    host, port = via(machine.fleet.claims_via) or (place.claim_host, place.claim_port)
    return door(host, port, identity.root, os.urandom(16).hex())


def ask_core(endpoint: Endpoint, key: KeyStore, place: Place, *, patience_s: float) -> EnrolAnswer | str:
    """Ask for a certificate, with the claim's letters while there are some; a sentence where nobody answered."""
    ask = EnrolAsk(token=place.token, request=key.request().decode(), hardware=hardware(), software=SOFTWARE)
    return enrol(endpoint, ask, patience_s=patience_s)


def refusal_of(answer: EnrolAnswer) -> Refused:
    """The core's no. A reason that this software does not know yet is shown as it came."""
    known = answer.refused in set(Reason)
    reason = Reason(answer.refused) if known and answer.refused else Reason.NOT_UNDERSTOOD
    return Refused(reason, answer.detail if known else f"{answer.refused}")


def hardware() -> str:
    """What the machine says it is: the board's model where there is one, and never a person's name for it."""
    with suppress(OSError):
        return Path("/proc/device-tree/model").read_text().strip("\0\n ")[:80]
    return f"{platform.machine()} {platform.system()}"[:80]
