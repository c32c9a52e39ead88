"""What a box says came of a command, made readable; and forms that follow from what an act takes."""

from __future__ import annotations

import base64
import gzip
from random import Random

import pytest

from tillbox.agent.errands.bundle import parts_of
from tillbox.cloud_bridge.console.fields import bulk_form, command_form
from tillbox.cloud_bridge.console.forms import body_of
from tillbox.cloud_bridge.console.pages.command.page import ITEMS, LETTERS, readable
from tillbox.cloud_bridge.console.words import FIELDS
from tillbox.cloud_bridge.fleet.commanding import SendCommand, SendCommands
from tillbox.cloud_bridge.fleet.results import UNPACKED_BYTES_MAX, result_of, unpacked
from tillbox.cloud_bridge.store.command_lists import CommandEvent
from tillbox.contracts.commands import MANY, PARAMS, Verb


def heard(result: str, part: int = 0) -> CommandEvent:
    return CommandEvent(at_ms=1, told_by="box", state="executing", reason="", result=result, part=part)


def test_a_bundle_comes_in_parts_and_is_one_again() -> None:
    chance = Random(3)
    lines = [chance.randbytes(60).hex() for _ in range(90)]
    parts = parts_of({"device": "box-1"}, lines)
    assert len(parts) > 1
    events = [heard(part, number) for number, part in enumerate(parts, start=1)]
    found = result_of([*reversed(events), heard('{"parts":9}')])
    assert (found["device"], found["log"][-1]) == ("box-1", lines[-1])
    assert result_of([*events[:-1], heard('{"parts":9}')]) == {"parts": 9}, "some of it is still missing"


def test_nothing_that_a_box_packs_unpacks_without_a_bound() -> None:
    bomb = base64.b64encode(gzip.compress(b"[" + b" " * (UNPACKED_BYTES_MAX + 1) + b"]")).decode()
    assert unpacked(bomb) is None
    deep = "[" * 100_000
    assert unpacked(base64.b64encode(gzip.compress(deep.encode())).decode()) is None
    assert result_of([heard(deep)]) == deep


@pytest.mark.parametrize("packed", ["", "no base64 \u8336", "AAAA", base64.b64encode(b"plain").decode()])
def test_what_is_no_bundle_is_none(packed: str) -> None:
    assert unpacked(packed) is None


def test_what_a_box_says_is_shown_in_pieces_of_a_size() -> None:
    deep: object = "end"
    for _ in range(50):
        deep = {"x": deep}
    shown = readable(
        {"log": ["a", 1, None, True], "long": "x" * 9_999, "many": [{"a": 1}] * 999, "deep": deep}
    )
    log, long, many, _ = (piece for _, piece in shown.rows)
    assert log.lines == ("a", "1", "–", "✓")
    assert (len(long.text), len(many.rows)) == (LETTERS + 1, ITEMS)
    told = readable([{"check": "disk", "light": "green", "zh": "够用", "en": "Enough."}])
    assert told.checks("zh") == (("disk", "green", "够用"),)
    assert readable({"checks": [{"check": "x", "light": "red", "says": {"odd": 1}}]}).rows[0][1].lights


@pytest.mark.parametrize("verb", MANY, ids=str)
def test_a_form_asks_for_what_its_verb_takes_and_for_no_other_words(verb: Verb) -> None:
    one, many = command_form(verb), bulk_form(verb, {})
    own = set(PARAMS[verb].model_fields)
    assert {field.name for field in one.words} == own
    assert {field.name for field in many.words} == own | {"scope"}
    everything = {"why", "sale", "release"}
    asked = set(SendCommands.model_fields) - everything - {"verb", "preview", "id", "scope"}
    assert {field.name for field in many.care} == asked
    assert {field.name for field in (*one.care, *many.words, *many.care)} <= set(FIELDS), "each has words"
    said = {field.name: field.value or "store17" for field in (*many.words, *many.care) if field.required}
    body = body_of("send-commands", {"verb": verb.value, "preview": "false", **said})
    wanted = SendCommands.model_validate(body)
    assert (wanted.waves, wanted.preview) == ((1, 10, 50, 100), False), (
        "what stands in the form is what is sent"
    )
    SendCommand.model_validate({"verb": verb, "box": "s/l", **{one.name: one.value for one in one.care}})


def test_a_form_keeps_what_was_filled_in_and_says_what_must_be() -> None:
    form = bulk_form(Verb.QUARANTINE, {"scope": "store17", "why": "a\x00b", "max_boxes": "7"})
    told = {field.name: field for field in (*form.words, *form.care)}
    assert [told[name].value for name in ("scope", "why", "max_boxes", "waves")] == [
        "store17",
        "ab",
        "7",
        "1 10 50 100",
    ]
    assert told["why"].required
    assert (told["why"].letters, told["max_boxes"].least, told["max_boxes"].most) == (80, 1, 100_000)
    assert not bulk_form(Verb.REPRINT, {}).words[1].required, "without a sale it is the last one"


def test_a_rollout_begins_with_a_day_of_rest_unless_somebody_says_otherwise() -> None:
    told = {field.name: field.value for field in bulk_form(Verb.UPDATE, {"stop_if_failed": "0"}).care}
    assert (told["rest_minutes"], told["stop_if_failed"]) == ("1440", "0")
    assert {field.name: field.value for field in bulk_form(Verb.RESTART, {}).care}["rest_minutes"] == "0"
