"""Updates in a running box: asks for a release, brings it, examines it, waits until nobody is disturbed, and ends the box.

A thread of its own; the one thing that it does on the till's thread is to look and, in the same breath, to leave: between
the two no customer can begin. While its own slot is on trial it does nothing at all, for others judge.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from tillbox.agent.runtime import Runtime
from tillbox.contracts.messages import Updating
from tillbox.contracts.updates import BLOCKER_TEXTS
from tillbox.contracts.verdicts import Text

from . import machine
from .exam import examine
from .gate import FREE_BYTES_MIN, Now, blocked_by
from .launcher import State
from .machine import Examine, Fetch, Leave, Remember, Stand
from .settings import Updates
from .slots import ArchiveWrong, Slots
from .transfer import Line
from .trust import Have, Trust
from .words import Refusal, Why

LOOK_S = 0.5
TRIAL_LOOK_S = 1.0
ASK_AGAIN_MAX_S = (
    86_400.0  # what is refused is fetched again ever more seldom: a bad server must not eat a data plan
)
DOUBLED_MAX = 20  # waits are doubled so often: beyond it they are at their longest anyway
COMMANDED_AGAIN_S = 60.0  # somebody waits for it: a line that was down is tried soon
REDEMPTIONS_LOOKED_AT = 500
UNPACKED_TIMES = (
    12  # our own wheel, compiled, is ten times its archive; the card must not be full while somebody sells
)

OnTill = Callable[[Callable[[Runtime], None]], bool]
"""Runs something on the till's thread; False where it is too busy."""

log = structlog.get_logger(__name__)


class UpdateRoom:
    """The updates of one box."""

    def __init__(
        self,
        room: Updates,
        *,
        on_till: OnTill,
        leave: Callable[[], None],
        clock_right: Callable[[], bool],
        papers_unanswered: Callable[[], int],
        clock_ms: Callable[[], int],
    ) -> None:
        self.room, self.slots = room, Slots(room.root)
        self.state: machine.State = machine.Steady()
        self._on_till, self._leave, self._clock_right, self._clock_ms = on_till, leave, clock_right, clock_ms
        self._papers_unanswered = papers_unanswered
        self._ended, self._nudge = threading.Event(), threading.Event()
        # Two threads move the machine: this one, and the till's while it looks. The till's waits for nobody.
        self._moving = threading.Lock()
        self._trust = Trust(room, Line(room.rate_bytes_s, self._ended.wait))
        self.on_leave: Callable[[Runtime, str], bool] = lambda _, __: True
        """Told on the till's thread before the box ends for a release; False: not now."""
        self._wanted, self._asking, self._asked_for = "", "", ""
        self._due_ms, self._refusals, self._asks = 0, 0, 0
        self._known, self._runs = State(""), ""
        self._seen: tuple[str, int] = ("", 0)
        self._busy_ms = clock_ms()
        self._thread = threading.Thread(target=self._run, name="updates", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End; a download goes on at the next start."""
        self._ended.set()
        self._nudge.set()

    def check_now(self) -> None:
        """Somebody does not want to wait until the next time."""
        self._due_ms = 0
        self._nudge.set()

    def want(self, release: str) -> Stand:
        """Head office commands this release; how far it is. Asked again and again, on the till's thread."""
        if release != self._wanted:
            self._wanted, self._asked_for, self._refusals = release, "", 0
            self.check_now()
        return Stand(self._runs, self._asked_for == release, self.state)

    def forget(self, release: str) -> None:
        """It is commanded no more."""
        if release == self._wanted:
            self._wanted = self._asked_for = ""

    def tried(self, release: str) -> tuple[bool, str] | None:
        """How a release's trial ended, and why; None while it has not, or nobody has looked yet."""
        known, last = self._known, self._known.last
        if not known.good or known.trial or isinstance(self.state, machine.Leaving):
            return None
        if last.get("version") == release:
            return bool(last["kept"]), str(last["en"])
        if self._runs == release:
            return True, "It ran this release already."
        refusal = self.state.refusal if isinstance(self.state, machine.Steady) else None
        return (
            False,
            refusal.text.en if refusal else "The power went before the box could try it. Send it again.",
        )

    def told(self) -> Updating:
        """Where it stands, for the core."""
        report, last = self.report(), self._known.last
        return Updating(
            runs=report["runs"][:80],
            state=report["state"],
            release=report["release"][:80],
            blocked_by=tuple(one["blocker"] for one in report["blocked_by"]),
            refused=report["refused"]["why"] if report["refused"] else "",
            back_from=str(last["version"])[:80] if last and not last["kept"] else "",
            back_zh=str(last["zh"])[:160] if last and not last["kept"] else "",
            back_en=str(last["en"])[:160] if last and not last["kept"] else "",
        )

    def report(self) -> dict[str, Any]:
        """Where it stands, for the till's page and whoever watches the fleet: both languages."""
        state, known = self.state, self._known
        release = getattr(state, "release", None)
        blockers = state.blocked_by if isinstance(state, machine.Waiting) else ()
        refusal = state.refusal if isinstance(state, machine.Steady) else None
        return {
            "state": "trying" if known.trial else type(state).__name__.lower(),
            "runs": self._runs,
            "release": release.version if release else known.version,
            "blocked_by": [
                {"blocker": one.value, "zh": BLOCKER_TEXTS[one].zh, "en": BLOCKER_TEXTS[one].en}
                for one in blockers
            ],
            "refused": {"why": refusal.why.value, "zh": refusal.text.zh, "en": refusal.text.en}
            if refusal
            else None,
            "last": dict(known.last) or None,
            "asks": self._asks,
        }

    def line(self) -> Text | None:
        """What the cashier should know: a release that waits, and for what; or that the last one was rolled back."""
        state, last = self.state, self._known.last
        if isinstance(state, machine.Waiting):
            zh = "".join(BLOCKER_TEXTS[one].zh + "；" for one in state.blocked_by)
            en = " ".join(BLOCKER_TEXTS[one].en for one in state.blocked_by)
            return Text(
                f"新版本 {state.release.version} 在等：{zh}", f"Release {state.release.version} waits: {en}"
            )
        if last and not last["kept"]:
            return Text(f"{last['version']}：{last['zh']}", f"{last['version']}: {last['en']}")
        return None

    # its own thread

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                wait_s = self._turn()
            except Exception as why:
                # The box sells on, says what is wrong, and looks again later, whatever it is.
                self.state = machine.Steady(
                    Refusal(Why.NO_ROOM if isinstance(why, OSError) else Why.DAMAGED, str(why))
                )
                log.exception("updates.failed", hint="look at the card; it is tried again")
                self._asked_for, wait_s = self._asking, self.room.poll_s
            self._nudge.wait(wait_s)
            self._nudge.clear()

    def _turn(self) -> float:
        """One round; how long to wait until the next."""
        self._known = self.slots.state()
        self._runs = str(self.slots.told(self._known.good).get("version", ""))
        if self._known.trial:
            return TRIAL_LOOK_S
        if isinstance(self.state, machine.Waiting) and not self._may_take(self.state.release.version):
            with self._moving:
                self._happen(machine.Withdrawn())
        if isinstance(self.state, machine.Waiting):
            self._on_till(self._look)
        if self._clock_ms() >= self._due_ms and (self._wanted or not self.room.by_command):
            with self._moving:
                self._ask()
        return LOOK_S

    def _may_take(self, release: str) -> bool:
        """Whether a release may be gone on with: a box that goes by head office's word takes what it names now, and no other."""
        return release == self._wanted or not self.room.by_command

    def _ask(self) -> None:
        if isinstance(self.state, machine.Leaving):
            return
        self._asking = wanted = self._wanted
        runs = self._runs or "0"
        have = Have(runs, self.slots.base_lock(), frozenset(self._known.refused))
        if not self._clock_right():  # the hour comes with the line, seconds after a start
            self.state, _ = machine.step(self.state, machine.Refused(Refusal(Why.CLOCK_UNKNOWN)))
            return
        found = self._trust.offer(have)
        self._asks += 1
        offered = runs if found is None else found.version if isinstance(found, machine.Release) else wanted
        if wanted and offered != wanted:
            found = Refusal(Why.NOT_OFFERED, f"{offered} ≠ {wanted}")
        if found is None:
            self._refusals = 0
            self._happen(machine.Withdrawn())
        elif isinstance(found, Refusal):
            self._happen(machine.Refused(found))
        else:
            self._happen(machine.Offered(found))
        self._asked_for = wanted
        poll_s = min(self.room.poll_s, COMMANDED_AGAIN_S) if wanted else self.room.poll_s
        wait_s = min(ASK_AGAIN_MAX_S, poll_s * 2 ** min(self._refusals, DOUBLED_MAX))
        self._due_ms = self._clock_ms() + int(wait_s * 1_000)
        if self._wanted != wanted:
            self._due_ms = 0  # another was commanded meanwhile

    def _happen(self, event: machine.Event) -> None:
        before = self.state
        self.state, effects = machine.step(self.state, event)
        if self.state != before:
            log.info("updates.state", state=type(self.state).__name__, after=type(event).__name__)
        if isinstance(event, machine.Refused):
            self._refusals += 1
            log.warning("updates.refused", why=event.refusal.why, says=event.refusal.text.en)
        for effect in effects:
            match effect:
                case Fetch(release):
                    self._happen(self._fetch(release))
                case Examine(release):
                    self._happen(self._examine(release))
                case Remember(release, refusal):
                    self.slots.remember(release, refusal)
                case Leave(release):
                    self.slots.arm(release)
                    self._leave()

    def _fetch(self, release: machine.Release) -> machine.Event:
        if self.slots.holds(release):
            return machine.Fetched()
        need = FREE_BYTES_MIN + UNPACKED_TIMES * release.length
        if shutil.disk_usage(self.room.root).free < need:
            return machine.Refused(Refusal(Why.NO_ROOM, f"{need // 1_000_000} MB"))
        found = self._trust.bring(release)
        return machine.Refused(found) if isinstance(found, Refusal) else machine.Fetched()

    def _examine(self, release: machine.Release) -> machine.Event:
        part = self.room.root / "downloads" / f"{release.sha256}.part"
        try:
            slot = self.slots.stage(part, release)
        except ArchiveWrong as wrong:
            return machine.Refused(Refusal(Why.DAMAGED, str(wrong)), lasting=True)
        except OSError as full:
            return machine.Refused(Refusal(Why.NO_ROOM, full.strerror or ""))
        part.unlink(missing_ok=True)
        wrong_answer = examine(self.slots.lib(slot))
        return machine.Refused(wrong_answer, lasting=True) if wrong_answer else machine.Passed()

    # the till's thread

    def _look(self, runtime: Runtime) -> None:
        if not self._moving.acquire(blocking=False):
            return
        try:
            if isinstance(self.state, machine.Waiting) and self._may_take(self.state.release.version):
                blockers = blocked_by(self._now(runtime), quiet_ms=int(self.room.quiet_s * 1_000))
                if blockers or self.on_leave(runtime, self.state.release.version):
                    self._happen(machine.Looked(blockers))
        except (OSError, ArchiveWrong) as full:
            # What could not be put on the disk has not happened: this box sells on, and asks again later.
            self.state = machine.Steady(Refusal(Why.NO_ROOM, str(full)))
        finally:
            self._moving.release()

    def _now(self, runtime: Runtime) -> Now:
        till, journal = runtime.till, runtime.journal
        seen = (type(till.phase).__name__, journal.position)
        if seen != self._seen or seen[0] != "Idle":
            self._busy_ms = self._clock_ms()
        self._seen = seen
        pending = journal.position - journal.settled_through
        now = Now(
            phase=seen[0],
            quiet_ms=self._clock_ms() - self._busy_ms,
            payment_open=till.past.payment is not None,
            pending=pending,
            redemption_ms=None,
            line_up=till.line_up,
            clock_known=runtime.belief.anchor is not None,
            free_bytes=runtime.parts.free_bytes(),
            papers_unanswered=self._papers_unanswered(),
        )
        return replace(now, redemption_ms=_redemption_ms(runtime)) if pending else now


def _redemption_ms(runtime: Runtime) -> int | None:
    """How long the oldest redemption that the core lacks has been here, by what this box knows of the time."""
    now_ms = runtime.belief.at(runtime.parts.clock.boot_ms()).lo_ms
    for entry in runtime.journal.pending(runtime.journal.settled_through, REDEMPTIONS_LOOKED_AT):
        record = json.loads(entry.bytes)
        if record["body"].get("coupon"):
            return max(0, now_ms - int(record["at"][0]))
    return None
