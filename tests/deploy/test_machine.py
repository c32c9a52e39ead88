"""The packages on a machine of its own, with a real systemd: installed, sold with, upgraded, removed, purged."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import segno
from tests.deploy.machine import ROOT, Machine
from tests.patience import eventually

from tillbox.broker.pki import Authority

pytestmark = [pytest.mark.slow, pytest.mark.mosquitto, pytest.mark.timeout(900)]
CASHIER = Path(__file__).with_name("cashier.py")
STATE = "/var/lib/tillbox"
JOURNAL, IDENTITY = f"{STATE}/journal.db", f"{STATE}/identity"
PRINTER = (
    '#[printer]\n#kind = "network"\n#address = "192.168.1.50:9100"',
    '[printer]\naddress = "127.0.0.1:9100"',
)
CORE_STATE = "/var/lib/tillbox-core"
EXPOSED_MOST = 2.0
TODAY, TOMORROW = "0.9.0", "0.9.1"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Today's packages, and tomorrow's with the same files."""
    folder = tmp_path_factory.mktemp("packages")
    command = [ROOT / "deploy/debian/build.py", "--version", TODAY, "--out", folder, "--compression", "none"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for package in list(folder.glob("*.deb")):
        tree = folder / "tree"
        subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(control.read_text().replace(TODAY, TOMORROW))
        next_one = folder / package.name.replace(TODAY, TOMORROW)
        subprocess.run(["dpkg-deb", "-Znone", "--build", tree, next_one], check=True, capture_output=True)
        shutil.rmtree(tree)
    return folder


@pytest.fixture
def machine(packages: Path) -> Iterator[Machine]:
    running = Machine(packages)
    yield running
    running.switch_off()


def install(machine: Machine, number: str, *names: str) -> str:
    """As a field engineer does, from a stick: no network, no compiler, no questions."""
    files = machine.run(
        "sh", "-c", f"ls {' '.join(f'/packages/{name}_{number}_*.deb' for name in names)}"
    ).split()
    return machine.run("dpkg", "-i", *files)


def records(machine: Machine) -> list[tuple[str, bool]]:
    """What the box recorded: each kind, and whether the core has it."""
    lines = machine.run("tillbox", "journal", JOURNAL, "--json").splitlines()
    return [(row["kind"], row["settled"]) for row in map(json.loads, lines)]


def test_a_box_sells_as_it_comes_a_till_that_hangs_is_started_again_and_unsent_sales_outlive_a_purge(
    machine: Machine,
) -> None:
    said = install(machine, TODAY, "tillbox", "tillbox-box")
    assert "nothing runs yet" in said
    assert machine.shows("tillbox-box", "ActiveState") == "inactive"
    assert machine.run("systemd-analyze", "verify", "tillbox-box.service") == ""
    safe(machine, "tillbox-box")
    machine.put("/tmp/goods.png", goods_picture())
    assert "6901234567892" in machine.run("tillbox", "scan", "/tmp/goods.png")
    machine.edit("/etc/tillbox/box.toml", PRINTER)
    soon = "[Service]\nWatchdogSec=2\nRestartSec=1\n"
    machine.put("/etc/systemd/system/tillbox-box.service.d/soon.conf", soon)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--now", "tillbox-box")
    assert machine.shows("tillbox-box", "StatusText") == "box-1 is offline; 1 of 1 records wait for the core"
    till = machine.shows("tillbox-box", "MainPID")
    status = machine.run("cat", f"/proc/{till}/status")
    for limit in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert limit in status
    assert modes(machine, STATE, JOURNAL, IDENTITY) == ["tillbox 700", "tillbox 600", "tillbox 700"]

    machine.run("systemctl", "kill", "--kill-who=main", "--signal=STOP", "tillbox-box")
    assert eventually(lambda: machine.shows("tillbox-box", "NRestarts") == "1", 30.0)
    sold = machine.beside(CASHIER, "sell")
    assert "12.00" in sold["paper"]
    assert "茉莉花茶" in sold["paper"]
    assert sold["kicks"] == 1
    held = records(machine)
    assert ("sale", False) in held

    machine.run("dpkg", "--remove", "tillbox-box", "tillbox")
    assert machine.shows("tillbox-box", "ActiveState") == "inactive"
    assert modes(machine, JOURNAL, "/etc/tillbox/box.toml") == ["tillbox 600", "root 644"]
    said = machine.run("dpkg", "--purge", "tillbox-box", "tillbox")
    assert f"{len(held)} records of the journal are not with the core" in said
    aside = said.partition("The journal is kept: ")[2].split()[0]
    assert modes(machine, aside, f"{aside}/journal.db") == ["root 700", "root 600"]
    count = (
        "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM journal'))"
    )
    assert machine.run("python3", "-c", count, f"{aside}/journal.db").strip() == f"({len(held)},)"
    assert left(machine) == ""


def test_a_device_whose_driver_comes_later_may_be_opened_and_another_may_not(machine: Machine) -> None:
    """By name, systemd would leave out what the kernel has no driver for when the box starts."""
    unit = (ROOT / "deploy/debian/tillbox-box/root/usr/lib/systemd/system/tillbox-box.service").read_text()
    allowed = "\n".join(
        line for line in unit.splitlines() if line.startswith(("DevicePolicy=", "DeviceAllow="))
    )
    opened = "\n".join(f"ExecStart=-/bin/sh -c ': < /run/{node}'" for node in ("ttyUSB0", "tun"))
    service = f"[Service]\nType=oneshot\n{allowed}\nStandardError=append:/run/said\n{opened}\n"
    machine.put("/etc/systemd/system/try.service", service)
    machine.run("sh", "-c", "mknod /run/ttyUSB0 c 188 0; mknod /run/tun c 10 200")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "try")
    assert re.findall("/run/(.+)", machine.run("cat", "/run/said")) == [
        "ttyUSB0: No such device or address",
        "tun: Operation not permitted",
    ]


def test_a_shop_is_upgraded_with_unsent_sales_hands_them_in_and_a_purge_keeps_but_the_book(
    machine: Machine, tmp_path: Path
) -> None:
    install(machine, TODAY, "tillbox", "tillbox-box", "tillbox-core")
    for unit in ("tillbox-broker", "tillbox-claims", "tillbox-core"):
        assert machine.run("systemd-analyze", "verify", f"{unit}.service") == ""
        safe(machine, unit)
    certify(machine, tmp_path)
    machine.edit("/etc/tillbox/core.toml", ('\nhost = "broker.example"', '\nhost = "127.0.0.1"'))
    # What a fleet on one machine needs of the section that is commented out.
    switched_on = r"/^#\[fleet\]/,/^#console_url/{/^#\(service_host\|revocations\)/!s/^#\([a-z[]\)/\1/}"
    machine.run("sed", "-i", switched_on, "/etc/tillbox/core.toml")
    machine.edit("/etc/tillbox/box.toml", ("broker.example", "127.0.0.1"), PRINTER)
    machine.run("systemctl", "enable", "--now", "tillbox-core", "tillbox-box")
    assert "12.00" in machine.beside(CASHIER, "sell")["paper"]
    before = records(machine)
    assert ("sale", False) in before

    install(machine, TOMORROW, "tillbox", "tillbox-box", "tillbox-core")
    assert TOMORROW in machine.run("dpkg-query", "-W", "tillbox-box")
    assert (
        machine.shows("tillbox-box", "ActiveState")
        == machine.shows("tillbox-core", "ActiveState")
        == "active"
    )
    assert records(machine)[: len(before)] == before
    assert "127.0.0.1:9100" in machine.run("cat", "/etc/tillbox/box.toml")
    assert machine.run("stat", "-c", "%U:%G %a", "/etc/tillbox/core.toml").strip() == "root:tillbox-core 640"

    rest = ("tillbox-broker", "tillbox-claims", "tillbox-revocations.path")
    machine.run("systemctl", "enable", "--now", *rest)
    first_list = machine.run("cat", "/var/lib/tillbox-broker/ca.crl")
    machine.beside(CASHIER, "wait-online")
    assert {settled for _, settled in records(machine)} == {True}
    machine.run("systemctl", "restart", "tillbox-core")
    ours, theirs = f"{CORE_STATE}/fleet/ca/ca.crl", "/var/lib/tillbox-broker/ca.crl"
    assert eventually(lambda: machine.run("cat", ours) == machine.run("cat", theirs) != first_list, 30.0)
    machine.beside(CASHIER, "wait-online")
    assert [machine.shows(unit, "ActiveState") for unit in rest] == ["active"] * 3
    assert ":22B4 " in machine.run("cat", "/proc/net/tcp", "/proc/net/tcp6")
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8081/healthz').read().decode())"
    assert machine.run("python3", "-c", ask).strip() == "well"
    operator = ["tillbox", "core", "operator", "alice", "--config", "/etc/tillbox/core.toml"]
    assert len(machine.run("runuser", "-u", "tillbox-core", "--", *operator).strip()) > 8

    said = machine.run("dpkg", "--purge", "tillbox-box", "tillbox-core", "tillbox")
    assert "deleting /var/lib/tillbox, with this box's key" in said
    assert "The journal is kept" not in said
    assert "core.db" in machine.run("ls", said.partition("the book is kept: ")[2].split()[0])
    assert left(machine) == ""


def safe(machine: Machine, unit: str) -> None:
    """systemd's own judgement of what a service could do: from 0 for nothing to 10 for everything."""
    file = f"/usr/lib/systemd/system/{unit}.service"
    machine.run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED_MOST * 10:.0f}", file)


def goods_picture() -> bytes:
    """A product's number as a camera might see it."""
    picture = io.BytesIO()
    segno.make("6901234567892", micro=False).save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()


def modes(machine: Machine, *paths: str) -> list[str]:
    """Whose each is, and who may what."""
    return machine.run("stat", "-c", "%U %a", *paths).splitlines()


def left(machine: Machine) -> str:
    """What is left where the packages were."""
    return machine.run(
        "sh", "-c", "ls -d /var/lib/tillbox* /etc/tillbox /usr/lib/tillbox 2>/dev/null || true"
    )


def certify(machine: Machine, folder: Path) -> None:
    """The fleet's keys, and what broker and core need of them, by the commands of docs/install.md; and a certificate for
    a box that enrols by hand."""
    fleet = f"{CORE_STATE}/fleet"
    machine.run("tillbox", "fleet", "init", fleet, "--name", "Tea fleet")
    machine.run("tillbox", "fleet", "broker", fleet, "--name", "127.0.0.1")
    machine.run("chown", "-R", "tillbox-core:", CORE_STATE)
    machine.run("chown", "-R", "tillbox-broker:", "/var/lib/tillbox-broker")
    machine.put(f"{CORE_STATE}/identity/wallet.secret", "00" * 32 + "\n", owner="tillbox-core", mode="600")
    (folder / "ca").mkdir()
    for name in ("ca.key", "ca.crt", "root.crt"):
        (folder / "ca" / name).write_text(machine.run("cat", f"{fleet}/ca/{name}"))
    identity = Authority(folder / "ca").issue_client(folder / "box-1", name="box-1", now=datetime.now(UTC))
    for path in (identity.authority, identity.certificate, identity.key):
        machine.put(f"{IDENTITY}/{path.name}", path.read_bytes(), owner="tillbox", mode="600")
