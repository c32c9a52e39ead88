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
START_S = 10.0
LOOK_S = 0.2  # a box that was thrown out is to be out within seconds
PBKDF2_ROUNDS = 101  # mosquitto's own; one password is public, and the other has 256 bits
INFLIGHT_MAX = 100
"""What one client may have unacknowledged. The core acknowledges after its commit, so this is the most that one commit can
take in: with mosquitto's own 20 a core of ten thousand boxes spends its time on commits."""
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

CLAIM_DOOR = """
# Where a box asks for its certificate. Its name and password are printed on every claim: what counts is what it brings.
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

CLAIM_USER = ("claim.", "claim")
"""No device can bear this name: the dot sees to it."""
SERVICE_USER = "service."


class MosquittoMissing(Exception):
    """There is no mosquitto on this machine: apt-get install mosquitto."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The two other listeners, for a fleet: where boxes enrol, and where the core kicks. `secret` is the password of the
    second."""

    claim_port: int
    service_port: int
    secret: str


class Mosquitto:
    """One broker process."""

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
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The number of the process, while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def start(self) -> None:
        """Start, and return when it takes connections. MosquittoMissing where there is none."""
        program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
        if program is None:
            raise MosquittoMissing("mosquitto is not installed; run: apt-get install mosquitto")
        self.folder.mkdir(parents=True, exist_ok=True)
        acl = self.folder / "acl"
        acl.write_text(ACL.read_text())
        acl.chmod(0o600)
        passwords = self.folder / "passwords"
        passwords.touch(mode=0o600)
        passwords.write_text(password_file(self.doors) if self.doors else "")
        config = self.folder / "mosquitto.conf"
        config.write_text(
            CONFIG.format(
                passwords=passwords,
                doors=doors_config(self.doors, self.host, self._authority.certificate, self._server)
                if self.doors
                else "",
                # Started by root it would change to its own user, which cannot read our key.
                user="user root\n" if os.geteuid() == 0 else "",
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
        self._process = subprocess.Popen(  # noqa: S603
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait()
        self._watch = threading.Event()
        threading.Thread(target=self._follow, args=(self._watch,), name="revocations", daemon=True).start()

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
        process = self._process
        if process is not None:
            process.send_signal(signal.SIGHUP)

    def _end(self, how: signal.Signals) -> None:
        self._watch.set()
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(timeout=START_S)
            self._process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            if not self.alive:
                break
            time.sleep(0.02)
        log = self.folder / "mosquitto.log"
        said = log.read_text()[-400:] if log.exists() else "nothing"
        self.kill()
        raise RuntimeError(f"mosquitto did not start on {self.host}:{self.port}; its log says: {said}")


def doors_config(doors: Doors, host: str, authority: Path, server: Identity) -> str:
    """The two other listeners, as mosquitto reads them."""
    claims = CLAIM_DOOR.format(
        port=doors.claim_port, host=host, ca=authority, certificate=server.certificate, key=server.key
    )
    return claims + SERVICE_DOOR.format(port=doors.service_port)


def password_file(doors: Doors) -> str:
    """The password file: PBKDF2 as mosquitto 2 writes it."""
    users = [CLAIM_USER, (SERVICE_USER, doors.secret)]
    return "".join(f"{name}:{_hashed(password)}\n" for name, password in users)


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
