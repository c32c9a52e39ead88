"""A box is put out in the middle of its life, with records that nobody has: it died, or it goes on selling in secret.

Its place gets another box. What it sold before comes back by its own line at the claim door, by the line of another box, and by
its papers, which somebody brings doubled, torn and among those of strangers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from pydantic import BaseModel
from sqlalchemy import select

from tillbox.agent.provisioning.late import late_message
from tillbox.broker.journal import Draft, serialise
from tillbox.cloud_bridge.fleet import missing
from tillbox.cloud_bridge.store import registry, tables
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes.slip import SlipCode, slip_in, slip_text
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.messages import Line, Record, Sale, SlipAsk, Telemetry, Tender, digest
from tillbox.contracts.proofs import SLIP
from tillbox.contracts.verdicts import Reason

from .agenda import Agenda
from .checkers import PutOut
from .headquarters import noted
from .keys import BoxKey
from .nodes import BoxNode, CoreNode

AGAIN_MS = 500
LEARNS_MS = (1_000, 6_000)
BRINGS_MS = (300, 2_500)
EVENING_MS = 6_000  # until every line is whole
ROUNDS, ROUND_MS = 3, 2_500  # a box that reads them may be starting just then
WRITTEN_OFF = "nobody has its papers"


class Replacement:
    """One box, the one that follows it, and what becomes of the first one's records. `stands` begins the new one's day,
    `sells` has a box sell under a right that it holds."""

    def __init__(
        self,
        core: CoreNode,
        agenda: Agenda,
        random: Random,
        *,
        old: BoxNode,
        new: BoxNode,
        others: Callable[[], list[BoxNode]],
        stands: Callable[[BoxNode], None],
        sells: Callable[[BoxNode], None],
    ) -> None:
        self.core, self.agenda, self.random = core, agenda, random
        self.old, self.new = old, new
        self._others, self._stands, self._sells = others, stands, sells
        self.died = random.random() < 0.4
        self.done = False
        self.closed = False
        self._is_evening = False
        self._all_brought = False
        self.counts: Counter[str] = Counter()
        old.signs = True

    def begin(self) -> None:
        """The old one fails, or nobody likes it any more; the new one shows its claim a little later."""
        if self.died:
            self.old.end()
        self.agenda.after(self.random.randint(0, 4_000), self._show_claim)

    def _show_claim(self) -> None:
        """As often as it takes: the power of the core may go in it, before or after its word was kept."""
        if not self.core.replace(self.old, self.new):
            self.agenda.after(AGAIN_MS, self._show_claim)
            return
        self.done = True
        self.counts["replaced"] += 1
        if not self.died:
            self.old.bar()
            for wait_ms in (200, 700):
                self.agenda.after(wait_ms, lambda: self._sells(self.old))
            self.agenda.after(self.random.randint(*LEARNS_MS), lambda: self.old.learn(Reason.BOX_REPLACED))
        self._stands(self.new)
        self.agenda.after(self.random.randint(*BRINGS_MS), self._bring)

    def hurry(self) -> None:
        """It is evening: nothing is brought one by one any more, and every paper of a dead box comes, some twice or thrice."""
        self._is_evening = True
        if self.died:
            self.agenda.after(EVENING_MS, lambda: self._bring_all(ROUNDS))

    @property
    def is_over(self) -> bool:
        """Whether all that can come has had its chance."""
        return self.done and (self._all_brought if self.died else self.old.is_put_out)

    def _bring_all(self, rounds: int) -> None:
        self._all_brought = rounds == 0
        if self._all_brought:
            return
        if self.done:
            for code in self.old.codes.values():
                self._scan(code)
        self.agenda.after(ROUND_MS, lambda: self._bring_all(rounds - self.done))

    def _bring(self) -> None:
        """Somebody brings something that may be of the old box."""
        if self._is_evening:
            return
        codes = list(self.old.codes.values())
        roll = self.random.random()
        if roll < 0.4 and codes:
            code = self.random.choice(codes)
            for _ in range(self.random.choice((1, 1, 2))):
                self._scan(code)
            self.counts["papers_brought"] += 1
        elif roll < 0.6:
            self._scan(self._bad_paper(codes))
            self.counts["papers_bad"] += 1
        elif roll < 0.8:
            self._carry(self.old.key, self.old.pending())
        else:
            self._carry(BoxKey(self.old.device, self.random), [self._forged_record()])
            self.counts["records_forged"] += 1
        self.agenda.after(self.random.randint(*BRINGS_MS), self._bring)

    def _scan(self, code: str) -> None:
        """At the counter of some other box."""
        reader = self.random.choice(self._others())
        if reader.runtime is not None:
            reader.runtime.ask("slip", SlipAsk(code=code))

    def _carry(self, key: BoxKey, records: list[bytes]) -> None:
        """What somebody read off the old box's screen or card, on the line of another."""
        carrier = self.random.choice(self._others())
        if records and carrier.runtime is not None:
            message = late_message(key, b"\n".join(records))
            self.counts["records_carried"] += carrier.runtime.parts.line.publish(
                topics.late_up(carrier.device), message
            )

    def _bad_paper(self, codes: list[str]) -> str:
        if codes and self.random.random() < 0.5:
            code = self.random.choice(codes)
            torn = self.random.randint(6, len(code) - 1)
            return code[:torn] if self.random.random() < 0.5 else code[: torn - 1] + "7" + code[torn:]
        at_ms = self.core.now_ms
        owner = self.old.device if self.random.random() < 0.7 else "b-of-another-town"
        made = SlipCode(
            device=owner, inc=self.random.randbytes(8).hex(), seq=2, what="sale", number=7, total=5_000,
            tid=uuid7(at_ms, self.random.randbytes(CHANCE_BYTES)), amount=5_000, tender="cash", attempt=None, of=None,
            at_ms=0, quiet=1, content=self.random.randbytes(16).hex(),
        )  # fmt: skip
        return slip_text(made.payload(), BoxKey(owner, self.random).sign(SLIP + made.payload()), "")

    def _forged_record(self) -> bytes:
        """What would be the old box's next record, if it had made it."""
        lines = self.old.card()
        if not lines:
            return b"{}"
        last = Record.model_validate_json(lines[-1])
        body = Sale(lines=(Line(name="x", price=900),), total=900, tender=Tender(type="cash", amount=900))
        tid = uuid7(self.core.now_ms, self.random.randbytes(CHANCE_BYTES))
        draft = Draft(tid, "sale", body, TimeInterval(0, 1))
        return serialise(self.old.device, last.inc, last.seq + 1, digest(lines[-1]), draft)

    # the end

    def close(self) -> None:
        """Somebody says that all of it is in; or, where it is not, that it is lost."""
        told = self.core.act("close-range", {"device": self.old.device})
        self.closed = isinstance(told, BaseModel)
        if told is not None and not self.closed:
            body = {"device": self.old.device, "write_off": True, "why": WRITTEN_OFF}
            self.core.act("close-range", body)

    def excused(self, put_out: PutOut, held: set[str]) -> set[str]:
        """Slips and payments of which the book may know nothing: what is after the end, and what only the dead box knew."""
        late = {one.tid for one in put_out.too_late}
        found = set(late)
        for line in self.old.card():
            record = Record.model_validate_json(line)
            if record.tid in late and record.body.get("outcome") != "abandoned":
                found |= {record.body.get("attempt"), record.body.get("tender", {}).get("attempt")} - {None}
        return found | (self.old.forgotten(held) - self.old.codes.keys() if self.died else set())

    def evidence(self) -> PutOut | None:
        """What there is to judge by; None where it never came to it."""
        if not self.done:
            return None
        device = self.old.device
        assert self.core.database is not None
        with self.core.database.reading() as connection:
            bound = registry.bound(connection, device)
            gaps = missing.missing(connection, device)
            inbox = tables.inbox.c
            held = connection.execute(select(inbox.inc, inbox.seq).where(inbox.device == device)).all()
            told = connection.execute(
                select(tables.box.c.telemetry).where(tables.box.c.device == device)
            ).scalar()
        assert bound is not None
        said = Telemetry.model_validate_json(told) if told and told != b"{}" else None
        codes = [found.code for text in self.old.codes.values() if (found := slip_in(text))]
        return PutOut(
            device=device,
            since_ms=bound.fenced_ms,
            journal=noted(self.old.card()),
            returned=not self.died,
            whole=self.old.has_own_past,
            held=frozenset((inc, seq) for inc, seq in held),
            papers={code.tid: (code.inc, code.seq, code.quiet) for code in codes},
            told=(said.inc, said.seq) if said else None,
            gaps=[(gap.inc, seq) for gap in gaps for seq in range(gap.first, gap.last + 1)],
            closed=self.closed,
            handed_in=self.old.handed_in,
        )
