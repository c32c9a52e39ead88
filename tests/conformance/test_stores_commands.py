"""Commands in the core's store, on both databases: what is sent and when, what the boxes' records make of it, bulks in
waves, and the second person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from tests.conformance.core_store import take
from tests.conformance.test_stores_fleet import FLEET, KEY, NOW, Head, _chance

from tillbox.cloud_bridge.fleet import audit
from tillbox.cloud_bridge.fleet.acts import perform
from tillbox.cloud_bridge.fleet.dispatch import Dispatch
from tillbox.cloud_bridge.store import command_lists, fleet_lists, tables
from tillbox.cloud_bridge.store.commands import PACE, UNHEARD
from tillbox.cloud_bridge.store.database import Database
from tillbox.contracts.codes import kid_of
from tillbox.contracts.commands import Command, open_command
from tillbox.contracts.messages import CommandState
from tillbox.contracts.verdicts import Reason, Refused

MINUTE = 60_000
FEW = replace(FLEET, second_person_above=8)
PUBLIC = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()
KEYS = {kid_of(PUBLIC): (PUBLIC,)}


class Office(Head):
    """Head office with boxes that are there, and their journals."""

    def stand(self, *names: str, lanes: int = 0) -> list[str]:
        """So many boxes at their places, online; their devices."""
        names = names or tuple(f"b{number}" for number in range(lanes))
        places = [{"store": "s9", "lane": name, "title": "茶铺", "group": "north"} for name in names]
        self.do("plan-places", places=places)
        self.journals = {self.box(name).device: self.journal(name) for name in names}
        for name in names:
            assert self.enrol(name, self.claim(f"s9/{name}")).refused is None
        for device in self.journals:
            self.online(device)
        return list(self.journals)

    def online(self, device: str, state: str = "online") -> None:
        row = {"device": device, "state": state, "inc": "0" * 16, "since_ms": self.now_ms, "telemetry": b"{}"}
        with self.database.writing() as connection:
            connection.execute(tables.box.delete().where(tables.box.c.device == device))
            connection.execute(tables.box.insert(), row | {"heard_ms": self.now_ms})

    def sent(self, later_ms: int = 0) -> list[Command]:
        """What goes out now."""
        self.now_ms += later_ms
        found = []
        for device, sealed in Dispatch(self.database).turn(self.now_ms):
            opened = open_command(sealed.decode(), keys=KEYS, device=device, epoch=1)
            assert isinstance(opened, Command)
            found.append(opened)
        return found

    def says(self, command: Command, *states: str, result: str = "", part: int = 0, reason: str = "") -> None:
        """A box's journal comes in with these steps."""
        journal = self.journals[command.device]
        for state in states:
            said = {
                "command": command.id,
                "verb": command.verb,
                "state": state,
                "reason": reason,
                "result": result,
                "part": part,
            }
            journal.add("command_state", CommandState.model_validate(said))
        take(self.database, journal)

    def do(self, act: str, role: str = "operator", **body: Any) -> Any:
        return self.as_("ann", act, role, **body)

    def as_(self, who: str, act: str, role: str = "operator", /, *, by_key: str = "", **body: Any) -> Any:
        person = {"who": who, "role": role, "key": by_key}
        return perform(self.database, FEW, act, body, **person, now_ms=self.now_ms, chance=_chance)

    def states(self, bulk: str = "") -> list[str]:
        with self.database.reading() as connection:
            return sorted(row.state for row in command_lists.commands(connection, bulk_id=bulk, most=500))

    def commands_of(self, bulk: str) -> list[command_lists.CommandRow]:
        with self.database.reading() as connection:
            return command_lists.commands(connection, bulk_id=bulk)

    def story(self, command: str) -> command_lists.CommandStory:
        with self.database.reading() as connection:
            found = command_lists.command_story(connection, command)
        assert found is not None
        return found

    def bulk(self) -> command_lists.BulkRow:
        with self.database.reading() as connection:
            return command_lists.bulks(connection)[0]


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    return Office(database, tmp_path)


def test_a_command_is_sent_until_the_boxes_own_record_ends_it(office: Office) -> None:
    (device,) = office.stand("a")
    made = office.do("send-command", box="s9/a", verb="self-test")
    (sent,) = office.sent()
    assert (sent.id, sent.device, sent.verb) == (made.id, device, "self-test")
    assert office.sent(1_000) == [], "it has its time to answer"
    assert office.sent(PACE.again_ms) == [sent]
    assert office.sent(PACE.again_ms) == [], "ever more seldom"
    office.says(sent, "init", "executing", "successful", result='{"ok":true}')
    assert office.sent(10 * PACE.again_ms) == []
    story = office.story(made.id)
    assert (story.command.state, story.command.guessed, story.command.sends) == ("successful", False, 2)
    assert [event.state for event in story.events] == ["init", "executing", "successful"]
    assert json.loads(story.events[-1].result) == {"ok": True}


def test_a_box_that_comes_up_hears_it_at_once(office: Office) -> None:
    (device,) = office.stand("a")
    office.online(device, "lost")
    office.do("send-command", box=device, verb="restart")
    assert office.sent(1_000) == [], "nobody is there"
    office.online(device)
    (sent,) = office.sent(1)
    office.online(device)
    assert office.sent(1) == [], "no sooner than it could have heard"
    office.now_ms += 1
    office.online(device)
    assert office.sent() == [sent]


def test_a_clock_that_was_set_back_sends_it_once_and_not_without_end(office: Office) -> None:
    office.now_ms += 3_600_000
    (device,) = office.stand("a")
    office.do("send-command", box=device, verb="self-test", minutes=600)
    assert len(office.sent()) == 1
    office.now_ms -= 3_600_000
    assert [len(office.sent(200)) for _ in range(5)] == [1, 0, 0, 0, 0]


def test_what_no_box_took_in_time_is_over_and_the_boxes_word_is_better(office: Office) -> None:
    (device,) = office.stand("a")
    made = office.do("send-command", box=device, verb="test-page", minutes=5)
    (sent,) = office.sent()
    assert office.sent(5 * MINUTE) == [], "it is over"
    office.sent(PACE.grace_ms + 1)
    command = office.story(made.id).command
    assert (command.state, command.reason, command.guessed) == ("expired", UNHEARD, True)
    office.says(sent, "init", "executing", "successful")
    command = office.story(made.id).command
    assert (command.state, command.guessed) == ("successful", False), "it had done it without a line"
    told_by = [event.told_by for event in office.story(made.id).events]
    assert told_by == ["core", "box", "box", "box"]


def test_what_is_over_stays_over(office: Office) -> None:
    office.stand("a")
    made = office.do("send-command", box="s9/a", verb="self-test")
    (sent,) = office.sent()
    office.says(sent, "init", "executing", "failed")
    office.says(sent, "init", "executing", "successful")
    story = office.story(made.id)
    assert story.command.state == "failed"
    assert len(story.events) == 6, "it was heard all the same"


def test_no_box_speaks_for_another(office: Office) -> None:
    office.stand("a", "b")
    made = office.do("send-command", box="s9/a", verb="self-test")
    (sent,) = office.sent()
    other = next(device for device in office.journals if device != sent.device)
    office.says(sent.model_copy(update={"device": other}), "init", "executing", "failed")
    assert office.story(made.id).command.state == "init"
    with office.database.reading() as connection:
        outcomes = set(connection.execute(select(tables.inbox.c.outcome)).scalars())
    assert "command_unknown" in outcomes


def test_who_is_watched_is_known_from_what_was_commanded(office: Office) -> None:
    def watched() -> dict[str, list[str]]:
        with office.database.reading() as connection:
            found = command_lists.watches(connection, now_ms=office.now_ms)
            for device, asked in found.items():
                assert command_lists.watches(connection, now_ms=office.now_ms, device=device) == {
                    device: asked
                }
        return {device: sorted(asked) for device, asked in found.items()}

    one, other = office.stand("a", "b")
    for lane, what, minutes in (("a", "screen", 5), ("a", "log", 15), ("b", "log", 5), ("b", "nothing", 60)):
        office.now_ms += 1
        office.do("send-command", box=f"s9/{lane}", verb="watch", what=what, minutes=minutes)
    office.do("send-command", box="s9/b", verb="self-test")
    assert watched() == {one: ["log", "screen"]}
    office.now_ms += 6 * MINUTE
    assert watched() == {one: ["log"]}
    office.do("send-command", box="s9/b", verb="watch", what="screen", minutes=30)
    office.now_ms += 29 * MINUTE
    assert watched() == {other: ["screen"]}


def test_what_was_heard_of_a_command_cannot_be_changed(office: Office) -> None:
    office.stand("a")
    office.do("send-command", box="s9/a", verb="self-test")
    (sent,) = office.sent()
    office.says(sent, "init")
    for statement in ("UPDATE command_event SET state = 'failed'", "DELETE FROM command_event"):
        with pytest.raises(DBAPIError), office.database.writing() as connection:
            connection.execute(text(statement))


def test_who_commanded_what_is_in_the_audit_log(office: Office) -> None:
    office.stand("a")
    made = office.do("send-command", box="s9/a", verb="quarantine", why="a thief")
    office.do("send-command", box="s9/none", verb="restart")
    with office.database.reading() as connection:
        rows = connection.execute(select(tables.audit).order_by(tables.audit.c.id)).all()[-2:]
        assert list(audit.broken(connection)) == []
    assert [(row.who, row.act, row.subject) for row in rows] == [
        ("ann", "send-command", "s9/a"), ("ann", "send-command", "s9/none"),
    ]  # fmt: skip
    assert rows[0].detail == f"quarantine {made.id}"
    assert rows[1].detail.startswith("refused: no_box_there")


def test_what_is_not_sent(office: Office) -> None:
    office.stand("a")
    for box, verb, reason in (
        ("s9/a", "drain", Reason.COMMAND_WRONG),
        ("s9/a", "dance", Reason.NOT_UNDERSTOOD),
        ("s9/zz", "restart", Reason.NO_BOX_THERE),
    ):
        found = office.do("send-command", box=box, verb=verb)
        assert isinstance(found, Refused)
        assert found.reason is reason
    assert office.sent() == []


def test_a_preview_says_whom_it_reaches_and_sends_nothing(office: Office) -> None:
    office.stand("a", "b", "c")
    for scope, count in (("*", 3), ("s9", 3), ("group:north", 3), ("s9/a", 1), ("s9/a s9/b", 2)):
        found = office.do("send-commands", scope=scope, verb="self-test")
        assert (found.state, found.count, sum(found.waves)) == ("preview", count, count)
    assert not found.within_budget, "two of three are more than ten percent"
    assert {one.online for one in found.boxes} == {True}
    assert (office.states(), office.sent()) == ([], [])


def test_a_bulk_over_its_budget_sends_nothing(office: Office) -> None:
    office.stand("a", "b", "c")
    for budget in ({"max_percent": 50}, {"max_percent": 100, "max_boxes": 2}):
        found = office.do("send-commands", scope="*", verb="self-test", preview=False, **budget)
        assert isinstance(found, Refused)
        assert found.reason is Reason.OVER_BUDGET
    assert office.states() == []


WHOLE = {"scope": ["*"], "preview": False, "max_percent": 100, "max_boxes": 500}


def test_waves_go_one_after_the_other(office: Office) -> None:
    office.stand(lanes=8)
    office.do("send-commands", verb="self-test", waves=[10, 50, 100], **WHOLE)
    sizes = []
    for _ in range(3):
        wave = office.sent(1_000)
        sizes.append(len(wave))
        assert office.sent(1_000) == [], "nobody new before these have ended"
        for command in wave:
            office.says(command, "init", "executing", "successful")
    office.sent(1_000)
    assert sizes == [1, 3, 4]
    assert (office.bulk().state, office.bulk().states["successful"], office.bulk().boxes) == ("done", 8, 8)


def test_a_bulk_stops_by_itself_when_more_fail_than_may(office: Office) -> None:
    office.stand(lanes=8)
    office.do("send-commands", verb="restart", waves=[25, 100], stop_if_failed=1, **WHOLE)
    wave = office.sent()
    assert len(wave) == 2
    for command in wave:
        office.says(command, "init", "executing", "failed")
    assert office.sent(1_000) == []
    bulk = office.bulk()
    assert (bulk.state, bulk.why) == ("stopped", "2 boxes failed; 1 may. It stopped by itself.")
    assert office.states(bulk.id) == ["expired"] * 6 + ["failed"] * 2
    with office.database.reading() as connection:
        last = connection.execute(select(tables.audit).order_by(tables.audit.c.id.desc())).first()
    assert last is not None
    assert (last.who, last.act, last.subject) == ("core", "stop-bulk", bulk.id)


def test_boxes_that_are_switched_off_are_waited_for_a_while_only(office: Office) -> None:
    devices = office.stand(lanes=4)
    office.do("send-commands", verb="self-test", waves=[25, 100], patience_minutes=10, **WHOLE)
    (first,) = office.sent()
    office.online(first.device, "lost")
    assert office.sent(9 * MINUTE) == []
    rest = office.sent(2 * MINUTE)
    assert {command.device for command in rest} == set(devices) - {first.device}


def test_many_boxes_need_a_second_person(office: Office) -> None:
    office.stand(lanes=9)
    asked = office.as_("ann", "send-commands", verb="restart", **WHOLE)
    assert (asked.state, office.sent()) == ("awaiting", [])
    assert office.as_("ann", "approve-bulk", bulk=asked.id) == Refused(Reason.SAME_PERSON, "ann")
    assert office.as_("bob", "approve-bulk", bulk=asked.id).state == "running"
    assert len(office.sent()) == 1, "its first wave"
    assert (office.bulk().made_by, office.bulk().approved_by) == ("ann", "bob")
    again = office.as_("cid", "approve-bulk", bulk=asked.id)
    assert again == Refused(Reason.BULK_OVER, "running")


def test_a_person_is_one_by_whatever_key_or_browser(office: Office) -> None:
    office.stand(lanes=9)
    asked = office.as_("ann", "send-commands", verb="restart", by_key="stock", **WHOLE)
    for key in ("", "stock", "other"):
        again = office.as_("ann", "approve-bulk", by_key=key, bulk=asked.id)
        assert again == Refused(Reason.SAME_PERSON, "ann")
    assert office.as_("bob", "approve-bulk", by_key="stock", bulk=asked.id).state == "running"
    with office.database.reading() as connection:
        said = [row.who for row in fleet_lists.audit_rows(connection, most=5)]
        of_ann = fleet_lists.audit_rows(connection, who="ann")
    assert said == ["key stock of bob", "key other of ann", "key stock of ann", "ann", "key stock of ann"]
    assert {row.who for row in of_ann} == {"ann", "key stock of ann", "key other of ann"}


def test_many_small_commands_within_the_hour_need_a_second_person_too(office: Office) -> None:
    devices = office.stand(lanes=10)
    few = {"preview": False, "max_percent": 100}
    first = office.do("send-commands", verb="self-test", scope=[f"s9/b{at}" for at in range(6)], **few)
    assert (first.state, first.needs_second_person) == ("running", False)
    for at in (5, 6, 7):
        assert office.do("send-command", box=devices[at], verb="self-test").verb == "self-test"
    no = Refused(Reason.SECOND_PERSON, "9 boxes, 8 may be")
    assert office.as_("ann", "send-command", by_key="stock", box=devices[8], verb="restart") == no
    assert office.do("send-command", box=devices[0], verb="restart").verb == "restart", "it is no other box"
    assert office.as_("bob", "send-command", box=devices[8], verb="restart").verb == "restart"
    waits = office.do("send-commands", verb="restart", scope=["s9/b8", "s9/b9"], **few)
    assert (waits.state, waits.needs_second_person) == ("awaiting", True)
    assert office.as_("bob", "approve-bulk", bulk=waits.id).state == "running"
    assert {row.made_by for row in office.commands_of(waits.id)} == {"ann"}
    office.now_ms += 60 * MINUTE
    assert office.do("send-command", box=devices[8], verb="restart").verb == "restart", "an hour later"


def test_nobody_puts_out_the_whole_fleet_alone(office: Office) -> None:
    devices = office.stand(lanes=11)
    assert office.do("send-command", box=devices[0], verb="restart").verb == "restart"
    for at in range(1, 8):
        assert (
            office.as_("ann", "revoke-box", by_key="stock" * (at % 2), device=devices[at]).state == "revoked"
        )
    assert office.do("revoke-box", device=devices[0]).state == "revoked", "it is no other box"
    no = Refused(Reason.SECOND_PERSON, "9 boxes, 8 may be")
    for _ in range(2):
        assert office.do("revoke-box", device=devices[8]) == no
    assert office.as_("ann", "revoke-box", by_key="other", device=devices[8]) == no
    assert office.do("send-command", box=devices[8], verb="restart") == no, "nor are more commanded"
    with office.database.writing() as connection:
        connection.execute(tables.box.update().values(telemetry=b'{"pending": 0}'))
    assert office.do("retire-box", device=devices[8]) == no
    assert office.as_("bob", "revoke-box", device=devices[8]).state == "revoked"
    assert office.as_("n", "revoke-box", device=devices[9]).state == "revoked", (
        "another's name that ends alike"
    )
    office.now_ms += 60 * MINUTE
    assert office.do("revoke-box", device=devices[10]).state == "revoked"


def test_whoever_only_looks_commands_nobody(office: Office) -> None:
    devices = office.stand(lanes=10)
    for device in devices:
        assert office.do("send-command", box=device, verb="watch", what="log").verb == "watch"
    for device in devices[:8]:
        assert office.do("send-command", box=device, verb="restart").verb == "restart"
    assert office.do("send-command", box=devices[8], verb="restart").reason is Reason.SECOND_PERSON
    assert office.do("send-command", box=devices[8], verb="watch", what="screen").verb == "watch"


def test_a_box_is_watched_for_half_an_hour_where_nobody_says_how_long(office: Office) -> None:
    (device,) = office.stand("a")
    made = office.do("send-command", box=device, verb="watch", what="log")
    assert made.expires_ms == office.now_ms + 30 * MINUTE
    (sent,) = office.sent()
    assert sent.params == {"what": "log", "minutes": 30}
    said = office.do("send-command", box=device, verb="watch", what="log", minutes=60)
    assert said.reason is Reason.COMMAND_WRONG, "more is refused, and not made less"
    assert office.do("send-command", box=device, verb="restart").expires_ms == office.now_ms + 60 * MINUTE


def test_who_approves_approves_the_boxes_that_were_asked_for(office: Office) -> None:
    devices = office.stand(lanes=9)
    asked = office.as_("ann", "send-commands", verb="restart", waves=[100], **WHOLE)
    office.do("revoke-box", device=devices[0])
    office.do("plan-places", places=[{"store": "s9", "lane": "new", "title": "茶铺"}])
    office.enrol("new", office.claim("s9/new"))
    office.online(office.box("new").device)
    office.as_("bob", "approve-bulk", bulk=asked.id)
    assert {command.device for command in office.sent()} == set(devices[1:])


def test_a_person_stops_a_bulk(office: Office) -> None:
    office.stand(lanes=4)
    asked = office.do("send-commands", verb="restart", waves=[25, 100], **WHOLE)
    office.sent()
    assert office.do("stop-bulk", bulk=asked.id).state == "stopped"
    assert office.states(asked.id) == ["expired"] * 3 + ["init"]
    assert office.do("stop-bulk", bulk=asked.id) == Refused(Reason.BULK_OVER, "stopped")


def test_a_bulk_that_was_stopped_reaches_no_box_any_more_that_was_off(office: Office) -> None:
    devices = office.stand(lanes=4)
    for device in devices[:2]:
        office.online(device, "lost")
    asked = office.do("send-commands", verb="update", release="0.2.0", waves=[100], **WHOLE)
    sent = office.sent()
    assert len(sent) == 2
    office.says(sent[0], "init", "blocked")
    office.do("stop-bulk", bulk=asked.id)
    assert office.states(asked.id) == ["blocked", "expired", "expired", "init"]
    for device in devices:
        office.online(device, "online")
    assert {one.id for one in office.sent(MINUTE)} == {sent[0].id}, (
        "the box that took it up hears it after a boot"
    )


def test_a_release_rests_between_its_waves(office: Office) -> None:
    office.stand(lanes=4)
    office.do("send-commands", verb="update", release="0.2.0", waves=[25, 100], rest_minutes=60, **WHOLE)
    (first,) = office.sent()
    office.says(first, "init", "executing", "successful")
    assert office.sent(59 * MINUTE) == []
    assert len(office.sent(2 * MINUTE)) == 3


def test_a_box_that_was_put_out_is_commanded_nothing(office: Office) -> None:
    (device,) = office.stand("a")
    office.do("revoke-box", device=device)
    assert office.do("send-command", box=device, verb="restart") == Refused(Reason.NO_BOX_THERE, device)


def test_the_hour_of_a_commands_end_is_in_what_is_signed(office: Office) -> None:
    office.stand("a")
    office.do("send-command", box="s9/a", verb="restart", minutes=7)
    (sent,) = office.sent()
    assert (sent.made_ms, sent.expires_ms) == (NOW, NOW + 7 * MINUTE)


def lives(office: Office) -> dict[int, dict[str, int]]:
    with office.database.reading() as connection:
        found = command_lists.bulk_story(connection, office.bulk().id)
    assert found is not None
    return {wave.number: wave.lives for wave in found.waves}


def test_a_bulk_is_told_wave_by_wave_and_says_what_keeps_boxes_from_it(office: Office) -> None:
    office.stand(lanes=8)
    office.do("send-commands", verb="restart", waves=[50, 100], stop_if_failed=1, minutes=5, **WHOLE)
    kept, failed, blocked, silent = office.sent()
    office.says(kept, "init", "executing", "successful")
    office.says(failed, "init", "executing", "failed")
    office.says(blocked, "init", "blocked", reason="A payment is under way.")
    assert lives(office) == {
        0: {"successful": 1, "failed": 1, "blocked": 1, "sent": 1}, 1: {"held": 4},
    }  # fmt: skip
    office.do("stop-bulk", bulk=office.bulk().id)
    office.sent(5 * MINUTE + PACE.grace_ms + 1)
    assert lives(office) == {0: {"successful": 1, "failed": 1, "unheard": 2}, 1: {"called_off": 4}}
    with office.database.reading() as connection:
        found = command_lists.bulk_story(connection, office.bulk().id)
        unheard = command_lists.commands(connection, bulk_id=office.bulk().id, life="unheard")
        assert command_lists.bulk_story(connection, "none") is None
    assert found is not None
    assert [(one.life, one.reason, one.boxes) for one in found.reasons] == [
        ("unheard", UNHEARD, 2),
        ("failed", "", 1),
    ]
    assert {one.id for one in unheard} == {blocked.id, silent.id}


def test_commands_and_bulks_are_paged_the_newest_first(office: Office) -> None:
    office.stand("a")
    for _ in range(5):
        office.now_ms += 1_000
        office.do("send-command", box="s9/a", verb="self-test")
        office.do("send-commands", verb="self-test", **WHOLE)
    with office.database.reading() as connection:
        first = command_lists.commands(connection, device="s9/a", most=4)
        rest = command_lists.commands(connection, device="s9/a", before=first[-1].id)
        page = command_lists.bulks(connection, most=2)
        older = command_lists.bulks(connection, before=page[-1].id)
    assert [len(first), len(rest), len(page), len(older)] == [4, 6, 2, 3]
    made = [one.made_ms for one in (*first, *rest)]
    assert made == sorted(made, reverse=True)
    assert len({one.id for one in (*first, *rest)}) == 10


def test_what_was_looked_at_is_sent_in_its_waves_and_once_however_often_it_is_pressed(office: Office) -> None:
    office.stand(lanes=8)
    body = {**WHOLE, "verb": "self-test", "waves": [25, 100]}
    seen = office.do("send-commands", **(body | {"preview": True}))
    for _ in range(2):
        assert office.do("send-commands", id=seen.id, **body) == seen.model_copy(update={"state": "running"})
    assert len(office.sent()) == seen.waves[0]
    assert len(office.states()) == 8
    other = office.do("send-commands", id=seen.id, **(body | {"stop_if_failed": 3}))
    assert other == Refused(Reason.BULK_OVER, "running")
    assert office.as_("bob", "send-commands", id=seen.id, **body) == other
