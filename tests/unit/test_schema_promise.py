"""What version 1 wrote is read for ever: golden messages, read and written again by today's models. What a later
version writes gets the answer that it should."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from tillbox.agent.past import recall
from tillbox.broker.journal import Draft, serialise
from tillbox.cloud_bridge.desk import Desk
from tillbox.cloud_bridge.fleet import presence
from tillbox.cloud_bridge.ingest import Arrived, Ingest
from tillbox.cloud_bridge.payments.machine import Schedule
from tillbox.cloud_bridge.store import fleet_board, reading, tables
from tillbox.cloud_bridge.store.database import Database, open_database
from tillbox.contracts import topics
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.messages import (
    ASK_BODIES,
    BODIES,
    VERSION,
    Ack,
    Alerts,
    Answer,
    Live,
    LogLines,
    Record,
    State,
    Telemetry,
    Wire,
    canonical,
    digest,
    genesis,
)

GOLDEN = Path(__file__).parents[1] / "golden/messages"
FILES = sorted(GOLDEN.glob("*.json"))
NOW = 1_790_000_000_000
FRESH = "0199a000-ffff-7000-8000-000000000000"
MODELS: dict[str, type[Wire]] = {
    "record": Record,
    "ack": Ack,
    "answer": Answer,
    "state": State,
    "telemetry": Telemetry,
    "alerts": Alerts,
    "live": Live,
    "log_lines": LogLines,
}


def message(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())["message"]
    return found


def model_of(name: str) -> type[Wire]:
    kind, _, rest = name.partition(".")
    return ASK_BODIES[rest.partition(".")[0]][0] if kind == "ask" else MODELS[kind]


def body_of(name: str) -> type[Wire] | None:
    """The model of what is inside, for records and answers."""
    kind, inner, *_ = name.split(".")
    if kind == "record":
        return BODIES[inner]
    return ASK_BODIES[inner][1] if kind == "answer" else None


def read(name: str, data: bytes) -> tuple[Wire, Wire | None]:
    """A message as the other side parses it: the envelope from the bytes, the body from the envelope."""
    envelope, inner = model_of(name).model_validate_json(data), body_of(name)
    if inner is None:
        return envelope, None
    assert isinstance(envelope, (Record, Answer))
    return envelope, inner.model_validate(envelope.body)


def written(envelope: Wire, body: Wire | None, **how: bool) -> bytes:
    document = envelope.model_dump(mode="json", **how)  # type: ignore[arg-type]
    if body is not None:
        document["body"] = body.model_dump(mode="json", **how)  # type: ignore[arg-type]
    return canonical(document)


def kept(path: Path) -> bytes:
    """The bytes of a golden message, which are still those that were hashed then."""
    golden = json.loads(path.read_text())
    data = canonical(golden["message"])
    assert digest(data) == golden["digest"], "canonical JSON is not what it was: every shop's chain breaks"
    return data


each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_full = pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.full.json")), ids=lambda path: path.stem)
each_ask = pytest.mark.parametrize("path", sorted(GOLDEN.glob("ask.*.json")), ids=lambda path: path.stem)
each_least = pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.least.json")), ids=lambda path: path.stem)


def test_there_is_one_of_everything_that_travels() -> None:
    found = {path.stem.rpartition(".")[0] for path in FILES}
    answers, asks = {f"answer.{name}" for name in ASK_BODIES}, {f"ask.{name}" for name in ASK_BODIES}
    assert found == {"ack", "state", "telemetry", "alerts", "live", "log_lines"} | answers | asks | {
        f"record.{kind}" for kind in BODIES
    }
    for name in found:
        assert (GOLDEN / f"{name}.least.json").exists(), "every message has a form with what is required only"


@each
def test_what_was_written_is_read_and_nothing_of_it_is_lost(path: Path) -> None:
    data = kept(path)
    envelope, body = read(path.stem, data)
    assert not envelope.model_extra, "a field that was known is not known any more"
    assert body is None or not body.model_extra
    assert written(envelope, body, exclude_unset=True) == data


@each_full
def test_what_has_every_field_is_written_today_as_it_was_then(path: Path) -> None:
    """By the way in which the box and the core write: without what is None."""
    data = kept(path)
    envelope, body = read(path.stem, data)
    assert written(envelope, body, exclude_none=True) == data
    if isinstance(envelope, Record):
        assert body is not None
        draft = Draft(envelope.tid, envelope.kind, body, TimeInterval(*envelope.at))
        assert serialise(envelope.dev, envelope.inc, envelope.seq, envelope.prev, draft) == data


@each_least
def test_least_is_least(path: Path) -> None:
    """Whatever is taken out of it makes it unreadable: so nothing in it was optional."""
    model = body_of(path.stem) or model_of(path.stem)
    document = message(path.stem)
    fields = document["body"] if body_of(path.stem) else document
    model.model_validate(fields)
    for field in fields:
        with pytest.raises(ValidationError):
            model.model_validate({key: value for key, value in fields.items() if key != field})


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("record.opened.least", {"prior": None, "prior_seq": 0, "prior_head": None, "software": ""}),
        ("record.sale.least", {"unit": "CNY/2", "discount": 0, "coupon": None, "online": False, "number": 0}),
        ("record.lease_held.least", {"spent": (), "single": False}),
        ("record.lease_asked.least", {"serial": None}),
        ("record.payment_asked.least", {"coupon": None}),
        ("record.void.least", {"attempt": None, "coupon": None}),
        ("record.refund.least", {"attempt": None}),
        ("answer.lease.least", {"lease": None, "spent": (), "expires_ms": 0}),
        ("answer.pay.least", {"inc": None, "detail": ""}),
    ],
)
def test_what_an_old_box_did_not_say_means_what_it_meant(name: str, defaults: dict[str, object]) -> None:
    _, body = read(name, canonical(message(name)))
    assert body is not None
    assert {field: getattr(body, field) for field in defaults} == defaults


def test_the_words_around_them_have_their_defaults_too() -> None:
    ack = Ack.model_validate(message("ack.least"))
    assert (ack.v, ack.echo_seq, ack.echo_hash, ack.refused) == (1, 0, None, None)
    telemetry = Telemetry.model_validate(message("telemetry.least"))
    assert (telemetry.head, telemetry.oldest_pending_ms, telemetry.free_bytes) == (None, None, None)
    assert (telemetry.refused, telemetry.printer, telemetry.dropped) == ({}, "", 0)
    sale = BODIES["sale"].model_validate(message("record.sale.least")["body"])
    assert sale.lines[0].quantity == 1  # type: ignore[attr-defined]
    assert sale.lines[0].goods == ""  # type: ignore[attr-defined]


# a whole journal of that time


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'core.db'}")
    yield opened
    opened.close()


def journal() -> list[bytes]:
    """The golden records are one journal: two incarnations of one box."""
    records = [message(path.stem) for path in FILES if path.stem.startswith("record.")]
    return [canonical(one) for one in sorted(records, key=lambda one: (one["inc"], one["seq"]))]


def take(core: Database, *lines: bytes) -> Ack:
    return Ingest(core, Schedule()).take([Arrived("box-1", b"\n".join(lines))], NOW)[-1][1]


def outcomes(core: Database) -> list[str]:
    inbox = tables.inbox.c
    with core.reading() as connection:
        return list(connection.execute(select(inbox.outcome).order_by(inbox.inc, inbox.seq)).scalars())


def refused(core: Database) -> dict[str, int]:
    with core.reading() as connection:
        return {row.reason: row.count for row in reading.refused(connection)}


def test_an_old_journal_is_taken_in_by_todays_core(core: Database) -> None:
    lines = journal()
    ack = take(core, *lines)
    assert (ack.inc, ack.wm, ack.head, ack.refused) == ("b2" * 8, 7, digest(lines[-1]), None)
    assert len(outcomes(core)) == len(lines)
    assert not {"not_understood", "future_version"} & set(outcomes(core))
    assert refused(core) == {}
    with core.reading() as connection:
        assert {row.standing for row in connection.execute(select(tables.incarnation))} == {"proven"}


def test_an_old_journal_is_remembered_by_todays_box() -> None:
    past = recall(journal())
    assert [own.sale.total for own in past.sales.values()] == [2600, 6350]
    assert past.number == 2
    assert past.rights_count == 9
    assert (past.leases, past.requests) == ({}, {}), "the journal ends with rights that were lost"


@each_ask
def test_an_old_question_is_answered(core: Database, path: Path) -> None:
    _, name, _ = path.stem.split(".")
    payload = canonical(message(path.stem))
    answered = Desk(core, Schedule()).answer("box-1", name, payload, now_ms=NOW, fresh_id=FRESH)
    assert answered.answer is not None or answered.todo.calls or answered.todo.news
    assert refused(core) == {}


@pytest.mark.parametrize("how", ["least", "full"])
def test_how_an_old_box_is_doing_is_shown(core: Database, how: str) -> None:
    with core.writing() as connection:
        state = presence.Word("box-1", topics.state_up("box-1"), canonical(message(f"state.{how}")))
        telemetry = presence.Word(
            "box-1", topics.telemetry_up("box-1"), canonical(message(f"telemetry.{how}"))
        )
        presence.take(connection, [state, telemetry], now_ms=NOW)
    assert refused(core) == {}
    with core.reading() as connection:
        assert [row.pending for row in fleet_board.fleet(connection, fleet_board.Wanted())] == [
            2 if how == "full" else 0
        ]


# It was not always so: telemetry is checked up to its limit and kept beyond it. What follows the limit is not JSON, and the page
# of all boxes cannot be made any more, whichever box sent it.
def test_telemetry_that_goes_on_behind_its_limit_does_not_take_the_page_away(core: Database) -> None:
    data = canonical(message("telemetry.least")).ljust(presence.TELEMETRY_BYTES_MAX) + b"and more"
    with core.writing() as connection:
        presence.take(connection, [presence.Word("box-1", topics.telemetry_up("box-1"), data)], now_ms=NOW)
    with core.reading() as connection:
        assert len(fleet_board.fleet(connection, fleet_board.Wanted())) <= 1


# of a later version


def chained(*changes: dict[str, object]) -> list[bytes]:
    """The opening of a journal, and cash sales with changes to the record around them."""
    start = {**message("record.opened.least"), "prev": genesis("box-1", "a1" * 8, None)}
    lines = [canonical(start)]
    for seq, change in enumerate(changes, start=2):
        tid = f"0199a000-{seq:04x}-7000-8000-000000000001"
        sale = {**message("record.sale.least"), "seq": seq, "tid": tid, "prev": digest(lines[-1]), **change}
        lines.append(canonical(sale))
    return lines


def test_a_record_of_the_next_version_is_kept_for_later_and_the_chain_goes_on(core: Database) -> None:
    lines = chained({"v": VERSION + 1, "body": {"basket": "of another shape"}}, {})
    ack = take(core, *lines)
    assert (ack.wm, ack.refused) == (3, "future_version")
    assert outcomes(core) == ["applied", "future_version", "applied"]
    assert refused(core) == {"future_version": 1}
    with core.reading() as connection:
        kept = connection.execute(select(tables.inbox.c.bytes).where(tables.inbox.c.seq == 2)).scalar_one()
        assert bytes(kept) == lines[1], "byte for byte, for the software that will understand it"
        assert connection.execute(select(tables.sale.c.total)).scalars().all() == [2600]


def test_a_record_of_the_next_version_is_not_guessed_at_though_it_looks_familiar(core: Database) -> None:
    take(core, *chained({"v": VERSION + 1}))
    assert outcomes(core) == ["applied", "future_version"]


def test_an_envelope_of_the_next_version_waits_in_its_box(core: Database) -> None:
    """Without its number or its hash nothing can be acknowledged: it is counted, and comes again."""
    lines = chained({})
    later = canonical({"v": VERSION + 1, "where": {"box": "box-1", "number": 3}})
    ack = take(core, *lines, later)
    assert ack.wm == 2
    assert refused(core) == {"future_version": 1}


@pytest.mark.parametrize("version", [0, -1, "2", 2.5, None, True])
def test_what_is_no_version_is_not_understood(core: Database, version: object) -> None:
    lines = chained({"v": version})
    assert take(core, *lines).wm == 1
    assert refused(core) == {"not_understood": 1}


def test_a_word_of_the_next_core_is_taken_by_what_is_known_of_it() -> None:
    ack = Ack.model_validate({**message("ack.full"), "v": VERSION + 1, "stamps": 3})
    assert (ack.wm, ack.model_extra) == (7, {"stamps": 3})


def test_a_kind_of_the_next_box_changes_nothing_that_this_one_remembers() -> None:
    lines = chained({"kind": "stamp_given", "body": {"stamps": 2}}, {})
    assert list(recall(lines).sales) == [json.loads(lines[2])["tid"]]


# unknown fields


@each
def test_a_field_of_a_newer_side_is_kept_and_changes_nothing(path: Path) -> None:
    name, data = path.stem, kept(path)
    document = {**json.loads(data), "zz_new": {"deep": [1, "二", None]}}
    if "body" in document:
        document["body"] = {**document["body"], "zz_inner": True}
    wider = canonical(document)
    envelope, body = read(name, wider)
    assert written(envelope, body, exclude_unset=True) == wider
    narrow, inner = read(name, data)
    for field in type(narrow).model_fields.keys() - {"body"}:
        assert getattr(envelope, field) == getattr(narrow, field)
    for field in type(inner).model_fields if inner is not None else ():
        assert getattr(body, field) == getattr(inner, field)


def test_a_sale_with_a_field_of_a_newer_box_is_booked(core: Database) -> None:
    wider = {**message("record.sale.least")["body"], "stamps": [{"given": 2}]}
    ack = take(core, *chained({"body": wider, "shop": "12"}))
    assert (ack.wm, ack.refused) == (2, None)
    assert outcomes(core) == ["applied", "applied"]


def test_the_same_sale_with_another_unknown_field_is_not_the_same_sale(core: Database) -> None:
    """The core cannot know what the field means, so it does not pass over it."""
    tid = "0199a000-0002-7000-8000-000000000001"
    body = message("record.sale.least")["body"]
    take(core, *chained({"tid": tid}, {"tid": tid, "body": {**body, "stamps": 1}}, {"tid": tid}))
    assert outcomes(core) == ["applied", "applied", "id_reused", "replay"]


# It was not always so: pydantic reads NaN and 1e999 in a field that nobody knows, and `canonical` refuses to write them: the batch
# ends in an exception, and the box is never told.
@pytest.mark.parametrize("number", [b"NaN", b"1e999"])
def test_a_number_that_is_none_in_an_unknown_field_is_refused(core: Database, number: bytes) -> None:
    opened, sale = chained({"body": {**message("record.sale.least")["body"], "aa": 1}})
    ack = take(core, opened, sale.replace(b'"aa":1', b'"aa":' + number))
    assert ack.wm in (1, 2)
    assert refused(core) == {"not_understood": 1}
