"""The machines of a simulated town: boxes and a core, each real code on a disk that may lose power."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from random import Random
from typing import Any

from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from tillbox.agent import till as shop
from tillbox.agent.papers import signed_code
from tillbox.agent.past import recall
from tillbox.agent.provisioning.late import LateLine
from tillbox.agent.runtime import Parts, Runtime
from tillbox.agent.words import Word
from tillbox.broker.journal import JournalBroken, JournalFull, open_journal
from tillbox.broker.line import Down, Happening, Line, Message
from tillbox.broker.memory import MemoryBroker, MemoryLine
from tillbox.cloud_bridge.complaints import Counts
from tillbox.cloud_bridge.desk import Desk
from tillbox.cloud_bridge.fleet import acts, alerting, late, presence
from tillbox.cloud_bridge.fleet.dispatch import Dispatch
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments import cashier
from tillbox.cloud_bridge.payments.cashier import Call, Todo
from tillbox.cloud_bridge.payments.machine import ReverseAnswered, Schedule, Told
from tillbox.cloud_bridge.store import coupons, registry, tables
from tillbox.cloud_bridge.store.commands import Pace
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeBelief
from tillbox.contracts.ids import CHANCE_BYTES, INCARNATION_BYTES, uuid7
from tillbox.contracts.messages import (
    Answer,
    BornAnswer,
    CommandState,
    PaymentAsked,
    PaymentEnded,
    Refund,
    SlipAnswer,
    Void,
)
from tillbox.contracts.verdicts import Reason, Refused

from .agenda import Agenda
from .checkers import Paper
from .crash import dbapi
from .crash.connection import CrashMedium, open_apsw
from .crash.disk import CrashDisk, PowerCut
from .crash.vfs import CrashVfs
from .keys import FLEET_KEY, BoxKey
from .program import Program, said
from .wallet import Wallet

EPOCH_MS = 1_790_000_000_000
"""The virtual town's zero hour, in September 2026."""

SCHEDULE = Schedule(query_ms=1_000, window_ms=8_000, reverse_floor_ms=3_000, reverse_again_ms=1_000,
                    reverse_again_max_ms=8_000)  # fmt: skip
CORE = "core"
HEARD = ((topics.ALL_RECORDS, 1), (topics.ALL_ASKS, 1), (topics.ALL_STATES, 1), (topics.ALL_TELEMETRY, 0),
         (topics.ALL_ALERTS, 1), (topics.ALL_LATE, 1))  # fmt: skip
PACE = Pace(again_ms=1_000, again_max_ms=8_000, grace_ms=3_000)
FLEET = acts.Fleet(FLEET_KEY, "town", "broker", 1, sale_max=0, total_max=0, schedule=SCHEDULE)
TICK_MS = 400
WORK_MS = 120
LOOK_MS = 2_000  # at payments each time; at boxes and at commands by turns


class BoxNode:
    """One box: its disk, its witness, its customers' paper, and, while it is on, its runtime."""

    def __init__(
        self,
        device: str,
        setup: shop.Setup,
        agenda: Agenda,
        broker: MemoryBroker,
        random: Random,
        *,
        place: str,
        epoch: int,
    ) -> None:
        self.device, self.setup = device, setup
        self.place, self.epoch = place, epoch
        self.key = BoxKey(device, random)
        self.program = Program(device, lambda: self.runtime)
        self.agenda, self.broker, self.random = agenda, broker, random
        self.disk = CrashDisk(random)
        self.medium = CrashMedium(self.disk)
        self.witnessed: int | None = 0
        self.papers: list[Paper] = []
        self.recorded: set[str] = set()
        self.asked: set[str] = set()
        self.ended: dict[str, str] = {}
        self.returned: Counter[str] = Counter()
        self.runtime: Runtime | None = None
        self.cut_chance = 0.0
        self.signs = False
        """Whether its papers bear its signature: in this town those of a box that is to be replaced."""
        self.codes: dict[str, str] = {}
        """What is on its papers, by the id of the slip."""
        self.barred, self.gone = False, False
        self.handed_in: frozenset[str] = frozenset()
        """What the core had of it when it was put out."""
        self._heard_out: Reason | None = None
        self._put_out: Reason | None = None
        self.has_own_past = True
        """Its medium was never exchanged for an older or an empty one."""
        self.counts: Counter[str] = Counter()
        self._booted_ms = 0
        self._boots = 0
        self._line: MemoryLine | None = None

    # what the runtime is wired to

    def boot_ms(self) -> int:
        return self.agenda.now_ms - self._booted_ms

    def read(self) -> int | None:
        return self.witnessed

    def raise_to(self, count: int) -> None:
        if self.witnessed is not None:
            self.witnessed = max(self.witnessed, count)
        self._maybe_cut()

    def show(self, show: shop.Show) -> None:
        if isinstance(show.what, Word):
            self.counts[f"show_{show.what}"] += 1
        else:
            self.counts[f"refused_{show.what.reason}"] += 1
        self._maybe_cut()

    def print(self, slip: shop.Slip) -> None:
        self._maybe_cut()
        if self.signs:
            self._sign(slip)
        sale, use = slip.content, slip.content.coupon
        self.papers.append(
            Paper(
                device=self.device,
                kind=slip.kind,
                id=slip.id,
                sale=slip.sale,
                amount=slip.amount,
                tender=sale.tender.type,
                attempt=sale.tender.attempt,
                template=use.template if use else None,
                serial=use.serial if use else None,
            )
        )
        self._maybe_cut()

    def _sign(self, slip: shop.Slip) -> None:
        assert self.runtime is not None
        with suppress(JournalBroken):  # then it is a paper without a code, as on a real box
            code = signed_code(slip, self.runtime.journal, device=self.device, sign=self.key.sign, page="")
            if code:
                self.codes[slip.id] = code

    def kick(self, reason: str) -> None:  # noqa: ARG002
        self._maybe_cut()

    def answered(self, answer: BornAnswer | SlipAnswer) -> None:
        """Nobody asks here: these boxes are in service from the start, and no paper comes back."""

    def desired(self, sealed: bytes) -> None:
        """These boxes keep their settings."""

    # power

    def power_on(self) -> None:
        """Boot: verify the journal, remember, and go to work. Tries again after a cut in the middle."""
        if self.runtime is not None or self.gone:
            return
        self._put_out = self._heard_out
        self._boots += 1
        self._booted_ms = self.agenda.now_ms - self.random.randint(1_000, 30_000)
        self.disk.power_up()
        # Without a battery the clock of each boot starts anywhere up to the true hour.
        floor_ms = EPOCH_MS - self.random.choice((0, 86_400_000, 3_600_000_000))
        belief = TimeBelief(floor_ms)
        try:
            self._open(belief)
        except (JournalBroken, JournalFull, PowerCut):
            self.counts["boot_failed"] += 1
            if not self.disk.is_down:
                self.disk.power_cut()
            self.runtime = None
            self.agenda.after(self.random.randint(200, 2_000), self.power_on)

    def _open(self, belief: TimeBelief) -> None:
        at = belief.at(self.boot_ms())
        tid = uuid7(at.lo_ms, self._chance(CHANCE_BYTES))
        journal, opening = open_journal(
            self.medium, device=self.device, incarnation=self.draw_incarnation(), tid=tid, at=at
        )
        past = recall(entry.bytes for entry in journal.entries())
        record = journal.record

        def watched(drafts: Any) -> Any:
            # Noted before: a commit may survive although the power went before it returned.
            self.recorded.update(draft.tid for draft in drafts)
            commanded = False
            for draft in drafts:
                commanded |= isinstance(draft.body, CommandState)
                if isinstance(draft.body, PaymentAsked):
                    self.asked.add(draft.body.attempt)
                if isinstance(draft.body, PaymentEnded):
                    self.ended[draft.body.attempt] = draft.tid
                if isinstance(draft.body, (Void, Refund)) and draft.body.attempt:
                    self.returned[draft.body.attempt] += draft.body.amount
            entries = record(drafts)
            if commanded:
                self._maybe_cut(
                    5 * self.cut_chance, "command_steps_cut"
                )  # between a command's note and its deed
            return entries

        journal.record = watched  # type: ignore[method-assign]
        line = self._line_of(opening.inc)
        self._room = self.program.errands(self.epoch)
        parts = Parts(
            self.device,
            line,
            self,
            self,
            self,
            self._chance,
            command=self.program.on_command,
            about=lambda: self.program.signs,
        )
        self.runtime = Runtime(parts, journal, opening, shop.boot(self.setup, past), belief)
        self._guard(self._begin)
        if self.runtime is not None:
            runtime = self.runtime
            if self._put_out or not self.barred:
                line.start(lambda happening: self._hear(runtime, happening))
            self.agenda.after(TICK_MS, lambda: self._tick(runtime))

    def _line_of(self, inc: str) -> Line:
        """Its own line; for a box that knows that it was put out, the one at the door for boxes without a certificate."""
        if self._put_out is not None:
            nonce = self._chance(16).hex()
            self._line = self.broker.line(nonce, (topics.enrol_down(nonce), 1))
            return LateLine(self._line, nonce, self.key)
        self._line = self.broker.line(
            self.device,
            (topics.ack_down(self.device), 1),
            (topics.answer_down(self.device), 1),
            (topics.command_down(self.device), 1),
            will=said(self.device, "lost", inc),
            birth=lambda: said(self.device, "online", inc),
        )
        return self._line

    def _begin(self) -> None:
        """What a boot begins with, in the order of a real box."""
        assert self.runtime is not None
        self.runtime.start()
        if self._put_out is not None:
            self.runtime.happen(shop.PutOut(self._put_out))
        self.program.on_boot(self.runtime)

    # the end of its life

    def end(self) -> None:
        """It is dead: nobody switches it on any more."""
        self.power_cut()
        self.gone = True

    def bar(self) -> None:
        """The broker throws it out, and lets it in no more. It does not know why."""
        self.barred = True
        if self._line is not None:
            self._line.die()
        if self.runtime is not None:
            self._hear(self.runtime, Down("the broker refuses us"))

    def learn(self, reason: Reason) -> None:
        """It asked at the door for boxes without a certificate, and heard that it was put out. That is kept."""
        self._heard_out = reason

    def _goes_on_as_put_out(self) -> bool:
        """Whether it starts anew with what it heard: a box does that once no money is on its way."""
        calm = (shop.Idle, shop.Stopped, shop.Ringing)
        if (
            self.runtime is None
            or self._put_out is self._heard_out
            or not isinstance(self.runtime.till.phase, calm)
        ):
            return False
        if self._line is not None:
            self._line.die()
        self.runtime = None
        self.power_on()
        return True

    @property
    def is_put_out(self) -> bool:
        """Whether it goes by what it heard."""
        return self._put_out is not None

    def pending(self) -> list[bytes]:
        """What it has not handed in, as its screen shows it in codes."""
        if self.runtime is None:
            return []
        journal = self.runtime.journal
        return [entry.bytes for entry in journal.pending(journal.settled_through, 50)]

    def card(self) -> list[bytes]:
        """Every record on its medium, also of a box that is off."""
        if self.runtime is not None:
            return [entry.bytes for entry in self.runtime.journal.entries()]
        self.disk.power_up()
        connection = self.medium.connect()
        return [data for (data,) in connection.execute("SELECT bytes FROM journal ORDER BY position")]

    def draw_incarnation(self) -> str:
        """64 random bits at every opening."""
        return self._chance(INCARNATION_BYTES).hex()

    def forgotten(self, held: set[str]) -> set[str]:
        """Slips and payments that go with this medium, as the core does not hold their last word."""
        gone = [paper for paper in self.papers if paper.id not in held]
        asked = {attempt for attempt in self.asked if self.ended.get(attempt) not in held}
        return asked | {paper.id for paper in gone}

    def reconnect(self) -> None:
        """The wire was touched: the line is made anew."""
        if self._line is not None:
            self._line.reconnect()

    def exchanged(self, image: dict[str, bytes]) -> None:
        """Another medium is in the box."""
        self.disk.restore(image)
        self.has_own_past = False
        self.program.tested.clear()  # a command of which the new medium knows nothing may be begun there

    def power_cut(self) -> None:
        """The plug is pulled, whatever the box was doing."""
        if self._line is not None:
            self._line.die()
        if not self.disk.is_down:
            self.disk.power_cut()
        self.runtime = None
        self.counts["power_cuts"] += 1
        self.agenda.after(self.random.randint(200, 4_000), self.power_on)

    def close(self) -> None:
        """Let go of the disk."""
        self.runtime = None
        self.medium.close()

    def happen(self, what: shop.Event) -> None:
        """Something at the counter."""
        runtime = self.runtime
        if runtime is not None:
            self._guard(lambda: runtime.happen(what))

    def _hear(self, runtime: Runtime, happening: Happening) -> None:
        if runtime is self.runtime:
            self._guard(lambda: runtime.hear(happening))

    def _tick(self, runtime: Runtime) -> None:
        if runtime is not self.runtime:
            return
        self._guard(runtime.tick)
        if runtime is self.runtime:
            self._guard(lambda: self._room.turn(0.0))
        if runtime is self.runtime and self._goes_on_as_put_out():
            return
        self.agenda.after(TICK_MS, lambda: self._tick(runtime))

    def _guard(self, work: Callable[[], None]) -> None:
        """Do something, and lose power where that is what happens in it."""
        try:
            work()
        except PowerCut:
            self.power_cut()
            return
        except JournalBroken:
            pass
        if self.disk.is_down or (self.runtime is not None and self.runtime.broken):
            self.power_cut()

    def _maybe_cut(self, chance: float | None = None, counts: str = "steps_cut") -> None:
        """Power may go between any two effects."""
        chance = self.cut_chance if chance is None else chance
        if chance and self.random.random() < chance:
            self.counts[counts] += 1
            raise PowerCut

    def _chance(self, size: int) -> bytes:
        return self.random.randbytes(size)


class CoreNode:
    """The core on its own disk, with the wallet company behind it."""

    def __init__(self, agenda: Agenda, broker: MemoryBroker, wallet: Wallet, random: Random) -> None:
        self.agenda, self.broker, self.wallet, self.random = agenda, broker, wallet, random
        self.disk = CrashDisk(random)
        self.disk.restore(_empty_core())
        self.counts: Counter[str] = Counter()
        self.ingested = Counts()
        self.skew_ms = 0
        self.unsent_chance = 0.0
        """How often the core loses power between noting that a command was sent and sending it."""
        self.sealed: list[tuple[str, bytes]] = []
        """Every command that was ever on the line, with its box: whoever listens there has them."""
        self.database: Database | None = None
        self._vfs = CrashVfs(self.disk)
        self.line: MemoryLine | None = None
        self._waiting: list[Message] = []
        self._words: list[Message] = []
        """What boxes said, for the next look at who is there: that is cheaper than one after another."""
        self._working = False
        self._life = 0
        self._looks = 0
        self._last: dbapi.Connection | None = None

    @property
    def now_ms(self) -> int:
        """The core's wall clock."""
        return EPOCH_MS + self.agenda.now_ms + self.skew_ms

    def power_on(self) -> None:
        if self.database is not None:
            return
        self.disk.power_up()
        self._life += 1
        self._waiting.clear()
        self._words.clear()
        self._looks = 0
        self._working = False
        database = self._shared_database()
        self.database = database
        self.ingest = Ingest(database, SCHEDULE)
        self.ingest.counts = self.ingested
        self.desk = Desk(database, SCHEDULE)
        self._dispatch, self._watch, self._listening = (
            Dispatch(database, PACE),
            alerting.Watch(),
            presence.Listening(),
        )
        life = self._life
        self.line = self.broker.line(CORE, *HEARD, manual_ack=True)
        self.line.start(lambda happening: self._hear(happening, life))
        self.agenda.after(300, lambda: self._look(life))

    def issue(self, name: str, quantity: int) -> None:
        """Make a coupon stock, once."""
        assert self.database is not None
        with self.database.writing() as connection:
            ledger = Ledger(connection, self.now_ms)
            coupons.issue(
                connection,
                ledger,
                name=name,
                title=name,
                quantity=quantity,
                lease_ms=60_000,
                tid=f"issue:{name}",
            )
            ledger.flush()

    def power_cut(self) -> None:
        if self.database is not None:
            self._down()

    def _down(self) -> None:
        if not self.disk.is_down:
            self.disk.power_cut()
        if self.line is not None:
            self.line.die()
        self.counts["power_cuts"] += 1
        self.database = None
        self._life += 1
        self.agenda.after(self.random.randint(200, 3_000), self.power_on)

    def _hear(self, happening: Happening, life: int) -> None:
        """A message arrives, in whatever order and as often as the line likes."""
        if life != self._life or not isinstance(happening, Message):
            return
        self._waiting.append(happening)
        if not self._working:
            self._working = True
            self.agenda.after(self.random.randint(1, WORK_MS), lambda: self._work(life))

    def _ask(self, device: str, name: str, payload: bytes, correlation: bytes) -> None:
        fresh = uuid7(self.now_ms, self.random.randbytes(CHANCE_BYTES))
        answered = self._try(
            lambda: self.desk.answer(device, name, payload, now_ms=self.now_ms, fresh_id=fresh)
        )
        if answered is None:
            return
        if answered.answer is not None:
            self._publish(
                device, name, answered.answer.model_dump(mode="json", exclude_none=True), correlation
            )
        self._do(answered.todo)

    def _work(self, life: int) -> None:
        """One batch: records in one commit, then the questions, as the core's worker does it."""
        if life != self._life:
            return
        messages, self._waiting, self._working = self._waiting, [], False
        arrived = [
            Arrived(device, message.payload)
            for message in messages
            if (device := topics.device_of(message.topic)) and message.topic == topics.records_up(device)
        ]
        acks = self._try(lambda: self.ingest.take(arrived, self.now_ms)) if arrived else ()
        for device, ack in acks or ():
            self._send(topics.ack_down(device), ack.model_dump_json(exclude_none=True).encode())
        for message in messages:
            nonce = topics.nonce_of(message.topic)
            if nonce is not None and message.topic == topics.late_up(nonce) and life == self._life:
                self._late(nonce, message.payload)
            device, name = topics.device_of(message.topic), topics.ask_name_of(message.topic)
            if device is not None and name is not None and life == self._life:
                self._ask(device, name, message.payload, message.correlation)
            if self.line is not None:
                self.line.acknowledge(message.token)
        if life == self._life:
            self._words += messages

    def _late(self, nonce: str, payload: bytes) -> None:
        """Records of a box that was put out, by whichever hand; the answer goes to that hand."""

        def opened() -> Arrived | Reason:
            assert self.database is not None
            with self.database.writing() as connection:
                return late.arrived(connection, payload)

        found = self._try(opened)
        if not isinstance(found, Arrived):
            self.counts["late_refused"] += found is not None
            return
        for _, ack in self._try(lambda: self.ingest.take([found], self.now_ms)) or ():
            self._send(topics.enrol_down(nonce), ack.model_dump_json(exclude_none=True).encode())

    def _look_at_boxes(self) -> None:
        """Who is there and what is open on them, as they have said since the last look; and what only the core can see."""
        now_ms = self.now_ms
        messages, self._words = self._words, []
        words = [
            presence.Word(device, message.topic, message.payload)
            for message in messages
            if (device := topics.device_of(message.topic)) is not None
        ]
        told = [(word.device, word.payload) for word in words if word.topic == topics.alerts_up(word.device)]
        up = self.line is not None and self.line.session is not None
        quiet = self._listening.may_look(now_ms, up=up)
        due = self._watch.is_due(now_ms)

        def look() -> None:
            assert self.database is not None
            with self.database.writing() as connection:
                presence.take(connection, words, now_ms=now_ms)
                if quiet:
                    presence.silent(connection, now_ms=now_ms)
                presence.gone(connection, now_ms=now_ms)
                alerting.take(connection, told, now_ms=now_ms)
                if due:
                    self._watch.look(connection, now_ms=now_ms)

        self._try(look)

    def _command(self) -> None:
        """Commands go out. The power may go when they are noted as sent and are not."""
        life = self._life
        for device, sealed in self._try(lambda: self._dispatch.turn(self.now_ms)) or ():
            if life != self._life:
                return
            if self.unsent_chance and self.random.random() < self.unsent_chance:
                self.counts["noted_and_unsent"] += 1
                self._down()
                return
            self.counts["commands_sent"] += 1
            self.sealed.append((device, sealed))
            self._send(topics.command_down(device), sealed)

    def act(self, name: str, body: dict[str, Any], *, ago_ms: int = 0) -> BaseModel | Refused | None:
        """Head office does something, or did it a while ago; None where the core is off, or the power went in it."""
        database = self.database
        if database is None:
            return None
        who, role, chance = "head office", "admin", self.random.randbytes

        def perform() -> BaseModel | Refused:
            now_ms = self.now_ms - ago_ms
            return acts.perform(database, FLEET, name, body, who=who, role=role, now_ms=now_ms, chance=chance)

        done: BaseModel | Refused | None = self._try(perform)
        return done

    def replace(self, old: BoxNode, new: BoxNode) -> bool:
        """A new box shows a replacement's claim; whether it has heard that it may. Asking twice is asking once."""
        database = self.database

        def enrol() -> bool:
            assert database is not None
            with database.writing() as connection:
                if registry.standing(connection, new.device) is None:
                    mine = select(tables.inbox.c.tid).where(tables.inbox.c.device == old.device)
                    old.handed_in = frozenset(connection.execute(mine).scalars())
                    registry.put_out(connection, old.device, "fenced", self.now_ms)
                    registry.enlist(
                        connection, new.device, new.key.public, hardware="", software="", at_ms=self.now_ms
                    )
                    registry.bind(connection, new.place, new.device, self.now_ms)
            return True

        return database is not None and bool(self._try(enrol))

    def settle_in(self, box: BoxNode) -> None:
        """A box is of its place from here on: what the registry does when a claim let it in."""
        assert self.database is not None
        with self.database.writing() as connection:
            registry.enlist(
                connection, box.device, box.key.public, hardware="", software="", at_ms=self.now_ms
            )
            registry.bind(connection, box.place, box.device, self.now_ms)

    def _look(self, life: int) -> None:
        if life != self._life:
            return

        def look(connection: Any, ledger: Ledger) -> Todo:
            return cashier.due(connection, ledger, now_ms=self.now_ms, schedule=SCHEDULE)

        todo = self._transact(look)
        if todo is not None:
            self._do(todo)
        self._looks += 1
        more = self._look_at_boxes if self._looks % 2 else self._command
        if life == self._life:
            more()
        if life == self._life:
            self.agenda.after(LOOK_MS, lambda: self._look(life))

    def _do(self, todo: Todo) -> None:
        for news in todo.news:
            self._publish(
                news.device, "pay_status", news.answer.model_dump(mode="json", exclude_none=True), b""
            )
        for call in todo.calls:
            life = self._life
            self.agenda.after(self.random.randint(5, 800), partial(self._call, call, life))

    def _call(self, call: Call, life: int) -> None:
        """The request leaves; its answer finds the core only if it still lives."""
        if life != self._life and self.random.random() < 0.5:
            return  # the core went down before the first byte left
        outcome = self.wallet.call(call, self.agenda.now_ms)
        self.agenda.after(self.random.randint(5, 1_500), lambda: self._told(call, outcome, life))

    def _told(self, call: Call, outcome: Any, life: int) -> None:
        if life != self._life or self.database is None:
            return

        def tell(connection: Any, ledger: Ledger) -> Todo:
            if call.verb == "refund":
                cashier.refund_told(connection, ledger, call.refund_no, outcome, now_ms=self.now_ms)
                return Todo()
            what = ReverseAnswered(outcome) if call.verb == "reverse" else Told(outcome)
            return cashier.told(connection, ledger, call.attempt, what, now_ms=self.now_ms, schedule=SCHEDULE)

        todo = self._transact(tell)
        if todo is not None:
            self._do(todo)

    def _transact(self, work: Callable[[Any, Ledger], Todo]) -> Todo | None:
        database = self.database
        assert database is not None

        def run() -> Todo:
            with database.writing() as connection:
                ledger = Ledger(connection, self.now_ms)
                todo = work(connection, ledger)
                ledger.flush()
            return todo

        todo: Todo | None = self._try(run)
        return todo

    def _try(self, work: Callable[[], Any]) -> Any:
        """Do something in the database; where the power goes in it, it has not happened for the others."""
        try:
            result = work()
        except (DBAPIError, PowerCut):
            if not self.disk.is_down:
                raise
            self._down()
            return None
        if self.disk.is_down:
            self._down()
            return None
        return result

    def _publish(self, device: str, name: str, body: dict[str, Any], correlation: bytes) -> None:
        payload = Answer.model_validate({"name": name, "body": body}).model_dump_json().encode()
        self._send(topics.answer_down(device), payload, correlation)

    def _send(self, topic: str, payload: bytes, correlation: bytes = b"") -> None:
        if self.line is not None:
            self.line.publish(topic, payload, correlation=correlation)

    def _shared_database(self) -> Database:
        """One engine for all cores of this process: what SQLAlchemy has compiled once it need not again."""
        _switchboard.core = self
        _switchboard.database.close()
        return _switchboard.database

    def connect(self) -> dbapi.Connection:
        """A connection to this core's disk; the one before it is dead."""
        if self._last is not None:
            self._last.close()
        self._last = dbapi.Connection(open_apsw(self._vfs, "core.db"))
        return self._last

    def close(self) -> None:
        """Let go of the disk."""
        if self._last is not None:
            self._last.close()
        self._vfs.unregister()
        self.database = None

    def held(self) -> set[str]:
        """The ids of all records that the core has."""
        assert self.database is not None
        with self.database.reading() as connection:
            return set(connection.execute(select(tables.inbox.c.tid)).scalars())


@cache
def _empty_core() -> dict[str, bytes]:
    """A core's medium with its tables: made once, and not for every history."""
    disk = CrashDisk(Random(0))
    vfs = CrashVfs(disk)
    connection = dbapi.Connection(open_apsw(vfs, "core.db"))
    engine = create_engine("sqlite://", module=dbapi, creator=lambda: connection, poolclass=StaticPool)
    Database(engine).create()
    connection.close()
    vfs.unregister()
    return disk.snapshot()


class _Switchboard:
    """Connects the shared engine to whichever core is on."""

    def __init__(self) -> None:
        self.core: CoreNode | None = None
        engine = create_engine("sqlite://", module=dbapi, creator=self._connect, poolclass=StaticPool)
        self.database = Database(engine)

    def _connect(self) -> dbapi.Connection:
        assert self.core is not None
        return self.core.connect()


_switchboard = _Switchboard()
