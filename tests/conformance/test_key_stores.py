"""A box's key is the same to the box, wherever it lies: in a file, or sealed by a TPM.

The TPM is swtpm, asked by tpm2-tools; where they are not on PATH, as on the machine that tests every change, its half is
skipped. It was run on 26 November 2026 with swtpm 0.7.1, libtpms 0.9.2 and tpm2-tools 5.4 of Debian 12: all passed. No
real chip was at hand.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.chips import MISSING, WHY_NOT, Chip
from tests.patience import eventually

from tillbox.agent.config import FleetBoxConfig, FleetPart
from tillbox.agent.provisioning.compose import key_of
from tillbox.agent.provisioning.keystore import KeyStore, KeyUnsafe
from tillbox.agent.provisioning.place import Identity
from tillbox.agent.provisioning.rescue import NothingToRescue, read_disk
from tillbox.agent.provisioning.tpm import TpmKeyStore, is_sealed
from tillbox.broker.journal import open_journal
from tillbox.broker.line import Happening, Up
from tillbox.broker.medium import FileMedium
from tillbox.broker.mosquitto import Mosquitto, free_port
from tillbox.broker.mqtt import Endpoint, MqttLine
from tillbox.broker.pki import Authority
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import device_of_key
from tillbox.contracts.proofs import SLIP, is_proven

NOW = datetime.now(UTC)
CUTS = 8

Open = Callable[[], KeyStore]


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chip]:
    if MISSING:
        pytest.skip(WHY_NOT)
    one = Chip()
    one.start()
    monkeypatch.setenv("TPM2TOOLS_TCTI", one.door)
    yield one
    one.gone()


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity(tmp_path / "identity")


@pytest.fixture(params=["file", "tpm"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, identity: Identity) -> Open:
    """The box's key as its configuration says; each call is another start of the box."""
    if request.param == "tpm":
        request.getfixturevalue("chip")
    fleet = FleetPart(trust=tmp_path / "trust.json", key=request.param)
    machine = FleetBoxConfig(state=tmp_path, fleet=fleet)
    return lambda: key_of(machine, identity)


class TestTheKeyOfABox:
    """Asked of both."""

    def test_it_is_made_once_and_is_the_same_after_every_start(self, opened: Open) -> None:
        key = opened()
        public = x509.load_pem_x509_csr(key.request()).public_key()
        assert key.device == device_of_key(
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
        assert [opened().device for _ in range(3)] == [key.device] * 3

    def test_its_request_is_for_its_own_name_and_its_signature_is_proven(
        self, opened: Open, tmp_path: Path
    ) -> None:
        key = opened()
        authority = Authority.create(tmp_path / "ca", name="test", now=NOW)
        assert authority.sign_request(key.request(), name=key.device, now=NOW)
        public = x509.load_pem_x509_csr(key.request()).public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        signature = opened().sign(SLIP + b"a sale")
        assert is_proven(der, SLIP, b"a sale", signature)
        assert not is_proven(der, SLIP, b"another", signature)

    @pytest.mark.mosquitto
    def test_a_broker_lets_it_in_with_its_certificate_and_again_after_the_next_start(
        self, opened: Open, identity: Identity, tmp_path: Path
    ) -> None:
        key = opened()
        authority = Authority.create(tmp_path / "ca", name="test", now=NOW)
        server = authority.issue_server(tmp_path / "broker", names=("127.0.0.1",), now=NOW)
        identity.certificate.write_bytes(authority.sign_request(key.request(), name=key.device, now=NOW))
        broker = Mosquitto(tmp_path / "broker", port=free_port(), authority=authority, server=server)
        broker.start()
        try:
            # The same store twice: a line that breaks reads its key again.
            for store in (key, key, opened()):
                endpoint = Endpoint(
                    host="127.0.0.1",
                    port=broker.port,
                    client_id=store.device,
                    authority=authority.certificate,
                    certificate=identity.certificate,
                    key=store.path,
                    subscriptions=(),
                )
                heard: list[Happening] = []
                line = MqttLine(endpoint)
                line.start(heard.append)
                assert eventually(lambda heard=heard: Up() in heard), heard
                line.stop()
        finally:
            broker.stop()

    def test_the_configuration_cannot_change_its_mind_about_where_it_lies(
        self, opened: Open, identity: Identity, tmp_path: Path
    ) -> None:
        opened()
        other = "file" if identity.sealed.exists() else "tpm"
        fleet = FleetPart(trust=tmp_path / "trust.json", key=other)
        with pytest.raises(KeyUnsafe, match=f'says fleet.key = "{other}". Set it back'):
            key_of(FleetBoxConfig(state=tmp_path, fleet=fleet), identity)


class TestASealedKey:
    """What only a TPM promises."""

    @pytest.fixture
    def path(self, identity: Identity, chip: Chip) -> Path:
        assert chip.guesses() == (False, 0)
        return identity.sealed

    def test_no_file_holds_the_number_and_what_it_starts_does_not_inherit_it(self, path: Path) -> None:
        store = TpmKeyStore(path)
        pem = store.path.read_bytes()
        number = store._key.private_numbers().private_value.to_bytes(32, "big")
        assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
        assert is_sealed(store.path)
        files = [one.read_bytes() for one in path.parent.rglob("*") if one.is_file()]
        assert files
        assert not [data for data in files if number in data or b"PRIVATE KEY" in data]
        handle = store.path.name
        seen = subprocess.run(["readlink", f"/proc/self/fd/{handle}"], capture_output=True, text=True).stdout
        assert "box.key" not in seen

    def test_another_boards_chip_refuses_it_and_its_own_opens_it_again(
        self, path: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = TpmKeyStore(path).device
        thief = Chip()
        thief.start()
        try:
            monkeypatch.setenv("TPM2TOOLS_TCTI", thief.door)
            with pytest.raises(KeyUnsafe, match="another TPM sealed this key"):
                TpmKeyStore(path)
        finally:
            thief.gone()
        monkeypatch.setenv("TPM2TOOLS_TCTI", chip.door)
        assert TpmKeyStore(path).device == name

    def test_power_cuts_in_the_middle_of_a_start_are_no_failed_guesses(self, path: Path, chip: Chip) -> None:
        name = TpmKeyStore(path).device
        chance = random.Random(15)

        def start_again_and_again() -> None:
            while True:
                assert TpmKeyStore(path).device == name

        for _ in range(CUTS):
            plug = threading.Timer(chance.uniform(0.02, 0.3), chip.cut)
            plug.start()
            with pytest.raises(KeyUnsafe):
                start_again_and_again()
            plug.join()
            chip.start()
            assert TpmKeyStore(path).device == name
        assert chip.guesses() == (False, 0)

    def test_a_chip_that_others_have_locked_still_opens_it(
        self, path: Path, chip: Chip, tmp_path: Path
    ) -> None:
        name = TpmKeyStore(path).device

        def tool(*words: str, given: bytes = b"") -> int:
            code = subprocess.run(words, cwd=tmp_path, input=given, capture_output=True).returncode
            subprocess.run(["tpm2_flushcontext", "-t"], check=True)
            return code

        assert tool("tpm2_createprimary", "-C", "o", "-c", "p") == 0
        assert tool("tpm2_create", "-C", "p", "-i", "-", "-p", "right", "-u", "u", "-r", "r", given=b"x") == 0
        assert tool("tpm2_load", "-C", "p", "-u", "u", "-r", "r", "-c", "o") == 0
        while not chip.guesses()[0]:
            assert tool("tpm2_unseal", "-c", "o", "-p", "wrong") != 0
        assert tool("tpm2_unseal", "-c", "o", "-p", "right") != 0
        assert TpmKeyStore(path).device == name

    def test_a_card_is_rescued_on_its_own_board_and_on_no_other(
        self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = TpmKeyStore(path).device
        journal, _ = open_journal(
            FileMedium(tmp_path / "journal.db"),
            device=name,
            incarnation="a1" * 8,
            tid="0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a71",
            at=TimeInterval(1, 2),
        )
        journal.close()
        card = shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-card")
        found = read_disk(card)
        assert (found.key.device, found.records) == (name, 1)
        monkeypatch.setenv("TPM2TOOLS_TCTI", "swtpm:path=/nowhere")
        with pytest.raises(NothingToRescue, match="put the card into its own board"):
            read_disk(card)
