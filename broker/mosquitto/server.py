"""Run one mosquitto in a folder of its own. It keeps nothing that we rely on: a broker may die at any time."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tillbox.broker.pki import Authority, Identity

ACL = Path(__file__).with_name("acl")
CLAIMS_ACL = Path(__file__).with_name("acl_claims")
START_S = 10.0
LOOK_S = 0.2  # a box that was thrown out is to be out within seconds
PBKDF2_ROUNDS = 101  # mosquitto's own; one password is public, and the other has 256 bits
INFLIGHT_MAX = 300
"""What one client may have unacknowledged. The core acknowledges after its commit, so this is one batch of its 200 messages
and the beginning of the next: with mosquitto's own 20 a core of ten thousand boxes spends its time on commits, and with 100
a storm of ten thousand boxes was registered after 61 to 70 s, with 300 after 48 to 62, and once after 76. Where messages expire in its queue,
mosquitto 2.0.11 sends more than this, so that the core bounds what waits itself (docs/load.md)."""
QUEUE_MAX = 60_000  # a core that is busy: birth, hello and first records of ten thousand boxes, twice
QUEUE_BYTES_MAX = 256 * 1024 * 1024  # and that is all that it may cost

CONFIG = """\
# Written at every start; change server.py instead.
{user}persistence false
max_queued_messages {queue}
max_queued_bytes {queue_bytes}
max_inflight_messages {inflight}
max_packet_size 262144
# Without it every answer waits 40 ms for the other side's delayed TCP acknowledgement.
set_tcp_nodelay true
acl_file {acl}
log_dest file {folder}/mosquitto.log
log_type error
log_type warning
log_type notice
connection_messages false
allow_anonymous false
password_file {passwords}

listener {port} {host}
cafile {ca}
crlfile {crl}
certfile {certificate}
keyfile {key}
require_certificate true
# The certificate's name is the user for the access list, and the client id: a box cannot take another's place.
use_identity_as_username true
use_username_as_clientid true
{doors}"""

CLAIMS = """\
# Written at every start; change server.py instead.
# Where a box asks for its certificate: a broker of its own, for whoever comes here chooses its own client id, and a broker
# has one client of a name. What happens here reaches no box that sells.
{user}persistence false
max_queued_messages 1000
max_packet_size 262144
set_tcp_nodelay true
acl_file {acl}
log_dest {log}
log_type error
log_type warning
log_type notice
connection_messages false
allow_anonymous false
password_file {passwords}

listener {port} {host}
max_connections 500
cafile {ca}
certfile {certificate}
keyfile {key}
"""

SERVICE_DOOR = """
# Where the core takes the place of a client whose certificate was revoked, which ends its connection. On this machine.
listener {port} 127.0.0.1
"""

FAR_SERVICE_DOOR = """
# Where the core takes the place of a client whose certificate was revoked, which ends its connection. The core is on
# another machine or in another container, so its password comes by TLS.
listener {port}
cafile {ca}
certfile {certificate}
keyfile {key}
"""

CLAIM_USER = ("claim.", "claim")
"""Printed on every sheet, so to say. No device can bear this name: the dot sees to it."""
CORE_USER = "core."
SERVICE_USER = "service."


class MosquittoMissing(Exception):
    """There is no mosquitto on this machine: apt-get install mosquitto."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The two other doors, for a fleet: where boxes enrol, and where the core kicks. `secret` is the core's password at
    both."""

    claim_port: int
    service_port: int
    secret: str


class _Daemon:
    """One mosquitto process and its configuration."""

    def __init__(self, config: Path, host: str, port: int) -> None:
        self._config, self._host, self._port = config, host, port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def start(self, config: str) -> None:
        """Start, and return when it takes connections. MosquittoMissing where there is none."""
        program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
        if program is None:
            raise MosquittoMissing("mosquitto is not installed; run: apt-get install mosquitto")
        self._config.write_text(config)
        self.process = subprocess.Popen(  # noqa: S603
            [program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()

    def end(self, how: signal.Signals) -> None:
        """Send it a signal, and wait for its end."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(how)
            self.process.wait(timeout=START_S)
            self.process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((self._host, self._port)) == 0:
                    return
            if not self.alive:
                break
            time.sleep(0.02)
        log = self._config.with_suffix(".log")
        said = log.read_text()[-400:] if log.exists() else "nothing"
        self.end(signal.SIGKILL)
        raise RuntimeError(f"mosquitto did not start on {self._host}:{self._port}; its log says: {said}")


class Mosquitto:
    """The broker of the boxes, and for a fleet the one at the door for claims beside it."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        authority: Authority,
        server: Identity,
        host: str = "127.0.0.1",
        doors: Doors | None = None,
        inflight_max: int = INFLIGHT_MAX,
    ) -> None:
        self.folder, self.port, self.host, self.inflight_max = folder, port, host, inflight_max
        self.doors = doors
        self._authority, self._server = authority, server
        self._boxes = _Daemon(folder / "mosquitto.conf", host, port)
        self._claims = _Daemon(folder / "claims.conf", host, doors.claim_port) if doors else None
        self._watch = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether the boxes' broker runs."""
        return self._boxes.alive

    @property
    def pid(self) -> int | None:
        """The number of its process, while it runs."""
        return self._boxes.process.pid if self._boxes.process is not None and self.alive else None

    def start(self) -> None:
        """Start, and return when it takes connections. MosquittoMissing where there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        acl = self._copy(ACL)
        # Started by root it would change to its own user, which cannot read our key.
        user = "user root\n" if os.geteuid() == 0 else ""
        passwords = self.folder / "passwords"
        write_passwords(passwords, self.doors)
        self._boxes.start(
            CONFIG.format(
                passwords=passwords,
                doors=SERVICE_DOOR.format(port=self.doors.service_port) if self.doors else "",
                user=user,
                acl=acl,
                queue=QUEUE_MAX,
                queue_bytes=QUEUE_BYTES_MAX,
                inflight=self.inflight_max,
                folder=self.folder,
                port=self.port,
                host=self.host,
                ca=self._authority.certificate,
                crl=self._authority.revocations,
                certificate=self._server.certificate,
                key=self._server.key,
            )
        )
        if self._claims is not None and self.doors is not None:
            log = f"file {self.folder / 'claims.log'}"
            self._claims.start(
                claims_config(
                    self.doors, self.host, self._authority.certificate, self._server,
                    passwords=passwords, acl=self._copy(CLAIMS_ACL), log=log, user=user,
                )
            )  # fmt: skip
        self._watch = threading.Event()
        threading.Thread(target=self._follow, args=(self._watch,), name="revocations", daemon=True).start()

    def _copy(self, acl: Path) -> Path:
        copy = self.folder / acl.name
        copy.write_text(acl.read_text())
        copy.chmod(0o600)
        return copy

    def _follow(self, ended: threading.Event) -> None:
        """Read the revocation list again whenever it is another."""
        seen = _stamp(self._authority.revocations)
        while not ended.wait(LOOK_S):
            if (now := _stamp(self._authority.revocations)) != seen:
                seen = now
                self.reload()

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def reload(self) -> None:
        """Read the revocation list again."""
        process = self._boxes.process
        if process is not None:
            process.send_signal(signal.SIGHUP)

    def _end(self, how: signal.Signals) -> None:
        self._watch.set()
        self._boxes.end(how)
        if self._claims is not None:
            self._claims.end(how)


def claims_config(
    doors: Doors,
    host: str,
    authority: Path,
    server: Identity,
    *,
    passwords: Path,
    acl: Path,
    log: str,
    user: str = "",
) -> str:
    """The broker at the door for claims, as mosquitto reads it."""
    return CLAIMS.format(
        user=user,
        acl=acl,
        log=log,
        passwords=passwords,
        port=doors.claim_port,
        host=host,
        ca=authority,
        certificate=server.certificate,
        key=server.key,
    )


def write_passwords(path: Path, doors: Doors | None) -> None:
    """The password file, for its owner alone: PBKDF2 as mosquitto 2 writes it."""
    users = [CLAIM_USER, (CORE_USER, doors.secret), (SERVICE_USER, doors.secret)] if doors else []
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}:{_hashed(password)}\n" for name, password in users))


def _hashed(password: str) -> str:
    salt = os.urandom(12)
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PBKDF2_ROUNDS)
    return f"$7${PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(found).decode()}"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
