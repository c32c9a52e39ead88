"""A whole town from one seed: shops that sell, lines that fail, power that goes; then a calm, and a verdict.

Real till, journal, delivery, ingest, desk, payments and book; the clock, the line, the disk and the wallet
company are simulated. The same seed gives the same history, to the last byte.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from random import Random

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from tillbox.agent import till as shop
from tillbox.broker.memory import MemoryBroker, Weather
from tillbox.cloud_bridge.payments.machine import FINAL
from tillbox.cloud_bridge.store import tables
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import (
    CodeRead,
    CouponClaims,
    GoodsCode,
    PaymentCode,
    ScannerMode,
    SignedEnvelope,
    Symbology,
    Wallet,
    classify,
    kid_of,
    open_envelope,
    seal_coupon,
)
from tillbox.contracts.ids import CHANCE_BYTES, uuid7
from tillbox.contracts.messages import Line, Tapped
from tillbox.contracts.money import CNY, Amount

from .agenda import Agenda
from .checkers import Evidence, Paper, Posted, Seen, is_shown, judge
from .headquarters import HeadOffice, noted
from .nodes import CORE, EPOCH_MS, BoxNode, CoreNode
from .program import TROUBLES
from .replacement import Replacement
from .stranger import Stranger
from .wallet import Wallet as WalletCompany

CHAOS_MS = 29_000
QUIET_MS = 4_000
CALM_MS = 240_000
LAST_CALM_MS = 60_000
"""Every box must have handed in everything, and every payment have ended, within four calm minutes."""

LOSS_MAX = 0.2254  # on each of a message's two ways, so that up to 40 % never arrive
COUPONS = 300
NAMED_MAX = 60  # customers hold coupons of the low numbers, which are also what boxes are lent first
LEASE = 6
REPLACED = 0.25
NOODLES = Tapped(till="noodles", paper="sale", verdict="unreconciled", why="no total on it")
GOODS = "6901234567892"
SEED_OF_ISSUER = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED_OF_ISSUER).public_key().public_bytes_raw()


@dataclass(slots=True)
class History:
    """What came of one seed."""

    seed: int
    complaints: dict[str, list[str]]
    receipts: int
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        """Whether no checker complained."""
        return not any(self.complaints.values())


def live(seed: int) -> History:
    """Live through one history and judge it."""
    with _hushed():
        return World(seed).run()


@contextmanager
def _hushed() -> Iterator[None]:
    """What the machines of a town would write into their logs is no news of this one."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(wrapper_class=before)


@cache
def envelope_of(serial: int | None) -> SignedEnvelope:
    """A genuine coupon of the town's one template. A poster's has no serial."""
    claims = CouponClaims(
        tenant="town",
        template="tea",
        serial=serial,
        not_before_ms=0,
        not_after_ms=EPOCH_MS + 10**9,
        threshold=Amount(500, CNY),
        discount=Amount(200, CNY),
        title="tea",
    )
    found = open_envelope(seal_coupon(claims, private_key=SEED_OF_ISSUER))
    assert isinstance(found, SignedEnvelope)
    return found


def weather(loss: float = 0.0, double: float = 0.0, delay_max_ms: int = 10) -> Weather:
    """The town's weather: a day is short here, so that lines notice and come back within seconds."""
    return Weather(
        loss=loss, double=double, delay_max_ms=delay_max_ms, notice_max_ms=3_000, reconnect_max_ms=1_000
    )


class World:
    """One town."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.agenda = Agenda()
        self.broker = MemoryBroker(self.random, self.agenda.after)
        self.broker.weather = weather()
        self.wallet = WalletCompany(self.random)
        self.core = CoreNode(self.agenda, self.broker, self.wallet, self.random)
        self.boxes = [self._box(n + 1) for n in range(self.random.randint(1, 3))]
        self.office = HeadOffice(self.core, self.boxes, self.random)
        self.stranger = Stranger(
            self.broker,
            self.random,
            now=lambda: TimeInterval(self.core.now_ms, self.core.now_ms),
            papers=self._papers_in_the_bin,
            records=self._records_of_a_box,
            leases=self._leases,
            commands=self.office.overheard,
        )
        self.replacement = self._replacement() if self.random.random() < REPLACED else None
        self.excused: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._images: dict[str, dict[str, bytes]] = {}
        self._calm = False

    def _replacement(self) -> Replacement:
        number = self.random.randint(1, len(self.boxes))
        old, new = self.boxes[number - 1], self._box(number, epoch=2)
        return Replacement(
            self.core,
            self.agenda,
            self.random,
            old=old,
            new=new,
            others=lambda: [box for box in self.boxes if box is not old],
            stands=self._stands,
            sells=self._sell_under_a_right,
        )

    def _stands(self, box: BoxNode) -> None:
        """Another box begins its day."""
        box.cut_chance = self.boxes[0].cut_chance
        self.boxes.append(box)
        box.power_on()
        self._serve(box)

    def run(self) -> History:
        """Chaos, calm, verdict."""
        try:
            return self._live()
        finally:
            self.core.close()
            for box in self.boxes:
                box.close()

    def _live(self) -> History:
        self.core.power_on()
        self.core.issue("tea", COUPONS)
        lanes = [box.place.split("/") for box in self.boxes]
        places = [{"store": store, "lane": lane, "title": "茶"} for store, lane in lanes]
        self.core.act("plan-places", {"places": places})
        for box in self.boxes:
            self.core.settle_in(box)
            box.power_on()
            self.agenda.after(self.random.randint(500, 2_000), partial(self._serve, box))
        self.stranger.start()
        self._spoil()
        self.agenda.run_until(CHAOS_MS)
        self._mend()
        self._until_settled(CALM_MS)
        self._last_cut()
        if self.replacement is not None:
            self.replacement.close()
        evidence = self.evidence()
        return History(self.seed, judge(evidence), len(evidence.papers), self._tally())

    def _box(self, number: int, *, epoch: int = 1) -> BoxNode:
        device, place = f"box-{number}" if epoch == 1 else f"box-{number}-{epoch}", f"town/lane{number}"
        keys = {kid_of(PUBLIC): (PUBLIC,)}
        goods = {GOODS: Line(name="茶", price=450, goods=GOODS)}
        setup = shop.Setup(device=device, tenant="town", keys=keys, goods=goods, stocks={"tea": LEASE})
        return BoxNode(device, setup, self.agenda, self.broker, self.random, place=place, epoch=epoch)

    # the shops

    def _serve(self, box: BoxNode) -> None:
        """One customer, or a part of one; then the next."""
        if self._calm:
            return
        runtime = box.runtime
        if runtime is not None:
            phase = runtime.till.phase
            act = {
                shop.Idle: self._new_customer,
                shop.Ringing: self._pay,
                shop.InDoubt: self._doubt,
            }.get(type(phase))
            if act is not None:
                act(box)
            if self.random.random() < 0.1:
                self._fidget(box)
        self.agenda.after(self.random.randint(100, 700), lambda: self._serve(box))

    def _new_customer(self, box: BoxNode) -> None:
        if self.random.random() < 0.15:
            self._regret(box)
            return
        for _ in range(self.random.randint(1, 2)):
            price = self.random.choice((300, 450, 800, 1_299))
            box.happen(shop.LineRung(Line(name="茶", price=price, quantity=self.random.randint(1, 2))))
        if self.random.random() < 0.5:
            serial = None if self.random.random() < 0.3 else self.random.randint(1, NAMED_MAX)
            box.happen(shop.CodesShown((envelope_of(serial),)))

    def _pay(self, box: BoxNode) -> None:
        fate = self.random.random()
        if fate < 0.08:
            box.happen(shop.Cleared())
        elif fate < 0.12:
            box.happen(shop.CouponDropped())
        elif fate < 0.5:
            digits = "13" + str(self.random.randrange(10**15, 10**16))
            box.happen(shop.CodesShown((PaymentCode(Wallet.WECHAT, digits),)))
        else:
            box.happen(shop.CashTaken(Amount(20_000, CNY)))

    def _doubt(self, box: BoxNode) -> None:
        fate = self.random.random()
        if fate < 0.3:
            box.happen(shop.AskAgainPressed())
        elif fate < 0.4:
            box.happen(shop.GiveUpPressed())

    def _fidget(self, box: BoxNode) -> None:
        """Somebody scans or presses whatever, whatever the till is doing."""
        tea = Line(name="茶", price=300)
        digits = "13" + str(self.random.randrange(10**15, 10**16))
        box.happen(
            self.random.choice(
                (
                    shop.LineRung(tea),
                    shop.CodesShown((GoodsCode(GOODS),)),
                    shop.CodesShown(
                        (GoodsCode(GOODS), PaymentCode(Wallet.WECHAT, digits), envelope_of(None))
                    ),
                    shop.CashTaken(Amount(20_000, CNY)),
                    shop.ChargePressed(),
                    shop.CouponDropped(),
                    shop.Cleared(),
                    shop.AskAgainPressed(),
                    shop.CanaryAsked("c" * 16, (tea,), None, Amount(5_000, CNY))
                    if self.agenda.now_ms % 2
                    else shop.DrawerPressed("change"),
                    shop.OrderPlaced(
                        uuid7(EPOCH_MS + self.agenda.now_ms, self.random.randbytes(CHANCE_BYTES)), tea
                    ),
                    shop.PaperTapped(
                        uuid7(EPOCH_MS + self.agenda.now_ms, self.random.randbytes(CHANCE_BYTES)), NOODLES
                    ),
                )
            )
        )

    def _regret(self, box: BoxNode) -> None:
        assert box.runtime is not None
        sales = list(box.runtime.till.past.sales)
        if not sales:
            return
        sale = self.random.choice(sales)
        fate = self.random.random()
        if fate < 0.5:
            box.happen(shop.VoidPressed(sale))
        elif fate < 0.8:
            left = Amount(box.runtime.till.past.sales[sale].left, CNY)
            press = shop.RefundPressed(sale, Amount(self.random.randint(1, 300), CNY), left)
            box.happen(press)
            if self.random.random() < 0.3:
                box.happen(press)  # a finger that slips
        else:
            box.happen(shop.ReprintPressed(sale))

    # the faults

    def _spoil(self) -> None:
        random = self.random
        self.broker.weather = weather(
            loss=random.random() * LOSS_MAX,
            double=random.random() * 0.4,
            delay_max_ms=random.choice((10, 100, 1_500)),
        )
        self.wallet.mute = random.random() * 0.4
        self.core.unsent_chance = 0.05
        for box in self.boxes:
            box.cut_chance = random.choice((0.0, 0.004, 0.01))
        if self.replacement is not None:
            self.agenda.after(random.randint(6_000, 22_000), self.replacement.begin)
        for fault, mean_ms in self._faults():
            self._later(fault, mean_ms)

    def _faults(self) -> list[tuple[Callable[[], None], int]]:
        kinds = [
            (self._cut_box, 9_000),
            (self._cut_box_mid_write, 6_000),
            (self._cut_core, 15_000),
            (self._cut_core_mid_write, 10_000),
            (self._partition, 8_000),
            (self.broker.amnesia, 20_000),
            (self._partition_core, 25_000),
            (self._fill_disk, 30_000),
            (self._jump_clock, 20_000),
            (self.stranger.speak, 4_000),
            (self._show_rubbish, 10_000),
            (self.office.command, 5_000),
            (self._forge_command, 7_000),
            (self._trouble, 8_000),
        ]
        if self.random.random() < 0.25:
            kinds += [
                (self._take_image, 8_000),
                (self._restore_image, 20_000),
                (self._old_card_offline, 12_000),
            ]
        if self.random.random() < 0.1:
            kinds.append((self._wipe, 30_000))
        return kinds

    def _later(self, fault: Callable[[], None], mean_ms: int) -> None:
        def strike() -> None:
            if self._calm:
                return
            fault()
            self._later(fault, mean_ms)

        self.agenda.after(int(self.random.expovariate(1 / mean_ms)), strike)

    def _forge_command(self) -> None:
        self.stranger.command(*self.office.forged())

    def _trouble(self) -> None:
        """Something on a box is otherwise than it should be, or in order again."""
        program = self.random.choice(self.boxes).program
        program.signs = self.random.choice(TROUBLES)(program.signs, self.random)

    def _cut_box(self) -> None:
        box = self.random.choice(self.boxes)
        if box.runtime is not None:
            box.power_cut()

    def _cut_box_mid_write(self) -> None:
        box = self.random.choice(self.boxes)
        if not box.gone:
            box.disk.cut_after(self.random.randint(1, 40))

    def _cut_core(self) -> None:
        self.core.power_cut()

    def _cut_core_mid_write(self) -> None:
        self.core.disk.cut_after(self.random.randint(1, 60))

    def _partition(self) -> None:
        self._cut_wire(self.random.choice(self.boxes).device, 15_000)

    def _partition_core(self) -> None:
        self._cut_wire(CORE, 6_000)

    def _cut_wire(self, client: str, most_ms: int) -> None:
        self.broker.cut(client)
        self.agenda.after(self.random.randint(500, most_ms), partial(self.broker.mend, client))

    def _fill_disk(self) -> None:
        box = self.random.choice(self.boxes)
        used = sum(len(file.live) for file in box.disk.files.values())
        box.disk.capacity_bytes = used + self.random.randint(0, 9_000)
        self.counts["disks_filled"] += 1
        self.agenda.after(self.random.randint(500, 6_000), lambda: self._empty_disk(box))

    def _empty_disk(self, box: BoxNode) -> None:
        box.disk.capacity_bytes = 2**40

    def _jump_clock(self) -> None:
        self.core.skew_ms += self.random.choice((-900_000, -5_000, 5_000, 900_000))
        self.counts["clock_jumps"] += 1

    def _take_image(self) -> None:
        """A copy of a card, as somebody takes it from a box that is off, or that runs."""
        box = self.random.choice(self.boxes)
        if box.runtime is None:
            return
        if self.random.random() < 0.5:
            box.power_cut()
        self._images[box.device] = box.disk.snapshot()

    def _restore_image(self) -> None:
        box = self.random.choice(self.boxes)
        image = self._images.get(box.device)
        if image is not None:
            self._put_back(box, image)

    def _put_back(self, box: BoxNode, image: dict[str, bytes]) -> None:
        self._replace_medium(box, lambda: box.exchanged(image))
        self.counts["restored"] += 1

    def _old_card_offline(self) -> None:
        """A card from before the line was cut comes back into the box while it is still cut: nobody but the
        witness knows what was sold in between."""
        box = self.random.choice(self.boxes)
        image = box.disk.snapshot()
        self.broker.cut(box.device)
        self.agenda.after(1_000, partial(self._sell_under_a_right, box))
        self.agenda.after(self.random.randint(2_000, 6_000), lambda: self._put_back(box, image))
        self.agenda.after(11_000, partial(self._sell_under_a_right, box))
        self.agenda.after(self.random.randint(12_000, 16_000), partial(self.broker.mend, box.device))

    def _sell_under_a_right(self, box: BoxNode) -> None:
        tea = shop.LineRung(Line(name="茶", price=800))
        for event in (tea, shop.CodesShown((envelope_of(None),)), shop.CashTaken(Amount(20_000, CNY))):
            box.happen(event)

    def _wipe(self) -> None:
        box = self.random.choice(self.boxes)
        self._replace_medium(box, lambda: box.exchanged({}))
        self.counts["wiped"] += 1

    def _replace_medium(self, box: BoxNode, change: Callable[[], None]) -> None:
        """What was only on the old medium is gone; everything else must not be."""
        if box.gone:
            return
        held = self.core.held() if self.core.database is not None else set()
        self.excused |= box.forgotten(held)
        if box.runtime is not None:
            box.power_cut()
        change()

    def _show_rubbish(self) -> None:
        """A customer shows something that is no code of ours, or hardly a code at all."""
        size = self.random.choice((1, 18, 200, 5_000))
        read = CodeRead(self.random.randbytes(size), Symbology.QR, "camera")
        self.random.choice(self.boxes).happen(shop.CodesShown((classify(read, ScannerMode.TILL),)))

    # what the stranger found

    def _papers_in_the_bin(self) -> list[Paper]:
        """Slips whose records the core has: who gets hold of one earlier stands at the counter."""
        held = self.core.held() if self.core.database is not None else set()
        return [paper for box in self.boxes for paper in box.papers if paper.id in held]

    def _records_of_a_box(self) -> list[bytes]:
        return self._journal_of(self.random.choice(self.boxes)) or [b"{}"]

    def _leases(self) -> list[str]:
        held = [box.runtime.till.past.leases for box in self.boxes if box.runtime is not None]
        return [lease for leases in held for lease in leases]

    # the calm

    def _mend(self) -> None:
        self._calm = True
        self.broker.weather = weather()
        self.broker.mend(CORE)
        self.wallet.mute = 0.0
        self.core.unsent_chance = 0.0
        for box in self.boxes:
            box.cut_chance = 0.0
            # When nothing of before is under way any more: what is open is said anew on a new line.
            self.agenda.after(QUIET_MS, box.reconnect)
            box.disk.capacity_bytes = 2**40
            self.broker.mend(box.device)
            self.agenda.after(8_000, partial(self._give_up, box))
        if self.replacement is not None:
            self.replacement.hurry()

    def _give_up(self, box: BoxNode) -> None:
        """Closing time: the cashier settles what is open."""
        runtime = box.runtime
        if runtime is not None and isinstance(runtime.till.phase, (shop.InDoubt, shop.Paying)):
            box.happen(shop.AskAgainPressed())
            late = self.agenda.now_ms > CHAOS_MS + 60_000
            if isinstance(runtime.till.phase, shop.InDoubt) and (late or box.barred):
                box.happen(shop.GiveUpPressed())
            self.agenda.after(8_000, lambda: self._give_up(box))

    def _until_settled(self, most_ms: int, *, last: bool = False) -> None:
        """Let time pass until everything is handed in and shown as it is, or until that took too long."""
        end_ms = self.agenda.now_ms + most_ms
        while self.agenda.now_ms < end_ms and not (self._is_settled() and self._is_shown(last)):
            self.agenda.run_until(self.agenda.now_ms + 2_000)

    def _is_shown(self, last: bool) -> bool:
        """A core whose clock was set back looks after what only it can see when that hour has come again, or when it starts
        anew: so that is asked for at last, and what living boxes say of themselves always."""
        said = [one if last else replace(one, seen=frozenset()) for one in self._seen() if last or one.inc]
        return self.agenda.now_ms > CHAOS_MS + QUIET_MS and all(is_shown(one) for one in said)

    def _seen(self) -> list[Seen]:
        """The boxes as they are, and as the core shows them."""
        assert self.core.database is not None
        with self.core.database.reading() as connection:
            rows = connection.execute(
                select(
                    tables.alert.c.device, tables.alert.c.kind, tables.alert.c.subject, tables.alert.c.source
                )
            ).all()
            box = tables.box.c
            stands = {row.device: row for row in connection.execute(select(box.device, box.state, box.inc))}
        found = []
        for one in self.boxes:
            runtime, row = None if one.barred else one.runtime, stands.get(one.device)
            found.append(
                Seen(
                    device=one.device,
                    inc=runtime.journal.incarnation if runtime is not None else "",
                    open=frozenset((str(kind), of) for kind, of in runtime.open_alerts())
                    if runtime
                    else frozenset(),
                    said=frozenset(
                        (kind, of) for name, kind, of, by in rows if (name, by) == (one.device, "box")
                    ),
                    seen=frozenset(kind for name, kind, _, by in rows if (name, by) == (one.device, "core")),
                    there=row is not None and row.state in tables.PRESENT,
                    core_inc=row.inc if row is not None else "",
                )
            )
        return found

    def _is_settled(self) -> bool:
        for box in self.boxes:
            if box.gone:
                continue
            runtime = box.runtime
            if runtime is None or isinstance(runtime.till.phase, (shop.InDoubt, shop.Paying, shop.Checking)):
                return False
            if runtime.journal.settled_through < runtime.journal.position:
                return False
        over = self.replacement is None or self.replacement.is_over
        return over and self.core.database is not None and not self._open_payments()

    def _open_payments(self) -> list[str]:
        assert self.core.database is not None
        payment, refund = tables.payment.c, tables.channel_refund.c
        with self.core.database.reading() as connection:
            still = connection.execute(
                select(payment.attempt).where(payment.state.not_in(sorted(FINAL)))
            ).scalars()
            owed = connection.execute(select(refund.refund_no).where(refund.state == "open")).scalars()
            return [*still, *owed]

    def _last_cut(self) -> None:
        """A promise kept only in memory would be found out now."""
        self.core.power_cut()
        self.agenda.run_until(self.agenda.now_ms + 10_000)
        self._until_settled(
            LAST_CALM_MS, last=True
        )  # a box looks after its rights meanwhile, and records what it did

    def evidence(self) -> Evidence:
        """What the checkers see."""
        assert self.core.database is not None
        put_out = self.replacement.evidence() if self.replacement is not None else None
        if self.replacement is not None and put_out is not None:
            self.excused |= self.replacement.excused(put_out, self.core.held())
            self.counts["sold_after_end"] = len(put_out.too_late)
        with self.core.database.reading() as connection:
            postings = [Posted(t, a, u, m) for t, _, a, u, m in connection.execute(select(tables.posting))]
            balances = {(a, u): m for a, u, m in connection.execute(select(tables.balance))}
            voids = select(tables.reversal.c.of).where(tables.reversal.c.kind == "void")
            voided = frozenset(connection.execute(voids).scalars())
            events = select(tables.alert_event.c.what)
            self.counts.update(f"alerts_{what}" for what in connection.execute(events).scalars())
            kinds = {
                key: value for key, value in connection.execute(select(tables.txn.c.tid, tables.txn.c.kind))
            }
        return Evidence(
            papers=[paper for box in self.boxes for paper in box.papers],
            postings=postings,
            balances=balances,
            kinds=kinds,
            recorded=frozenset(self.stranger.tids).union(*(box.recorded for box in self.boxes)),
            voided=voided,
            trades=self.wallet.statement(),
            returned=sum((box.returned for box in self.boxes), Counter()),
            excused=frozenset(self.excused),
            undrained={box.device: self._left(box) for box in self.boxes},
            open_payments=self._open_payments(),
            commands=self.office.given(),
            journals={box.device: noted(lines) for box in self.boxes if (lines := self._journal_of(box))},
            exchanged=frozenset(box.device for box in self.boxes if not box.has_own_past),
            put_out=[put_out] if put_out else [],
            seen=self._seen(),
            tested={box.device: box.program.tested for box in self.boxes},
        )

    def _journal_of(self, box: BoxNode) -> list[bytes]:
        return box.card() if box.runtime is not None else []

    def _left(self, box: BoxNode) -> int:
        if box.gone:
            return 0
        runtime = box.runtime
        return 1 if runtime is None else runtime.journal.position - runtime.journal.settled_through

    def _tally(self) -> Counter[str]:
        counts = self.counts + self.office.counts
        if self.replacement is not None:
            counts += self.replacement.counts
        for box in self.boxes:
            counts.update({f"box_{name}": count for name, count in box.counts.items()})
            counts.update({f"disk_{name}": count for name, count in box.disk.counts.items()})
        counts.update({f"core_{name}": count for name, count in self.core.counts.items()})
        counts.update({f"line_{name}": count for name, count in asdict(self.broker.fired).items()})
        counts.update({f"wallet_{name}": count for name, count in self.wallet.counts.items()})
        ingested = self.core.ingested
        counts.update(duplicates=ingested.duplicates, gaps=ingested.gaps, replays=ingested.replays)
        counts["applied"] = ingested.applied
        counts["refused"] = ingested.refused
        counts["lies"] = self.stranger.said
        return counts
