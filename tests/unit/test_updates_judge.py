"""A judge and the trials that try to please it: a real journal, and a till's page that says whatever it likes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_updates_slots import release
from typer.testing import CliRunner

from tillbox.agent.config import BoxConfig
from tillbox.agent.provisioning.keystore import FileKeyStore
from tillbox.agent.provisioning.place import Identity, Place
from tillbox.agent.updates import judge as judging
from tillbox.agent.updates.commands import update
from tillbox.agent.updates.health import CANARY
from tillbox.agent.updates.judge import Judge, Outcome
from tillbox.agent.updates.settings import Updates
from tillbox.broker.journal import Draft, Journal, open_journal
from tillbox.broker.medium import FileMedium
from tillbox.broker.mosquitto import free_port
from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.ids import uuid7
from tillbox.contracts.messages import Ack

DOCS = Path(__file__).parents[2] / "docs"
IDLE = {"phase": "Idle", "online": True, "token": "t"}


@dataclass
class Trial:
    """A box on trial, as a judge sees it."""

    journal: Journal
    page: dict[str, Any] = field(default_factory=lambda: dict(IDLE))
    records: bool = True
    settles: bool = True
    off_by: int = 0
    asked: int = 0
    customers: int = 0
    """Looks at the page during which a customer is at the till, once a canary was asked for."""

    def look(self) -> dict[str, Any]:
        if self.customers > 0:
            self.customers -= 1
            return {**self.page, "phase": "Ringing"}
        return self.page

    def ask_canary(self, question: str, token: str) -> None:
        assert token == "t"
        self.asked += 1
        if not self.records:
            return
        mark = json.loads(question)["mark"]
        right = CANARY[1].model_copy(update={"mark": mark, "change": CANARY[1].change + self.off_by})
        tid = uuid7(self.asked, b"c" * 10)
        (entry,) = self.journal.record([Draft(tid, "canary", right, TimeInterval(1, 2))])
        if self.settles:
            self.journal.settle(Ack(inc=entry.inc, wm=entry.seq, head=entry.hash, credit=9))


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    journal, _ = open_journal(
        FileMedium(tmp_path / "journal.db"), device="box-1", incarnation="a" * 16, tid=uuid7(1, b"o" * 10),
        at=TimeInterval(1, 2),
    )  # fmt: skip
    yield Trial(journal)
    journal.close()


@pytest.fixture
def breaths() -> list[int]:
    return []


def judged(trial: Trial, folder: Path, breaths: list[int], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    told = json.loads((DOCS / "box.example.json").read_text()) | {"state": str(folder)}
    room = Updates(url="http://x", trust=folder, root=folder, up_s=0.2, canary_s=0.5, customer_s=0.1)
    one = Judge(BoxConfig.model_validate_json(json.dumps(told)), room, breathe=lambda: breaths.append(1))
    monkeypatch.setattr(one, "_till", trial)
    monkeypatch.setattr(judging, "LOOK_S", 0.02)
    return one.run(release("0.2.0"))


@pytest.fixture
def outcome_of(tmp_path: Path, breaths: list[int], monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda trial: judged(trial, tmp_path, breaths, monkeypatch)


def test_a_till_that_sells_a_canary_through_to_the_core_is_kept(trial: Trial, outcome_of: Any) -> None:
    outcome = outcome_of(trial)
    assert outcome.kept
    assert trial.asked == 1
    assert json.loads(outcome.line())["kept"] is True


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"page": {}}, "did not come up"),
        ({"page": {"phase": "starting"}}, "did not come up"),
        ({"page": {**IDLE, "online": False}}, "did not get its line"),
        ({"records": False}, "did not record the canary"),
        ({"settles": False}, "did not acknowledge"),
        ({"off_by": 1}, "got the canary sale wrong. (change 25.01 ≠ 25.00)"),
    ],
)
def test_a_trial_that_fails_is_ended_with_the_reason(
    trial: Trial, outcome_of: Any, how: dict[str, Any], says: str
) -> None:
    for name, value in how.items():
        setattr(trial, name, value)
    outcome = outcome_of(trial)
    assert not outcome.kept
    assert says in outcome.text.en
    assert outcome.text.en.endswith("The box is back on the release before it.")
    assert json.loads(outcome.line())["lasting"] is ("its line" not in says and "acknowledge" not in says)


def test_a_canary_of_yesterday_convinces_nobody(trial: Trial, outcome_of: Any) -> None:
    trial.ask_canary(CANARY[0].model_dump_json(), "t")
    trial.records = False
    assert not outcome_of(trial).kept


def test_a_customer_at_the_trials_till_is_waited_for_and_is_no_fault(
    trial: Trial, outcome_of: Any, breaths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = trial.look

    def come_and_go() -> dict[str, Any]:
        page = looked()
        if not breaths and trial.customers == 0 and not trial.asked:
            trial.customers = 60  # longer than the whole patience with a canary
        return page

    monkeypatch.setattr(trial, "look", come_and_go)
    assert outcome_of(trial).kept
    assert len(breaths) > 30


def test_the_trial_of_a_fleets_box_is_judged_by_its_place_and_the_files_of_its_folder(tmp_path: Path) -> None:
    identity = Identity(tmp_path / "identity")
    FileKeyStore(identity.key)
    place = {
        "position": "s1/l1",
        "title": "茶铺",
        "tenant": "tea",
        "claim_host": "broker.example",
        "claim_port": 8884,
    }
    identity.keep(Place.model_validate(place))
    (tmp_path / "trust.json").write_text(json.dumps({"authority": "PEM", "keys": ["00" * 32]}))
    room = {"url": "http://x", "trust": str(tmp_path), "root": str(tmp_path), "up_s": 0.1}
    told = {
        "state": str(tmp_path),
        "screen_port": free_port(),
        "fleet": {"trust": str(tmp_path / "trust.json")},
        "updates": room,
    }
    (tmp_path / "box.json").write_text(json.dumps(told))
    done = CliRunner().invoke(update, ["judge", "--config", str(tmp_path / "box.json"), "--slot", "b"])
    verdict = json.loads(done.stdout.splitlines()[-1])
    assert (verdict["kept"], done.exit_code) == (False, 0), (
        "no till came up: a reason, where there was an error before"
    )
