"""The core, wired: line in, one worker that writes, a few callers of the channel, and the way back.

The line's thread only queues. One worker takes what is queued, a batch of records in one transaction, and
acknowledges after the commit. Channel calls block, so they run in a small pool and come back as events.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tillbox.broker.line import Down, Happening, Line, Message, Up
from tillbox.contracts import topics
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.messages import Answer
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason

from .desk import Desk
from .fleet import alerting, late, presence, twin
from .fleet.dispatch import Dispatch
from .fleet.enrolment import Registrar
from .fleet.onlooker import Onlooker
from .fleet.shells import Shells
from .fleet.warden import Warden
from .ingest import Arrived, Ingest
from .intake import Intake
from .payments import cashier
from .payments.cashier import Call, Todo
from .payments.channels.port import Channel, Outcome
from .payments.machine import Event, ReverseAnswered, Schedule, Told
from .store import notes
from .store.database import Database
from .store.ledger import Ledger

log = structlog.get_logger(__name__)

BATCH_MAX = 200  # messages in one transaction: some 10,000 records, below a second on a slow disk
CALLERS = (
    8  # the channel answers in 1 s or hangs for 10; eight keep 40 payments a minute going in the worst case
)
LOOK_S = 1.0
DUE_MS = 200  # how often it is looked what is due by the clock: not with every batch of a busy core
HANGS_MS = 60_000  # a batch takes a second and a look at a slow store ten; a minute is neither

SUBSCRIPTIONS = (
    (topics.ALL_RECORDS, 1),
    (topics.ALL_ASKS, 1),
    (topics.ALL_STATES, 1),
    (topics.ALL_TELEMETRY, 0),
    (topics.ALL_LATE, 1),
    (topics.ALL_ALERTS, 1),
    (topics.ALL_LIVE, 0),
    (topics.ALL_SHELLS, 0),
    (topics.BROKER_DROPS, 0),
)
CLAIM_SUBSCRIPTIONS = ((topics.ALL_ENROLMENTS, 1), (topics.ALL_LATE, 1))
ASKERS_MAX = 64  # who comes to the door for claims and finds so many waiting asks again in two seconds
ASKERS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Called:
    """A channel call came back."""

    call: Call
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Notified:
    """The channel told us something of an attempt, unasked. Its signature has been verified."""

    attempt: str
    event: Event
    amount: int
    """What it says was moved. A word about another sum is no news of this payment."""
    taken: Future[bool] = field(default_factory=Future, compare=False)
    """True once it is in the store, False where it could not be put there: then it must be said again."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Somebody stands at the door for claims: it is looked there every round, and this makes the next one come at once."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Finish what waits, and end."""


_News = _Called | Notified | _Asked | _Stop
_Item = Message | _News


class Core:
    """One running core."""

    def __init__(
        self,
        *,
        database: Database,
        line: Line,
        channel: Channel,
        schedule: Schedule,
        now_ms: Callable[[], int],
        chance: Callable[[int], bytes],
        on_change: Callable[[], None] = lambda: None,
        alive: Callable[[], None] = lambda: None,
        claims: Line | None = None,
        registrar: Registrar | None = None,
        warden: Warden | None = None,
        dispatch: Dispatch | None = None,
        console_url: str = "",
        on_alert: Callable[[], None] = lambda: None,
        onlooker: Onlooker | None = None,
        shells: Shells | None = None,
    ) -> None:
        self.database, self.line, self.channel, self.schedule = database, line, channel, schedule
        self.ingest = Ingest(database, schedule)
        self._desk = Desk(database, schedule, console_url=console_url)
        self._now_ms, self._chance, self._on_change, self._alive = now_ms, chance, on_change, alive
        self._claims, self._registrar, self._warden = claims, registrar, warden
        self._askers: deque[Message] = deque(maxlen=ASKERS_MAX)
        self._dispatch = dispatch
        self._on_alert, self._onlooker, self._shells = on_alert, onlooker, shells
        self._turned_ms = now_ms()
        self._intake: Intake[_News] = Intake(self._let_go)
        self._pool = ThreadPoolExecutor(CALLERS, thread_name_prefix="channel")
        self._codes: dict[str, str] = {}
        self._worker = threading.Thread(target=self._work, name="core", daemon=True)
        self._listening, self._is_up = presence.Listening(), False
        self._gone_ms = self._looked_ms = 0
        self._afresh = twin.Afresh()
        self._dropped = 0
        self._watch = alerting.Watch()

    def start(self) -> None:
        """Go to work."""
        self._worker.start()
        if self._shells is not None:
            self._shells.start()
        self.line.start(self._hear)
        if self._claims is not None:
            self._claims.start(self._ask_heard)
        for beside in (self._warden, self._onlooker):
            if beside is not None:
                beside.start()

    def stop(self) -> None:
        """Finish what is queued and end."""
        for beside in (self._warden, self._onlooker, self._shells):
            if beside is not None:
                beside.stop()
        self.line.stop()
        if self._claims is not None:
            self._claims.stop()
        self._intake.tell(_Stop())
        self._worker.join(10.0)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def notified(self, notified: Notified) -> Future[bool]:
        """Hand in what the channel said unasked. It must hear nothing good before the answer is True: nobody
        may ever ask for this payment again."""
        self._intake.tell(notified)
        return notified.taken

    def fleet_changed(self) -> None:
        """Somebody did something to the fleet: look at once at what follows."""
        if self._warden is not None:
            self._warden.wake()
        if self._onlooker is not None:
            self._onlooker.look_again()
        self._on_change()

    @property
    def hangs(self) -> bool:
        """Whether the worker has not come round for so long that it will not any more."""
        return self._now_ms() - self._turned_ms > HANGS_MS

    def _ask_heard(self, happening: Happening) -> None:
        """On the claims' own line: a strangers' door has a queue of its own, and keeps no box waiting."""
        if isinstance(happening, Message):
            self._askers.append(happening)
            if len(self._askers) == 1:
                self._intake.tell(_Asked())

    def _hear(self, happening: Happening) -> None:
        """On the line's thread: keep it, or let it go and say so. Nothing is lost: its owner sends again."""
        if isinstance(happening, (Up, Down)):
            self._is_up = isinstance(happening, Up)
        if isinstance(happening, Message) and _sender(happening, "lv"):
            if self._onlooker is not None:
                self._onlooker.hear(happening)
        elif isinstance(happening, Message) and _sender(happening, "sh"):
            if self._shells is not None:
                self._shells.hear(happening)  # what a shell shows waits for no sale, and keeps none waiting
        elif isinstance(happening, Message) and not self._intake.put(happening):
            self._dropped += 1
            if self._dropped % 1_000 == 1:
                hint = "boxes will send again; is the disk slow, or does a box say too much?"
                log.warning("core.let_go", topic=happening.topic, dropped=self._dropped, hint=hint)

    def _let_go(self, message: Message) -> None:
        self.line.acknowledge(message.token)

    def _work(self) -> None:
        while True:
            items = self._intake.take(BATCH_MAX, LOOK_S)
            self._try([item for item in items if not isinstance(item, _Stop)])
            for item in items:
                # Also what failed: a broker that waits for twenty of these sends no more, and with a clean
                # start it never repeats them. The promise is our own ack; without it the box sends again.
                if isinstance(item, Message):
                    self.line.acknowledge(item.token)
            self._turned_ms = self._now_ms()
            self._alive()
            if any(isinstance(item, _Stop) for item in items):
                return

    def _try(self, items: Sequence[_Item]) -> None:
        """Rolled back, and nothing of it answered, where it fails. Then one by one: what is poison harms only
        itself, unless the store is away and every one of them would wait for it."""
        try:
            self._handle(items)
        except Exception as fault:
            away = isinstance(fault, OperationalError) and not self._store_answers()
            if away:
                log.warning("core.store_away", messages=len(items), hint="boxes will send again")
            else:
                log.exception("core.batch_failed", messages=len(items))
            for item in items if len(items) > 1 and not away else []:
                self._try([item])
            if len(items) == 1 or away:
                _answer_taken(items, taken=False)
        else:
            _answer_taken(items, taken=True)

    def _store_answers(self) -> bool:
        try:
            with self.database.writing() as connection:
                connection.execute(select(1))
        except OperationalError:
            return False
        return True

    def _handle(self, items: Sequence[_Item]) -> None:
        messages = [item for item in items if isinstance(item, Message)]
        records = [(item, device) for item in messages if (device := _sender(item, "tx"))]
        hellos = [(item, device) for item in messages if (device := _sender(item, "hello"))]
        if records:
            self._records(records)
        if hellos:
            self._greet(hellos)
        for item in items:
            if isinstance(item, Message):
                self._question(item)
            elif isinstance(item, _Called):
                self._called(item)
            elif isinstance(item, Notified):
                self._notified(item)
        self._at_the_door()
        self._presence(messages)
        self._alerts(messages)
        self._do_what_is_due()
        if items:
            self._on_change()

    def _records(self, messages: list[tuple[Message, str]]) -> None:
        arrived = [Arrived(device, message.payload) for message, device in messages]
        for device, ack in self.ingest.take(arrived, self._now_ms()):
            # At QoS 0: a box whose ack was lost sends again, and hears the next one. At QoS 1 a core that answers ten
            # thousand boxes waits for as many acknowledgements of its acknowledgements.
            payload = ack.model_dump_json(exclude_none=True).encode()
            self.line.publish(topics.ack_down(device), payload, qos=0)

    def _at_the_door(self) -> None:
        """The first who wait there; the others after what came meanwhile, so that a crowd of strangers keeps no shop waiting.
        What one of them breaks is his own."""
        for _ in range(ASKERS_AT_ONCE):
            if not self._askers or self._claims is None or self._registrar is None:
                return
            message = self._askers.popleft()
            nonce = topics.nonce_of(message.topic)
            if nonce is None:
                continue
            try:
                if message.topic == topics.late_up(nonce):
                    self._late(self._claims, nonce, message)
                else:
                    self._enrol(self._claims, nonce, self._registrar, message)
            except Exception:
                log.exception("core.asker_failed", hint="it asks again")
        if self._askers:
            self._intake.tell(_Asked())

    def _late(self, line: Line, nonce: str, message: Message) -> None:
        """Records by another hand; the answers go to that hand."""
        with self.database.writing() as connection:
            found = late.arrived(connection, message.payload)
            if isinstance(found, Reason):
                notes.count_refused(connection, "", found, nonce.encode(), self._now_ms())
                return
        for __, ack in self.ingest.take([found], self._now_ms()):
            line.publish(topics.enrol_down(nonce), ack.model_dump_json(exclude_none=True).encode())

    def _enrol(self, line: Line, nonce: str, registrar: Registrar, message: Message) -> None:
        answer = registrar.answer(message.payload, now_ms=self._now_ms())
        payload = answer.model_dump_json(exclude_none=True).encode()
        line.publish(topics.enrol_down(nonce), payload, correlation=message.correlation)
        if self._warden is not None and answer.certificate is not None:
            self._warden.wake()  # it may have taken the place of another box

    def _greet(self, hellos: list[tuple[Message, str]]) -> None:
        said = [(device, message.payload) for message, device in hellos]
        answers = self._desk.greet(said, now_ms=self._now_ms())
        for (message, device), answer in zip(hellos, answers, strict=True):
            if answer is not None:
                self._answer(device, "hello", answer.model_dump(mode="json"), message.correlation)

    def _question(self, message: Message) -> None:
        nonce = topics.nonce_of(message.topic)
        if nonce is not None and message.topic == topics.late_up(nonce):
            self._late(self.line, nonce, message)  # a box carries what it read off another's screen
        device, name = topics.device_of(message.topic), topics.ask_name_of(message.topic)
        if device is not None and name not in (None, "hello"):
            self._ask(device, name, message)

    def _presence(self, messages: Sequence[Message]) -> None:
        """Who is there, in one transaction."""
        words = [
            presence.Word(device, message.topic, message.payload)
            for message in messages
            if (device := topics.device_of(message.topic)) is not None
        ]
        now_ms = self._now_ms()
        look = self._listening.may_look(now_ms, up=self._is_up)
        over = not 0 <= now_ms - self._gone_ms < presence.LOOK_MS  # a clock may be set back
        if words or look or over:
            with self.database.writing() as connection:
                presence.take(connection, words, now_ms=now_ms)
                twin.take(connection, words, now_ms=now_ms)
                lost = presence.silent(connection, now_ms=now_ms) if look else 0
                gone = presence.gone(connection, now_ms=now_ms) if over else 0
            self._gone_ms = now_ms if over else self._gone_ms
            if gone:
                self._on_change()
            if over:
                self._send_settings(now_ms)
            if lost:
                hint = "their broker died with them, or their words do not come through"
                log.warning("boxes.silent", boxes=lost, hint=hint)
                self._on_change()

    def _send_settings(self, now_ms: int) -> None:
        """Bring boxes to the settings that they should have."""
        if self._registrar is None:
            return
        with self.database.writing() as connection:
            self._afresh.look(connection, self._registrar.key, now_ms=now_ms)
            sends = twin.due(connection, now_ms=now_ms)
        for send in sends:
            self.line.publish(topics.desired_down(send.device), send.sealed)

    def _do_what_is_due(self) -> None:
        """By the clock, and not because somebody said something."""
        now_ms = self._now_ms()
        if not 0 <= now_ms - self._looked_ms < DUE_MS:
            self._looked_ms = now_ms
            self._look()
            self._command(now_ms)

    def _command(self, now_ms: int) -> None:
        """What head office wants of boxes, on its way; what the line does not take goes with the next round."""
        if self._dispatch is None:
            return
        try:
            going = self._dispatch.turn(now_ms)
        except Exception:
            # No command is worth a record that is not taken in.
            log.exception("commands.failed", hint="they are tried again with the next round")
            return
        for device, sealed in going:
            self.line.publish(topics.command_down(device), sealed)

    def _alerts(self, messages: Sequence[Message]) -> None:
        """What boxes say is open, and now and then what only the core can see."""
        now_ms = self._now_ms()
        said = [
            (device, message.payload)
            for message in messages
            if (device := topics.device_of(message.topic)) and message.topic == topics.alerts_up(device)
        ]
        for message in messages:
            if message.topic == topics.BROKER_DROPS:
                self._watch.dropped(message.payload, now_ms=now_ms)
        due = self._watch.is_due(now_ms)
        if said or due:
            with self.database.writing() as connection:
                news = alerting.take(connection, said, now_ms=now_ms)
                seen = due and self._watch.look(connection, now_ms=now_ms)
            if news or seen:
                self._on_alert()

    def _ask(self, device: str, name: str, message: Message) -> None:
        now_ms = self._now_ms()
        fresh = uuid7(now_ms, self._chance(CHANCE_BYTES))
        answered = self._desk.answer(device, name, message.payload, now_ms=now_ms, fresh_id=fresh)
        if answered.answer is not None:
            body = answered.answer.model_dump(mode="json", exclude_none=True)
            self._answer(device, name, body, message.correlation)
        for call in answered.todo.calls:
            self._codes[call.attempt] = answered.code
        self._do(answered.todo)

    def _called(self, called: _Called) -> None:
        call = called.call
        if call.verb == "refund":
            with self.database.writing() as connection:
                ledger = Ledger(connection, self._now_ms())
                cashier.refund_told(connection, ledger, call.refund_no, called.outcome, now_ms=self._now_ms())
                ledger.flush()
            return
        event = ReverseAnswered(called.outcome) if call.verb == "reverse" else Told(called.outcome)
        self._told(call.attempt, event)

    def _notified(self, notified: Notified) -> None:
        with self.database.reading() as connection:
            asked = cashier.amount_of(connection, notified.attempt)
        if asked == notified.amount:
            self._told(notified.attempt, notified.event)
        else:
            log.warning(
                "channel.other_amount", attempt=notified.attempt, asked=asked, told=notified.amount,
                hint="the word was not taken; the payment is asked for when it is due",
            )  # fmt: skip

    def _told(self, attempt: str, event: Event) -> None:
        with self.database.writing() as connection:
            ledger = Ledger(connection, self._now_ms())
            todo = cashier.told(
                connection, ledger, attempt, event, now_ms=self._now_ms(), schedule=self.schedule
            )
            ledger.flush()
        self._do(todo)

    def _look(self) -> None:
        with self.database.writing() as connection:
            ledger = Ledger(connection, self._now_ms())
            todo = cashier.due(connection, ledger, now_ms=self._now_ms(), schedule=self.schedule)
            ledger.flush()
        self._do(todo)

    def _do(self, todo: Todo) -> None:
        for news in todo.news:
            self._answer(
                news.device, "pay_status", news.answer.model_dump(mode="json", exclude_none=True), b""
            )
        for call in todo.calls:
            self._pool.submit(self._call, call, self._codes.pop(call.attempt, ""))

    def _call(self, call: Call, code: str) -> None:
        amount = Amount(call.amount, CNY)
        try:
            answer = _ask_channel(self.channel, call, code, amount)
        except Exception:
            log.exception("channel.call_failed", verb=call.verb, attempt=call.attempt)
            answer = Outcome.UNKNOWN
        self._intake.tell(_Called(call, answer))

    def _answer(self, device: str, name: str, body: dict[str, object], correlation: bytes) -> None:
        payload = Answer.model_validate({"name": name, "body": body}).model_dump_json().encode()
        self.line.publish(topics.answer_down(device), payload, correlation=correlation)


def _answer_taken(items: Sequence[_Item], *, taken: bool) -> None:
    for item in items:
        if isinstance(item, Notified) and not item.taken.done():
            item.taken.set_result(taken)


def _ask_channel(channel: Channel, call: Call, code: str, amount: Amount) -> Outcome:
    match call.verb:
        case "pay":
            subject = f"sale {call.attempt[-8:]}"
            return channel.pay(
                attempt_no=call.attempt, auth_code=code, amount=amount, subject=subject
            ).outcome
        case "query":
            return channel.query(attempt_no=call.attempt).outcome
        case "reverse":
            return channel.reverse(attempt_no=call.attempt).outcome
        case "refund":
            return channel.refund(attempt_no=call.attempt, refund_no=call.refund_no, amount=amount).outcome


def _sender(message: Message, ending: str) -> str | None:
    """The device of a message on a topic of that ending, or None."""
    return topics.device_of(message.topic) if message.topic.rpartition("/")[2] == ending else None
