"""The console's lists of a fleet, on both databases: found, narrowed, counted and paged; and what they cost with ten
thousand places."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, insert

from tillbox.cloud_bridge.console.frame import Frame, render
from tillbox.cloud_bridge.console.pages import PAGES, Asked
from tillbox.cloud_bridge.console.pages.audit import page as audit_page
from tillbox.cloud_bridge.console.pages.boxes import page as boxes
from tillbox.cloud_bridge.console.pages.provision import page as provision
from tillbox.cloud_bridge.console.pages.visit import page as visit
from tillbox.cloud_bridge.fleet import audit, views
from tillbox.cloud_bridge.fleet.views import VIEWS_MAX, DropView, SaveView
from tillbox.cloud_bridge.store import fleet_board, tables
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.cloud_bridge.store.fleet_board import Wanted
from tillbox.contracts.verdicts import Reason, Refused

NOW = 1_790_000_000_000


def place(store: str, lane: str, *, group: str = "", epoch: int = 0, title: str = "茶铺") -> dict[str, Any]:
    name = f"{store}/{lane}"
    row = {"name": name, "store": store, "lane": lane, "title": title, "store_group": group}
    return {**row, "epoch": epoch, "planned_ms": NOW}


def stay(position: str, epoch: int, device: str, **more: Any) -> dict[str, Any]:
    row = {"position": position, "epoch": epoch, "device": device, "since_ms": NOW, "accepted_ms": None}
    return {**row, "accepted_by": "ann", "fenced_ms": None, "closed_ms": None, "birth": None, **more}


def heard(device: str, state: str, telemetry: bytes = b"{}") -> dict[str, Any]:
    row = {"device": device, "state": state, "inc": "0" * 16, "telemetry": telemetry}
    return {**row, "since_ms": NOW, "heard_ms": NOW}


def boot(device: str, watermark: int, inc: str = "0" * 16, number: int = 1) -> dict[str, Any]:
    row = {
        "device": device,
        "inc": inc,
        "number": number,
        "watermark": watermark,
        "head": "",
        "opened_ms": NOW,
    }
    return {**row, "standing": "proven"}


@pytest.fixture
def town(database: Database) -> Database:
    """Two stores: one box sells, one is lost and not accepted, one lane is empty, one box was put out with four records
    of it missing, and one box never enrolled."""
    with database.writing() as connection:
        connection.execute(
            insert(tables.position),
            [
                place("s1", "l1", group="north", epoch=2),
                place("s1", "l2", group="north", epoch=1),
                place("s2", "l1", title="Corner Tea"),
            ],
        )
        connection.execute(
            insert(tables.binding),
            [
                stay("s1/l1", 1, "bold", fenced_ms=NOW),
                stay("s1/l1", 2, "bnew", accepted_ms=NOW),
                stay("s1/l2", 1, "blost"),
            ],
        )
        told = b'{"inc": "0000000000000000", "seq": 11, "pending": 4}'
        rows = [heard("bold", "offline", told), heard("bnew", "leaving"), heard("blost", "lost")]
        connection.execute(insert(tables.box), [*rows, heard("box-1", "online")])
        boots = [boot("bold", 7), boot("bnew", 30), boot("bnew", 12, "1" * 16, 2)]
        connection.execute(insert(tables.incarnation), boots)
        alarm = {"kind": "chain_broken", "device": "blost", "ref": "", "detail": "", "at_ms": NOW}
        connection.execute(insert(tables.alarm), alarm)
    return database


def listed(town: Database, **wanted: str) -> list[str]:
    with town.reading() as connection:
        return [row.place or row.device for row in fleet_board.fleet(connection, Wanted(**wanted))]


def test_a_list_has_every_place_and_then_the_boxes_that_have_none(town: Database) -> None:
    with town.reading() as connection:
        rows = fleet_board.fleet(connection, Wanted())
    assert [row.key for row in rows] == ["s1/l1", "s1/l2", "s2/l1", ":box-1"]
    assert [row.state for row in rows] == ["online", "lost", "empty", "online"]
    assert (rows[0].device, rows[0].records, rows[0].standing) == ("bnew", 42, "proven")
    assert [row.alarms for row in rows] == [0, 1, 0, 0]


BY_STATE = {
    "online": ["s1/l1", "box-1"],
    "offline": [],
    "lost": ["s1/l2"],
    "empty": ["s2/l1"],
    "unaccepted": ["s1/l2"],
    "put_out": ["s1/l1"],
    "unplaced": ["box-1"],
}


def test_a_state_shows_as_many_as_its_count_says(town: Database) -> None:
    assert {state: listed(town, state=state) for state in fleet_board.STATES} == BY_STATE
    with town.reading() as connection:
        counted = fleet_board.counts(connection, Wanted())
        rest = fleet_board.counts(connection, Wanted(store="s1"))
    assert counted == {
        "all": 3,
        "online": 1,
        "offline": 0,
        "lost": 1,
        "empty": 1,
        "unaccepted": 1,
        "put_out": 1,
        "unplaced": 1,
    }
    assert (rest["all"], rest["empty"], rest["unplaced"]) == (2, 0, 0)


def test_a_box_that_was_put_out_is_listed_with_what_is_missing_of_it(town: Database) -> None:
    with town.reading() as connection:
        (row,) = fleet_board.fleet(connection, Wanted(state="put_out"))
        assert (row.device, row.epoch, row.missing, row.key) == ("bold", 1, 4, "s1/l1#1")
        assert fleet_board.fleet(connection, Wanted(state="put_out"), after=row.key) == []


BY_SEARCH = {
    "corner": ["s2/l1"],
    "BNEW": ["s1/l1"],
    "s1/": ["s1/l1", "s1/l2"],
    "x-1": ["box-1"],
    "%": [],
    "_": [],
    "'; DROP TABLE position; --": [],
}


def test_a_search_takes_a_place_a_title_or_a_device(town: Database) -> None:
    assert {search: listed(town, search=search) for search in BY_SEARCH} == BY_SEARCH


def test_stores_are_counted_and_groups_are_known(town: Database) -> None:
    with town.reading() as connection:
        first, second = fleet_board.stores(connection, Wanted())
        assert (first.store, first.lanes, first.online, first.lost, first.empty) == ("s1", 2, 1, 1, 0)
        assert (second.title, second.empty) == ("Corner Tea", 1)
        assert fleet_board.groups(connection) == ["north"]
        assert [one.store for one in fleet_board.stores(connection, Wanted(), after="s1")] == ["s2"]
    assert listed(town, group="north") == ["s1/l1", "s1/l2"]


def test_a_view_is_one_persons_own_and_there_are_only_so_many(town: Database) -> None:
    with town.writing() as connection:
        for number in range(VIEWS_MAX):
            views.save(connection, "ann", SaveView(name=f"{number:02}", state="lost"), NOW)
        full = views.save(connection, "ann", SaveView(name="one more"), NOW)
        assert full == Refused(Reason.VIEWS_FULL, f"{VIEWS_MAX}")
        assert views.save(connection, "ann", SaveView(name="00", store="s1"), NOW) != full, (
            "it is the same one"
        )
        views.drop(connection, "ann", DropView(name="01"))
        views.save(connection, "bob", SaveView(name="北", group="north"), NOW)
    with town.reading() as connection:
        page = boxes.show(connection, Asked(NOW, {}, {}, "bob"))
        assert [view.name for view in page.views] == ["北"]
        assert page.view_address(page.views[0].filters) == "/boxes?group=north"
        mine = {view.name: view.filters for view in views.of(connection, "ann")}
    assert len(mine) == VIEWS_MAX - 1
    assert mine["00"].store == "s1"


def claim(number: int, position: str, **more: Any) -> dict[str, Any]:
    row = {"token_hash": f"{number}", "number": number, "position": position, "uses_max": 1, "replaces": 0}
    return {**row, "made_by": "ann", "made_ms": NOW, "not_after_ms": NOW, "revoked_ms": None, **more}


def test_the_board_says_how_far_each_place_has_come(town: Database) -> None:
    with town.writing() as connection:
        connection.execute(insert(tables.position), [place("s3", "l1"), place("s4", "l1"), place("s5", "l1")])
        connection.execute(
            insert(tables.claim),
            [
                claim(1, "s2", uses_max=2),
                claim(2, "s3/l1", not_after_ms=NOW - 1),
                claim(3, "s4/l1", revoked_ms=NOW),
                claim(4, "s5/l1"),
            ],
        )
        connection.execute(insert(tables.claim_use), {"token_hash": "4", "device": "blost", "at_ms": NOW})
    with town.reading() as connection:
        page = provision.show(connection, Asked(NOW, {}, {}))
        one = provision.show(connection, Asked(NOW, {}, {"stage": "claimed", "before": "3"}))
    assert page.counts == {"planned": 3, "claimed": 1, "testing": 1, "accepted": 1}
    stages = {row.place: row.stage for row in page.rows}
    assert stages == {
        "s1/l2": "testing", "s2/l1": "claimed", "s3/l1": "planned", "s4/l1": "planned", "s5/l1": "planned",
    }  # fmt: skip
    assert [state for _, state in page.claims] == [
        "claim_used",
        "claim_revoked",
        "claim_expired",
        "claim_open",
    ]
    assert [row.place for row in one.rows] == ["s2/l1"]
    assert [row.number for row, _ in one.claims] == [2, 1]


def test_the_log_is_read_by_subject_by_person_and_page_by_page(town: Database) -> None:
    with town.writing() as connection:
        for number in range(audit_page.ROWS + 3):
            who = "bob" if number == 0 else "ann"
            audit.note(connection, who=who, act="revoke-box", subject=f"b{number}", detail="", at_ms=NOW)

    def show(**query: str) -> audit_page.AuditPage:
        with town.reading() as connection:
            return audit_page.show(connection, Asked(NOW, {}, query))

    first = show()
    second = show(before=first.older)
    assert (len(first.rows), len(second.rows), second.older) == (audit_page.ROWS, 3, "")
    assert [row.subject for row in show(who="bob").rows] == ["b0"]
    assert [row.who for row in show(subject="b7").rows] == ["ann"]


def test_an_engineer_finds_a_box_by_the_address_on_its_slip(town: Database) -> None:
    with town.reading() as connection:
        page = visit.show(connection, Asked(NOW, {}, {"search": "http://core/field/blost?s=abc-_1"}))
        assert [row.place for row in page.rows] == ["s1/l2"]
        assert page.accept_address("blost") == "/field/blost?s=abc-_1"
        assert visit.show(connection, Asked(NOW, {}, {})).rows == ()


ODD = ("'; DROP TABLE claim; --", "\x00\u202e", "#9", ":", "1" * 500)


def test_an_odd_address_is_an_empty_list_and_never_an_error(town: Database) -> None:
    names = (
        "search", "state", "group", "store", "after", "before", "stage", "subject", "who", "by",
        "kind", "sort", "box", "bulk", "verb", "scope", "why",
    )  # fmt: skip
    for word in ODD:
        said = dict.fromkeys(names, word)
        for query in (said, {"after": word, "state": "put_out"}, {**said, "verb": "drain", "sort": "name"}):
            paths = dict.fromkeys(("device", "tid", "name", "command", "bulk", "shell"), word)
            asked = Asked.by(NOW, paths, query)
            with town.reading() as connection:
                for page in (one for one in PAGES if one.name != "patterns"):
                    shown = page.show(connection, asked)
                    assert shown is None or render(page.name, shown, Frame("en", role="admin"))


@contextmanager
def listening() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent meanwhile."""
    sent: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def plans(connection: Connection, sent: Sequence[tuple[str, Any]]) -> list[str]:
    asked = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", told) for statement, told in sent]
    return [row.detail for rows in asked for row in rows]


PLACES = 10_000
BULK = "0199a3c4-7000-7a10-8c4e-2f6d1b9e0a77"
LOOKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("boxes", {}),
    ("boxes", {"after": "s0500/l5"}),
    ("boxes", {"search": "s0999/l"}),
    ("boxes", {"state": "lost"}),
    ("boxes", {"state": "put_out"}),
    ("boxes", {"state": "unplaced"}),
    ("boxes", {"group": "g3", "state": "unaccepted"}),
    ("boxes", {"by": "store"}),
    ("alerts", {}),
    ("alerts", {"store": "s0003"}),
    ("alerts", {"kind": "hot"}),
    ("health", {}),
    ("health", {"after": "0.2.b00040"}),
    ("health", {"sort": "name", "after": "b00020"}),
    ("health", {"search": "s0005/l"}),
    ("commands", {}),
    ("commands", {"box": "s0003/l2"}),
    ("commands", {"bulk": BULK, "state": "failed"}),
    ("bulks", {}),
    ("bulk", {}),
    ("box", {}),
)


def grow(connection: Connection, count: int) -> None:
    """A chain of shops in which every box said something, and some say too much."""
    devices = [f"b{number:05}" for number in range(count)]
    lanes = [(f"s{number // 10:04}", f"l{number % 10}") for number in range(count)]
    connection.execute(
        insert(tables.position),
        [place(*lane, group=f"g{number % 9}", epoch=1) for number, lane in enumerate(lanes)],
    )
    connection.execute(
        insert(tables.binding),
        [stay("/".join(lane), 1, name, accepted_ms=NOW) for lane, name in zip(lanes, devices, strict=True)],
    )
    states = ("online", "online", "online", "lost", "offline")
    told = b'{"inc": "0000000000000000", "seq": 40, "pending": 3}'
    connection.execute(
        insert(tables.box), [heard(name, states[number % 5], told) for number, name in enumerate(devices)]
    )
    connection.execute(insert(tables.incarnation), [boot(name, 37) for name in devices])
    shout = {"kind": "chain_broken", "ref": "", "detail": "", "at_ms": NOW}
    connection.execute(insert(tables.alarm), [{**shout, "device": name} for name in devices])
    trouble(connection, devices)
    command(connection, ["/".join(lane) for lane in lanes], devices)


def trouble(connection: Connection, devices: Sequence[str]) -> None:
    """Every box in service has a certificate, every second an alert, and those a history."""
    machine = {
        "public_key": b"k",
        "hardware": "Pi",
        "software": "tillbox 1",
        "state": "live",
        "enrolled_ms": NOW,
    }
    connection.execute(insert(tables.device), [{**machine, "device": name} for name in devices])
    paper = {"issued_ms": NOW, "not_after_ms": NOW, "revoked_ms": None, "kicked_ms": None}
    connection.execute(
        insert(tables.certificate), [{**paper, "device": name, "serial": name} for name in devices]
    )
    kinds = ("box_lost", "hot", "paper_low")
    open_ = [
        {"device": name, "kind": kinds[number % 3], "subject": "", "detail": ""}
        for number, name in enumerate(devices[::2])
    ]
    moment = {"source": "box", "since_ms": NOW, "raised_ms": NOW}
    connection.execute(insert(tables.alert), [one | moment for one in open_])
    connection.execute(insert(tables.alert_event), [one | {"what": "raised", "at_ms": NOW} for one in open_])


def command(connection: Connection, places: Sequence[str], devices: Sequence[str]) -> None:
    """One bulk for them all, under way."""
    sealed = json.dumps({"doc": json.dumps({"params": {"why": "stocktaking"}})}).encode()
    states = ("successful", "failed", "blocked", "init")
    row = {"verb": "drain", "made_by": "ann", "made_ms": NOW}
    connection.execute(
        insert(tables.bulk),
        row | {
            "id": BULK, "asked": json.dumps({"waves": [50, 100], "scope": ["*"]}).encode(), "approved_by": "bob",
            "boxes": json.dumps({"boxes": list(devices)}).encode(), "state": "running", "why": "", "wave": 0,
        },
    )  # fmt: skip
    connection.execute(
        insert(tables.command),
        [
            row | {
                "id": f"0199a3c4-7000-7a10-8c4e-{number:012}", "device": name, "position": place, "sealed": sealed, "bulk": BULK,
                "wave": number % 2, "state": states[number % 4], "reason": "it says why", "sends": 1, "guessed": 0,
                "expires_ms": NOW, "due_ms": None, "sent_ms": NOW, "ended_ms": None,
            }
            for number, (place, name) in enumerate(zip(places, devices, strict=True))
        ],
    )  # fmt: skip


def test_a_page_of_ten_thousand_places_costs_what_a_page_of_ten_does(tmp_path: Path) -> None:
    counted: dict[int, dict[str, list[int]]] = {}
    pages = {page.name: page for page in PAGES}
    names = {"device": "b00042", "bulk": BULK}
    for count in (60, PLACES):
        database = open_database(f"sqlite:///{tmp_path / f'{count}.db'}")
        with database.writing() as connection:
            grow(connection, count)
        for name, query in LOOKS:
            began = time.perf_counter()
            with listening() as sent, database.reading() as connection:
                page = pages[name].show(connection, Asked(NOW, names, query, "ann"))
                html = render(name, page, Frame("zh", "ann", "token", f"/{name}", "admin"))
            took_ms = (time.perf_counter() - began) * 1000
            print(f"{count} places {name} {query}: {took_ms:.0f} ms, {len(html)} letters")
            counted.setdefault(count, {}).setdefault(name, []).append(len(sent))
            with database.reading() as connection:
                ways = plans(connection, sent)
            long = ("SCAN inbox", "SCAN alarm", "SCAN certificate", "SCAN command_event")
            assert not [way for way in ways if way.startswith(long)], ways
            assert ways
        database.close()
    assert all(max(counted[PLACES][name]) <= max(counted[60][name]) for name in counted[60]), counted
