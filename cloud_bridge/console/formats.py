"""Figures, times and foreign text as a person reads them. Pure; the templates' filters."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from tillbox.contracts.money import CNY, MINOR_MAX, Amount, Unit

from .words import alarm_text, alert_text, blocker_text, reason_text, verb_text

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


def visible(text: str) -> str:
    """Text from a device, with what cannot be seen made visible."""
    hidden = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in hidden else c for c in text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, with tabs between its words."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.splitlines())


FILTERS = {
    "yuan": yuan,
    "amount": amount,
    "megabytes": megabytes,
    "when": when,
    "visible": visible,
    "visible_lines": visible_lines,
    "reason": reason_text,
    "alarm": alarm_text,
    "blocker": blocker_text,
    "alert": alert_text,
    "verb": verb_text,
}
