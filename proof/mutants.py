"""Protections switched off one at a time. A checker that does not notice is blind, and so is the proof.

Each mutant is a small patch of the real code, named for what it takes away. It is killed by the first
history in which a checker complains. Fault rates are those of every other run.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import apsw
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tillbox.agent import past, till
from tillbox.agent import runtime as running
from tillbox.agent.errands import judging, room
from tillbox.agent.runtime import Runtime
from tillbox.agent.till import counter, trouble
from tillbox.broker import delivery as courier
from tillbox.broker import journal as journals
from tillbox.broker.journal import Journal, JournalBroken
from tillbox.cloud_bridge import claims
from tillbox.cloud_bridge import ingest as ingesting
from tillbox.cloud_bridge.chains import Chains, Read
from tillbox.cloud_bridge.complaints import Counts
from tillbox.cloud_bridge.fleet import alerting, late, missing, papers, presence
from tillbox.cloud_bridge.payments import cashier, machine
from tillbox.cloud_bridge.payments.channels.port import Outcome
from tillbox.cloud_bridge.payments.machine import State
from tillbox.cloud_bridge.store import commands, coupons, database, registry, tables
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts import sealing, topics
from tillbox.contracts.codes.slip import slip_in
from tillbox.contracts.commands import Command, open_command
from tillbox.contracts.messages import BODIES, Ack, Record, digest
from tillbox.contracts.verdicts import Reason

from .crash.connection import NAME
from .nodes import BoxNode, CoreNode
from .world import live

Mutant = Callable[[], AbstractContextManager[Any]]


def _swap(pragmas: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pragma.replace("synchronous=EXTRA", "synchronous=NORMAL") for pragma in pragmas)


def box_synchronous_normal() -> AbstractContextManager[Any]:
    """The box's journal is not flushed at every commit."""
    return patch.object(journals, "PRAGMAS", _swap(journals.PRAGMAS))


def core_synchronous_normal() -> AbstractContextManager[Any]:
    """The core's store is not flushed at every commit."""
    return patch.object(database, "PRAGMAS", _swap(database.PRAGMAS))


def settled_on_puback() -> AbstractContextManager[Any]:
    """A record counts as handed in once the broker has taken it."""
    publish = Runtime._publish

    def trusting(self: Runtime, after: int, through: int) -> None:
        publish(self, after, through)
        for entry in self.journal.pending(after, through - after):
            self.journal.settle(Ack(inc=entry.inc, wm=entry.seq, head=entry.hash, credit=200))

    return patch.object(Runtime, "_publish", trusting)


def ack_before_commit() -> AbstractContextManager[Any]:
    """The core answers before its transaction is on the disk."""
    work = CoreNode._work

    def eager(self: CoreNode, life: int) -> None:
        if life == self._life and self.database is not None:
            with contextlib.suppress(Exception), self.database.writing() as connection:
                batch = ingesting._Batch(connection, self.now_ms, self.ingest._schedule, Counts())
                for message in self._waiting:
                    if message.topic.endswith("/tx"):
                        batch.read(ingesting.Arrived(topics.device_of(message.topic) or "", message.payload))
                batch.apply()
                for device, ack in batch.acks(200):
                    payload = ack.model_dump_json(exclude_none=True).encode()
                    self._send(topics.ack_down(device), payload)
                raise RuntimeError  # the commit is still to come
        work(self, life)

    return patch.object(CoreNode, "_work", eager)


def no_dedup() -> AbstractContextManager[Any]:
    """The core takes whatever arrives, as often as it arrives."""
    apply_one = ingesting._Batch._apply_one
    continues = Chains.continues

    def gullible(self: Chains, read: Read) -> bool:
        mark = self.marks.get((read.record.dev, read.record.inc))
        seen = mark is not None and read.record.seq <= mark.watermark
        return continues(self, read) or seen

    def again(self: Any, read: Any, body: Any, known: Any) -> None:
        if read.record.tid in known or self._ledger.has_posted(read.record.tid):
            n = len(self._ledger._txns) + self._counts.applied
            record = read.record.model_copy(
                update={"tid": f"{read.record.tid[:24]}{n:012d}", "seq": 10**9 + n}
            )
            read = Read(record, read.hash, read.content, read.bytes)
        apply_one(self, read, body, known)

    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(Chains, "continues", gullible))
    stack.enter_context(patch.object(ingesting._Batch, "_apply_one", again))
    return stack


def ack_of_highest() -> AbstractContextManager[Any]:
    """The core acknowledges the highest number it saw, gaps or not."""
    continues = Chains.continues

    def leaping(self: Chains, read: Read) -> bool:
        mark = self.marks.get((read.record.dev, read.record.inc))
        if mark is not None and read.record.seq > mark.watermark + 1:
            mark.watermark, mark.head = read.record.seq - 1, read.record.prev
        return continues(self, read)

    return patch.object(Chains, "continues", leaping)


def same_incarnation_after_restore() -> AbstractContextManager[Any]:
    """Incarnations are counted on the medium, so an old card numbers two histories alike."""

    def counted(self: BoxNode) -> str:
        if NAME not in self.disk.files:
            return digest(self.device.encode())[:16]
        try:
            connection = self.medium.connect()
            connection.execute("PRAGMA journal_mode=WAL")
            has = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name='incarnation'"
            ).fetchone()[0]
            number = connection.execute("SELECT count(*) FROM incarnation").fetchone()[0] if has else 0
        except apsw.Error as cut:
            raise JournalBroken(str(cut)) from cut
        return digest(f"{self.device}{number}".encode())[:16]

    return patch.object(BoxNode, "draw_incarnation", counted)


def receipt_before_commit() -> AbstractContextManager[Any]:
    """Paper first, disk afterwards."""
    commit = Runtime._commit
    print_ = running.Runtime._print

    def hasty(self: Runtime, event: Any) -> None:
        after, effects = till.step(self.till, event, self._moment())
        for effect in effects:
            if isinstance(effect, till.Print):
                print_(self, effect)
        drafts = tuple(d for effect in effects if isinstance(effect, till.Record) for d in effect.drafts)
        failed = commit(self, drafts) if drafts else None
        if failed is not None:
            self.happen(till.JournalFailed(failed))
            return
        self.till = after
        for effect in effects:
            if not isinstance(effect, till.Print):
                running._DO[type(effect)](self, effect)

    return patch.object(Runtime, "happen", hasty)


def queue_in_memory() -> AbstractContextManager[Any]:
    """What was not sent before the power went is not sent afterwards."""
    init = Runtime.__init__

    def forgetful(self: Runtime, parts: Any, journal: Journal, *rest: Any) -> None:
        init(self, parts, journal, *rest)
        end = journal.position
        self.delivery = courier.Delivery(committed=end, settled=end, sent=end)

    return patch.object(Runtime, "__init__", forgetful)


def new_id_at_each_retry() -> AbstractContextManager[Any]:
    """What is found pending after a boot is recorded once more, under a new id."""
    start = Runtime.start

    def relentless(self: Runtime) -> None:
        start(self)
        for entry in self.journal.pending(self.journal.settled_through, 20):
            record = Record.model_validate_json(entry.bytes)
            if record.kind == "sale":
                body = BODIES["sale"].model_validate(record.body)
                tid = self._moment().fresh[0]
                self.journal.record([journals.Draft(tid, "sale", body, self._moment().at)])

    return patch.object(Runtime, "start", relentless)


def sale_and_outbox_in_two_commits() -> AbstractContextManager[Any]:
    """A record is noted as to be sent in a second transaction."""
    record, pending = Journal.record, Journal.pending

    def two(self: Journal, drafts: Sequence[Any]) -> Any:
        entries = record(self, drafts)
        self._connection.execute("CREATE TABLE IF NOT EXISTS outbox(tid TEXT)")
        for entry in entries:
            self._commit([("INSERT INTO outbox VALUES (?)", (entry.tid,))])
        return entries

    def noted(self: Journal, after: int, limit: int) -> list[Any]:
        entries = pending(self, after, limit)
        self._connection.execute("CREATE TABLE IF NOT EXISTS outbox(tid TEXT)")
        rows = self._connection.execute("SELECT tid FROM outbox")
        tids = {tid for (tid,) in rows}
        return [entry for entry in entries if entry.tid in tids or entry.seq == 1]

    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(Journal, "record", two))
    stack.enter_context(patch.object(Journal, "pending", noted))
    return stack


def no_echo() -> AbstractContextManager[Any]:
    """A box believes only an ack whose head it knows: one restored from an old card never drains."""
    settle = Journal.settle

    def deaf(self: Journal, ack: Ack) -> int:
        return settle(self, ack.model_copy(update={"echo_seq": 0, "echo_hash": None}))

    return patch.object(Journal, "settle", deaf)


def witness_ignored() -> AbstractContextManager[Any]:
    """An old card's rights are believed."""

    def naive(self: Any, event: till.WitnessRead, moment: Any) -> Any:  # noqa: ARG001
        return replace(self, rights=till.Rights.LIVE), ()

    return _rewire(till.WitnessRead, naive)


def spends_forgotten_at_boot() -> AbstractContextManager[Any]:
    """A boot remembers the leases and not what was spent of them."""
    return patch.dict(past._KINDS, {"sale": lambda p, tid, sale: past._sale(p, tid, _without_coupon(sale))})


def expiry_frees_rights() -> AbstractContextManager[Any]:
    """An expired lease goes back to the stock although its box has not said so."""
    grant = coupons.grant

    def reclaiming(
        connection: Any, ledger: Ledger, ask: Any, *, device: str, lease_id: str, now_ms: int
    ) -> Any:
        table = tables.lease
        old = connection.execute(
            table.select().where((table.c.state == "held") & (table.c.granted_ms < now_ms - 5_000))
        ).all()
        for row in old:
            coupons.close(connection, ledger, device=row.device, lease_id=row.id, tid=f"free:{row.id}")
        return grant(connection, ledger, ask, device=device, lease_id=lease_id, now_ms=now_ms)

    return patch.object(coupons, "grant", reclaiming)


def unknown_is_declined() -> AbstractContextManager[Any]:
    """No answer from the wallet is taken for a no."""
    told = machine._told

    def hasty(payment: Any, event: Any, now_ms: int, schedule: Any) -> Any:
        if event.outcome is Outcome.UNKNOWN:
            event = machine.Told(Outcome.DECLINED)
        return told(payment, event, now_ms, schedule)

    rows = {key: hasty for key, row in machine.TABLE.items() if row is told}
    late = {(State.DECLINED, machine.Told): machine._ignore}
    return patch.dict(machine.TABLE, {**rows, **late})


def given_up_is_forgotten() -> AbstractContextManager[Any]:
    """The core does not reverse a payment that the cashier gave up."""
    return patch.object(cashier, "give_up", lambda *_, **__: None)


def open_payment_forgotten_at_boot() -> AbstractContextManager[Any]:
    """After a power cut the box does not ask what became of its payment."""
    boot = till.boot
    return patch.object(till, "boot", lambda setup, memory: boot(setup, replace(memory, payment=None)))


def every_claim_is_believed() -> AbstractContextManager[Any]:
    """A record may name anybody's payment, lease and sale."""
    stack = contextlib.ExitStack()
    for name in ("own_sale", "own_reversal"):
        stack.enter_context(patch.object(claims.Claims, name, lambda _, __, body: (body, [])))
    return stack


def repeated_ask_charges_again() -> AbstractContextManager[Any]:
    """A payment asked for twice, as a line that doubles does it, is asked of the wallet twice under new names."""
    ask = cashier.ask

    def eager(connection: Any, ledger: Ledger, body: Any, **more: Any) -> Any:
        todo = ask(connection, ledger, body, **more)
        calls = (cashier.Call("pay", f"{body.attempt[:-1]}0", body.amount),)
        return todo + cashier.Todo(calls=calls) if not todo.calls else todo

    return patch.object(cashier, "ask", eager)


def goods_join_an_open_payment() -> AbstractContextManager[Any]:
    """A product that is scanned while a payment is under way is rung up, and the payment forgotten."""
    return patch.object(counter, "busy", lambda _: None)


def commands_forgotten_at_boot() -> AbstractContextManager[Any]:
    """A boot remembers what stops the selling, and no command: one that comes again is begun again."""
    boot = till.boot
    return patch.object(till, "boot", lambda setup, memory: boot(setup, replace(memory, commands={})))


def stops_forgotten_at_boot() -> AbstractContextManager[Any]:
    """A box that head office stopped sells again once it was switched off and on."""
    boot = till.boot
    return patch.object(till, "boot", lambda setup, memory: boot(setup, replace(memory, halts={})))


def commands_never_expire() -> AbstractContextManager[Any]:
    """What was said yesterday is done today."""
    judge = judging.judge

    def patient(command: Command, now: Any, at: Any) -> Any:
        return judge(command.model_copy(update={"expires_ms": 2**47}), now, at)

    return patch.object(room, "judge", patient)


def commands_for_any_box() -> AbstractContextManager[Any]:
    """A command is done by whichever box it comes to, in whatever epoch of its place."""

    def careless(text: str, *, keys: Any, device: str, epoch: int) -> Any:
        with contextlib.suppress(ValueError, LookupError, TypeError):
            said = json.loads(json.loads(text)["doc"])
            device, epoch = said["device"], said["epoch"]
        return open_command(text, keys=keys, device=device, epoch=epoch)

    return patch.object(room, "open_command", careless)


def signatures_unread() -> AbstractContextManager[Any]:
    """A command is good if it names the key that it should be signed with."""
    return patch.object(sealing, "_signed", lambda *_: True)


def guesses_stand() -> AbstractContextManager[Any]:
    """What the core once thought over stays over, whatever its box says."""
    heard = commands.heard

    def stubborn(connection: Any, device: str, said: Any, now_ms: int) -> Any:
        table = tables.command.c
        guessed = connection.execute(select(table.guessed).where(table.id == said.command)).scalar()
        return Reason.NOT_NOW if guessed else heard(connection, device, said, now_ms)

    return patch.object(commands, "heard", stubborn)


def anybody_says_how_it_went() -> AbstractContextManager[Any]:
    """Any box may say what became of a command for another."""
    heard = commands.heard

    def gullible(connection: Any, device: str, said: Any, now_ms: int) -> Any:
        table = tables.command.c
        meant = connection.execute(select(table.device).where(table.id == said.command)).scalar()
        return heard(connection, meant or device, said, now_ms)

    return patch.object(commands, "heard", gullible)


def fences_ignored() -> AbstractContextManager[Any]:
    """A box that was put out sells on, and is believed."""
    stack = contextlib.ExitStack()
    for module in (ingesting, papers):
        stack.enter_context(patch.object(module, "fences", lambda *_: {}))
    return stack


def papers_under_new_ids() -> AbstractContextManager[Any]:
    """A paper is another sale than its record."""

    def renamed(text: str) -> Any:
        found = slip_in(text)
        if found is None:
            return None
        last = "0" if found.code.tid[-1] != "0" else "1"
        return replace(found, code=replace(found.code, tid=found.code.tid[:-1] + last))

    return patch.object(papers, "slip_in", renamed)


def papers_unproven() -> AbstractContextManager[Any]:
    """A paper is believed whoever signed it."""
    return patch.object(papers, "is_proven", lambda *_: True)


def late_records_unproven() -> AbstractContextManager[Any]:
    """Whoever brings records in a box's name is believed."""
    return patch.object(late, "is_proven", lambda *_: True)


def papers_not_counted() -> AbstractContextManager[Any]:
    """What came back as paper is still said to be missing."""
    gaps = missing.gaps

    def uncounted(held: Any, said: Any, found: Any) -> Any:
        return gaps(held, [*said, *((one.inc, one.seq) for one in found)], ())

    return patch.object(missing, "gaps", uncounted)


def quiet_records_missing() -> AbstractContextManager[Any]:
    """A paper accounts for itself alone, and not for the records without one before it."""
    gaps = missing.gaps

    def alone(held: Any, said: Any, found: Any) -> Any:
        return gaps(held, said, [replace(one, quiet=0) for one in found])

    return patch.object(missing, "gaps", alone)


def replacing_frees_rights() -> AbstractContextManager[Any]:
    """What a box that is put out may still redeem is given to others at once."""
    put_out = registry.put_out

    def generous(connection: Any, name: str, state: str, at_ms: int) -> None:
        put_out(connection, name, state, at_ms)
        held = (tables.lease.c.device == name) & (tables.lease.c.state == "held")
        ledger = Ledger(connection, at_ms)
        for row in connection.execute(select(tables.lease.c.id).where(held)).all():
            coupons.close(connection, ledger, device=name, lease_id=row.id, tid=f"free:{row.id}")
        ledger.flush()

    return patch.object(registry, "put_out", generous)


def open_payment_forgotten_when_put_out() -> AbstractContextManager[Any]:
    """A box that is put out sells nothing any more, and does not say that it has given its open payment up."""

    def careless(self: Any, event: till.PutOut, moment: Any) -> Any:
        after, effects = trouble.put_out(replace(self, past=replace(self.past, payment=None)), event, moment)
        return replace(after, past=replace(after.past, payment=self.past.payment)), effects

    return _rewire(till.PutOut, careless)


def alerts_never_end() -> AbstractContextManager[Any]:
    """What a box does not name any more stays open."""
    settle = alerting.settle

    def sticky(connection: Any, found: Any, *, source: str, of: Any, now_ms: int) -> bool:
        rows = connection.execute(select(tables.alert).where(tables.alert.c.source == source))
        known = {
            (row.device, row.kind, row.subject): alerting.Open(row.detail, row.since_ms)
            for row in rows
            if of is None or row.device in of
        }
        return settle(connection, {**known, **found}, source=source, of=of, now_ms=now_ms)

    return patch.object(alerting, "settle", sticky)


def wills_unread() -> AbstractContextManager[Any]:
    """A box is there until it says goodbye."""
    stack = contextlib.ExitStack()
    for name in ("gone", "silent"):
        stack.enter_context(patch.object(presence, name, lambda *_, **__: 0))
    return stack


def births_unread() -> AbstractContextManager[Any]:
    """A box is there when its telemetry says so, and of the boot that it was of first."""
    stated, reported = presence._stated, presence._reported

    def deaf(known: Any, told: Any, now_ms: int) -> Any:
        return stated(known, told, now_ms) if known is None or told.s != "online" else None

    def of_first(known: Any, health: Any, now_ms: int) -> Any:
        return reported(
            known, health if known is None else health.model_copy(update={"inc": known.inc}), now_ms
        )

    stack = contextlib.ExitStack()
    stack.enter_context(patch.object(presence, "_stated", deaf))
    stack.enter_context(patch.object(presence, "_reported", of_first))
    return stack


MUTANTS: dict[str, Mutant] = {
    mutant.__name__: mutant
    for mutant in (
        box_synchronous_normal,
        core_synchronous_normal,
        settled_on_puback,
        ack_before_commit,
        no_dedup,
        ack_of_highest,
        same_incarnation_after_restore,
        receipt_before_commit,
        queue_in_memory,
        new_id_at_each_retry,
        sale_and_outbox_in_two_commits,
        no_echo,
        witness_ignored,
        spends_forgotten_at_boot,
        expiry_frees_rights,
        unknown_is_declined,
        given_up_is_forgotten,
        open_payment_forgotten_at_boot,
        every_claim_is_believed,
        repeated_ask_charges_again,
        goods_join_an_open_payment,
        commands_forgotten_at_boot,
        stops_forgotten_at_boot,
        commands_never_expire,
        commands_for_any_box,
        signatures_unread,
        guesses_stand,
        anybody_says_how_it_went,
        fences_ignored,
        papers_under_new_ids,
        papers_unproven,
        late_records_unproven,
        papers_not_counted,
        quiet_records_missing,
        replacing_frees_rights,
        open_payment_forgotten_when_put_out,
        alerts_never_end,
        wills_unread,
        births_unread,
    )
}


def run(names: Sequence[str], seeds: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Try each mutant until a history shows it, or `seeds` histories did not."""
    rows = []
    for name in names:
        killed_by, tried = "", 0
        for seed in range(seeds):
            tried += 1
            killed_by = _one(name, seed)
            if killed_by:
                break
        rows.append({"name": name, "killed": bool(killed_by), "seeds": tried, "by": killed_by})
        progress(name)
    return {"mutants": rows}


def _one(name: str, seed: int) -> str:
    """Which checker saw it in one history. Code that falls over its own missing protection is seen, too:
    an assertion that fires, a table that a power cut took away."""
    with MUTANTS[name]():
        try:
            history = live(seed)
        except (AssertionError, DBAPIError, JournalBroken, apsw.Error) as fell:
            return f"fell: {type(fell).__name__}"
    return next((checker for checker, found in history.complaints.items() if found), "")


@contextmanager
def _rewire(event: type, handler: Callable[..., Any]) -> Iterator[None]:
    """Replace a whole row of the till's table."""
    with patch.dict(till.TRANSITIONS, {event: (handler,) * len(till.PHASES)}):
        yield


def _without_coupon(sale: Any) -> Any:
    return sale.model_copy(update={"coupon": None})
