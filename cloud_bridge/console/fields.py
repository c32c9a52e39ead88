"""The fields of a form, made from what its act takes: a verb's own words and whatever else the act wants to know. Pure.

A new verb, a new word of a verb or a new field of an act is on its form without anybody writing it there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tillbox.cloud_bridge.fleet.commanding import SendCommand, SendCommands
from tillbox.contracts.commands import PARAMS, Verb
from tillbox.contracts.settings import Strict

VALUE_MAX = 400
BEGIN_WITH = {
    Verb.UPDATE: {
        "rest_minutes": "1440", "patience_minutes": "1440", "minutes": "14400", "stop_if_failed": "2",
    },
}  # fmt: skip
"""What stands in the form of a bulk at first, where that is not what the act takes by itself: what is wrong with a release shows
in a day of selling."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `value` is what stands in it at first."""

    name: str
    value: str
    required: bool
    is_number: bool = False
    least: int | None = None
    most: int | None = None
    letters: int | None = None


@dataclass(frozen=True, slots=True)
class VerbForm:
    """What one verb wants to know: its own words, and then how carefully it is to be done."""

    verb: str
    words: tuple[Field, ...]
    care: tuple[Field, ...]


def command_form(verb: Verb) -> VerbForm:
    """One command for one box that is known already."""
    return _form(SendCommand, verb, {}, without=("box",))


def bulk_form(verb: Verb, said: Mapping[str, str]) -> VerbForm:
    """One command for many boxes. `said` is what somebody has filled in before."""
    begun = {**BEGIN_WITH.get(verb, {}), **said}
    return _form(SendCommands, verb, begun, first=("scope",), without=("preview", "id"))


def _form(
    act: type[Strict],
    verb: Verb,
    said: Mapping[str, str],
    *,
    first: Collection[str] = (),
    without: Collection[str] = (),
) -> VerbForm:
    mine, asked = _schema(PARAMS[verb]), _schema(act)
    # A word's own model says when it must be there; the act, that takes the words of all verbs, does not.
    own = [_field(name, {**asked.get(name, {}), **mine[name]}, said) for name in mine]
    # The words of the other verbs are those that are empty where nobody says them.
    rest = [
        name
        for name in asked
        if name not in {"verb", *first, *without, *mine} and asked[name].get("default") != ""
    ]
    return VerbForm(
        verb=verb.value,
        words=(*(_field(name, asked[name], said) for name in first), *own),
        care=tuple(_field(name, asked[name], said) for name in rest),
    )


@cache
def _schema(model: type[Strict]) -> dict[str, dict[str, Any]]:
    told = model.model_json_schema()
    required = told.get("required", ())
    return {
        name: {**field, "required": name in required or _is_number(field)}
        for name, field in told["properties"].items()
    }


def _is_number(field: Mapping[str, Any]) -> bool:
    return field.get("type") == "integer"


def _field(name: str, field: Mapping[str, Any], said: Mapping[str, str]) -> Field:
    default = field.get("default", "")
    value = " ".join(map(str, default)) if isinstance(default, list) else str(default)
    return Field(
        name=name,
        value="".join(one for one in said.get(name, value) if one.isprintable())[:VALUE_MAX],
        required=field["required"] or field.get("type") == "array",
        is_number=_is_number(field),
        least=field.get("minimum"),
        most=field.get("maximum"),
        letters=field.get("maxLength"),
    )
