"""The fleet in the core's store, on both databases: claims, epochs, fences, papers, and who may do what."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select, text
from sqlalchemy.exc import DBAPIError
from tests.conformance.core_store import NOW as CORE_NOW
from tests.conformance.core_store import Journal, ask, balances, fresh, issue, take

from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.agent.provisioning.late import late_message
from tillbox.broker.pki import Authority
from tillbox.cloud_bridge.alarms import Alarm
from tillbox.cloud_bridge.fleet import audit, late, presence, quota, twin
from tillbox.cloud_bridge.fleet.acts import ACTS, ROLES, Fleet, may, perform
from tillbox.cloud_bridge.fleet.enrolment import LATELY_MS, Registrar
from tillbox.cloud_bridge.fleet.missing import missing
from tillbox.cloud_bridge.fleet.presence import Word
from tillbox.cloud_bridge.fleet.quota import Sort
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments import cashier
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import reading, registry, tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.cloud_bridge.store.ledger import Ledger
from tillbox.contracts import topics
from tillbox.contracts.codes.slip import SlipCode, slip_in, slip_text
from tillbox.contracts.messages import (
    CouponUse,
    DrawerOpened,
    EnrolAnswer,
    EnrolAsk,
    LeaseClosed,
    Line,
    PayAsk,
    PaymentEnded,
    Sale,
    State,
    Tender,
    canonical,
    digest,
)
from tillbox.contracts.proofs import BIRTH, SLIP, web
from tillbox.contracts.verdicts import Reason, Refused

NOW = 1_790_000_000_000
KEY = bytes(range(32))
FLEET = Fleet(KEY, "corner-tea", "127.0.0.1", 8884, 100, 1_000, Schedule())


@dataclass
class Head:
    """Head office: a database with a fleet, and what people do there."""

    database: Database
    folder: Path
    now_ms: int = NOW
    boxes: dict[str, FileKeyStore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = datetime.fromtimestamp(NOW / 1000, UTC)
        self.authority = Authority.create(self.folder / "ca", name="test", now=now)
        self.registrar = Registrar(self.database, self.authority, KEY, host="127.0.0.1", port=8883)
        self.do(
            "plan-places", places=[{"store": "s1", "lane": lane, "title": "茶铺"} for lane in ("l1", "l2")]
        )
        self.do("decide-settings", scope="tenant", settings={"tenant": "corner-tea"})

    def do(self, act: str, role: str = "operator", **body: Any) -> Any:
        return perform(
            self.database, FLEET, act, body, who="ann", role=role, now_ms=self.now_ms, chance=_chance
        )

    def claim(self, place: str = "s1/l1", act: str = "make-claims", **more: Any) -> str:
        body = {"place": place} if act == "replace-box" else {"places": [place], **more}
        typed: str = self.do(act, **body).claims[0].typed
        return typed

    def box(self, name: str) -> FileKeyStore:
        if name not in self.boxes:
            self.boxes[name] = FileKeyStore(self.folder / name / "box.key")
        return self.boxes[name]

    def enrol(self, name: str, token: str | None = None) -> EnrolAnswer:
        ask = EnrolAsk(token=token, request=self.box(name).request().decode(), hardware="Pi", software="test")
        return self.registrar.answer(ask.model_dump_json().encode(), now_ms=self.now_ms)

    def journal(self, name: str) -> Journal:
        return Journal(self.box(name).device)

    def alarms(self) -> list[str]:
        with self.database.reading() as connection:
            return [row.kind for row in reading.alarms(connection)]

    def late(self, name: str, journal: Journal) -> int:
        """Records by another hand; how far the core holds them."""
        return self.hand_in(name, *journal.lines).wm

    def hand_in(self, name: str, *lines: bytes) -> Any:
        """One message by another hand, and its answer, if there is one."""
        message = late_message(self.box(name), b"\n".join(lines))
        with self.database.writing() as connection:
            found = late.arrived(connection, message)
        assert isinstance(found, Arrived)
        answers = Ingest(self.database, Schedule()).take([found], self.now_ms)
        return answers[0][1] if answers else None

    def count(self, table: Table) -> int:
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


_drawn = iter(range(1, 10_000))


def _chance(count: int) -> bytes:
    return next(_drawn).to_bytes(count, "big")


@pytest.fixture
def head(database: Database, tmp_path: Path) -> Iterator[Head]:
    return Head(database, tmp_path)


def test_a_claim_lets_one_box_in_and_says_who_it_was(head: Head) -> None:
    token = head.claim()
    answer = head.enrol("a", token)
    assert answer.refused is None
    assert (answer.position, answer.epoch, answer.port) == ("s1/l1", 1, 8883)
    assert answer.certificate is not None
    assert answer.certificate.count("BEGIN CERTIFICATE") == 2, "its own, and what leads to the root"
    assert answer.desired
    again = head.enrol("a", token)
    assert (again.epoch, again.refused) == (1, None), "an answer that was lost is given once more"
    other = head.enrol("b", token)
    assert other.refused == Reason.CLAIM_USED
    assert head.box("a").device in other.detail


def test_a_box_that_asks_without_end_makes_no_heap_of_certificates(head: Head) -> None:
    first = head.enrol("a", head.claim()).certificate
    assert {head.enrol("a").certificate for _ in range(100)} == {first}
    head.now_ms += LATELY_MS
    assert head.enrol("a").certificate != first
    acts = select(tables.audit.c.act).where(tables.audit.c.subject == head.box("a").device)
    with head.database.reading() as connection:
        assert list(connection.execute(acts).scalars()) == ["enrolled", "certificate renewed"]
    head.do("revoke-box", device=head.box("a").device)
    assert head.enrol("a").certificate is None


def test_a_used_sheet_that_is_shown_again_and_again_does_not_bury_the_audit_log(head: Head) -> None:
    token = head.claim()
    head.enrol("a", token)
    reasons = {head.enrol(name, token).refused for name in ("b", "c", "b", "c")}
    assert reasons == {Reason.CLAIM_USED}
    acts = select(tables.audit.c.act).where(tables.audit.c.act == "enrol refused")
    with head.database.reading() as connection:
        assert len(list(connection.execute(acts))) == 1


def test_fifty_boxes_with_one_claim_are_one_box(head: Head) -> None:
    token = head.claim()
    for number in range(50):
        head.box(f"b{number}")
    answers: list[EnrolAnswer] = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(head.enrol(f"b{number}", token)))
        for number in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer.certificate is not None for answer in answers) == 1
    assert {answer.refused for answer in answers} == {None, Reason.CLAIM_USED}


def test_a_stores_claim_fills_its_lanes_and_no_more(head: Head) -> None:
    token = head.claim("s1", uses=3)
    assert [head.enrol(name, token).position for name in ("a", "b")] == ["s1/l1", "s1/l2"]
    assert head.enrol("c", token).refused == Reason.STORE_FULL


def test_a_request_in_anothers_name_gets_nothing(head: Head) -> None:
    token = head.claim()
    theirs = head.box("a").request().decode()
    lines = theirs.splitlines()
    lines[3] = lines[3][::-1]
    for request in ("", "no request", "\n".join(lines)):
        ask = EnrolAsk(token=token, request=request)
        assert (
            head.registrar.answer(ask.model_dump_json().encode(), now_ms=NOW).refused == Reason.REQUEST_WRONG
        )
    for payload in (b"", b"{}", b"\xff" * 10_000):
        assert head.registrar.answer(payload, now_ms=NOW).refused == Reason.NOT_UNDERSTOOD


def test_a_claim_expires_is_extended_and_is_revoked(head: Head) -> None:
    token = head.claim(days=1)
    head.now_ms += 2 * 86_400_000
    assert head.enrol("a", token).refused == Reason.CLAIM_EXPIRED
    head.do("extend-claim", number=1, days=1)
    head.do("revoke-claim", number=1)
    assert head.enrol("a", token).refused == Reason.CLAIM_REVOKED
    assert head.do("extend-claim", number=99) == Refused(Reason.CLAIM_UNKNOWN, "99")


def test_a_replacement_takes_the_place_and_what_the_old_one_sold_before_still_counts(head: Head) -> None:
    head.enrol("old", head.claim())
    assert head.enrol("new", head.claim()).refused == Reason.POSITION_HELD
    before = head.journal("old")
    before.sale(1_200)
    answer = head.enrol("new", head.claim(act="replace-box"))
    assert (answer.position, answer.epoch) == ("s1/l1", 2)
    assert head.enrol("old").refused == Reason.BOX_REPLACED
    with head.database.reading() as connection:
        (void,) = registry.revoked(connection, NOW)
        assert void.device == head.box("old").device
    assert head.late("old", before) == 2
    assert balances(head.database)[f"cash:{head.box('old').device}"] == 1_200


def test_what_a_box_sold_after_its_end_is_not_in_the_book(head: Head) -> None:
    head.enrol("old", head.claim())
    journal = head.journal("old")
    journal.sale(1_000)
    head.enrol("new", head.claim(act="replace-box"))
    with head.database.writing() as connection:
        connection.execute(tables.binding.update().values(fenced_ms=500).where(tables.binding.c.epoch == 1))
    assert head.late("old", journal) == 2, "it is held, so that the box can forget it"
    assert f"cash:{head.box('old').device}" not in balances(head.database)
    assert Alarm.SOLD_AFTER_END in head.alarms()


def test_a_payment_that_was_given_up_after_the_end_goes_back_to_whoever_paid(head: Head) -> None:
    head.enrol("old", head.claim())
    journal, attempt = head.journal("old"), fresh()
    asked = PayAsk(attempt=attempt, sale=fresh(), amount=800, code="134567890123456789")
    with head.database.writing() as connection:
        ledger = Ledger(connection, CORE_NOW)
        cashier.ask(connection, ledger, asked, device=journal.device, now_ms=CORE_NOW, schedule=Schedule())
    journal.add("payment_ended", PaymentEnded(attempt=attempt, outcome="abandoned"))
    head.enrol("new", head.claim(act="replace-box"))
    with head.database.writing() as connection:
        connection.execute(tables.binding.update().values(fenced_ms=500).where(tables.binding.c.epoch == 1))
    assert head.late("old", journal) == 2
    with head.database.reading() as connection:
        state = connection.execute(select(tables.payment.c.state)).scalar_one()
    assert (state, head.alarms()) == ("reversing", [])


def test_no_picture_is_worked_on_for_somebody_without_the_boxs_slip(head: Head) -> None:
    head.enrol("a", head.claim())
    photo = {"device": head.box("a").device, "picture": "AAAA"}
    assert head.do("add-photo", role="engineer", **photo).reason is Reason.SLIP_OF_ANOTHER
    assert head.do("add-photo", **photo).reason is Reason.NO_PICTURE


@pytest.fixture
def short_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few records in a day that a test can hand them in."""
    for sort, records in ((Sort.MONEY, 50), (Sort.QUIET, 5), (Sort.STOPPED, 4), (Sort.UNKEPT, 4)):
        monkeypatch.setitem(quota.BOUNDS, sort, replace(quota.BOUNDS[sort], records=records))


@pytest.mark.usefixtures("short_days")
def test_what_carries_no_money_comes_in_day_by_day_and_none_of_it_is_lost(head: Head) -> None:
    head.enrol("old", head.claim())
    journal = head.journal("old")
    for _ in range(11):
        journal.add("drawer_opened", DrawerOpened(reason="change"))
    head.do("revoke-box", device=journal.device)
    lines = journal.lines
    assert [head.hand_in("old", *lines[at : at + 3]).wm for at in (0, 3)] == [3, 6]
    ack = head.hand_in("old", *lines[6:9])
    assert (ack.wm, ack.refused, ack.credit) == (6, Reason.ENOUGH_TODAY, 0)
    ack = head.hand_in("old", *lines[3:6])
    assert (ack.wm, ack.head, ack.credit) == (6, digest(lines[5]), 0), "what is here is said to be here"
    other = Journal(journal.device, "1" * 16)
    assert head.hand_in("old", *other.lines).refused == Reason.ENOUGH_TODAY, "nor by another boot"
    assert head.count(tables.inbox) == 6
    head.now_ms += quota.DAY_MS
    assert [head.hand_in("old", *lines[at : at + 3]).wm for at in (6, 9)] == [9, 12]
    assert head.count(tables.inbox) == 12


@pytest.mark.usefixtures("short_days")
def test_what_is_not_taken_up_is_bounded_and_so_are_its_alarms(head: Head) -> None:
    head.enrol("old", head.claim())
    journal = head.journal("old")
    for _ in range(20):
        journal.sale()
    head.do("revoke-box", device=journal.device)
    assert head.late("old", journal) == 21, "what it sold before has room of its own"
    copies = Journal(journal.device)
    for _ in range(20):
        copies.sale()
    for at in range(1, 19, 3):
        assert head.hand_in("old", *copies.lines[at : at + 3]) is None
    assert head.alarms().count(Alarm.FORK) == 6, "the message that reached the bound, and no more"
    head.now_ms += quota.DAY_MS
    head.do("close-range", device=journal.device)
    for _ in range(9):
        journal.add("drawer_opened", DrawerOpened(reason="change"))
    acks = [head.hand_in("old", line) for line in journal.lines[21:]]
    assert [ack.wm for ack in acks] == [22, 23, 24, 25, 25, 25, 25, 25, 25], (
        "a closed range takes hardly anything"
    )


@pytest.mark.usefixtures("short_days")
def test_a_thiefs_garbage_does_not_keep_a_boxs_own_money_out(head: Head) -> None:
    head.enrol("old", head.claim())
    journal, copies = head.journal("old"), head.journal("old")
    for _ in range(8):
        journal.sale()
        copies.sale()
    head.do("revoke-box", device=journal.device)
    assert head.hand_in("old", *journal.lines[:4]).wm == 4
    for _ in range(5):
        head.hand_in("old", *copies.lines[1:4])
        head.hand_in("old", b"garbage", b"{}")
    assert head.alarms().count(Alarm.FORK) == 3, "nothing was shut"
    ack = head.hand_in("old", *copies.lines[2:4], *journal.lines[4:])
    assert (ack.wm, ack.refused) == (9, None)
    assert ack.credit


@pytest.mark.usefixtures("short_days")
def test_a_box_in_service_has_no_such_bound(head: Head) -> None:
    head.enrol("a", head.claim())
    journal = head.journal("a")
    for _ in range(20):
        journal.add("drawer_opened", DrawerOpened(reason="change"))
        journal.add("stamp_given", DrawerOpened(reason="of a newer box"))
    for line in journal.lines:
        ack = head.hand_in("a", line)
    assert (ack.wm, head.count(tables.handed_in)) == (41, 0)


def test_a_coupon_that_was_redeemed_after_the_end_is_not_lent_again(head: Head) -> None:
    """The sale is in no book; the customer has the discount all the same, and the box then gives its lease back."""
    old, desk = head.box("old").device, issue(head.database)
    head.enrol("old", head.claim())
    right = ask(desk, old, quantity=3)
    use = CouponUse(template="tea", serial=2, lease=right.lease or "", discount=200, rights_count=1)
    journal = head.journal("old")
    sold = Sale(lines=(Line(name="茶", price=800),), total=800, discount=200, tender=Tender(type="cash", amount=600), coupon=use)  # fmt: skip
    journal.add("sale", sold)
    journal.add("lease_closed", LeaseClosed(lease=right.lease or "", left=2, rights_count=2))
    head.enrol("new", head.claim(act="replace-box"))
    with head.database.writing() as connection:
        connection.execute(tables.binding.update().values(fenced_ms=500).where(tables.binding.c.epoch == 1))
    assert head.late("old", journal) == 3
    assert ask(desk, head.box("new").device, serial=2).lease is None


def test_records_in_another_hand_are_judged_by_their_box_s_own_signature(head: Head) -> None:
    head.enrol("a", head.claim())
    journal = head.journal("a")
    forged = late_message(head.box("b"), b"\n".join(journal.lines)).replace(
        head.box("b").device.encode(), head.box("a").device.encode()
    )
    with head.database.writing() as connection:
        assert late.arrived(connection, forged) is Reason.SIGNATURE_WRONG
        assert late.arrived(connection, late_message(head.box("b"), b"x")) is Reason.BOX_UNKNOWN
        assert late.arrived(connection, b"{}") is Reason.NOT_UNDERSTOOD


def paper(
    head: Head,
    name: str,
    journal: Journal,
    tid: str,
    at: int,
    quiet: int = 0,
    amount: int = 1_200,
    **more: Any,
) -> str:
    record = json.loads(journal.lines[at - 1])
    content = digest(record["kind"].encode() + canonical(record["body"]))[:32]
    code = SlipCode(
        journal.device,
        journal.inc,
        at,
        tid,
        "sale",
        at,
        amount,
        amount,
        "cash",
        None,
        None,
        NOW,
        quiet,
        content,
    )
    code = replace(code, **more)
    payload = code.payload()
    return slip_text(payload, head.box(name).sign(SLIP + payload), "https://tea.example/r/1")


def test_a_paper_is_as_good_as_its_record_and_both_are_one_sale(head: Head) -> None:
    head.enrol("a", head.claim())
    journal = head.journal("a")
    tids = [journal.sale(1_200) for _ in range(3)]
    take(head.database, journal, journal.lines[0])
    papers = [paper(head, "a", journal, tid, seq) for seq, tid in enumerate(tids, start=2)]
    found = head.do("take-slips", codes=[papers[2], papers[2], papers[0], "6901234567892"])
    assert found.outcomes == ["new", "known", "new", Reason.NOT_A_SLIP]
    (gap,) = found.missing[journal.device]
    assert (gap.first, gap.last) == (3, 3)
    assert head.do("close-range", device=journal.device) == Refused(Reason.BOX_UNKNOWN, journal.device)
    head.do("revoke-box", device=journal.device)
    refused = head.do("close-range", device=journal.device)
    assert refused == Refused(Reason.RANGE_OPEN, f"{journal.inc[:4]}:3-3")
    assert head.do("take-slips", codes=[papers[1]]).missing == {journal.device: []}
    assert head.do("close-range", device=journal.device).state == "revoked"
    assert balances(head.database)[f"cash:{journal.device}"] == 3_600
    assert head.late("a", journal) == 4, "the records come after all, and are the same sales"
    assert balances(head.database)[f"cash:{journal.device}"] == 3_600
    assert Alarm.ID_REUSED not in head.alarms()


def test_quiet_records_before_a_paper_are_accounted_for(head: Head) -> None:
    head.enrol("a", head.claim())
    journal = head.journal("a")
    tid = journal.sale(500)
    head.do("take-slips", codes=[paper(head, "a", journal, tid, 2, quiet=1, amount=500)])
    with head.database.reading() as connection:
        assert missing(connection, journal.device) == []


def test_a_paper_that_no_box_prints_is_refused_whoever_signed_it(head: Head) -> None:
    """By a box that was broken into: one that would fill the memory, ones that are no record, one that is a book."""
    head.enrol("a", head.claim())
    journal = head.journal("a")
    tids = [journal.sale(500) for _ in range(3)]
    good = paper(head, "a", journal, tids[1], 3)
    wrong = [
        paper(head, "a", journal, tids[0], 2, seq=10**12, quiet=10**12 - 1),
        paper(head, "a", journal, tids[0], 2, what="void", of=None),
        paper(head, "a", journal, tids[0], 2, number=10**11),
        paper(head, "a", journal, tids[0], 2, at_ms=10**15),
    ]
    assert slip_in("x" * 900 + good) is None, "longer than a question to the core may be"
    outcomes = head.do("take-slips", codes=[*wrong, good]).outcomes
    assert outcomes == [Reason.NOT_A_SLIP] * len(wrong) + ["new"]


def test_a_paper_of_a_box_that_was_put_out_says_what_was_before(head: Head) -> None:
    head.enrol("a", head.claim())
    journal = head.journal("a")
    tids = [journal.sale(500) for _ in range(4)]
    head.do("revoke-box", device=journal.device)
    papers = [
        paper(head, "a", journal, tids[0], 2),
        paper(head, "a", journal, tids[1], 3, at_ms=NOW + 60_000),
        paper(
            head, "a", journal, tids[2], 4, what="refund", of=tids[0], tender="merchant_scan", attempt=tids[0]
        ),
    ]
    outcomes = head.do("take-slips", codes=papers).outcomes
    assert outcomes == ["new", Reason.BOX_REVOKED, Reason.BOX_REVOKED], "a thief gives no money back"
    said = {"write_off": True, "why": "the card is gone"}
    assert head.do("close-range", device=journal.device, **said).state == "revoked"
    assert head.do("take-slips", codes=[paper(head, "a", journal, tids[3], 5)]).outcomes == [
        Reason.BOX_REVOKED
    ]
    written = select(tables.audit.c.detail).where(tables.audit.c.act == "close-range")
    with head.database.reading() as connection:
        said = connection.execute(written).scalar_one()
    assert said.startswith("written off ")
    assert said.endswith("the card is gone")


def test_a_box_is_retired_only_when_all_of_it_is_in(head: Head) -> None:
    head.enrol("a", head.claim())
    device = head.box("a").device
    assert head.do("retire-box", device=device) == Refused(Reason.BOX_UNSYNCED)
    row = {"device": device, "state": "online", "inc": "0" * 16, "since_ms": NOW, "heard_ms": NOW}
    with head.database.writing() as connection:
        connection.execute(tables.box.insert(), {**row, "telemetry": b'{"pending": 3}'})
    assert head.do("retire-box", device=device) == Refused(Reason.BOX_UNSYNCED, "3")
    with head.database.writing() as connection:
        connection.execute(tables.box.update().values(telemetry=b'{"pending": 0}'))
    assert head.do("retire-box", device=device).state == "retired"
    assert head.enrol("a").refused == Reason.BOX_RETIRED


def test_an_engineer_needs_the_slip_in_the_hand(head: Head) -> None:
    answer = head.enrol("a", head.claim())
    key = head.box("a")
    report = b'{"checks":[]}'
    with head.database.writing() as connection:
        assert registry.born(connection, key.device, answer.epoch, report)
        assert not registry.born(connection, key.device, 99, report)
    wrong = head.do("accept-box", role="engineer", device=key.device, proof=web(key.sign(SLIP + report)))
    assert wrong == Refused(Reason.SLIP_OF_ANOTHER)
    proof = web(key.sign(BIRTH + report))
    said = {"device": key.device, "proof": proof, "note": "behind the fridge", "place": "31.2,121.5"}
    assert head.do("accept-box", role="engineer", **said).accepted_ms == NOW
    told = (
        select(tables.audit.c.detail)
        .where(tables.audit.c.act == "accept-box")
        .order_by(tables.audit.c.id.desc())
    )
    with head.database.reading() as connection:
        assert connection.execute(told).scalars().first() == "accepted; behind the fridge; 31.2,121.5"


def test_who_may_do_what(head: Head) -> None:
    """Every role and every act: what is not allowed is refused before anything is looked at."""
    for act in ACTS:
        for role in ("", "guest", *ROLES):
            allowed = role in ROLES and ROLES.index(role) >= ROLES.index(ACTS[act].least)
            found = head.do(act, role=role)
            reason = found.reason if isinstance(found, Refused) else None
            assert may(role, ACTS[act].least) == allowed, (act, role)
            assert (reason is not Reason.NOT_ALLOWED) == allowed, (act, role)


def test_the_audit_log_is_a_chain_that_cannot_be_edited(head: Head) -> None:
    head.claim()
    with head.database.reading() as connection:
        assert list(audit.broken(connection)) == []
        acts = list(connection.execute(select(tables.audit.c.act)).scalars())
    assert acts == ["plan-places", "decide-settings", "make-claims"]
    for statement in ("UPDATE audit SET who='nobody'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="append-only"), head.database.writing() as connection:
            connection.execute(text(statement))


def test_settings_of_a_level_are_checked_numbered_and_signed_anew_only_when_they_change(head: Head) -> None:
    first = head.enrol("a", head.claim()).desired
    assert head.enrol("a").desired == first
    assert head.do("decide-settings", scope="store:s1", settings={"language": "en"}).version == 1
    assert head.enrol("a").desired != first
    wrong = head.do("decide-settings", scope="tenant", settings={"goods": [{"gtin": "1"}]})
    assert isinstance(wrong, Refused)
    assert wrong.reason is Reason.SETTINGS_WRONG
    unknown = head.do("decide-settings", scope="tenant", settings={"lanugage": "en"})
    assert isinstance(unknown, Refused)
    assert "lanugage" in unknown.detail


def reported(head: Head, name: str, version: int, **said: Any) -> None:
    """A box that is there says which settings it uses."""
    device = head.box(name).device
    state = State.model_validate({"s": "online", "inc": "0" * 16, "twin": version, **said})
    word = Word(device, topics.state_up(device), state.model_dump_json(exclude_none=True).encode())
    with head.database.writing() as connection:
        presence.take(connection, [word], now_ms=head.now_ms)
        twin.take(connection, [word], now_ms=head.now_ms)


def test_a_box_is_sent_its_settings_until_it_says_that_it_has_them(head: Head) -> None:
    head.enrol("a", head.claim())
    reported(head, "a", 1)
    afresh = twin.Afresh()

    def sent() -> int:
        with head.database.writing() as connection:
            afresh.look(connection, KEY, now_ms=head.now_ms)
            return len(twin.due(connection, now_ms=head.now_ms))

    assert sent() == 0
    head.do("decide-settings", scope="store:s1", settings={"language": "en"})
    assert sent() == 1
    assert sent() == 0, "it was sent a moment ago"
    head.now_ms += 60_000
    assert sent() == 1
    reported(head, "a", 2)
    head.now_ms += 60_000
    assert sent() == 0
    head.do("decide-settings", scope="store:s1", settings={"language": "zh"})
    assert sent() == 1
    reported(head, "a", 2, twin_refused="settings_wrong", twin_said=3)
    head.now_ms += 60_000
    assert sent() == 0, "it has said no; the same again would be no better"


def test_a_decision_is_seen_before_it_is_made_and_can_be_undone(head: Head) -> None:
    head.enrol("a", head.claim())
    seen = head.do("preview-settings", scope="store:s1", settings={"language": "en"})
    assert (seen.boxes, seen.of) == (2, 2)
    (change,) = seen.listed[0].changes
    assert (change.setting, change.before, change.after) == ("language", None, "en")
    head.do("decide-settings", scope="store:s1", settings={"language": "en"})
    head.do("pin-box", place="s1/l1")
    head.do("undo-settings", scope="store:s1")
    after = head.do(
        "preview-settings", scope="tenant", settings={"tenant": "corner-tea", "claim_url": "https://x/"}
    )
    assert [one.position for one in after.listed] == ["s1/l2"], "what nobody had decided is kept, too"
    pinned = head.do("preview-settings", scope="tenant", settings={"tenant": "other"})
    assert [one.position for one in pinned.listed] == ["s1/l2"], "a pinned box keeps what it has"
    assert head.do("undo-settings", scope="group:none") == Refused(Reason.NOTHING_TO_UNDO, "group:none")
