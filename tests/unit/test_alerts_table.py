"""When a box raises and clears an alert: the table, and that nothing which trembles makes an alert flap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.agent.alerts import MB, MINUTE_MS, TABLE, Device, Key, Signs, Standing, step, told
from tillbox.agent.provisioning.steward import RENEW_AT
from tillbox.broker.pki.authority import CLIENT_DAYS
from tillbox.contracts.alerts import CORE_KINDS, NAMES, TEXTS, AlertKind, text_of
from tillbox.contracts.messages import Alerts, Vitals
from tillbox.hardware.ports import PrinterState, TroubleKind

CALM = Signs(printer="ready", free_bytes=16_000 * MB, flush_ms=8, vitals=Vitals(celsius=50, wear_percent=10))
SCANNER, CAMERA = Device("lost", is_reader=True), Device("blind", is_reader=True, is_camera=True)
BAD: dict[AlertKind, Signs] = {
    AlertKind.PAPER_OUT: replace(CALM, printer="paper_out"),
    AlertKind.PAPER_LOW: replace(CALM, printer="paper_near_end"),
    AlertKind.PRINTER_LOST: replace(CALM, printer="lost"),
    AlertKind.PRINTER_TROUBLE: replace(CALM, printer="silent"),
    AlertKind.READER_LOST: replace(CALM, devices={"counter": SCANNER}),
    AlertKind.CAMERA_STALLED: replace(CALM, devices={"eye": replace(CAMERA, state="silent")}),
    AlertKind.CAMERA_BLIND: replace(CALM, devices={"eye": CAMERA}),
    AlertKind.DEVICE_LOST: replace(CALM, devices={"display": Device("lost")}),
    AlertKind.DISK_LOW: replace(CALM, free_bytes=400 * MB),
    AlertKind.FLUSH_SLOW: replace(CALM, flush_ms=300),
    AlertKind.CARD_WEARING: replace(CALM, vitals=Vitals(wear_percent=90)),
    AlertKind.HOT: replace(CALM, vitals=Vitals(celsius=84)),
    AlertKind.CLOCK_UNKNOWN: replace(CALM, clock_known=False),
    AlertKind.DATA_HIGH: replace(
        CALM,
        data_mb_month=1_000,
        vitals=Vitals(uptime_s=86_400, sent_bytes=30_000_000, heard_bytes=9_000_000),
    ),
    AlertKind.STOPPED: replace(CALM, stopped="disk_full"),
    AlertKind.QUEUE_OLD: replace(CALM, money_age_ms=5 * 60 * MINUTE_MS),
    AlertKind.CERTIFICATE_ENDS: replace(CALM, certificate_left_ms=3 * 24 * 60 * MINUTE_MS),
    AlertKind.UPDATE_REFUSED: replace(CALM, update_refused="unsigned"),
}
GOOD = replace(
    CALM, data_mb_month=1_000,
    vitals=CALM.vitals.model_copy(update={"uptime_s": 86_400, "sent_bytes": 5_000_000, "heard_bytes": 5_000_000}),
    certificate_left_ms=90 * 24 * 60 * MINUTE_MS, update_refused="",
    devices={"counter": replace(SCANNER, state="ready"), "eye": replace(CAMERA, state="ready"), "display": Device("ready")},
)  # fmt: skip


def watched(*looks: tuple[Signs, int]) -> dict[Key, Standing]:
    """Signs that stood for some seconds each, looked at once a second."""
    known: dict[Key, Standing] = {}
    now_ms = 0
    for signs, seconds in looks:
        for _ in range(seconds):
            known, now_ms = step(known, signs, now_ms), now_ms + 1_000
    return known


def opened(known: dict[Key, Standing]) -> set[AlertKind]:
    return {kind for (kind, _), one in known.items() if one.open}


def test_a_plan_is_judged_by_the_pace_of_some_hours_and_only_where_there_is_one() -> None:
    used = {"sent_bytes": 20_000_000, "heard_bytes": 20_000_000}
    for plan, up_s, open_ in (
        (1_000, 86_400, True),
        (1_300, 86_400, False),
        (0, 86_400, False),
        (1_000, 3_600, False),
    ):
        signs = replace(CALM, data_mb_month=plan, vitals=Vitals(uptime_s=up_s, **used))
        assert (AlertKind.DATA_HIGH in opened(watched((signs, 700)))) == open_, (plan, up_s)


def test_a_box_has_a_rule_for_each_kind_that_is_its_own_and_every_kind_has_words() -> None:
    assert set(TABLE) == set(AlertKind) - set(CORE_KINDS) == set(BAD)
    assert set(TEXTS) == set(NAMES) == set(AlertKind)
    assert all(text.zh and text.en for text in (*TEXTS.values(), *NAMES.values()))
    assert "paper_cut" in text_of("paper_cut").en, "a newer box's kind is named"


@pytest.mark.parametrize("kind", BAD, ids=str)
def test_what_stays_bad_is_raised_in_its_time_and_cleared_when_it_is_good(kind: AlertKind) -> None:
    rule = TABLE[kind]
    assert opened(watched((BAD[kind], rule.raise_ms // 1_000))) == set(), "not before its time"
    assert opened(watched((BAD[kind], rule.raise_ms // 1_000 + 1))) == {kind}
    raised = (BAD[kind], rule.raise_ms // 1_000 + 1)
    assert opened(watched(raised, (GOOD, rule.clear_ms // 1_000))) == {kind}
    assert opened(watched(raised, (GOOD, rule.clear_ms // 1_000 + 1))) == set()


def test_every_state_that_a_device_can_have_is_either_good_or_makes_an_alert() -> None:
    for state in PrinterState:
        raised = opened(watched((replace(CALM, printer=state), 200)))
        assert bool(raised) == (state is not PrinterState.READY), state
    for kind in (TroubleKind.LOST, TroubleKind.SILENT):
        assert opened(watched((replace(CALM, devices={"a": Device(kind, is_reader=True)}), 200)))


def test_a_cover_that_is_opened_to_change_the_roll_is_no_news() -> None:
    cover = replace(CALM, printer="cover_open")
    assert opened(watched((BAD[AlertKind.PAPER_OUT], 40), (cover, 50), (CALM, 5), (cover, 100))) == set()


def test_two_scanners_are_two_alerts_and_one_that_is_not_configured_any_more_is_none() -> None:
    both = replace(CALM, devices={"left": SCANNER, "right": SCANNER})
    known = watched((both, 40))
    assert [alert.subject for alert in told(known, lambda ms: 1_790_000_000_000 + ms)] == ["left", "right"]
    assert opened(step(known, CALM, 41_000)) == set()


def test_a_certificate_that_is_renewed_in_its_time_is_no_alert() -> None:
    lives_ms = CLIENT_DAYS * 24 * 60 * MINUTE_MS
    renewed = replace(CALM, certificate_left_ms=int(lives_ms * (1 - RENEW_AT)) - MINUTE_MS)
    assert opened(watched((renewed, 3))) == set()


def test_what_is_not_known_is_neither_bad_nor_good() -> None:
    assert opened(watched((Signs(), 3_000))) == set()


temperatures = st.lists(st.integers(73, 79) | st.integers(60, 95), min_size=1, max_size=120)


@given(temperatures)
def test_noise_never_makes_an_alert_flap(celsius: list[int]) -> None:
    """However it trembles: raised only after a minute of bad without a break, cleared only after five of good."""
    known: dict[Key, Standing] = {}
    rule, was, bad, good = TABLE[AlertKind.HOT], False, 0, 0
    for number, degrees in enumerate(celsius):
        known = step(known, replace(CALM, vitals=Vitals(celsius=degrees)), number * 5_000)
        bad, good = (bad + 1 if degrees >= 80 else 0), (good + 1 if degrees <= 72 else 0)
        is_open = AlertKind.HOT in opened(known)
        if is_open and not was:
            assert (bad - 1) * 5_000 >= rule.raise_ms
        if was and not is_open:
            assert (good - 1) * 5_000 >= rule.clear_ms
        was = is_open


@given(st.lists(st.integers(501, 699), max_size=50), st.booleans())
def test_within_the_band_nothing_changes(megabytes: list[int], raised: bool) -> None:
    known = watched((BAD[AlertKind.DISK_LOW] if raised else GOOD, 100))
    for number, size in enumerate(megabytes):
        known = step(known, replace(GOOD, free_bytes=size * MB), 100_000 + number * 60_000)
        assert (AlertKind.DISK_LOW in opened(known)) == raised


def test_more_than_fits_is_told_oldest_first_and_can_be_read() -> None:
    many = replace(CALM, devices={f"scanner-{n}": SCANNER for n in range(50)})
    alerts = told(watched((many, 40)), lambda ms: ms)
    said = Alerts(inc="a1" * 8, open=alerts)
    assert Alerts.model_validate_json(said.model_dump_json()) == said
    assert len(said.model_dump_json()) < 8_000
