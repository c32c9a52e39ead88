"""Hears what head office commands, sees that it is recorded before it is done, and carries it out.

On the till's thread it judges and records; on a thread of its own it does what takes time. What was under way when the
power went is ended honestly at the next boot, by what the journal says.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import structlog

from tillbox.agent.app import Box
from tillbox.agent.outcomes import Move, Outcome
from tillbox.agent.past import Commanded
from tillbox.agent.runtime import Runtime
from tillbox.agent.shell.room import ShellRoom
from tillbox.agent.till import CommandMoved, ReprintPressed
from tillbox.agent.updates.gate import Now
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.commands import ENDS, Command, Reprint, State, Verb, Watch, open_command, params_of
from tillbox.contracts.messages import CommandState, canonical
from tillbox.contracts.verdicts import Refused

from .doing import SLOW, Errand
from .judging import judge, judge_update
from .lately import Lately
from .live import LiveRoom

LOOK_S = 0.5
HELD_MAX = 16  # commands that wait for a customer to leave; what is more the core says again

log = structlog.get_logger(__name__)


class ErrandRoom:
    """The commands of one box."""

    def __init__(
        self,
        box: Box,
        *,
        keys: Mapping[bytes, Sequence[bytes]],
        epoch: Callable[[], int],
        lately: Lately,
        live: LiveRoom,
        slow: Mapping[Verb, Callable[[Errand], Outcome]] = SLOW,
        shells: ShellRoom | None = None,
    ) -> None:
        self._box, self._keys, self._epoch, self._lately, self._live = box, keys, epoch, lately, live
        self._slow = slow
        self._shells = box.shells = shells
        self._held: dict[str, Command] = {}
        self._owed: deque[CommandState] = deque()
        self._draining: set[str] = set()
        self._trying: dict[str, str] = {}
        """Commands whose release is on trial, and which it is."""
        self._busy: set[str] = set()
        self._errands: queue.Queue[tuple[Verb, Errand]] = queue.Queue(1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="errands", daemon=True)
        box.on_boot, box.on_command = self.boot, self.hear
        if box.updates:
            box.updates.on_leave = self._leave_for

    def start(self) -> None:
        """Go to work."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; an errand that is under way is left to itself."""
        self._ended.set()

    # the till's thread

    def boot(self, runtime: Runtime) -> None:
        """What the journal says was under way is not any more."""
        for command, known in runtime.till.past.commands.items():
            under_way = command in self._busy or (self._shells is not None and self._shells.is_open(command))
            if known.state == State.EXECUTING and not under_way:
                self._resume(command, known)

    def _resume(self, command: str, known: Commanded) -> None:
        verb = known.verb
        if verb == Verb.DRAIN:
            self._draining.add(command)
        elif verb == Verb.UPDATE:
            self._trying[command] = known.reason
        elif verb in _AT_ONCE:
            self._owe(command, verb, Outcome(State.SUCCESSFUL))
        else:
            why = "interrupted: the box started anew meanwhile. Send it again."
            self._owe(command, verb, Outcome(State.FAILED, why))

    def hear(self, runtime: Runtime, payload: bytes) -> None:
        """A command as the line brought it: whose, and new?"""
        text = payload.decode("utf-8", "replace")
        found = open_command(text, keys=self._keys, device=self._box.config.device, epoch=self._epoch())
        if isinstance(found, Refused):
            runtime.refused[found.reason] += 1
            log.warning("command.refused", reason=found.reason)
            return
        known = runtime.till.past.commands.get(found.id)
        if known is not None and known.state not in (State.INIT, State.BLOCKED):
            return  # done, or being done: the core will have our records soon
        if found.id in self._held or len(self._held) >= HELD_MAX:
            return
        if known is None and not self._record(runtime, _said(found.id, found.verb, Outcome(State.INIT))):
            return
        log.info("command.taken", command=found.id, verb=found.verb)
        self._held[found.id] = found
        self.look(runtime)

    def look(self, runtime: Runtime) -> None:
        """Once: write down what is owed, and begin what can be begun."""
        while self._owed and self._record(runtime, self._owed[0]):
            said = self._owed.popleft()
            if said.state in ENDS:
                self._busy.discard(said.command)
        if self._draining and runtime.journal.position == runtime.journal.settled_through:
            for command in sorted(self._draining):
                self._owe(
                    command, Verb.DRAIN, Outcome(State.SUCCESSFUL, "All that it recorded is with the core.")
                )
            self._draining.clear()
        for command, release in list(self._trying.items()):
            self._tried(command, release)
        for waiting in list(self._held.values()):
            self._try(runtime, waiting)

    def _try(self, runtime: Runtime, command: Command) -> None:
        if self._busy and command.verb in self._slow:
            return
        judged = judge(command, _now(runtime), _now_at(runtime))
        move = self._about_release(command, judged) if command.verb == Verb.UPDATE else judged
        if move is None:
            return
        result = ""
        if command.verb == Verb.SHELL:
            move, result = self._let_in(command, move)
        known = runtime.till.past.commands[command.id]
        if move.state is State.BLOCKED and known.state == State.BLOCKED:
            return  # said once: a busy till would fill its journal with it
        said = Outcome(move.state, move.reason, result)
        if not self._record(runtime, _said(command.id, command.verb, said)):
            return
        log.info("command.moved", command=command.id, verb=command.verb, state=move.state, why=move.reason)
        if move.state is not State.BLOCKED:
            del self._held[command.id]
        if move.state is State.EXECUTING:
            self._begin(runtime, command)

    def _let_in(self, command: Command, move: Move) -> tuple[Move, str]:
        """Whether somebody who wants a shell gets in, and then the box's part of the session's key."""
        if self._shells is None:
            return (move if move.state in ENDS else Move(State.FAILED, "This box has no shell to give.")), ""
        move = self._shells.judge(command, move)
        if move.state is not State.EXECUTING:
            return move, ""
        answer = self._shells.answer(command)
        return (move, answer) if answer else (Move(State.FAILED, "The core's part of the key is none."), "")

    def _about_release(self, command: Command, move: Move) -> Move | None:
        """Releases come one after another; who is not the first waits for nothing but its turn."""
        updates, release = self._box.updates, str(command.params.get("release", ""))
        if move.state is State.EXECUTING:
            first = next(one for one in self._held.values() if one.verb == Verb.UPDATE)
            if first.id != command.id:
                return None
            found = judge_update(release, updates.want(release) if updates else None)
        else:
            found = move
        if updates and found is not None and found.state is not State.BLOCKED:
            updates.forget(release)
        return found

    def _leave_for(self, runtime: Runtime, release: str) -> bool:
        """The box is about to end for a release: write down for whom, if head office commanded it."""
        for command in list(self._held.values()):
            if command.verb == Verb.UPDATE and command.params.get("release") == release:
                if not self._record(
                    runtime, _said(command.id, command.verb, Outcome(State.EXECUTING, release))
                ):
                    return False
                del self._held[command.id]
                self._trying[command.id] = release
        return True

    def _tried(self, command: str, release: str) -> None:
        ended = (
            self._box.updates.tried(release) if self._box.updates else (False, "It takes no releases now.")
        )
        if ended is not None:
            kept, why = ended
            del self._trying[command]
            self._owe(command, Verb.UPDATE, Outcome(State.SUCCESSFUL if kept else State.FAILED, why))

    def _begin(self, runtime: Runtime, command: Command) -> None:
        verb = Verb(command.verb)
        if verb in self._slow:
            self._busy.add(command.id)
            at = _now_at(runtime)
            self._errands.put_nowait((verb, Errand(command.id, self._box, self._lately, at, self._ended)))
        elif verb is Verb.RESTART:
            self._box.restart()  # the next boot says that it went well
        elif verb is Verb.DRAIN:
            self._draining.add(command.id)
        elif verb is Verb.SHELL:
            assert self._shells is not None, "it has let somebody in"
            self._shells.begin(command, lambda ended: self._owe(command.id, verb, ended))
        elif verb is Verb.UPDATE:
            self._owe(command.id, verb, Outcome(State.SUCCESSFUL, "It ran this release already."))
        elif verb is Verb.REPRINT:
            self._owe(command.id, verb, self._reprint(runtime, command))
        elif verb is Verb.WATCH:
            wanted = params_of(verb, command.params)
            assert isinstance(wanted, Watch), "judged before it began"
            self._live.watch(command, wanted, _now_at(runtime))
            self._owe(command.id, verb, Outcome(State.SUCCESSFUL))
        else:
            self._owe(command.id, verb, Outcome(State.SUCCESSFUL))

    def _reprint(self, runtime: Runtime, command: Command) -> Outcome:
        wanted = params_of(command.verb, command.params)
        assert isinstance(wanted, Reprint), "judged before it began"
        past = runtime.till.past
        last = past.last_sale
        own = past.sales.get(wanted.sale) if wanted.sale else last
        if own is None:
            return Outcome(State.FAILED, "This box has no such sale, or had none yet.")
        if self._box.prints is None:
            return Outcome(State.FAILED, "There is no printer.")
        runtime.happen(ReprintPressed(own.id))
        return Outcome(State.SUCCESSFUL, result=canonical({"sale": own.id}).decode())

    def _record(self, runtime: Runtime, said: CommandState) -> bool:
        before = runtime.journal.position
        runtime.happen(CommandMoved(said))
        return runtime.journal.position > before

    def _owe(self, command: str, verb: str, outcome: Outcome) -> None:
        for number, part in enumerate(outcome.parts, start=1):
            self._owed.append(_said(command, verb, Outcome(State.EXECUTING, result=part), number))
        self._owed.append(_said(command, verb, outcome))

    # its own thread

    def _work(self) -> None:
        while not self._ended.is_set():
            self.turn(LOOK_S)

    def turn(self, wait_s: float) -> None:
        """Once: do an errand, if one comes within so long, and have the till look."""
        try:
            verb, errand = self._errands.get(timeout=wait_s)
        except queue.Empty:
            pass
        else:
            self._owe(errand.id, verb, self._done(verb, errand))
        if self._held or self._owed or self._draining or self._trying:
            self._box.work(self.look)

    def _done(self, verb: Verb, errand: Errand) -> Outcome:
        try:
            return self._slow[verb](errand)
        except Exception:
            log.exception("command.failed", command=errand.id, verb=verb)
            return Outcome(State.FAILED, "The box could not do it; its log says why.")


_AT_ONCE = frozenset({Verb.RESTART, Verb.QUARANTINE, Verb.RESUME, Verb.RELEASE})
"""What has happened once the journal says that it began: the till goes by that very record, and a boot is a restart."""


def _said(command: str, verb: str, outcome: Outcome, part: int = 0) -> CommandState:
    return CommandState(
        command=command,
        verb=verb,
        state=outcome.state.value,
        reason=outcome.reason[:160],
        result=outcome.result,
        part=part,
    )


def _now_at(runtime: Runtime) -> TimeInterval:
    return runtime.belief.at(runtime.parts.clock.boot_ms())


def _now(runtime: Runtime) -> Now:
    """How the box is, as far as commands go by it."""
    till, journal = runtime.till, runtime.journal
    return Now(
        phase=type(till.phase).__name__,
        quiet_ms=0,
        payment_open=till.past.payment is not None,
        pending=journal.position - journal.settled_through,
        redemption_ms=None,
        line_up=till.line_up,
        clock_known=runtime.belief.anchor is not None,
        free_bytes=runtime.parts.free_bytes(),
    )
