"""One suite for whatever speaks: recorded words and a machine's voice, before a sound card's twin. A new driver begins
by failing here."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.contracts.money import CNY, POINT, Amount
from tillbox.hardware.drivers import speaker_alsa
from tillbox.hardware.drivers.speaker_alsa import AlsaSpeaker
from tillbox.hardware.drivers.worker import monotonic_ms
from tillbox.hardware.ports import (
    DeviceBack,
    DeviceTrouble,
    Language,
    Saying,
    Speaker,
    TroubleKind,
    Utterance,
)
from tillbox.hardware.simulated.speaker import SimulatedSpeaker, record_clips, write_clip
from tillbox.hardware.speaking.clips import length_s
from tillbox.hardware.speaking.waiting import STALE_MS, WAITING_MAX

pytestmark = pytest.mark.slow


@dataclass
class Shop:
    """A speaker in a shop: ears for what is heard, and for what it says of itself. `late_ms` turns its clock on."""

    twin: SimulatedSpeaker
    clips: Path | None = None
    late_ms: int = 0
    news: list[DeviceTrouble | DeviceBack] = field(default_factory=list)
    speakers: list[AlsaSpeaker] = field(default_factory=list)

    def open(self, **changed: object) -> AlsaSpeaker:
        self.speakers.append(
            AlsaSpeaker(
                "voice",
                clips=self.clips,
                player=self.twin.player,
                synthesizer=str(changed.get("synthesizer", self.twin.synthesizer)),
                clock_ms=lambda: monotonic_ms() + self.late_ms,
            )
        )
        self.speakers[-1].start(self.news.append)
        return self.speakers[-1]

    def paid(self, fen: int, language: Language = "zh") -> Utterance:
        return Utterance(Saying.PAID, Amount(fen, CNY), language, monotonic_ms() + self.late_ms)

    def heard(self) -> list[str]:
        return [one.text.replace(" ", "") for one in self.twin.played]

    def told(self) -> list[str]:
        return [one.kind if isinstance(one, DeviceTrouble) else "back" for one in self.news]


@pytest.fixture
def twin() -> Iterator[SimulatedSpeaker]:
    made = SimulatedSpeaker()
    yield made
    made.close()


@pytest.fixture(params=["clips", "voice"])
def shop(request: pytest.FixtureRequest, twin: SimulatedSpeaker, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(twin)
    if request.param == "clips":
        record_clips(tmp_path)
        twin.without_synthesizer()
        made.clips = tmp_path
    yield made
    for speaker in made.speakers:
        speaker.stop()


def test_it_is_a_speaker_with_a_name(shop: Shop) -> None:
    assert isinstance(shop.open(), Speaker)
    assert shop.speakers[0].name == "voice"


def test_amounts_are_said_in_order_in_either_language(shop: Shop) -> None:
    speaker = shop.open()
    assert speaker.say(shop.paid(1250))
    assert speaker.say(shop.paid(100502, "en"))
    assert eventually(lambda: len(shop.heard()) == 2)
    assert shop.heard() == ["到账十二元五角", "paidonethousandandfiveyuanandtwofen"]
    assert shop.news == []


def test_the_same_amount_is_the_same_sound(shop: Shop) -> None:
    speaker = shop.open()
    assert speaker.say(shop.paid(1250))
    assert speaker.say(shop.paid(1250))
    assert eventually(lambda: len(shop.twin.played) == 2)
    first, second = shop.twin.played
    assert first.wav == second.wav
    assert first.at_ms <= second.at_ms


def test_what_is_ten_seconds_old_is_not_taken(shop: Shop) -> None:
    speaker = shop.open()
    old = shop.paid(1250)
    shop.late_ms = STALE_MS
    assert not speaker.say(old)
    assert speaker.say(shop.paid(500))
    assert eventually(lambda: shop.heard() == ["到账五元"])


def test_what_grew_old_while_it_waited_is_not_said(shop: Shop) -> None:
    speaker = shop.open()
    shop.twin.slow()
    assert speaker.say(shop.paid(100))
    assert eventually(lambda: shop.twin.begun == 1)
    assert speaker.say(shop.paid(200))
    shop.late_ms = STALE_MS
    assert speaker.say(shop.paid(300))
    assert eventually(lambda: len(shop.heard()) == 2)
    assert shop.heard() == ["到账一元", "到账三元"]
    assert shop.news == []


def test_an_utterance_of_before_the_restart_is_not_taken(shop: Shop) -> None:
    before = shop.paid(1250)
    shop.late_ms = -monotonic_ms()  # the box was restarted, and its clock began anew
    assert not shop.open().say(before)


def test_what_has_no_words_is_not_taken(shop: Shop) -> None:
    points = Utterance(Saying.PAID, Amount(100, POINT), "zh", monotonic_ms())
    assert not shop.open().say(points)


def test_more_than_a_few_do_not_wait(shop: Shop) -> None:
    speaker = shop.open()
    shop.twin.slow()
    assert speaker.say(shop.paid(100))
    assert eventually(lambda: shop.twin.begun == 1)
    taken = [speaker.say(shop.paid(fen)) for fen in range(200, 1000, 100)]
    assert taken == [True] * WAITING_MAX + [False] * (8 - WAITING_MAX)


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        (SimulatedSpeaker.busy, "Another program holds the sound card"),
        (SimulatedSpeaker.no_card, "plug"),
        (SimulatedSpeaker.hang, "does not take the sound"),
    ],
)
def test_trouble_is_told_once_with_a_hint_and_its_end_once(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[SimulatedSpeaker], None],
    hint: str,
) -> None:
    monkeypatch.setattr(speaker_alsa, "PLAY_GRACE_S", 1.5)
    speaker = shop.open()
    fault(shop.twin)
    assert speaker.say(shop.paid(100))
    assert speaker.say(shop.paid(200))
    assert eventually(lambda: shop.twin.begun == 2)
    assert shop.told() == [TroubleKind.SILENT]
    assert hint in shop.news[0].hint
    shop.twin.mend()
    assert speaker.say(shop.paid(500))
    assert eventually(lambda: shop.told() == [TroubleKind.SILENT, "back"])
    assert shop.heard() == ["到账五元"], "what could not be said was said later"


def test_a_box_without_a_player_says_so_before_the_first_customer(shop: Shop) -> None:
    shop.twin.absent()
    speaker = shop.open()
    assert eventually(lambda: shop.told() == [TroubleKind.LOST])
    assert "install the package alsa-utils" in shop.news[0].hint
    shop.twin.mend()
    assert speaker.say(shop.paid(500))
    assert eventually(lambda: shop.told() == [TroubleKind.LOST, "back"])
    assert shop.heard() == ["到账五元"]


@pytest.mark.parametrize("hanging", [True, False])
def test_stop_cuts_it_short_and_leaves_no_thread(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, hanging: bool
) -> None:
    monkeypatch.setattr(speaker_alsa, "PLAY_GRACE_S", 60.0)  # so that only `stop` can end it
    before = threading.active_count()
    speaker = shop.open()
    if hanging:
        shop.twin.hang()
        assert speaker.say(shop.paid(100))
        assert eventually(lambda: shop.twin.begun == 1)
        assert speaker.say(shop.paid(200))
    speaker.stop()
    speaker.stop()
    assert threading.active_count() == before
    assert not speaker.say(shop.paid(300))
    assert (shop.heard(), shop.news) == ([], [])


# what only this driver has


def test_a_missing_word_is_said_by_the_machine_and_with_it_the_whole_amount(
    twin: SimulatedSpeaker, tmp_path: Path
) -> None:
    record_clips(tmp_path)
    (tmp_path / "zh/角.wav").unlink()
    shop = Shop(twin, tmp_path)
    speaker = shop.open()
    assert speaker.say(shop.paid(1200))
    assert speaker.say(shop.paid(1250))
    assert eventually(lambda: shop.heard() == ["到账十二元", "到账十二元五角"])
    sizes = [one.wav[4:8] for one in twin.played]
    assert sizes[1] == bytes.fromhex("24f0ff7f"), "the second is not the machine's"
    assert sizes[0] != sizes[1]
    speaker.stop()


def test_no_words_and_nobody_to_read_them_is_told_at_once(twin: SimulatedSpeaker, tmp_path: Path) -> None:
    twin.without_synthesizer()
    shop = Shop(twin, tmp_path)
    speaker = shop.open()
    assert eventually(lambda: shop.told() == [TroubleKind.LOST])
    assert "install the package espeak-ng" in shop.news[0].hint
    twin.with_synthesizer()
    assert speaker.say(shop.paid(100))
    assert eventually(lambda: shop.told() == [TroubleKind.LOST, "back"])
    speaker.stop()


def test_a_voice_without_its_data_is_told(twin: SimulatedSpeaker) -> None:
    twin.dumb_synthesizer()
    shop = Shop(twin)
    speaker = shop.open()
    assert speaker.say(shop.paid(100))
    assert eventually(lambda: shop.told() == [TroubleKind.SILENT])
    assert "espeak-ng-data" in shop.news[0].hint
    assert twin.begun == 0
    speaker.stop()


def test_bad_clips_are_named_once_and_the_rest_is_used(twin: SimulatedSpeaker, tmp_path: Path) -> None:
    record_clips(tmp_path)
    write_clip(tmp_path / "zh/角.wav", "角", rate_hz=8_000)
    (tmp_path / "en/five.wav").write_bytes(b"ID3")
    shop = Shop(twin, tmp_path)
    speaker = shop.open()
    assert eventually(lambda: shop.told() == [TroubleKind.UNREADABLE])
    assert "角.wav" in shop.news[0].hint
    assert "five.wav" in shop.news[0].hint
    assert speaker.say(shop.paid(1200))
    assert eventually(lambda: shop.heard() == ["到账十二元"])
    speaker.stop()


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not on this machine")
def test_the_real_voice_makes_a_sound_of_some_seconds(twin: SimulatedSpeaker) -> None:
    shop = Shop(twin)
    speaker = shop.open(synthesizer="espeak-ng")
    assert speaker.say(shop.paid(100502))
    assert eventually(lambda: len(twin.played) == 1)
    assert 1.0 < length_s(twin.played[0].wav) < 10.0
    speaker.stop()
