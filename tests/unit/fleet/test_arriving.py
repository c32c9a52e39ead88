"""A box out of its carton: a sheet, a memory stick or letters bring it to its place; a no is said, and it waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.agent.config import FleetBoxConfig, FleetPart
from tillbox.agent.doctor import Facts
from tillbox.agent.provisioning import arriving as room
from tillbox.agent.provisioning.arriving import Arriving
from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.agent.provisioning.place import Identity, Place, Trust
from tillbox.agent.provisioning.rescue import NothingToRescue, read_disk
from tillbox.broker.pki import Authority
from tillbox.contracts.codes import ClaimCode, CodeRead, Symbology, claim_payload, seal, typed_token
from tillbox.contracts.messages import EnrolAnswer
from tillbox.contracts.verdicts import Reason
from tillbox.hardware.labels.issuer import public_key_of

SEED = bytes(range(32))
CLAIM = ClaimCode(bytes(range(10)), "s1/l1", "茶铺", "corner-tea", "10.0.0.7", 8884, 10**13, 100, 1_000)
SHEET = seal(claim_payload(CLAIM), private_key=SEED)
YES = EnrolAnswer(
    certificate="-----BEGIN CERTIFICATE-----", position="s1/l1", epoch=3, host="10.0.0.7", port=8883
)


@dataclass
class Carton:
    """A box that arrives on a thread of its own; `answers` is what the core says to each of its questions."""

    arriving: Arriving
    identity: Identity
    sticks: Path
    answers: list[EnrolAnswer | str]
    asked: list[Place] = field(default_factory=list)
    place: list[Place | None] = field(default_factory=list)

    def stage(self, name: str) -> bool:
        return eventually(lambda: self.arriving.stage.name == name)

    def placed(self) -> Place:
        assert eventually(lambda: self.place)
        assert self.place[0] is not None
        return self.place[0]


@pytest.fixture
def carton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Carton]]:
    opened: list[tuple[Carton, threading.Thread]] = []
    authority = Authority.create(tmp_path / "ca", name="test", now=datetime.now(UTC))
    trust = Trust(authority=authority.certificate.read_text(), keys=(public_key_of(SEED),))
    monkeypatch.setattr(room, "of_config", lambda *_, **__: Facts(software="test"))

    def unpack(*answers: EnrolAnswer | str, claim_host: str = "10.0.0.7") -> Carton:
        sticks = tmp_path / "sticks"
        fleet = FleetPart(trust=tmp_path / "t", claim_host=claim_host, claim_port=8884, sticks=sticks)
        identity = Identity(tmp_path / "identity")
        identity.trust(trust)
        key = FileKeyStore(identity.key)
        machine = FleetBoxConfig(state=tmp_path, fleet=fleet)
        box = Carton(Arriving(machine, trust, identity, key), identity, sticks, list(answers))

        def ask(_: object, __: object, place: Place, *, patience_s: float) -> EnrolAnswer | str:
            assert patience_s > 0
            box.asked.append(place)
            return box.answers.pop(0)

        monkeypatch.setattr(room, "ask_core", ask)
        thread = threading.Thread(target=lambda: box.place.append(box.arriving.run()))
        thread.start()
        opened.append((box, thread))
        return box

    yield unpack
    for box, thread in opened:
        box.arriving.stop()
        thread.join(5.0)


def test_a_sheet_brings_a_box_to_its_place(carton: Callable[..., Carton]) -> None:
    box = carton(YES)
    box.arriving.show((CodeRead(SHEET.encode(), Symbology.QR, "camera"),))
    place = box.placed()
    assert (place.position, place.epoch, place.host, place.token) == ("s1/l1", 3, "10.0.0.7", None)
    assert '"check":"configuration"' in place.report
    kept = box.identity.place()
    assert kept == place, "a power cut from here on finds a box with its place"


def test_a_memory_stick_is_a_sheet(carton: Callable[..., Carton]) -> None:
    box = carton(YES)
    (box.sticks / "usb1").mkdir(parents=True)
    (box.sticks / "usb1" / "claim.tillbox").write_text(SHEET + "\n")
    assert box.placed().position == "s1/l1"


def test_letters_do_where_there_is_no_code_to_show(carton: Callable[..., Carton]) -> None:
    box = carton(YES)
    assert not box.arriving.type_in("7K3D")
    assert box.stage("refused")
    assert box.arriving.type_in(typed_token(CLAIM.token).lower())
    assert box.placed().position == "s1/l1"
    assert box.asked[0].token == typed_token(CLAIM.token).lower()


def test_letters_need_a_core_that_answers_and_an_address(carton: Callable[..., Carton]) -> None:
    box = carton("the cable is out")
    box.arriving.type_in(typed_token(CLAIM.token))
    assert eventually(lambda: "needs the line" in box.arriving.stage.says.en)
    nowhere = carton(claim_host="")
    nowhere.arriving.type_in(typed_token(CLAIM.token))
    assert eventually(lambda: "was not told where" in nowhere.arriving.stage.says.en)


def test_without_a_line_a_sheet_is_enough_to_begin(carton: Callable[..., Carton]) -> None:
    box = carton("the cable is out")
    box.arriving.show((CodeRead(SHEET.encode(), Symbology.QR, "camera"),))
    place = box.placed()
    assert place.is_provisional
    assert (place.sale_max, place.total_max) == (100, 1_000)
    assert place.token == typed_token(CLAIM.token), "kept for the first contact"


def test_a_no_says_who_and_when_and_another_sheet_may_be_shown(carton: Callable[..., Carton]) -> None:
    box = carton(
        EnrolAnswer(refused=Reason.CLAIM_USED, detail="bq3 2026-11-25"),
        EnrolAnswer(refused="of tomorrow"),
        YES,
    )
    for said, detail in (("has been used", "bq3 2026-11-25"), ("", "of tomorrow")):
        box.arriving.show((CodeRead(SHEET.encode(), Symbology.QR, "camera"),))
        assert eventually(lambda detail=detail: box.arriving.stage.detail == detail)
        assert said in box.arriving.stage.says.en
    box.arriving.show((CodeRead(b"6901234567892", Symbology.EAN_13, "scanner"),))
    assert eventually(lambda: "not the code of a claim sheet" in box.arriving.stage.says.en)
    box.arriving.show((CodeRead(SHEET.encode(), Symbology.QR, "camera"),))
    assert box.placed().epoch == 3


def test_a_card_without_a_box_on_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NothingToRescue, match="mount the card"):
        read_disk(tmp_path / "nowhere")
    with pytest.raises(NothingToRescue, match="no journal"):
        read_disk(tmp_path)
    (tmp_path / "journal.db").write_bytes(b"no database")
    with pytest.raises(NothingToRescue, match=r"own key"):
        read_disk(tmp_path)
    FileKeyStore(tmp_path / "identity" / "box.key")
    with pytest.raises(NothingToRescue, match="keep the card"):
        read_disk(tmp_path)
