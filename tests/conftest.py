"""Shared by all tests: a real PostgreSQL for those that need one, and no deadlines for property tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew; review the diff")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Device tests make and break devices; only the machine of the lab is for that."""
    if item.get_closest_marker("device") and "TILLBOX_LAB" not in os.environ:
        pytest.skip("it needs the device lab: make lab")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, or write it with --update-golden."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.is_file(), f"no golden file {path.name}; write it with --update-golden and review it"
        assert text == path.read_text()

    return compare


def _program(name: str) -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = places[0] if places else shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not on this machine; run: apt-get install postgresql")
    return Path(found)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, on loopback, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tillbox-pg-"))
    # PostgreSQL refuses to run as root.
    user = next((n for n in ("postgres", "nobody") if n in {u.pw_name for u in pwd.getpwall()}), None)
    as_user = {"user": user} if os.geteuid() == 0 and user else {}
    if as_user:
        shutil.chown(folder, user=user)
        folder.chmod(0o700)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    subprocess.run(
        [_program("initdb"), "-D", data, "-U", "tillbox", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True, cwd=folder, **as_user,
    )  # fmt: skip
    server = subprocess.Popen(
        [_program("postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **as_user,
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"postgresql+psycopg://tillbox@127.0.0.1:{port}"
    finally:
        # At once: nobody wants the files of hundreds of databases to be in order.
        server.send_signal(signal.SIGQUIT)
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
