"""What must hold, as functions over evidence. They judge from the paper that customers hold and from the
wallet company's own statement, not from what the system says of itself; the book is the defendant.

Each returns the list of its complaints; an empty list is a pass.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tillbox.agent.past import HALTS
from tillbox.cloud_bridge.book.accounts import limits_of
from tillbox.contracts.commands import NEXT, State


@dataclass(frozen=True, slots=True)
class Paper:
    """One slip in a customer's hand."""

    device: str
    kind: str
    id: str
    sale: str
    amount: int
    tender: str
    attempt: str | None = None
    template: str | None = None
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    """What the wallet company's statement says of one attempt."""

    attempt: str
    paid: int
    refunded: int


@dataclass(frozen=True, slots=True)
class Posted:
    """One leg of the book."""

    tid: str
    account: str
    unit: str
    minor: int


@dataclass(frozen=True, slots=True)
class Given:
    """One command of head office, as it stands at the core. `guessed`: the box has not said so."""

    id: str
    device: str
    verb: str
    expires_ms: int
    state: str
    guessed: int
    sends: int


@dataclass(frozen=True, slots=True)
class Noted:
    """One record of a box's journal, as far as the checkers look at it. The last three are of a command's steps alone."""

    tid: str
    kind: str
    inc: str
    seq: int
    at: tuple[int, int]
    command: str = ""
    verb: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class PutOut:
    """A box that was put out, and how much of it came in. `returned`: it handed in all that it had; else it died."""

    device: str
    since_ms: int
    journal: Sequence[Noted]
    returned: bool
    whole: bool
    """Its medium was never exchanged."""
    held: frozenset[tuple[str, int]]
    """The records that the core has, by boot and number."""
    papers: Mapping[str, tuple[str, int, int]]
    """What its papers tell of themselves, by the id of the record: boot, number, and how many quiet ones before it."""
    told: tuple[str, int] | None
    """How far it was, by its last word that the core heard."""
    gaps: Sequence[tuple[str, int]]
    """What the core says is missing."""
    closed: bool
    """Whether the core let its range be closed without a write-off."""
    handed_in: frozenset[str] = frozenset()
    """What the core had of it when it was put out: that is not undone, whatever the core's clock did since."""

    @property
    def too_late(self) -> list[Noted]:
        """What it says it did after its end, by its own hour."""
        fenced = [one for one in self.journal if one.kind in FENCED and one.tid not in self.handed_in]
        return [one for one in fenced if one.at[0] > self.since_ms]


@dataclass(frozen=True, slots=True)
class Seen:
    """A box as it is, and as the core shows it. `inc` is its boot; empty where nobody will hear of it any more."""

    device: str
    inc: str
    open: frozenset[tuple[str, str]]
    """What is open on the box: kind and device."""
    said: frozenset[tuple[str, str]]
    """What the core shows of that."""
    seen: frozenset[str]
    """What the core itself thinks is wrong."""
    there: bool
    core_inc: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the checkers may look at."""

    papers: Sequence[Paper]
    postings: Sequence[Posted]
    balances: Mapping[tuple[str, str], int]
    kinds: Mapping[str, str]
    """The kind of every transaction in the book."""
    recorded: frozenset[str]
    """The id of every record that a box ever committed."""
    voided: frozenset[str] = frozenset()
    """Sales that a cashier voided, also where the power went before the slip was printed."""
    trades: Sequence[Trade] = ()
    returned: Mapping[str, int] | None = None
    """The most that the boxes' own records pay back, by attempt. None where nobody kept count."""
    excused: frozenset[str] = frozenset()
    """Slips and payments whose only record was on a medium that was destroyed before the line came back."""
    undrained: Mapping[str, int] = field(default_factory=dict)
    open_payments: Sequence[str] = ()
    commands: Sequence[Given] = ()
    journals: Mapping[str, Sequence[Noted]] = field(default_factory=dict)
    """What lies in every box at the end."""
    exchanged: frozenset[str] = frozenset()
    """Boxes whose medium was exchanged: what the core heard may be in a journal that is gone."""
    tested: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """How often each box really did each command that takes its time."""
    put_out: Sequence[PutOut] = ()
    seen: Sequence[Seen] = ()


def nothing_lost(evidence: Evidence) -> list[str]:
    """Every slip that a customer holds is in the book."""
    return [
        f"lost: {paper.kind} {paper.id} of {paper.device}, {paper.amount}"
        for paper in _originals(evidence)
        if paper.id not in evidence.kinds and paper.id not in evidence.excused
    ]


def nothing_twice(evidence: Evidence) -> list[str]:
    """Every slip is in the book with its own amount, and nothing is booked beside a slip's id.

    The drawer is the witness: what a box's cash account holds is what its records say, each counted once.
    """
    complaints = []
    moved: dict[str, int] = defaultdict(int)
    for leg in evidence.postings:
        if leg.account.startswith(("cash:", "payment:")) and leg.unit == "CNY/2":
            moved[leg.tid] += leg.minor
    for paper in _originals(evidence):
        if paper.id not in evidence.kinds:
            continue
        expected = paper.amount if paper.kind == "receipt" else -paper.amount
        if _is_second_void(evidence, paper) and moved[paper.id] == 0:
            continue
        if moved[paper.id] != expected:
            complaints.append(
                f"twice: {paper.kind} {paper.id} says {expected}, the book moved {moved[paper.id]}"
            )
    twins = Counter((paper.sale, paper.kind, paper.id) for paper in _originals(evidence))
    sold = Counter(sale for (sale, kind, _) in twins if kind == "receipt")
    complaints += [
        f"twice: sale {sale} has {count} receipts of different id"
        for sale, count in sold.items()
        if count > 1
    ]
    complaints += [
        f"twice: {kind} {tid} is booked, and no box ever recorded it"
        for tid, kind in evidence.kinds.items()
        if kind in ("sale", "void", "refund") and tid not in evidence.recorded
    ]
    return complaints


def book_balances(evidence: Evidence) -> list[str]:
    """Every transaction sums to zero per unit, balances are the sums of postings, limits are kept."""
    per_txn: Counter[tuple[str, str]] = Counter()
    per_account: Counter[tuple[str, str]] = Counter()
    for leg in evidence.postings:
        per_txn[leg.tid, leg.unit] += leg.minor
        per_account[leg.account, leg.unit] += leg.minor
    complaints = [f"unbalanced: {tid} is off by {off} {unit}" for (tid, unit), off in per_txn.items() if off]
    for key in per_account.keys() | evidence.balances.keys():
        kept = evidence.balances.get(key, 0)
        if per_account.get(key, 0) != kept:
            complaints.append(f"unbalanced: {key[0]} says {kept}, its postings {per_account.get(key, 0)}")
        if not limits_of(key[0]).allow(kept):
            complaints.append(f"unbalanced: {key[0]} holds {kept} {key[1]}, beyond its limits")
    return complaints


def coupon_spent_once(evidence: Evidence) -> list[str]:
    """No serial is on more receipts than were voided, plus one; and the book took no risk for any."""
    voided = evidence.voided | {paper.sale for paper in evidence.papers if paper.kind == "void"}
    spends: dict[tuple[str, int], set[str]] = defaultdict(set)
    for paper in _originals(evidence):
        if paper.kind == "receipt" and paper.template is not None and paper.serial is not None:
            spends[paper.template, paper.serial].add(paper.sale)
    complaints = [
        f"coupon spent twice: {template} number {serial} on sales {sorted(sales - voided)}"
        for (template, serial), sales in spends.items()
        if len(sales - voided) > 1
    ]
    risks = [
        account for (account, _), minor in evidence.balances.items() if account.startswith("risk:") and minor
    ]
    return complaints + [f"coupon spent twice: the book lost on {account}" for account in risks]


def no_goods_uncharged(evidence: Evidence) -> list[str]:
    """Goods on a payment code were charged, and who was charged has goods or the money back."""
    trades = {trade.attempt: trade for trade in evidence.trades}
    back: Counter[str] = Counter()
    complaints = []
    for paper in _originals(evidence):
        if paper.attempt and paper.kind in ("void", "refund"):
            back[paper.attempt] += paper.amount
    sold = {
        paper.attempt: paper for paper in _originals(evidence) if paper.kind == "receipt" and paper.attempt
    }
    for attempt, paper in sold.items():
        trade = trades.get(attempt or "", Trade("", 0, 0))
        if trade.paid != paper.amount:
            complaints.append(f"uncharged: {attempt} got goods for {paper.amount}, was charged {trade.paid}")
    recorded = {
        leg.account.removeprefix("payment:") for leg in evidence.postings if evidence.kinds[leg.tid] == "sale"
    }
    for trade in evidence.trades:
        net = trade.paid - trade.refunded
        if net > 0 and trade.attempt not in recorded and trade.attempt not in evidence.excused:
            complaints.append(f"charged for nothing: {trade.attempt} paid {net}, and no sale took it up")
        if (
            trade.attempt in sold
            and trade.refunded != back[trade.attempt]
            and trade.attempt not in evidence.excused
        ):
            shown = f"{trade.refunded} came back, slips say {back[trade.attempt]}"
            if trade.refunded < back[trade.attempt]:
                complaints.append(f"not paid back: {trade.attempt}: {shown}")
            if evidence.returned is not None and trade.refunded > evidence.returned.get(trade.attempt, 0):
                complaints.append(f"given away: {trade.attempt}: {shown}")
    return complaints + [f"open: payment {attempt} never ended" for attempt in evidence.open_payments]


def drains_in_bounded_time(evidence: Evidence) -> list[str]:
    """Every box handed everything in within the time allowed after the line was mended."""
    return [
        f"stuck: {device} still holds {left} records" for device, left in evidence.undrained.items() if left
    ]


def done_once_in_time(evidence: Evidence) -> list[str]:
    """A box does what head office said to it, within its time, once; and its own journal says what became of it."""
    given = {one.id: one for one in evidence.commands}
    complaints = []
    for device, journal in evidence.journals.items():
        lives: dict[str, list[str]] = defaultdict(list)
        for one in journal:
            if one.kind != "command_state":
                continue
            meant = given.get(one.command)
            if meant is None or (meant.device, meant.verb) != (device, one.verb):
                complaints.append(f"not given: {device} took up {one.verb} {one.command}")
            elif one.state == "executing" and one.at[1] >= meant.expires_ms:
                complaints.append(f"too late: {device} began {one.command} after its time")
            lives[one.command].append(one.state)
        complaints += [
            f"no such life: {device} says of {command}: {' '.join(life)}"
            for command, life in lives.items()
            if not _is_a_life(life)
        ]
        for command, times in evidence.tested.get(device, {}).items():
            if times > 1 or "executing" not in lives[command]:
                complaints.append(f"done {times} times: {command} of {device}, which says {lives[command]}")
        complaints += _sold_while_stopped(device, journal)
        complaints += [
            f"not what the box says: {one.id} of {device} is {one.state} at the core, {life or 'unheard'} there"
            for one in evidence.commands
            if one.device == device and device not in evidence.exchanged
            for life in [lives[one.id]]
            if not _agree(one, life[-1] if life else "init")
        ]
    return complaints


def _is_a_life(states: Sequence[str]) -> bool:
    """Whether a journal may say these one after another. None of these results comes in parts, so nothing is said twice."""
    first, *rest = [State(state) for state in states]
    steps = zip([first, *rest], rest, strict=False)
    return first is State.INIT and all(
        after in NEXT[before] and after is not before for before, after in steps
    )


def _agree(given: Given, last: str) -> bool:
    """The core may only guess at the end of what the box has not begun: the box forgets what waits there when it starts."""
    if given.guessed:
        return given.state == "expired" and last in ("init", "blocked")
    return given.state == last


def _sold_while_stopped(device: str, journal: Sequence[Noted]) -> list[str]:
    halts: set[str] = set()
    complaints = []
    for one in journal:
        if one.state == "executing":
            halts |= {one.verb} & HALTS.keys()
            halts -= {halt for halt, end in HALTS.items() if end == one.verb}
        elif one.kind == "sale" and halts:
            complaints.append(f"sold while stopped: {device} in {sorted(halts)}, {one.tid}")
    return complaints


def fence_holds(evidence: Evidence) -> list[str]:
    """Of a box that was put out all that it did before is in the book, whichever ways it came by, and nothing of after; and the
    core names exactly what is missing."""
    complaints = []
    for box in evidence.put_out:
        late = {one.tid for one in box.too_late}
        complaints += [
            f"after its end: {one.kind} {one.tid} of {box.device} is in the book"
            for one in box.too_late
            if one.tid in evidence.kinds and not _in_the_same_second(one, box)
        ]
        if box.returned:
            complaints += [
                f"lost at the fence: {one.kind} {one.tid} of {box.device}"
                for one in box.journal
                if one.kind in MONEY and one.tid not in late and one.tid not in evidence.kinds
            ]
        if box.whole:
            complaints += _wrongly_missing(evidence, box)
        if box.closed == bool(box.gaps):
            complaints.append(
                f"range: that of {box.device} was closed: {box.closed}, missing: {box.gaps[:3]}"
            )
    return complaints


def _in_the_same_second(one: Noted, box: PutOut) -> bool:
    """A paper tells whole seconds: in the second of the fence it is believed."""
    return one.tid in box.papers and one.at[0] // 1000 * 1000 <= box.since_ms


def _wrongly_missing(evidence: Evidence, box: PutOut) -> list[str]:
    covered = {
        (inc, number)
        for tid, (inc, seq, quiet) in box.papers.items()
        if tid in evidence.kinds
        for number in range(seq - quiet, seq + 1)
    }
    tops: dict[str, int] = defaultdict(int)
    for inc, seq in (*box.held, *covered, *([box.told] if box.told else [])):
        tops[inc] = max(tops[inc], seq)
    lacks = {(one.inc, one.seq) for one in box.journal} - box.held - covered
    known = {(inc, seq) for inc, seq in lacks if seq <= tops[inc]}
    named = set(box.gaps)
    complaints = [f"not missing: {inc}:{seq} of {box.device}" for inc, seq in sorted(named - lacks)]
    complaints += [
        f"missing and not named: {inc}:{seq} of {box.device}" for inc, seq in sorted(known - named)
    ]
    if box.returned and named:
        complaints.append(f"still missing: {len(named)} of {box.device}, which has handed in all")
    return complaints


def shown_as_they_are(evidence: Evidence) -> list[str]:
    """The core shows each box as it is: there or not, with all that is open on it and nothing that is over."""
    return [complaint for box in evidence.seen for complaint in _wrongly_shown(box)]


def is_shown(box: Seen) -> bool:
    """Whether the core shows a box as it is."""
    return not any(_wrongly_shown(box))


def _wrongly_shown(box: Seen) -> Iterator[str]:
    name = box.device
    yield from (f"in order or gone, and {kind}: {name}" for kind in sorted(box.seen))
    if not box.inc:
        if box.there:
            yield f"not there and shown: {name}"
        return
    if not box.there or box.inc != box.core_inc:
        yield f"there and not shown: {name}"
    yield from (f"open and not shown: {kind} {of} of {name}" for kind, of in sorted(box.open - box.said))
    yield from (f"over and shown: {kind} {of} of {name}" for kind, of in sorted(box.said - box.open))


FENCED = frozenset({"sale", "void", "refund", "payment_ended"})
MONEY = FENCED - {"payment_ended"}

CHECKERS = {
    "lost": nothing_lost,
    "duplicated": nothing_twice,
    "unbalanced": book_balances,
    "coupon_double": coupon_spent_once,
    "uncharged": no_goods_uncharged,
    "stuck": drains_in_bounded_time,
    "commanded": done_once_in_time,
    "fenced": fence_holds,
    "shown": shown_as_they_are,
}
"""Every checker, under the name its count has in a report."""


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """The complaints of every checker."""
    return {name: check(evidence) for name, check in CHECKERS.items()}


def _is_second_void(evidence: Evidence, paper: Paper) -> bool:
    """A void of a sale paid by wallet that was voided before: the wallet has its money, the slip moves none."""
    if paper.kind != "void" or paper.tender != "merchant_scan":
        return False
    return sum(one.kind == "void" and one.sale == paper.sale for one in evidence.papers) > 1 or (
        paper.sale in evidence.voided
    )


def _originals(evidence: Evidence) -> Iterable[Paper]:
    return (paper for paper in evidence.papers if paper.kind != "copy")
