"""Settings that come to a box: taken when they are its own, newer and of use; and a changed line is kept only when the core
was heard over it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.patience import eventually

from tillbox.agent.app import Box, Terms
from tillbox.agent.config import FleetBoxConfig, FleetPart
from tillbox.agent.provisioning.beginning import fleet_box
from tillbox.agent.provisioning.compose import compose
from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.agent.provisioning.place import Identity, Place, Trust
from tillbox.agent.provisioning.steward import Seen, Steward, due
from tillbox.agent.provisioning.trial import PATIENCE_S, Trial, Verdict, judge
from tillbox.broker.pki import Authority
from tillbox.contracts.desired import Desired, seal_desired
from tillbox.contracts.verdicts import Reason
from tillbox.hardware.labels.issuer import public_key_of

SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
PLACE = Place(
    position="s1/l1", title="茶铺", tenant="corner-tea", claim_host="10.0.0.1", claim_port=8884,
    host="10.0.0.1", port=8883, epoch=1,
)  # fmt: skip


@dataclass
class House:
    """A box that is switched off, and its steward."""

    box: Box
    steward: Steward
    identity: Identity
    key: FileKeyStore

    def sent(self, version: int, *, seed: bytes = SEED, **settings: object) -> None:
        base = {"tenant": "corner-tea", "shop": "茶铺"}
        desired = Desired(
            device=self.key.device, position="s1/l1", epoch=1, version=version, settings=base | settings
        )
        self.box.on_desired(seal_desired(desired, private_key=seed).encode())
        self.steward.turn(1_000.0)

    def applies(self) -> None:
        """Nobody stands at the till: the box goes by its new settings."""
        assert self.box._change is not None
        self.box.config, self.box._terms = self.box._change
        self.box._change = None
        self.box.on_changed()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    authority = Authority.create(tmp_path / "ca", name="test", now=datetime.now(UTC))
    trust = Trust(authority=authority.certificate.read_text(), keys=(public_key_of(SEED),))
    machine = FleetBoxConfig(state=tmp_path, fleet=FleetPart(trust=tmp_path / "trust.json"))
    identity = Identity(tmp_path / "identity")
    identity.trust(trust)
    key = FileKeyStore(identity.key)
    identity.keep(PLACE)
    box = Box(compose(machine, identity, PLACE, key.device, trust), Terms())
    steward = Steward(box, machine, trust, identity, key, PLACE)
    monkeypatch.setattr(
        "tillbox.agent.provisioning.steward.due", lambda *_: False
    )  # certificates are another story
    return House(box, steward, identity, key)


def test_who_stands_beside_a_box_ends_with_it(house: House) -> None:
    machine = house.steward._machine
    machine.fleet.trust.write_text(house.steward._trust.model_dump_json())
    before = set(threading.enumerate())
    box = fleet_box(machine, None, threading.Event(), alive=lambda _: None)
    assert box is not None

    def beside() -> set[str]:
        return {one.name for one in set(threading.enumerate()) - before}

    assert {"steward", "errands"} <= beside()
    box.stop()
    box.run()
    assert eventually(lambda: not {"steward", "errands"} & beside())


def test_a_shops_new_name_is_taken_when_nobody_stands_at_the_till(house: House) -> None:
    house.sent(1, shop="新茶铺")
    assert house.box.config.shop == "茶铺"
    house.applies()
    assert house.box.config.shop == "新茶铺"
    assert (house.box.twin.twin, house.box.twin.twin_refused) == (1, None)
    assert not house.identity.on_trial, "the line did not change"


def test_what_is_old_foreign_forged_or_of_no_use_changes_nothing(house: House) -> None:
    house.sent(2, shop="two")
    house.applies()
    house.sent(1, shop="one")
    house.sent(3, seed=OTHER, shop="three")
    house.box.on_desired(b"\xff no settings")
    house.steward.turn(1_000.0)
    assert house.box._change is None
    house.sent(4, goods=[{"gtin": "123", "name": "x", "price": 1}])
    assert house.box._change is None
    assert house.box.twin.twin == 2
    assert house.box.twin.twin_said == 4
    assert (house.box.twin.twin_refused or "").startswith(Reason.SETTINGS_WRONG)


def test_a_line_that_leads_nowhere_is_given_up_by_itself(house: House) -> None:
    house.sent(1, broker_host="10.9.9.9")
    house.applies()
    assert house.box.config.broker.host == "10.9.9.9"
    assert house.identity.on_trial
    assert house.steward._trial is not None
    since = house.steward._trial.since
    house.steward.turn(since + PATIENCE_S - 1)
    assert house.box._change is None
    house.steward.turn(since + PATIENCE_S)
    house.applies()
    assert house.box.config.broker.host == "10.0.0.1"
    assert not house.identity.on_trial
    assert (house.box.twin.twin, house.box.twin.twin_said) == (0, 1)
    assert (house.box.twin.twin_refused or "").startswith(Reason.SETTINGS_UNCONFIRMED)
    house.sent(1, broker_host="10.9.9.9")
    assert house.box._change is None, "the same is not tried again"
    house.sent(2, shop="二")
    house.applies()
    assert house.box.config.shop == "二", "but what comes after it is"


def test_a_power_cut_in_a_trial_goes_on_with_the_trial(house: House) -> None:
    house.sent(1, broker_host="10.9.9.9")
    again = Steward(house.box, house.steward._machine, house.steward._trust, house.identity, house.key, PLACE)
    assert again._trial is not None


@pytest.mark.parametrize(
    ("heard", "after", "verdict"),
    [
        (False, 0, Verdict.WAIT),
        (True, 0, Verdict.KEEP),
        (True, 999, Verdict.KEEP),
        (False, PATIENCE_S, Verdict.GO_BACK),
    ],
)
def test_a_trial_ends_one_way_or_the_other(heard: bool, after: float, verdict: Verdict) -> None:
    assert judge(Trial(100.0), heard=heard, now=100.0 + after) is verdict


@pytest.mark.parametrize(
    ("seen", "now", "asks"),
    [
        (Seen(True, False, 0, 1.0, -300, 5), 1, True),
        (Seen(False, True, 0, 0.5, -300, 5), 1, False),
        (Seen(False, True, 0, 0.7, -300, 5), 1, True),
        (Seen(False, False, 0, 0.1, -300, 5), 9, False),
        (Seen(False, False, 0, 0.1, -300, 5), 11, True),
        (Seen(True, False, 0, 1.0, 0, 60), 59, False),
    ],
)
def test_a_certificate_is_asked_for_in_time_and_not_every_second(seen: Seen, now: float, asks: bool) -> None:
    assert due(seen, now) is asks
