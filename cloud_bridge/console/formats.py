"""Figures, times and foreign text as a person reads them. Pure; the templates' filters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tillbox.cloud_bridge.letters import visible, visible_lines
from tillbox.cloud_bridge.store.health_lists import AlertRow
from tillbox.contracts.alerts import name_of, weight_of
from tillbox.contracts.money import CNY, MINOR_MAX, Amount, Unit
from tillbox.contracts.promises import age

from .words import (
    alarm_text,
    alert_text,
    because_text,
    blocker_text,
    reason_text,
    state_text,
    verb_text,
)

YEAR_9000_MS = 221_845_392_000_000  # what a box says beyond it is no time; the library ends at 9999


def yuan(minor: int) -> str:
    """Fen as a person reads them."""
    return Amount(minor, CNY).decimal() if abs(minor) <= MINOR_MAX else f"{minor} / 100"


def amount(minor: int, unit: str) -> str:
    """An amount of any unit."""
    return str(Amount(minor, Unit.parse(unit)))


def midnight_ms(now_ms: int) -> int:
    """When the day of `now_ms` began, in the machine's own zone."""
    now = datetime.fromtimestamp(now_ms / 1000).astimezone()
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def megabytes(count: int | None) -> str:
    """Bytes as a person reads them; a dash where they are not known."""
    return f"{count / 2**20:,.0f} MB" if count is not None else "–"


def when(ms: int | None) -> str:
    """A time in the machine's own zone; a dash where there is none."""
    if not ms or ms > YEAR_9000_MS:
        return "–"
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%m-%d %H:%M:%S")


def day(ms: int | None) -> str:
    """A day in the machine's own zone; a dash where there is none."""
    if not ms or ms > YEAR_9000_MS:
        return "–"
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d")


def alert_name(kind: str, language: str) -> str:
    """A kind of alert in two or three words; nothing for none."""
    return name_of(kind).say(language) if kind else ""


def weight(kind: str) -> str:
    """How soon somebody must see to a kind of alert, as the style sheet names it."""
    return weight_of(kind).name.lower()


def by_kind(alerts: Sequence[AlertRow]) -> dict[str, list[AlertRow]]:
    """Alerts in their order, so that what to do is said once for all boxes that it is to be done at."""
    found: dict[str, list[AlertRow]] = {}
    for one in alerts:
        found.setdefault(one.kind, []).append(one)
    return found


FILTERS = {
    "yuan": yuan,
    "amount": amount,
    "megabytes": megabytes,
    "when": when,
    "day": day,
    "age": age,
    "alert_name": alert_name,
    "weight": weight,
    "by_kind": by_kind,
    "verb": verb_text,
    "spoken": state_text,
    "visible": visible,
    "visible_lines": visible_lines,
    "reason": reason_text,
    "alarm": alarm_text,
    "blocker": blocker_text,
    "because": because_text,
    "alert": alert_text,
}
