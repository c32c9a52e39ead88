"""What a box believes of a web server: a real repository, a real line on loopback, and every lie that it must see through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.releases import Publisher, wheel, with_field

from tillbox.agent.updates.machine import Release
from tillbox.agent.updates.settings import Updates
from tillbox.agent.updates.transfer import Line
from tillbox.agent.updates.trust import Have, Trust
from tillbox.agent.updates.words import Refusal, Why
from tillbox.cloud_bridge.releases.archive import WheelWrong, pack
from tillbox.cloud_bridge.releases.keys import KeysWrong, load_keys, load_roots, make_keys
from tillbox.cloud_bridge.releases.repository import Repository, RepositoryWrong


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    made = Publisher(tmp_path / "publisher")
    yield made
    made.web.stop()


class Box:
    """One box that asks for releases."""

    def __init__(self, publisher: Publisher, root: Path) -> None:
        trust = publisher.repository.metadata / "1.root.json"
        self.room = Updates(url=publisher.web.url, trust=trust, root=root, rate_bytes_s=10**9)
        self.have = Have("0.1.0", publisher.lock_hash)
        self.trust = Trust(self.room, Line(10**9, lambda _: False))

    def offer(self, **changes: object) -> Release | Refusal | None:
        return self.trust.offer(replace(self.have, **changes))  # type: ignore[arg-type]

    def why(self, **changes: object) -> Why:
        found = self.offer(**changes)
        assert isinstance(found, Refusal), found
        return found.why

    def bring(self) -> Path | Refusal:
        release = self.offer()
        assert isinstance(release, Release), release
        return self.trust.bring(release)


@pytest.fixture
def box(publisher: Publisher, tmp_path: Path) -> Box:
    return Box(publisher, tmp_path / "box")


def newest(publisher: Publisher, role: str) -> Path:
    return max(
        publisher.repository.metadata.glob(f"*.{role}.json"), key=lambda p: int(p.name.partition(".")[0])
    )


def test_a_newer_release_is_offered_and_brought_byte_for_byte(publisher: Publisher, box: Box) -> None:
    archive = publisher.publish("0.2.0")
    found = box.bring()
    assert isinstance(found, Path)
    assert found.read_bytes() == archive.read_bytes()


def test_what_runs_here_already_is_no_news(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.1.0")
    assert box.offer() is None


def test_versions_are_compared_as_numbers(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.10.0")
    assert isinstance(box.offer(version="0.9.3"), Release)


@pytest.mark.parametrize(
    ("have", "how", "why"),
    [
        ({"version": "0.3.0"}, {}, Why.DOWNGRADE),
        ({"refused": frozenset({"0.2.0"})}, {}, Why.FAILED_BEFORE),
        ({}, {"minimum": "0.1.5"}, Why.TOO_FAR),
        ({"lock": "of another base"}, {}, Why.OTHER_LIBRARIES),
    ],
)
def test_a_signed_release_that_is_not_for_this_box_is_refused(
    publisher: Publisher, box: Box, have: dict[str, object], how: dict[str, object], why: Why
) -> None:
    publisher.publish("0.2.0", **how)
    assert box.why(**have) is why


def test_a_release_for_other_hardware_is_not_even_seen(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.2.0", hardware="pi-5")
    assert box.why() is Why.DAMAGED
    box.trust = Trust(box.room.model_copy(update={"hardware": "pi-5"}), Line(10**9, lambda _: False))
    assert isinstance(box.offer(), Release)


def test_an_archive_beyond_the_data_plan_is_not_begun(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.2.0")
    box.trust = Trust(box.room.model_copy(update={"archive_bytes_max": 100}), Line(10**9, lambda _: False))
    assert box.why() is Why.TOO_LARGE


def test_libraries_that_travel_make_another_base_no_matter(
    publisher: Publisher, box: Box, tmp_path: Path
) -> None:
    publisher.publish("0.2.0", libraries=[wheel(tmp_path, "1.0", name="coffee")])
    assert isinstance(box.offer(lock="of another base"), Release)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_that_somebody_changed_is_refused(publisher: Publisher, box: Box, role: str) -> None:
    publisher.publish("0.2.0")
    path = (
        publisher.repository.metadata / "timestamp.json" if role == "timestamp" else newest(publisher, role)
    )
    publisher.bend(path.name, with_field(path.read_bytes(), expires="2099-01-01T00:00:00Z"))
    assert box.why() is (Why.UNSIGNED if role == "timestamp" else Why.MIXED)


def test_metadata_that_is_no_metadata_is_refused(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.2.0")
    publisher.bend("timestamp.json", b"<html>Welcome to this hotel</html>")
    assert box.why() is Why.DAMAGED


def test_strangers_sign_in_vain(publisher: Publisher, box: Box, tmp_path: Path) -> None:
    strangers = Repository(tmp_path / "strangers")
    strangers.create(make_keys(tmp_path / "strangers-keys"), datetime.now(UTC))
    publisher.web.folder = strangers.folder
    assert box.why() is Why.UNSIGNED


def test_a_word_that_has_expired_is_refused_for_news_may_be_held_back(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.2.0", days_ago=4)
    assert box.why() is Why.EXPIRED


def test_an_older_state_is_refused_also_after_a_rollback_of_the_slots(publisher: Publisher, box: Box) -> None:
    """What was seen lies outside the slots; a new process knows it, too."""
    first = (publisher.repository.metadata / "timestamp.json").read_bytes()
    publisher.publish("0.2.0")
    assert isinstance(box.offer(), Release)
    publisher.bend("timestamp.json", first)
    again = Box(publisher, box.room.root)
    assert again.why() is Why.ROLLED_BACK


def test_parts_of_two_states_do_not_go_together(publisher: Publisher, box: Box) -> None:
    older = newest(publisher, "snapshot").read_bytes()
    publisher.publish("0.2.0")
    publisher.bend(newest(publisher, "snapshot").name, older)
    assert box.why() is Why.MIXED


def test_a_server_without_its_files_or_without_a_voice(
    publisher: Publisher, box: Box, tmp_path: Path
) -> None:
    publisher.web.folder = tmp_path / "empty"
    assert box.why() is Why.INCOMPLETE
    publisher.web.stop()
    assert box.why() is Why.UNREACHABLE


def test_an_archive_that_is_not_what_was_signed_is_thrown_away(publisher: Publisher, box: Box) -> None:
    archive = publisher.publish("0.2.0")
    publisher.bend(archive.name, archive.read_bytes()[::-1])
    assert box.bring() == Refusal(Why.TAMPERED, "tillbox-0.2.0-any.zip")
    assert list((box.room.root / "downloads").glob("*.part")) == []


def test_a_server_that_sends_more_than_was_signed_fills_no_card(publisher: Publisher, box: Box) -> None:
    archive = publisher.publish("0.2.0")
    publisher.bend(archive.name, archive.read_bytes() + b"x" * 1_000_000)
    assert isinstance(box.bring(), Path), "what was signed came first, and nothing after it was taken"
    (part,) = (box.room.root / "downloads").glob("*.part")
    assert part.stat().st_size == archive.stat().st_size


def test_a_download_that_breaks_at_any_byte_goes_on_there_and_is_trusted_only_when_whole(
    publisher: Publisher, box: Box
) -> None:
    archive = publisher.publish("0.2.0")
    length = archive.stat().st_size
    for drop in range(1, length, max(1, length // 12)):
        publisher.web.resumed_from.clear()
        publisher.web.drop_after = drop
        refusal = box.bring()
        assert isinstance(refusal, Refusal)
        assert refusal.why is Why.INTERRUPTED
        publisher.web.honest()
        found = box.bring()
        assert isinstance(found, Path)
        assert found.read_bytes() == archive.read_bytes()
        assert publisher.web.resumed_from == [drop]
        found.unlink()


def test_a_part_that_a_power_cut_tore_is_fetched_once_more(publisher: Publisher, box: Box) -> None:
    archive = publisher.publish("0.2.0")
    found = box.bring()
    assert isinstance(found, Path)
    found.write_bytes(b"\0" * archive.stat().st_size)
    assert box.bring() == found
    assert found.read_bytes() == archive.read_bytes()


@pytest.mark.parametrize("torn", [b"", b"{", b"\0" * 400])
def test_metadata_torn_on_the_card_is_fetched_anew(publisher: Publisher, box: Box, torn: bytes) -> None:
    publisher.publish("0.2.0")
    assert isinstance(box.offer(), Release)
    for path in box.room.root.joinpath("metadata").rglob("*.json"):
        path.write_bytes(torn)
    assert isinstance(Box(publisher, box.room.root).offer(), Release)


def test_two_of_three_root_keys_renew_the_root_and_the_boxes_follow(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.2.0")
    assert isinstance(box.offer(), Release)
    (publisher.folder / "keys" / "offline" / "root-2.pem").unlink()
    publisher.repository.renew_root(load_roots(publisher.folder / "keys"), datetime.now(UTC))
    assert isinstance(box.offer(), Release)
    assert (box.room.root / "metadata" / "root_history" / "2.root.json").exists()
    (publisher.folder / "keys" / "offline" / "root-3.pem").unlink()
    with pytest.raises(KeysWrong, match="2 of root-1, root-2, root-3 must sign"):
        load_roots(publisher.folder / "keys")


def test_one_root_key_alone_renews_nothing(publisher: Publisher, box: Box) -> None:
    publisher.publish("0.2.0")
    publisher.repository.renew_root([publisher.keys["root-1"]], datetime.now(UTC))
    assert box.why() is Why.UNSIGNED


def test_keys_are_nobody_elses_to_read_and_are_never_overwritten(publisher: Publisher) -> None:
    keys = publisher.folder / "keys"
    assert [path for path in keys.rglob("*.pem") if path.stat().st_mode & 0o077] == []
    with pytest.raises(KeysWrong, match="never overwritten"):
        make_keys(keys)
    (keys / "online" / "snapshot.pem").chmod(0o644)
    with pytest.raises(KeysWrong, match="may be read by others"):
        load_keys(keys, "snapshot")


def test_a_version_is_signed_once(publisher: Publisher) -> None:
    publisher.publish("0.2.0")
    with pytest.raises(RepositoryWrong, match="was signed with other content"):
        publisher.publish("0.2.0", files={"tillbox/till.py": "PRICE = 1"})


def test_a_wheel_of_something_else_is_no_release(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(WheelWrong, match=r"coffee 1\.0"):
        pack(wheel(tmp_path, "1.0", name="coffee"), publisher.lock, hardware="any", minimum="0")


def test_every_version_of_the_metadata_is_one_more(publisher: Publisher) -> None:
    metadata = publisher.repository.metadata
    publisher.publish("0.2.0")
    publisher.repository.refresh(publisher.keys["timestamp"], datetime.now(UTC))
    assert json.loads((metadata / "timestamp.json").read_bytes())["signed"]["version"] == 3
    assert {path.name for path in metadata.iterdir()} == {
        "1.root.json", "1.targets.json", "2.targets.json", "1.snapshot.json", "2.snapshot.json", "timestamp.json",
    }  # fmt: skip
    assert publisher.repository.channels() == {"stable-any": "tillbox-0.2.0-any.zip"}
