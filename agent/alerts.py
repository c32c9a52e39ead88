"""When a box raises an alert and when it clears it: a table, and a step over it. Pure.

An alert is raised when a sign was bad for a while without a break, and cleared when it was good for a while without a
break. Between bad and good lies a band in which nothing changes, so that a value that trembles raises and clears nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tillbox.contracts.alerts import AlertKind
from tillbox.contracts.messages import ALERTS_MAX, Alert, Updating, Vitals

MB = 1_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PACE_MIN_S, MONTH_S = 6 * 3_600, 30 * 86_400


@dataclass(frozen=True, slots=True)
class Device:
    """How one device is: a word of the closed lists in hardware.ports, and what it is."""

    state: str
    is_camera: bool = False
    is_reader: bool = False


@dataclass(frozen=True, slots=True)
class Signs:
    """Everything that the table looks at. What is not known is None, and then neither bad nor good."""

    printer: str | None = None
    devices: Mapping[str, Device] = field(default_factory=dict)
    free_bytes: int | None = None
    flush_ms: int | None = None
    vitals: Vitals = field(default_factory=Vitals)
    clock_known: bool = True
    data_mb_month: int = 0
    """The plan; 0 for a line without a bound."""
    stopped: str = ""
    money_age_ms: int = 0
    certificate_left_ms: int | None = None
    updates: Updating | None = None
    update_refused: str | None = None
    """None: this box takes no releases."""


class Sign(Enum):
    """What one look at one thing says."""

    BAD = "bad"
    BETWEEN = "between"
    GOOD = "good"


Found = tuple[str, Sign, str]
"""Of which device, how it is, and a figure for the message."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    look: Callable[[Signs], tuple[Found, ...]]
    raise_ms: int
    clear_ms: int


def _over(
    read: Callable[[Signs], int | None], bad: int, good: int, unit: str
) -> Callable[[Signs], tuple[Found, ...]]:
    """Bad from `bad` on, good from `good` on; `bad` lies above or below `good`."""

    def look(signs: Signs) -> tuple[Found, ...]:
        value = read(signs)
        if value is None:
            return ()
        up = bad > good
        if (value >= bad) if up else (value <= bad):
            sign = Sign.BAD
        elif (value <= good) if up else (value >= good):
            sign = Sign.GOOD
        else:
            sign = Sign.BETWEEN
        return (("", sign, f"{value} {unit}"),)

    return look


def _printer(*bad: str) -> Callable[[Signs], tuple[Found, ...]]:
    def look(signs: Signs) -> tuple[Found, ...]:
        if signs.printer is None:
            return ()
        return (("", Sign.BAD if signs.printer in bad else Sign.GOOD, signs.printer),)

    return look


def _devices(bad: tuple[str, ...], which: Callable[[Device], bool]) -> Callable[[Signs], tuple[Found, ...]]:
    def look(signs: Signs) -> tuple[Found, ...]:
        return tuple(
            (name, Sign.BAD if one.state in bad else Sign.GOOD, one.state)
            for name, one in signs.devices.items()
            if which(one)
        )

    return look


def _is(bad: Callable[[Signs], str | None]) -> Callable[[Signs], tuple[Found, ...]]:
    """Bad where a word says so; the word is the detail. None: there is nothing to look at."""

    def look(signs: Signs) -> tuple[Found, ...]:
        word = bad(signs)
        return () if word is None else (("", Sign.BAD if word else Sign.GOOD, word),)

    return look


def _data(signs: Signs) -> tuple[Found, ...]:
    """The pace of the line's traffic since the start, against its plan. The first hours of a day say nothing of a month."""
    vitals, plan = signs.vitals, signs.data_mb_month
    up_s = vitals.uptime_s or 0
    if not plan or vitals.sent_bytes is None or vitals.heard_bytes is None or up_s < PACE_MIN_S:
        return ()
    pace = (vitals.sent_bytes + vitals.heard_bytes) * MONTH_S // up_s // 1_000_000
    sign = Sign.BAD if pace > plan else Sign.GOOD if pace * 10 <= plan * 8 else Sign.BETWEEN
    return (("", sign, f"{pace} MB a month, the plan has {plan}"),)


def _mb(value: int | None) -> int | None:
    return None if value is None else value // MB


def _hours(value: int | None) -> int | None:
    return None if value is None else value // HOUR_MS


def _is_camera(one: Device) -> bool:
    return one.is_camera


def _is_scanner(one: Device) -> bool:
    return one.is_reader and not one.is_camera


def _is_other(one: Device) -> bool:
    return not one.is_reader


TABLE: dict[AlertKind, Rule] = {
    # A roll is changed in a minute, and a cover is open while it is: neither is news for anybody else.
    AlertKind.PAPER_OUT: Rule(_printer("paper_out"), MINUTE_MS, 5_000),
    AlertKind.PAPER_LOW: Rule(_printer("paper_near_end"), 10_000, 30_000),
    AlertKind.PRINTER_LOST: Rule(_printer("lost"), MINUTE_MS, 10_000),
    AlertKind.PRINTER_TROUBLE: Rule(_printer("cover_open", "cutter_jam", "ribbon_out", "paused", "broken", "silent"), 2 * MINUTE_MS, 10_000),
    AlertKind.READER_LOST: Rule(_devices(("lost", "silent"), _is_scanner), 30_000, 10_000),
    AlertKind.CAMERA_STALLED: Rule(_devices(("lost", "silent"), _is_camera), 30_000, 10_000),
    AlertKind.CAMERA_BLIND: Rule(_devices(("blind",), _is_camera), 2 * MINUTE_MS, 30_000),
    AlertKind.DEVICE_LOST: Rule(_devices(("lost", "silent"), _is_other), 30_000, 10_000),
    # Sales stop at 64 MB; 500 is weeks of them, time enough to send somebody.
    AlertKind.DISK_LOW: Rule(_over(lambda s: _mb(s.free_bytes), 500, 700, "MB"), MINUTE_MS, MINUTE_MS),
    # A cashier feels a quarter of a second; a good card takes 5 to 30 ms.
    AlertKind.FLUSH_SLOW: Rule(_over(lambda s: s.flush_ms, 250, 100, "ms"), 2 * MINUTE_MS, 10 * MINUTE_MS),
    AlertKind.CARD_WEARING: Rule(_over(lambda s: s.vitals.wear_percent, 80, 70, "%"), 0, MINUTE_MS),
    # A Raspberry Pi slows down at 80 degrees.
    AlertKind.HOT: Rule(_over(lambda s: s.vitals.celsius, 80, 72, "°C"), MINUTE_MS, 5 * MINUTE_MS),
    AlertKind.CLOCK_UNKNOWN: Rule(_is(lambda s: "" if s.clock_known else "-"), 10 * MINUTE_MS, 0),
    AlertKind.DATA_HIGH: Rule(_data, 10 * MINUTE_MS, 10 * MINUTE_MS),
    AlertKind.STOPPED: Rule(_is(lambda s: s.stopped), 10_000, 10_000),
    AlertKind.QUEUE_OLD: Rule(_over(lambda s: s.money_age_ms // MINUTE_MS, 240, 10, "min"), 0, MINUTE_MS),
    # A box renews by itself when a third of the thirty days is left; a week before the end it has failed for three days.
    AlertKind.CERTIFICATE_ENDS: Rule(_over(lambda s: _hours(s.certificate_left_ms), 7 * 24, 9 * 24, "h"), 0, 0),
    AlertKind.UPDATE_REFUSED: Rule(_is(lambda s: s.update_refused), 0, MINUTE_MS),
}  # fmt: skip
"""Every alert that a box raises: what it looks at, for how long it must be bad, and for how long good again."""

Key = tuple[AlertKind, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that is, or begins to be, otherwise than it should. Times are of a clock that never jumps."""

    open: bool
    against_ms: int | None
    """Since when without a break the signs speak against `open`; None while they do not."""
    since_ms: int
    """When it began to be bad."""
    detail: str = ""


def step(known: Mapping[Key, Standing], signs: Signs, now_ms: int) -> dict[Key, Standing]:
    """How everything stands after one more look. What is not named any more (a device that was taken out of the settings)
    is over."""
    after: dict[Key, Standing] = {}
    for kind, rule in TABLE.items():
        for subject, sign, detail in rule.look(signs):
            standing = _judge(known.get((kind, subject)), rule, sign, detail, now_ms)
            if standing is not None:
                after[kind, subject] = standing
    return after


def _judge(standing: Standing | None, rule: Rule, sign: Sign, detail: str, now_ms: int) -> Standing | None:
    is_open = standing is not None and standing.open
    if sign is not (Sign.GOOD if is_open else Sign.BAD):
        # Nothing speaks against how it stands: a wait that had begun is broken.
        return Standing(True, None, standing.since_ms, standing.detail) if standing and is_open else None
    since_ms = standing.against_ms if standing and standing.against_ms is not None else now_ms
    if is_open:
        assert standing is not None
        over = now_ms - since_ms >= rule.clear_ms
        return None if over else Standing(True, since_ms, standing.since_ms, standing.detail)
    if now_ms - since_ms >= rule.raise_ms:
        return Standing(True, None, since_ms, detail)
    return Standing(False, since_ms, since_ms)


def told(known: Mapping[Key, Standing], at_ms: Callable[[int], int]) -> tuple[Alert, ...]:
    """What is open, as it travels; `at_ms` makes an hour of a time since boot. The oldest are told where there are too many."""
    found = [
        Alert(kind=kind, subject=subject[:32], detail=one.detail[:80], since_ms=at_ms(one.since_ms))
        for (kind, subject), one in known.items()
        if one.open
    ]
    return tuple(sorted(found, key=lambda alert: alert.since_ms)[:ALERTS_MAX])
