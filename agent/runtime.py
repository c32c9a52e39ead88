"""The runtime does what the till says, durable things first. It decides nothing.

One inbox, one thread: till events, the line's happenings and ticks come in; journal, line, witness and
hands go out. All records of one step are one commit, before anything else of it. If the commit fails,
the step has not happened: the old till stays, and is told.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median_low
from typing import Any, Protocol

from pydantic import ValidationError

from tillbox.broker import delivery as courier
from tillbox.broker.journal import Draft, Journal, JournalBroken, JournalFull, Opening
from tillbox.broker.line import Down, Happening, Line, Message, Unheard, Up
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.messages import (
    ASK_BODIES,
    BATCH_BYTES_MAX,
    SUM_MAX,
    VERSION,
    Ack,
    Alerts,
    Answer,
    BornAnswer,
    HelloAnswer,
    HelloAsk,
    LeaseAnswer,
    PayAnswer,
    PayAsk,
    PayStatusAsk,
    Promise,
    SlipAnswer,
    Telemetry,
    Wire,
)
from tillbox.contracts.verdicts import Reason, Refused

from . import alerts
from . import till as shop
from .offline import Lease
from .promise import promise
from .tally import Tally

BATCH_RECORDS = 50  # one message of 50 records is some 25 KB; the window is four of them
TELEMETRY_MS = 5_000
TELEMETRY_CALM_MS = 15_000  # where nothing is new; one may get lost before the core takes silence for a loss
TELEMETRY_LATE_MS = 30_000  # telemetry waits for money, but not for ever
ASK_EXPIRES_S = 5  # an older question has lost its asker's patience
ASKS_OPEN_MAX = 64  # correlations remembered; a till asks a handful at a time
LOW_WATER_LOOK_MS = 5_000
WATCH_MS = 1_000  # how often it is looked whether something must be seen to
ALERTS_AGAIN_MS = (
    600_000  # a core that is overrun lets messages go: then it is wrong for ten minutes, and not for ever
)
PROMISE_MS = 10_000  # what a box can still do changes by the hour; this is for the coupon that was just spent
FLUSHES_KEPT = 50  # a busy half hour: a card that was slow yesterday is not slow now
RIGHTS_LOOK_MS = 60_000  # how long a lost answer or a lease that ended may go unseen


class Hands(Protocol):
    """What a person sees and hears. None of these may block the till."""

    def show(self, show: shop.Show) -> None: ...
    def print(self, slip: shop.Slip) -> None: ...
    def kick(self, reason: str) -> None: ...
    def answered(self, answer: BornAnswer | SlipAnswer) -> None: ...
    def desired(self, sealed: bytes) -> None: ...


class Witness(Protocol):
    """A counter outside the journal's medium (a TPM, another disk). None where a box has none."""

    def read(self) -> int | None: ...
    def raise_to(self, count: int) -> None: ...


class Clock(Protocol):
    """Milliseconds since boot: never jumps, never goes back."""

    def boot_ms(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runtime is wired to."""

    device: str
    line: Line
    hands: Hands
    witness: Witness
    clock: Clock
    chance: Callable[[int], bytes]
    free_bytes: Callable[[], int] = lambda: 2**40
    command: Callable[[Runtime, bytes], None] | None = None
    """Takes what head office commands, unread; None for a box that nobody commands."""
    about: Callable[[], alerts.Signs] = alerts.Signs
    """How devices and machine were when they were looked at last. It must not block."""


@dataclass(slots=True)
class _Wait:
    due_ms: int
    of: str


class Runtime:
    """One boot of one box. Use it from one thread."""

    def __init__(
        self,
        parts: Parts,
        journal: Journal,
        opening: Opening,
        till: shop.Till,
        belief: TimeBelief,
        tally: Tally | None = None,
    ) -> None:
        self.parts = parts
        self.journal = journal
        self.till = till
        self.belief = belief
        self.delivery = courier.Delivery(
            committed=journal.position, settled=journal.settled_through, sent=journal.settled_through
        )
        self.refused: Counter[str] = Counter()
        self.broken = False
        self._opening = opening
        self._opened_at = journal.position
        self._asked: dict[bytes, int] = {}
        self._waits: deque[_Wait] = deque(maxlen=ASKS_OPEN_MAX)
        self._telemetry_due_ms = 0
        self._telemetry_said: tuple[int, Telemetry | None] = (0, None)
        self._mend_due_ms = 0
        self._rights_due_ms = parts.clock.boot_ms() + RIGHTS_LOOK_MS
        self._witness_failed = False
        self._tally = tally or tallied(journal)
        self._money_since_ms = parts.clock.boot_ms()
        self._flushes: deque[int] = deque(maxlen=FLUSHES_KEPT)
        self._standings: dict[alerts.Key, alerts.Standing] = {}
        self._watch_due_ms = 0
        self._alerts_said: tuple[object, ...] | None = None
        self._alerts_due_ms = 0
        self._promise: Promise | None = None
        self._promise_due_ms = 0

    def start(self) -> None:
        """What a boot begins with: is the medium as young as the witness remembers?"""
        self.happen(shop.WitnessRead(self.parts.witness.read()))

    def happen(self, event: shop.Event) -> None:
        """One event of the till."""
        till, effects = shop.step(self.till, event, self._moment())
        drafts = tuple(
            draft for effect in effects if isinstance(effect, shop.Record) for draft in effect.drafts
        )
        failed = self._commit(drafts) if drafts else None
        if failed is not None:
            self.happen(shop.JournalFailed(failed))
            return
        self.till = till
        for effect in effects:
            _DO[type(effect)](self, effect)

    def hear(self, happening: Happening) -> None:
        """One thing from the line. Everything in it is untrusted."""
        match happening:
            case Up():
                self._deliver(courier.LineUp())
                self._alerts_said = None
                self.happen(shop.LineChanged(up=True))
            case Down():
                self._deliver(courier.LineDown())
                if self.till.line_up:
                    self.happen(shop.LineChanged(up=False))
            case Unheard(topic=topic):
                if topic == topics.records_up(self.parts.device):
                    self._deliver(courier.Unheard())
            case Message(topic=topic, payload=payload, correlation=correlation):
                self._message(topic, payload, correlation)

    def tick(self) -> None:
        """Time passed: patience, resending, telemetry. Call it a few times a second."""
        now_ms = self.parts.clock.boot_ms()
        for wait in [wait for wait in self._waits if wait.due_ms <= now_ms]:
            self._waits.remove(wait)
            self.happen(shop.PatienceEnded(wait.of))
        self._deliver(courier.Ticked())
        if now_ms >= self._rights_due_ms:
            self._rights_due_ms = now_ms + RIGHTS_LOOK_MS
            self.happen(shop.RightsDue())
        if isinstance(self.till.phase, shop.Stopped) and now_ms >= self._mend_due_ms:
            self._mend_due_ms = now_ms + LOW_WATER_LOOK_MS
            if self.till.phase.reason is Reason.DISK_FULL and self.journal.has_room():
                self.happen(shop.JournalMended())
        if now_ms >= self._watch_due_ms:
            self._watch_due_ms = now_ms + WATCH_MS
            self._watch(now_ms)
        self._report(now_ms)

    # the effects

    def _commit(self, drafts: tuple[Draft, ...]) -> Reason | None:
        begun_ms = self.parts.clock.boot_ms()
        try:
            entries = self.journal.record(drafts)
        except JournalFull:
            return Reason.DISK_FULL
        except JournalBroken:
            self.broken = True
            return Reason.JOURNAL_BROKEN
        self._flushes.append(self.parts.clock.boot_ms() - begun_ms)
        if not self._tally.unsynced_count:
            self._money_since_ms = begun_ms
        for entry in entries:
            self._tally.add(entry, settled_through=self.journal.settled_through)
        self._deliver(courier.Committed(self.journal.position))
        return None

    def _done(self, _: shop.Record) -> None:
        """Committed already, before every other effect."""

    def _witness(self, effect: shop.Witness) -> None:
        try:
            self.parts.witness.raise_to(effect.count)
        except OSError:
            # The sale is recorded and the customer waits for paper. Without its witness the box is as safe as
            # one that has none: from the next boot on the core compares journals before a right is spent.
            if not self._witness_failed:
                self._witness_failed = True
                self._show(shop.Show(Refused(Reason.WITNESS_FAILED)))

    def _ask(self, effect: shop.Ask) -> None:
        self.ask(effect.name, effect.body)

    def _greet(self, _: shop.Greet) -> None:
        opening = self._opening
        self.ask(
            "hello",
            HelloAsk(
                inc=opening.inc,
                prior=opening.prior,
                prior_seq=opening.prior_seq,
                prior_head=opening.prior_head,
            ),
        )

    def ask(self, name: str, body: Wire) -> None:
        """Ask the core; the answer comes back by `hear`, or not at all."""
        correlation = self.parts.chance(16)
        while len(self._asked) >= ASKS_OPEN_MAX:
            del self._asked[next(iter(self._asked))]
        self._asked[correlation] = self.parts.clock.boot_ms()
        if isinstance(body, (PayAsk, PayStatusAsk)):
            body = body.model_copy(update={"inc": self._opening.inc})
        payload = body.model_dump_json(exclude_none=True).encode()
        topic = topics.ask_up(self.parts.device, name)
        self.parts.line.publish(topic, payload, correlation=correlation, expires_s=ASK_EXPIRES_S)

    def _patience(self, effect: shop.Patience) -> None:
        for wait in [wait for wait in self._waits if wait.of == effect.of]:
            self._waits.remove(wait)
        self._waits.append(_Wait(self.parts.clock.boot_ms() + effect.wait_ms, effect.of))

    def _show(self, effect: shop.Show) -> None:
        if isinstance(effect.what, Refused):
            self.refused[effect.what.reason] += 1
        self.parts.hands.show(effect)

    def _print(self, effect: shop.Print) -> None:
        self.parts.hands.print(effect.slip)

    def _kick(self, effect: shop.Kick) -> None:
        self.parts.hands.kick(effect.reason)

    # the line

    def _deliver(self, event: courier.Event) -> None:
        self.delivery, effects = courier.step(self.delivery, event, self.parts.clock.boot_ms())
        for effect in effects:
            match effect:
                case courier.Publish(after=after, through=through):
                    self._publish(after, through)
                case courier.Reconnect():
                    self.parts.line.reconnect()

    def _publish(self, after: int, through: int) -> None:
        """Send records in messages of bounded size, each of one incarnation. What the line does not take is
        sent again when the round is due."""
        topic = topics.records_up(self.parts.device)
        while after < through:
            entries = self.journal.pending(after, min(BATCH_RECORDS, through - after))
            size, lines = 0, []
            for entry in entries:
                size += len(entry.bytes) + 1
                if size > BATCH_BYTES_MAX:
                    break
                lines.append(entry.bytes)
            if not lines or not self.parts.line.publish(topic, b"\n".join(lines)):
                return
            after += len(lines)

    def _message(self, topic: str, payload: bytes, correlation: bytes) -> None:
        if topic == topics.desired_down(self.parts.device):
            self.parts.hands.desired(payload)
            return
        if self.parts.command is not None and topic == topics.command_down(self.parts.device):
            self.parts.command(self, payload)
            return
        found = self._understood(topic, payload)
        if isinstance(found, Reason):
            self.refused[found] += 1
        elif isinstance(found, Ack):
            self._acked(found)
        else:
            self._answered(found, correlation)

    def _understood(self, topic: str, payload: bytes) -> Ack | Wire | Reason:
        try:
            if topic == topics.ack_down(self.parts.device):
                ack = Ack.model_validate_json(payload)
                return ack if ack.v <= VERSION else Reason.FUTURE_VERSION
            if topic == topics.answer_down(self.parts.device):
                answer = Answer.model_validate_json(payload)
                return ASK_BODIES[answer.name][1].model_validate(answer.body)
        except ValidationError:
            return Reason.NOT_UNDERSTOOD
        return Reason.FOREIGN_DEVICE

    def _acked(self, ack: Ack) -> None:
        before = self.journal.settled_through
        try:
            through = self.journal.settle(ack)
        except JournalFull:
            return  # settling waits for room; the core will say it again
        except JournalBroken:
            self.broken = True
            self.happen(shop.JournalFailed(Reason.JOURNAL_BROKEN))
            return
        if through < before:
            self.refused[Reason.SEQUENCE_GAP] += 1
            self._tally = tallied(self.journal)
            self._deliver(courier.Forgotten(through))
        if through != before:
            self._tally.settled(through)
            self._money_since_ms = self.parts.clock.boot_ms()
        self._deliver(courier.Settled(through, ack.credit))
        if before < self._opened_at <= through:
            self.happen(shop.OpeningSettled())

    def _answered(self, body: Wire, correlation: bytes) -> None:
        asked_ms = self._asked.get(correlation)
        match body:
            case HelloAnswer():
                if asked_ms is not None:
                    now_ms = self.parts.clock.boot_ms()
                    self.belief = self.belief.told(
                        body.core_ms, asked_boot_ms=asked_ms, answered_boot_ms=now_ms
                    )
                    self.happen(shop.HelloAnswered(body.standing))
            case PayAnswer():
                # A late answer to an earlier boot may tell a past that this medium has never lived through.
                if body.inc == self._opening.inc:
                    self.happen(shop.PaymentTold(body.attempt, body.state))
            case LeaseAnswer():
                self.happen(_lease_event(body))
            case BornAnswer() | SlipAnswer():
                self.parts.hands.answered(body)

    def _report(self, now_ms: int) -> None:
        if now_ms < self._telemetry_due_ms or not self.till.line_up:
            return
        busy = self.delivery.phase is courier.Phase.SENDING
        if busy and now_ms < self._telemetry_due_ms + TELEMETRY_LATE_MS:
            return
        self._telemetry_due_ms = now_ms + TELEMETRY_MS
        said = self.telemetry()
        gist = said.model_copy(update=dict.fromkeys(TREMBLING))
        then_ms, before = self._telemetry_said
        if gist == before and now_ms < then_ms + TELEMETRY_CALM_MS:
            return
        payload = said.model_dump_json(exclude_none=True).encode()
        if self.parts.line.publish(topics.telemetry_up(self.parts.device), payload, qos=0):
            self._telemetry_said = now_ms, gist

    def spare(self, topic: str, payload: bytes) -> bool:
        """Say what nobody depends on, now or not at all: not while records wait for the core, nor while anything else is
        under way on the line."""
        behind = self.journal.position != self.journal.settled_through
        if behind or not self.till.line_up:
            return False
        return self.parts.line.publish(topic, payload, qos=0, spare=True)

    def telemetry(self) -> Telemetry:
        """How the box is doing, as the core and the screen see it."""
        pending = self.journal.position - self.journal.settled_through
        oldest = self.journal.oldest_pending_ms() if pending else None
        about = self.parts.about()
        at = self.belief.at(self.parts.clock.boot_ms())
        return Telemetry(
            inc=self.journal.incarnation,
            seq=self.journal.seq,
            head=self.journal.head,
            pending=pending,
            oldest_pending_ms=oldest,
            free_bytes=min(2**48, self.parts.free_bytes()),
            refused=dict(self.refused),
            printer=about.printer or "",
            unsynced_sales=self._tally.unsynced_count,
            unsynced=min(SUM_MAX, self._tally.unsynced),
            oldest_money_ms=self._tally.oldest_money_ms,
            peripherals={
                name[:32]: one.state for name, one in list(about.devices.items())[:DEVICES_TOLD_MAX]
            },
            flush_ms=(median_low(self._flushes), max(self._flushes)) if self._flushes else None,
            clock_width_ms=at.hi_ms - at.lo_ms if at.is_known else None,
            vitals=about.vitals,
            promise=self.promise(),
            alerts=len(self.open_alerts()),
            updates=about.updates,
        )

    # what must be seen to

    def open_alerts(self) -> tuple[alerts.Key, ...]:
        """What is open, by kind and device."""
        return tuple(key for key, one in self._standings.items() if one.open)

    def promise(self) -> Promise:
        """What the box can still do without the core."""
        now_ms = self.parts.clock.boot_ms()
        if self._promise is None or now_ms >= self._promise_due_ms:
            self._promise_due_ms = now_ms + PROMISE_MS
            self._promise = promise(
                free_bytes=self.parts.free_bytes(),
                bytes_by_day=self._tally.bytes_by_day,
                leases=self.till.past.leases.values(),
                sales=self.till.past.sales.values(),
                live=self.till.rights is shop.Rights.LIVE,
                at=self.belief.at(now_ms),
            )
        return self._promise

    def money_age_ms(self) -> int | None:
        """For how long at least the oldest sale has waited for the core; None where none waits. A sale from before the hour
        was known has waited since it was made or since the boot."""
        if not self._tally.unsynced_count:
            return None
        now_ms, made_ms = self.parts.clock.boot_ms(), self._tally.oldest_money_ms
        at = self.belief.at(now_ms)
        told_ms = at.lo_ms - made_ms if at.is_known and made_ms is not None else 0
        return max(told_ms, now_ms - self._money_since_ms, 0)

    def _watch(self, now_ms: int) -> None:
        """Look at everything once; what changed is said, and all of it after each time the line was down."""
        self._standings = alerts.step(self._standings, self._signs(), now_ms)
        gist = (self.belief.anchor is not None, *self.open_alerts())
        said = gist == self._alerts_said and now_ms < self._alerts_due_ms
        if said or not self.till.line_up:
            return
        told = alerts.told(self._standings, lambda boot_ms: self.belief.at(boot_ms).lo_ms)
        payload = Alerts(inc=self.journal.incarnation, open=told).model_dump_json().encode()
        if self.parts.line.publish(topics.alerts_up(self.parts.device), payload, retain=True):
            self._alerts_said, self._alerts_due_ms = gist, now_ms + ALERTS_AGAIN_MS

    def _signs(self) -> alerts.Signs:
        phase = self.till.phase
        return replace(
            self.parts.about(),
            free_bytes=self.parts.free_bytes(),
            flush_ms=median_low(self._flushes) if self._flushes else None,
            clock_known=self.belief.anchor is not None,
            stopped=str(phase.reason) if isinstance(phase, shop.Stopped) else "",
            money_age_ms=self.money_age_ms() or 0,
        )

    def _moment(self) -> shop.Moment:
        boot_ms = self.parts.clock.boot_ms()
        at = self.belief.at(boot_ms)
        fresh = tuple(uuid7(at.lo_ms, self.parts.chance(CHANCE_BYTES)) for _ in range(shop.IDS_PER_STEP))
        return shop.Moment(at, boot_ms, fresh)


TREMBLING = ("free_bytes", "flush_ms", "clock_width_ms", "vitals", "promise")
"""What is never the same twice: no news by itself."""

DEVICES_TOLD_MAX = 16


def tallied(journal: Journal) -> Tally:
    """The sums of a journal as it stands."""
    tally, through = Tally(), journal.settled_through
    for entry in journal.entries():
        tally.add(entry, settled_through=through)
    return tally


def _lease_event(body: LeaseAnswer) -> shop.RightGranted | shop.RightRefused:
    if body.lease is None or body.first is None or body.last is None or body.template is None:
        reason = body.refused if body.refused in set(Reason) else Reason.NOT_UNDERSTOOD
        return shop.RightRefused(body.request, Reason(reason))
    lease = Lease(body.lease, body.template, body.first, body.last, frozenset(body.spent), body.expires_ms)
    return shop.RightGranted(body.request, lease)


_DO: dict[type, Callable[[Runtime, Any], None]] = {
    shop.Record: Runtime._done,
    shop.Witness: Runtime._witness,
    shop.Ask: Runtime._ask,
    shop.Greet: Runtime._greet,
    shop.Patience: Runtime._patience,
    shop.Show: Runtime._show,
    shop.Print: Runtime._print,
    shop.Kick: Runtime._kick,
}
