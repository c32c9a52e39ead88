"""The machine's figures, from twins of /proc and /sys: a board that says everything, one that says nothing, and nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbox.agent.vitals import Machine, certificate_ends_ms, read_vitals

STAT = "  100 0 800 20 5000 0 204800 900 0 800 920\n"
NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999999 1 0 0 0 0 0 0 9999999 1 0 0 0 0 0 0
  eth0: 3000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0
 wlan0: 500 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0
"""


def twin(folder: Path, **files: str) -> Machine:
    """A board: an eMMC with two partitions, of which the second holds the journal."""
    disk = folder / "sys/devices/mmc0/block/mmcblk0"
    (disk / "mmcblk0p2").mkdir(parents=True)
    (disk / "device").mkdir()
    (disk / "mmcblk0p2/partition").write_text("2\n")
    (folder / "sys/dev/block").mkdir(parents=True)
    (folder / "sys/dev/block/179:2").symlink_to(disk / "mmcblk0p2")
    for number, told in enumerate(files.get("temperatures", "").split()):
        zone = folder / f"sys/class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(f"{told}\n")
    (folder / "proc/net").mkdir(parents=True)
    for path, name in ((disk / "stat", "stat"), (disk / "device/life_time", "life")):
        if name in files:
            path.write_text(files[name])
    for path, name in ((folder / "proc/uptime", "uptime"), (folder / "proc/net/dev", "net")):
        if name in files:
            path.write_text(files[name])
    return Machine(folder, folder / "proc", folder / "sys", (179, 2))


def test_a_board_that_says_everything(tmp_path: Path) -> None:
    found = read_vitals(
        twin(tmp_path, stat=STAT, life="0x02 0x03\n", temperatures="48123 51999", uptime="43200.55 9.1\n", net=NET)
    )  # fmt: skip
    assert found.uptime_s == 43_200
    assert found.written_bytes_day == 2 * 204_800 * 512, "the whole disk's, in half a day"
    assert (found.wear_percent, found.celsius) == (30, 51), "the worse cell, the warmer zone"
    assert (found.heard_bytes, found.sent_bytes) == (3_500, 1_020), "without the loopback"
    assert found.disk_bytes is not None
    assert found.disk_bytes > 0


def test_a_board_that_says_nothing(tmp_path: Path) -> None:
    found = read_vitals(Machine(tmp_path / "none", tmp_path / "proc", tmp_path / "sys"))
    assert set(found.model_dump().values()) == {None}


@pytest.mark.parametrize("nonsense", ["", "x", "0x", "-1", "1 2 3 4 5 6 -7 8", "999999999", "\x00\xff"])
def test_nonsense_is_not_known(tmp_path: Path, nonsense: str) -> None:
    found = read_vitals(
        twin(tmp_path, stat=nonsense, life=nonsense, uptime=nonsense, net=nonsense, temperatures=nonsense.replace("\x00", ""))
    )  # fmt: skip
    assert (found.written_bytes_day, found.wear_percent, found.heard_bytes) == (None, None, None)
    assert found.celsius in (None, 0)


def test_a_machine_that_has_just_started_says_nothing_about_a_day(tmp_path: Path) -> None:
    assert read_vitals(twin(tmp_path, stat=STAT, uptime="3599.0 1.0")).written_bytes_day is None


def test_this_machine_answers() -> None:
    assert read_vitals(Machine(Path("/"))).uptime_s is not None


def test_a_certificate_that_cannot_be_read_ends_never_that_we_know_of(tmp_path: Path) -> None:
    (tmp_path / "box.pem").write_text("no certificate")
    assert certificate_ends_ms(tmp_path / "box.pem") is None
    assert certificate_ends_ms(tmp_path / "none.pem") is None
