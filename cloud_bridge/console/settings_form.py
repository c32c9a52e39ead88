"""The form of a level's settings, made from the schema of the very model that judges on the box. Pure.

What is typed travels as words under flat names: `shop`, `goods.2.price`, and `decide.goods` where the level decides it. They
are kept as they were typed, so that a value that is wrong comes back with a sentence beside it and nothing is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tillbox.cloud_bridge.fleet.settings import DEFAULTS
from tillbox.cloud_bridge.letters import visible
from tillbox.contracts.messages import LEASE_MAX
from tillbox.contracts.money import Amount, Unit, parse_amount
from tillbox.contracts.shop import BoxSettings
from tillbox.contracts.verdicts import Text

BLANK_ROWS = 3  # empty rows below a table; asking for more is a button
DECIDED = "decide."

Typed = Mapping[str, str]
"""A form's words by their flat names."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `unit` is set for amounts: they are shown and typed in whole units, and kept in the smallest."""

    name: str
    title: Text
    is_number: bool
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as a form shows it. `kind`: text, number, choice, lines (a word in each), rows (a table)."""

    name: str
    title: Text
    help: Text
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    is_map: bool = False
    """A table of two columns that is kept as names with their numbers."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a form says: the document of the level, and what is wrong with it by the field's name."""

    document: dict[str, Any]
    faults: dict[str, Text] = field(default_factory=dict)


def _settings() -> Iterator[Setting]:
    schema = BoxSettings.model_json_schema()
    for name, told in schema["properties"].items():
        kind, columns, is_map = _shape(told, schema["$defs"])
        yield Setting(
            name=name,
            title=Text(told["title_zh"], told["title"]),
            help=Text(told["description_zh"], told["description"]),
            kind=kind,
            default=DEFAULTS.get(name),
            choices=tuple(told.get("enum", ())),
            columns=columns,
            is_map=is_map,
        )


def _shape(told: dict[str, Any], models: dict[str, Any]) -> tuple[str, tuple[Column, ...], bool]:
    match told:
        case {"enum": _}:
            return "choice", (), False
        case {"type": "integer"}:
            return "number", (), False
        case {"type": "array", "items": {"$ref": str(ref)}}:
            model = models[ref.rpartition("/")[2]]["properties"]
            return "rows", tuple(_column(name, one) for name, one in model.items()), False
        case {"type": "array"}:
            return "lines", (), False
        case {"type": "object"}:
            return "rows", _MAP_COLUMNS, True
    return "text", (), False


def _column(name: str, told: dict[str, Any]) -> Column:
    return Column(
        name, Text(told["title_zh"], told["title"]), told["type"] == "integer", told.get("unit", "")
    )


_MAP_COLUMNS = (
    Column("name", Text("名称", "Name"), is_number=False),
    Column("number", Text("数量", "How many"), is_number=True),
)
SETTINGS = tuple(_settings())
BY_NAME = {one.name: one for one in SETTINGS}

WHOLE_NUMBER = Text("请填整数", "Write a whole number.")
NO_AMOUNT = Text(
    "请填金额，例如 12.50", "Write an amount, such as 12.50: digits, and at most two after the dot."
)
HIDDEN = Text("里面有看不见的字符，请删掉重打", "There are letters in it that cannot be seen. Type it again.")
TWICE = Text("这一项出现了两次", "This one is there twice.")
NAME_SHAPE = Text(
    "用小写字母、数字、- 和 _，最多 32 个", "Small letters, digits, - and _; at most 32 of them."
)
_ABOUT = {
    "gtin": Text(
        "条码有 8、12、13 或 14 位数字，最后一位用来核对前面的，请再看一遍",
        "A product's number has 8, 12, 13 or 14 digits, and the last of them checks the others. Look again.",
    ),
    "issuers": Text("每行一个公钥：64 位十六进制", "One public key in a line: 64 hexadecimal digits."),
    "stocks": Text(f"每种 1 到 {LEASE_MAX} 张", f"Between 1 and {LEASE_MAX} of each."),
}


def typed_of(document: Mapping[str, Any]) -> dict[str, str]:
    """A level's document as its form shows it."""
    typed: dict[str, str] = {}
    for name, value in document.items():
        if name in BY_NAME:
            typed |= {f"{DECIDED}{name}": "on", **value_typed(BY_NAME[name], value)}
    return typed


def value_typed(setting: Setting, value: Any) -> dict[str, str]:
    """One setting's value in its fields; without the word that it is decided."""
    if setting.kind == "lines":
        return {setting.name: "\n".join(map(str, value or ()))}
    if setting.kind != "rows":
        return {setting.name: "" if value is None else str(value)}
    rows = value or ()
    if setting.is_map:
        rows = [{"name": name, "number": number} for name, number in dict(rows).items()]
    return {
        f"{setting.name}.{number}.{column.name}": _cell(column, row.get(column.name, ""))
        for number, row in enumerate(rows)
        for column in setting.columns
    }


def _cell(column: Column, value: Any) -> str:
    is_amount = column.unit and isinstance(value, int)
    return Amount(value, Unit.parse(column.unit)).decimal() if is_amount else str(value)


def rows_typed(setting: Setting, typed: Typed) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table that say anything, each with the number by which its fields are called."""
    names = "|".join(column.name for column in setting.columns)
    shape = re.compile(rf"{setting.name}\.(\d{{1,4}})\.({names})", re.ASCII)
    rows: dict[int, dict[str, str]] = {}
    for name, word in typed.items():
        if (found := shape.fullmatch(name)) and word.strip():
            rows.setdefault(int(found[1]), dict.fromkeys(names.split("|"), ""))[found[2]] = word.strip()
    return sorted(rows.items())


def rows_to_type(setting: Setting, typed: Typed) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table, and empty ones below; none for what is no table."""
    rows = rows_typed(setting, typed) if setting.columns else []
    first = rows[-1][0] + 1 if rows else 0
    return [*rows, *((first + one, {}) for one in range(BLANK_ROWS if setting.columns else 0))]


def is_begun(setting: Setting, typed: Typed) -> bool:
    """Whether a form says anything of a setting, decided or not."""
    return bool(_fields(setting, typed))


def read(typed: Typed) -> Read:
    """What a form says. What is wrong is found by the model that a box judges with, and said at its field."""
    document: dict[str, Any] = {}
    faults: dict[str, Text] = {}
    fields: dict[tuple[str | int, ...], str] = {}
    """Where the model would find something wrong, and the field of the form that it is in."""
    for setting in SETTINGS:
        if f"{DECIDED}{setting.name}" in typed:
            faults |= {name: HIDDEN for name in _fields(setting, typed) if _is_hiding(typed[name])}
            document[setting.name] = _value(setting, typed, faults, fields)
    try:
        BoxSettings.model_validate_json(json.dumps({"tenant": "t", "shop": "s"} | document))
    except ValidationError as fault:
        for one in fault.errors():
            where = one["loc"][:-1] if one["loc"][-1] == "[key]" else one["loc"]
            name = fields.get(where) or fields.get(where[:2]) or str(where[0])
            faults.setdefault(name, _why(one))
    return Read(document, faults)


def _fields(setting: Setting, typed: Typed) -> list[str]:
    return [name for name in typed if name == setting.name or name.startswith(f"{setting.name}.")]


def _is_hiding(words: str) -> bool:
    return any(visible(line) != line for line in words.splitlines())


def _value(
    setting: Setting, typed: Typed, faults: dict[str, Text], fields: dict[tuple[str | int, ...], str]
) -> Any:
    said = typed.get(setting.name, "").strip()
    if setting.kind == "number":
        return _number(said, setting.name, faults)
    if setting.kind == "lines":
        return [line.strip() for line in said.splitlines() if line.strip()]
    if setting.kind != "rows":
        return said
    rows: list[dict[str, Any]] = []
    taken: dict[str, Any] = {}
    for number, cells in rows_typed(setting, typed):
        row = {}
        for column in setting.columns:
            name = f"{setting.name}.{number}.{column.name}"
            if setting.is_map:
                fields[setting.name, cells["name"]] = name
            else:
                fields[setting.name, len(rows), column.name] = name
            row[column.name] = _cell_read(column, cells[column.name], name, faults)
        if setting.is_map and row["name"] in taken:
            faults[f"{setting.name}.{number}.name"] = TWICE
        if setting.is_map:
            taken[row["name"]] = row["number"]
        rows.append(row)
    return taken if setting.is_map else rows


def _cell_read(column: Column, word: str, name: str, faults: dict[str, Text]) -> Any:
    if column.unit:
        try:
            return parse_amount(word, Unit.parse(column.unit)).minor
        except ValueError:
            faults[name] = NO_AMOUNT
            return 0
    return _number(word, name, faults) if column.is_number else word


def _number(word: str, name: str, faults: dict[str, Text]) -> int:
    if re.fullmatch(r"\d{1,12}", word, re.ASCII):
        return int(word)
    faults[name] = WHOLE_NUMBER
    return 1


def _why(one: Any) -> Text:
    """One thing that the model does not take, as a sentence for whoever typed it."""
    told = one.get("ctx", {})
    if one["type"] == "string_too_long":
        return Text(f"最多 {told['max_length']} 个字", f"At most {told['max_length']} letters.")
    if one["type"] == "string_pattern_mismatch":
        return NAME_SHAPE
    about = next((_ABOUT[name] for name in reversed(one["loc"]) if name in _ABOUT), None)
    if about is not None:
        return about
    if one["type"] in ("less_than_equal", "greater_than_equal"):
        bound = told.get("le", told.get("ge"))
        zh, en = ("最大", "At most") if "le" in told else ("最小", "At least")
        return Text(f"{zh} {bound}", f"{en} {bound}.")
    if one["type"] == "literal_error":
        return Text("请从列表中选一个", "Choose one of the list.")
    return Text("这一项填得不对", f"{one['msg']}.")


def lines_of(name: str, value: Any) -> list[str]:
    """A setting's value in lines for a person: a list one entry each; nothing where there is none."""
    setting = BY_NAME.get(name)
    if value is None or setting is None:
        return [] if value is None else [json.dumps(value, ensure_ascii=False)]
    typed = value_typed(setting, value) if _fits(setting, value) else None
    if typed is None:
        return [json.dumps(value, ensure_ascii=False)]
    if setting.kind == "rows":
        return [" · ".join(cells.values()) for _, cells in rows_typed(setting, typed)]
    return typed[name].splitlines() or ["–"]


def _fits(setting: Setting, value: Any) -> bool:
    """Whether a kept value has the shape of its setting: what an older software kept may not."""
    if setting.kind == "rows" and not setting.is_map:
        return isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return isinstance(value, {"rows": dict, "lines": list}.get(setting.kind, (str, int)))


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that differs, in lines: what goes, what comes, and how many stay. All three empty: another order."""

    setting: Setting | None
    name: str
    gone: tuple[str, ...]
    came: tuple[str, ...]
    stay: int


def differences(changes: Iterable[tuple[str, Any, Any]]) -> tuple[Difference, ...]:
    """Settings with what was before and what is after, as a person compares them."""
    return tuple(_difference(*one) for one in changes)


def _difference(name: str, before: Any, after: Any) -> Difference:
    old, new = lines_of(name, before), lines_of(name, after)
    was, will_be = set(old), set(new)
    gone = tuple(one for one in old if one not in will_be)
    came = tuple(one for one in new if one not in was)
    return Difference(BY_NAME.get(name), name, gone, came, len(new) - len(came))
