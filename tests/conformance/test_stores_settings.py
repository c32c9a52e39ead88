"""Settings by level and a box's timeline, on both databases: what a level is, who decided what, what a box has not taken yet."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.engine import Engine

from tillbox.cloud_bridge.console.pages.settings.page import answer
from tillbox.cloud_bridge.fleet import audit
from tillbox.cloud_bridge.fleet.acts import Decided, Fleet, perform
from tillbox.cloud_bridge.fleet.settings import DEFAULTS, for_box, is_pinned
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import registry, setting_lists, tables
from tillbox.cloud_bridge.store.database import Database, upsert
from tillbox.cloud_bridge.store.setting_lists import TwinRow
from tillbox.cloud_bridge.store.timeline import KINDS, SOURCES, TimelineRow, timeline
from tillbox.contracts.verdicts import Reason, Refused

NOW = 1_790_000_000_000
FLEET = Fleet(bytes(range(32)), "corner-tea", "127.0.0.1", 8884, 100, 1_000, Schedule())
BOX = "bq3xk2v7m4t6w2a5d"
TEA = {"gtin": "06901234567892", "name": "茶", "price": 1250}


class Head:
    """Head office: ann at her desk, and bob at his."""

    def __init__(self, database: Database) -> None:
        self.database = database
        places = [{"store": "s1", "lane": f"l{lane}", "title": "茶铺", "group": "north"} for lane in (1, 2)]
        self.do("plan-places", places=places)
        self.do("plan-places", places=[{"store": "s2", "lane": "l1", "title": "面馆", "group": "south"}])

    def do(self, act: str, who: str = "ann", **body: Any) -> Any:
        return perform(
            self.database, FLEET, act, body, who=who, role="operator", now_ms=NOW, chance=os.urandom
        )

    def fills_in(self, who: str = "ann", **typed: str) -> Any:
        words = {name.replace("__", "."): word for name, word in typed.items()}
        return answer(self.database, words, lambda act, body: self.do(act, who, **body))

    def settings_made(self) -> None:
        with self.database.writing() as connection:
            for_box(connection, BOX, "s1/l1", 1, key=FLEET.key, now_ms=NOW)

    def reports(self, version: int, refused: str = "", refused_version: int = 0) -> None:
        row = {"device": BOX, "version": version, "refused": refused, "refused_version": refused_version}
        with self.database.writing() as connection:
            upsert(connection, tables.reported, [{**row, "at_ms": NOW}], "device")

    def twin(self) -> TwinRow | None:
        with self.database.reading() as connection:
            return setting_lists.twin(connection, BOX)


@pytest.fixture
def head(database: Database) -> Head:
    return Head(database)


def test_a_level_knows_what_is_wider_and_its_versions_say_what_they_changed(head: Head) -> None:
    head.do("decide-settings", scope="box:s1/l1", settings={"language": "en"})
    head.do("decide-settings", scope="tenant", settings={"tenant": "t", "goods": [TEA]})
    head.do("decide-settings", who="bob", scope="tenant", settings={"tenant": "t"})
    head.do("decide-settings", scope="group:north", settings={})
    with head.database.reading() as connection:
        levels = setting_lists.levels(connection)
        after = setting_lists.levels(connection, after="tenant")
        place = setting_lists.level(connection, "box:s1/l1")
        store, nowhere = (
            setting_lists.level(connection, one) for one in ("store:s1", "box:nobody/planned-this")
        )
        newest, first = setting_lists.versions(connection, "tenant")
        earlier = setting_lists.versions(connection, "tenant", before=2)
        found = [one.scope for one in setting_lists.find_levels(connection, "茶铺")]
    assert [one.scope for one in levels] == ["tenant", "group:north", "box:s1/l1"], "the widest first"
    assert [one.scope for one in after] == ["group:north", "box:s1/l1"]
    assert place.wider == ["operator", "tenant", "group:north", "store:s1"]
    assert (place.title, place.places, place.version) == ("茶铺", 1, 1)
    assert (store.wider, store.places) == (["operator", "tenant", "group:north"], 2)
    assert (nowhere.places, nowhere.version, nowhere.settings) == (0, 0, {})
    assert (newest.made_by, [one.setting for one in newest.changes]) == ("bob", ["goods"])
    assert [one.setting for one in first.changes] == ["goods", "tenant"]
    assert [one.version for one in earlier] == [1]
    assert found == ["store:s1", "box:s1/l1", "box:s1/l2"]


def test_who_decides_on_what_somebody_has_changed_meanwhile_is_told_and_loses_nothing(head: Head) -> None:
    typed = {"scope": "store:s1", "based_on": "0", "decide.shop": "on", "shop": "新店名"}
    seen = head.fills_in(step="preview", **typed)
    assert (seen.page.boxes, seen.page.hidden["shop"]) == (2, "新店名")
    head.do("decide-settings", who="bob", scope="store:s1", settings={"language": "en"})
    late = head.fills_in(step="decide", **typed)
    form = late.page.form
    assert (late.status, form.refused.reason) == (409, Reason.DECIDED_MEANWHILE)
    assert (form.meanwhile.made_by, form.meanwhile.changes[0].came) == ("bob", ("en",))
    assert next(one for one in form.fields if one.setting.name == "shop").value == "新店名"
    done = head.fills_in(step="decide", **{**typed, "based_on": f"{form.based_on}"})
    assert done.on == "/settings?scope=store%3As1&decided=2"
    stale = head.do("undo-settings", scope="store:s1", based_on=1)
    assert (stale.reason, stale.detail) == (Reason.DECIDED_MEANWHILE, "version 2, ann")
    undone = head.fills_in(step="undo", scope="store:s1")
    assert undone.page.hidden == {"based_on": "2"}
    assert {one.name for one in undone.page.groups[0].changes} == {"shop", "language"}
    assert head.do("undo-settings", scope="store:s1", based_on=2) == Decided(scope="store:s1", version=3)
    assert head.fills_in(step="undo", scope="group:none").page.form.refused.reason is Reason.NOTHING_TO_UNDO
    assert head.fills_in(step="decide", scope="planet:earth").status == 404


def test_what_is_larger_than_a_box_takes_is_said_before_it_is_decided(head: Head) -> None:
    typed = {"scope": "store:s1", "based_on": "0", "decide.goods": "on"}
    for number in range(900):
        row = f"goods.{number}"
        typed |= {f"{row}.gtin": "6901234567892", f"{row}.name": "茉莉花茶" * 8, f"{row}.price": "12.50"}
    said = head.fills_in(step="preview", **typed)
    assert (said.status, said.page.form.refused.reason) == (422, Reason.SETTINGS_WRONG)
    assert "list fewer goods" in said.page.form.refused.detail
    assert len(next(one for one in said.page.form.fields if one.setting.name == "goods").rows) == 903


def test_a_preview_of_many_places_is_as_exact_as_one_of_few(head: Head) -> None:
    places = [
        {"store": f"t{number // 9}", "lane": f"l{number % 9}", "title": "铺", "group": "west"}
        for number in range(1_100)
    ]
    head.do("plan-places", places=places)
    head.do("decide-settings", scope="store:t7", settings={"language": "en"})
    found = head.do("preview-settings", scope="group:west", settings={"language": "en"})
    assert (found.boxes, found.of, len(found.listed)) == (1_100 - 9, 1_100, 50)


def test_what_a_box_has_not_taken_yet_is_a_patch(head: Head, tmp_path: Path) -> None:
    head.do("decide-settings", scope="tenant", settings={"tenant": "t", "goods": [TEA]})
    assert head.twin() is None
    with head.database.writing() as connection:
        registry.bind(connection, "s1/l1", BOX, NOW)
    head.settings_made()
    before = head.twin()
    assert before is not None
    assert (before.stands, before.version, before.patch) == ("unheard", 1, "")
    head.reports(1)
    assert getattr(head.twin(), "stands", "") == "same"
    for price in (1300, 1400):
        head.do("decide-settings", scope="store:s1", settings={"goods": [{**TEA, "price": price}]})
        head.settings_made()
    head.reports(1, refused="settings_wrong goods", refused_version=3)
    twin = head.twin()
    assert twin is not None
    assert (twin.stands, twin.used_version, twin.version) == ("refused", 1, 3)
    assert [one.setting for one in twin.changes] == ["goods"]
    used = {"goods": [TEA], "shop": "茶铺", "tenant": "t"}
    kept = tmp_path / f"{BOX}.json"
    kept.write_text(json.dumps(used, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    subprocess.run(["git", "apply", "-p0"], input=twin.patch, text=True, check=True, cwd=tmp_path)
    assert json.loads(kept.read_text()) == used | {"goods": [{**TEA, "price": 1400}]}


def test_a_pinned_place_holds_everything_and_lets_go_of_everything(head: Head) -> None:
    head.do("decide-settings", scope="tenant", settings={"tenant": "t"})
    head.do("pin-box", place="s1/l1")
    with head.database.reading() as connection:
        own = setting_lists.level(connection, "box:s1/l1").settings
    assert own == DEFAULTS | {"tenant": "t", "shop": "茶铺"}
    assert is_pinned(own)
    wide = head.do("preview-settings", scope="tenant", settings={"tenant": "u", "broker_host": "b", "stocks": {"a": 1}})  # fmt: skip
    assert [one.position for one in wide.listed] == ["s1/l2", "s2/l1"]
    off = head.fills_in(step="preview", scope="box:s1/l1", based_on="1")
    assert {"of": off.page.of, "hidden": off.page.hidden} == {"of": 1, "hidden": {"based_on": "1"}}
    assert head.fills_in(step="decide", scope="box:s1/l1", based_on="1").on
    assert not isinstance(head.do("preview-settings", scope="tenant", settings={"tenant": "u"}), Refused)


def lived(head: Head) -> None:
    """A box to which everything happened, most of it at one moment."""
    head.do("decide-settings", scope="tenant", settings={"tenant": "t"})
    with head.database.writing() as connection:
        registry.bind(connection, "s1/l1", BOX, NOW - 50)
        registry.add_certificate(connection, 31, BOX, NOW - 50, NOW + 1)
        put = connection.execute
        seen = {"device": BOX, "state": "leaving", "inc": "a", "telemetry": b"{}", "since_ms": NOW}
        put(insert(tables.box), {**seen, "heard_ms": NOW})
        boots = [
            {"device": BOX, "inc": f"{n}", "number": n, "watermark": 1, "head": "", "standing": "proven", "opened_ms": NOW - n // 4}
            for n in range(12)
        ]  # fmt: skip
        put(insert(tables.incarnation), boots)
        shout = {"kind": "fork", "device": BOX, "ref": "", "at_ms": NOW}
        put(insert(tables.alarm), [{**shout, "detail": f"{n}"} for n in range(9)])
        heard = {"device": BOX, "kind": "paper_out", "subject": "", "detail": "", "at_ms": NOW}
        put(insert(tables.alert_event), [{**heard, "what": what} for what in ("raised", "cleared")])
        no = {"device": BOX, "reason": "not_understood", "count": 3, "sample": "x", "last_ms": NOW}
        put(insert(tables.refused), no)
        sent = {
            "device": BOX, "position": "s1/l1", "verb": "self-test", "sealed": b"", "made_by": "ann", "wave": 0,
            "state": "successful", "reason": "", "sends": 1, "guessed": 0, "made_ms": NOW, "expires_ms": NOW,
        }  # fmt: skip
        put(insert(tables.command), [{**sent, "id": f"c{n}", "ended_ms": NOW if n else None} for n in range(4)])  # fmt: skip
        for at_ms in (NOW - 100, NOW):
            audit.note(connection, who="ann", act="make-claims", subject="s1/l1", detail="", at_ms=at_ms)
        audit.note(connection, who="ann", act="revoke-box", subject=BOX, detail="", at_ms=NOW)
        registry.put_out(connection, BOX, "revoked", NOW)
        registry.close(connection, BOX, NOW)
    head.settings_made()
    head.reports(1)


def pages(database: Database, most: int, **narrowed: Any) -> list[list[TimelineRow]]:
    """The list to its end, a page at a time."""
    found: list[list[TimelineRow]] = []
    while not found or len(found[-1]) == most:
        before = found[-1][-1].at if found else ""
        with database.reading() as connection:
            found.append(timeline(connection, BOX, before=before, most=most, **narrowed))
    return found


def test_a_timeline_tells_each_thing_once_however_it_is_paged(head: Head) -> None:
    lived(head)
    (whole, rest) = (one := pages(head.database, 500))[0], one[1:]
    assert rest == []
    told = {(row.kind, row.what) for row in whole}
    assert told == {
        ("start", "started"), ("line", "online"), ("place", "bound"), ("place", "put_out"), ("place", "closed"),
        ("place", "certified"), ("settings", "settings_made"), ("settings", "settings_used"),
        ("command", "command_made"), ("command", "command_ended"), ("alert", "raised"), ("alert", "cleared"),
        ("trouble", "alarm"), ("trouble", "refused"), ("done", "did"),
    }  # fmt: skip
    assert [row.at_ms for row in whole] == sorted((row.at_ms for row in whole), reverse=True)
    assert [row.name for row in whole if row.kind == "done"] == ["revoke-box", "make-claims"], (
        "what was done to its place before it came is not its story"
    )
    for most in (1, 2, 3, 7):
        assert [row for page in pages(head.database, most) for row in page] == whole, most
    for kind in KINDS:
        mine = [row for page in pages(head.database, 2, kinds=[kind]) for row in page]
        assert mine == [row for row in whole if row.kind == kind]
    for odd in ("x", "1-99-a", "1-0-x", "1-14-", "9" * 30, f"{NOW}-14-{'9' * 40}", "1-2-'; DROP TABLE audit"):
        with head.database.reading() as connection:
            timeline(connection, BOX, before=odd)


def test_a_page_of_a_timeline_costs_a_statement_for_each_source(head: Head) -> None:
    lived(head)
    sent: list[str] = []
    hear = lambda *told: sent.append(told[2])  # noqa: E731
    event.listen(Engine, "before_cursor_execute", hear)
    try:
        with head.database.reading() as connection:
            timeline(connection, BOX, most=50)
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert len([one for one in sent if one.startswith("SELECT")]) <= len(SOURCES) + 1
