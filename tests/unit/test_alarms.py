"""Everything that is shouted about is said in both languages, and says what to do."""

from __future__ import annotations

import pytest

from tillbox.cloud_bridge.alarms import TEXTS, Alarm
from tillbox.cloud_bridge.console.words import alarm_text
from tillbox.contracts.verdicts import Reason


@pytest.mark.parametrize("alarm", Alarm)
def test_each_alarm_has_words_in_both_languages(alarm: Alarm) -> None:
    text = TEXTS[alarm]
    assert text.zh != text.en
    assert any("\u4e00" <= one <= "\u9fff" for one in text.zh)
    assert text.en.isascii()


@pytest.mark.parametrize("reason", [Reason.PAYMENT_UNKNOWN, Reason.COUPON_SPENT, Reason.ALREADY_VOIDED])
def test_each_variance_of_the_book_is_an_alarm(reason: Reason) -> None:
    assert Alarm(f"variance_{reason}") in TEXTS


def test_an_alarm_of_a_newer_version_shows_its_name() -> None:
    assert alarm_text("of_tomorrow", "en") == "of_tomorrow"
