"""Alerts in the core's store, on both databases: raised and cleared by whom they are, grouped by store, and kept as of then."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select

from tillbox.cloud_bridge.fleet import alerting, presence
from tillbox.cloud_bridge.store import health_lists, notes, tables
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts import topics
from tillbox.contracts.messages import Alert, Alerts, Promise, State, Telemetry
from tillbox.contracts.verdicts import Reason

NOW = 1_790_000_000_000
INC = "a1" * 8


class House:
    """A core's store, and boxes that say things to it."""

    def __init__(self, database: Database) -> None:
        self.database, self.watch = database, alerting.Watch()

    def open(self, *kinds: str, device: str = "box-1", at: int = NOW, **more: Any) -> bool:
        alerts = tuple(Alert(kind=kind, since_ms=at, **more) for kind in kinds)
        return self.say(Alerts(inc=INC, open=alerts).model_dump_json().encode(), device, at)

    def say(self, payload: bytes, device: str = "box-1", at: int = NOW) -> bool:
        with self.database.writing() as connection:
            return alerting.take(connection, [(device, payload)], now_ms=at)

    def word(self, said: State | Telemetry, device: str = "box-1", at: int = NOW) -> None:
        topic = topics.state_up(device) if isinstance(said, State) else topics.telemetry_up(device)
        payload = said.model_dump_json(exclude_none=True).encode()
        with self.database.writing() as connection:
            presence.take(connection, [presence.Word(device, topic, payload)], now_ms=at)

    def lose(self, device: str = "box-1", at: int = NOW) -> None:
        self.word(State(s="online", inc=INC), device, at)
        self.word(State(s="lost", inc=INC), device, at)
        with self.database.writing() as connection:
            presence.gone(connection, now_ms=at + presence.GRACE_MS + 1)

    def stand(self, place: str, device: str, *, fenced: int | None = None) -> None:
        store, lane = place.split("/")
        with self.database.writing() as connection:
            connection.execute(
                insert(tables.position),
                {"name": place, "store": store, "lane": lane, "title": f"茶铺 {store}", "store_group": "",
                 "epoch": 1, "planned_ms": NOW},
            )  # fmt: skip
            row = {"position": place, "epoch": 1, "device": device, "since_ms": NOW, "fenced_ms": fenced}
            connection.execute(insert(tables.binding), row)
            machine = {"device": device, "public_key": b"k", "hardware": "Pi", "software": "tillbox 1.2"}
            state = "revoked" if fenced else "live"
            connection.execute(insert(tables.device), {**machine, "state": state, "enrolled_ms": NOW})

    def look(self, at: int) -> bool:
        with self.database.writing() as connection:
            return self.watch.look(connection, now_ms=at)

    def list(self) -> dict[str, list[tuple[str, str, int | None]]]:
        with self.database.reading() as connection:
            stores = health_lists.open_alerts(connection)
        return {one.store: [(row.device, row.kind, row.as_of_ms) for row in one.alerts] for one in stores}

    def events(self) -> list[tuple[str, str, str]]:
        with self.database.reading() as connection:
            return [(row.device, row.kind, row.what) for row in health_lists.events_after(connection, 0)]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_what_a_box_names_is_open_and_what_it_does_not_name_is_over(house: House) -> None:
    assert house.open("paper_out", "hot")
    assert not house.open("paper_out", "hot"), "the same again is no news"
    assert house.open("hot")
    assert house.list() == {"": [("box-1", "hot", None)]}
    assert house.events() == [
        ("box-1", "paper_out", "raised"),
        ("box-1", "hot", "raised"),
        ("box-1", "paper_out", "cleared"),
    ]


def test_a_figure_that_moves_changes_the_list_and_is_no_event(house: House) -> None:
    house.open("hot", detail="81 °C")
    assert house.open("hot", detail="84 °C")
    with house.database.reading() as connection:
        (store,) = health_lists.open_alerts(connection)
    assert [row.detail for row in store.alerts] == ["84 °C"]
    assert len(house.events()) == 1


def test_alerts_are_grouped_by_store_and_say_what_to_do(house: House) -> None:
    house.stand("s2/l1", "box-2")
    house.stand("s1/l1", "box-1")
    house.open("printer_lost", device="box-2")
    house.open("paper_out", device="box-1", subject="receipts")
    house.open("hot", device="box-9")
    with house.database.reading() as connection:
        stores = health_lists.open_alerts(connection)
        only = health_lists.open_alerts(connection, store="s2")
    assert {one.store: [row.position for row in one.alerts] for one in stores} == {
        "s1": ["s1/l1"], "s2": ["s2/l1"], "": [""],
    }  # fmt: skip
    assert [one.store for one in only] == ["s2"]
    assert "Put in a new roll" in next(one for one in stores if one.store == "s1").alerts[0].en


def test_a_lost_box_keeps_its_alerts_as_of_then_and_is_one_itself(house: House) -> None:
    house.lose()
    house.open("paper_out")
    house.look(NOW + alerting.LOST_MS)
    assert house.list() == {"": [("box-1", "paper_out", NOW)]}
    house.look(NOW + alerting.LOST_MS + presence.GRACE_MS + 1)
    assert {row[1:] for row in house.list()[""]} == {("paper_out", NOW), ("box_lost", None)}
    later = NOW + 3_600_000
    house.word(State(s="online", inc=INC), at=later)
    house.look(later)
    assert house.list() == {"": [("box-1", "paper_out", None)]}, "only the box knows whether there is paper"


def test_a_box_that_said_goodbye_is_not_lost(house: House) -> None:
    house.word(State(s="online", inc=INC))
    house.word(State(s="offline", inc=INC))
    house.look(NOW + 86_400_000)
    assert house.list() == {}


def test_a_box_that_was_put_out_is_nobodys_alert(house: House) -> None:
    house.stand("s1/l1", "box-1", fenced=NOW)
    house.lose()
    house.open("paper_out")
    house.look(NOW + 86_400_000)
    assert house.list() == {}


def telling(seq: int, pending: int) -> Telemetry:
    return Telemetry(inc=INC, seq=seq, pending=pending)


def test_records_that_a_box_believes_to_be_here_and_are_not_are_missed(house: House) -> None:
    house.word(State(s="online", inc=INC))
    house.word(telling(12, 2))
    with house.database.writing() as connection:
        row = {"device": "box-1", "inc": INC, "number": 1, "watermark": 7, "head": "0" * 64}
        connection.execute(insert(tables.incarnation), {**row, "standing": "proven", "opened_ms": NOW})
    house.look(NOW)
    assert house.list() == {}, "they may be on their way into the store"
    house.look(NOW + alerting.MISSING_MS)
    with house.database.reading() as connection:
        ((store,),) = [health_lists.open_alerts(connection)]
    assert [(row.kind, row.detail) for row in store.alerts] == [("records_missing", "3")]
    house.word(telling(12, 5), at=NOW + alerting.MISSING_MS)
    house.look(NOW + alerting.MISSING_MS + 1)
    assert house.list() == {}, "the box knows that they are to be handed in again"


def test_drops_of_the_broker_are_compared_with_the_gaps_in_records(house: House) -> None:
    house.watch.dropped(b"17", now_ms=NOW)
    house.look(NOW)
    assert house.list() == {}, "what was before the core listened is no news"
    with house.database.writing() as connection:
        notes.count_refused(connection, "box-4", Reason.SEQUENCE_GAP, b"", NOW + 500)
    house.watch.dropped(b"20", now_ms=NOW + 1_000)
    house.look(NOW + 1_000)
    with house.database.reading() as connection:
        (store,) = health_lists.open_alerts(connection)
    assert [(row.kind, row.detail) for row in store.alerts] == [
        ("broker_drops", "3; gaps in the records of box-4")
    ]
    house.watch.dropped(b"2", now_ms=NOW + 2_000)  # the broker was started anew
    house.watch.dropped(b"x", now_ms=NOW + 2_000)
    house.look(NOW + 1_000 + alerting.DROPS_MS)
    assert len(house.list()) == 1
    house.look(NOW + 1_001 + alerting.DROPS_MS)
    assert house.list() == {}


def test_nonsense_is_counted_and_changes_nothing(house: House) -> None:
    house.open("hot")
    for payload in (b"", b"{}", b'{"inc":"x","open":[]}', b"\xff" * 20_000, b"[]"):
        assert not house.say(payload)
    assert house.list() == {"": [("box-1", "hot", None)]}
    with house.database.reading() as connection:
        count = connection.execute(select(tables.refused.c.count)).scalar_one()
    assert count == 5


def test_a_box_that_trembles_on_purpose_fills_no_table(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "EVENTS_A_DAY_MAX", 7)
    for number in range(20):
        house.open(*(["hot"] if number % 2 else []), at=NOW + number)
    assert len(house.events()) == 7
    assert house.list() == {"": [("box-1", "hot", None)]}, "the list is right all the same"


def test_a_box_does_not_raise_what_only_the_core_can_know(house: House) -> None:
    house.open("box_lost", "broker_drops", "hot")
    assert house.list() == {"": [("box-1", "hot", None)]}


def test_a_newer_boxs_kind_is_kept_and_named(house: House) -> None:
    house.open("paper_cut")
    with house.database.reading() as connection:
        (store,) = health_lists.open_alerts(connection)
    assert "paper_cut" in store.alerts[0].en


def test_each_box_at_a_glance(house: House) -> None:
    house.stand("s1/l1", "box-1")
    house.word(State(s="online", inc=INC))
    said = Telemetry(
        inc=INC, seq=3, pending=1, oldest_money_ms=NOW - 42 * 60_000, promise=Promise(days=9, redeem=31_200)
    )
    house.word(said)
    house.open("paper_out")
    with house.database.reading() as connection:
        (row,) = health_lists.health(connection, now_ms=NOW, search="l1")
        assert health_lists.health(connection, now_ms=NOW, search="s7") == []
        assert health_lists.health(connection, now_ms=NOW, after="box-1") == []
    assert (row.position, row.software, row.alerts) == ("s1/l1", "tillbox 1.2", ["paper_out"])
    assert row.promise_en == "can sell 9 more days, redeem 312.00 yuan more, oldest unsynced sale 00:42"
    assert row.as_of_ms is None


def test_what_a_lost_box_promised_is_marked_as_its_last_word(house: House) -> None:
    house.word(State(s="online", inc=INC))
    house.word(Telemetry(inc=INC, seq=3, pending=0, promise=Promise(days=9, coupons=2)))
    house.lose()
    with house.database.reading() as connection:
        (row,) = health_lists.health(connection, now_ms=NOW)
    assert (row.state, row.as_of_ms) == ("lost", NOW)
    assert row.promise_en.startswith("as it said last: can sell 9 more days")


def test_the_worst_comes_first_and_a_store_goes_by_its_worst(house: House) -> None:
    house.stand("s1/l1", "box-1")
    house.stand("s2/l1", "box-2")
    house.stand("s2/l2", "box-3")
    house.open("paper_low", "hot", device="box-1")
    house.open("paper_out", device="box-2", at=NOW + 1)
    house.open("stopped", "paper_cut", device="box-3", at=NOW + 2)
    with house.database.reading() as connection:
        stores = health_lists.open_alerts(connection)
        cut = health_lists.open_alerts(connection, most=1)
        only = health_lists.open_alerts(connection, kind="hot")
        assert list(health_lists.alert_counts(connection)) == [
            "stopped",
            "hot",
            "paper_cut",
            "paper_out",
            "paper_low",
        ]
        assert health_lists.alert_counts(connection, store="s1") == {"hot": 1, "paper_low": 1}
        assert health_lists.open_count(connection) == 5
        newest = health_lists.newest_events(connection, store="s2", most=2)
        mine = health_lists.alerts_of(connection, "box-3")
    told = {one.store: [row.kind for row in one.alerts] for one in stores}
    assert list(told.items()) == [("s2", ["stopped", "paper_out", "paper_cut"]), ("s1", ["hot", "paper_low"])]
    assert [[row.kind for row in one.alerts] for one in (*cut, *only)] == [["stopped"], ["hot"]]
    assert {(one.device, one.what) for one in newest} == {("box-3", "raised")}
    assert [row.kind for row in mine] == ["stopped", "paper_cut"]


def test_the_boxes_go_by_what_is_worst_page_by_page(house: House) -> None:
    for name in ("well", "warm", "dry", "gone", "shut", "stopped"):
        house.word(State(s="online", inc=INC), name)
    house.open("hot", device="warm")
    house.open("hot", "paper_out", device="dry")
    house.open("stopped", device="stopped")
    house.word(State(s="offline", inc=INC), "shut")
    house.lose("gone")

    def page(after: str = "") -> list[health_lists.HealthRow]:
        with house.database.reading() as connection:
            return health_lists.health(connection, now_ms=NOW, worst=True, after=after, most=2)

    seen: list[str] = []
    after = ""
    while rows := page(after):
        seen += [row.device for row in rows]
        after = health_lists.health_key(rows[-1])
    assert seen == ["stopped", "dry", "warm", "gone", "shut", "well"]
    with house.database.reading() as connection:
        assert health_lists.health_counts(connection) == {"online": 4, "offline": 1, "lost": 1}


def test_a_box_says_until_when_its_certificate_is_good(house: House) -> None:
    house.word(State(s="online", inc=INC))
    paper = {"device": "box-1", "issued_ms": NOW}
    with house.database.writing() as connection:
        for serial, until, revoked in (("1", 10, None), ("2", 30, NOW), ("3", 20, None)):
            row = {**paper, "serial": serial, "not_after_ms": NOW + until, "revoked_ms": revoked}
            connection.execute(insert(tables.certificate), row)
    with house.database.reading() as connection:
        (row,) = health_lists.health(connection, now_ms=NOW)
    assert row.certificate_until_ms == NOW + 20
