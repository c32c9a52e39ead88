"""The figures that a new release must answer, the canary that a till sells to nobody, and a judge that is not fooled."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tillbox.agent import till as shop
from tillbox.agent.past import Past, remember
from tillbox.agent.updates import exam
from tillbox.agent.updates.answers import MOMENT, answer, event_of
from tillbox.agent.updates.health import CANARY, GOLDEN, Rehearsal, judge_figures, judge_receipt
from tillbox.agent.updates.words import Why
from tillbox.contracts.messages import Canary, Line, Wire
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.simulated.paper import paper_text

TILL = shop.boot(shop.Setup("box-1", "town"), Past())


def paper_of(asked: Rehearsal) -> str:
    found = answer(asked)
    assert found is not None
    return paper_text(base64.b64decode(found.receipt))


@pytest.mark.parametrize(("asked", "right"), GOLDEN, ids=lambda one: one.mark)
def test_todays_till_answers_what_is_written_down(asked: Rehearsal, right: Canary) -> None:
    found = answer(asked)
    assert found is not None
    assert found.canary == right
    assert judge_figures(found.canary, right) is None
    assert judge_receipt(paper_of(asked), asked, right) is None


@pytest.mark.parametrize("figure", ["total", "discount", "amount", "received", "change"])
def test_one_fen_is_a_difference_in_every_figure(figure: str) -> None:
    right = CANARY[1]
    off = right.model_copy(update={figure: getattr(right, figure) + 1})
    refusal = judge_figures(off, right)
    assert refusal is not None
    assert (refusal.why, figure in refusal.detail) == (Why.SELLS_WRONGLY, True)


@pytest.mark.parametrize("amount", ["12.00", "18.00", "30.00", "-5.00", "50.00"])
def test_a_receipt_that_lacks_an_amount_is_refused(amount: str) -> None:
    text = paper_of(CANARY[0]).replace(amount, "0.00")
    refusal = judge_receipt(text, *CANARY)
    assert refusal is not None
    assert refusal.why is Why.PRINTS_WRONGLY


def test_a_release_may_reword_its_receipt() -> None:
    text = paper_of(CANARY[0]).replace("应付 Total", "合计 To pay").replace("找零 Change", "Ihr Wechselgeld")
    assert judge_receipt(text, *CANARY) is None


def test_a_canary_is_recorded_and_nothing_else_happens() -> None:
    after, effects = shop.step(TILL, event_of(CANARY[0]), MOMENT)
    (record,) = effects
    assert isinstance(record, shop.Record)
    assert [(draft.kind, draft.body) for draft in record.drafts] == [("canary", CANARY[1])]
    assert after == TILL, "no sale, no number, no right spent, nobody at the till"
    assert remember(TILL.past, MOMENT.fresh[0], "canary", CANARY[1]) == TILL.past


def test_a_customer_at_the_till_is_not_pushed_aside_by_a_canary() -> None:
    ringing, _ = shop.step(TILL, shop.LineRung(Line(name="tea", price=800)), MOMENT)
    after, effects = shop.step(ringing, event_of(CANARY[0]), MOMENT)
    assert (after, effects) == (ringing, (shop.Show(Refused(Reason.TILL_BUSY)),))


def test_a_canary_that_cannot_be_sold_says_why_and_leaves_no_record() -> None:
    poor = replace(event_of(CANARY[0]), received=Amount(1, CNY))
    after, effects = shop.step(TILL, poor, MOMENT)
    assert (after, effects) == (TILL, (shop.Show(Refused(Reason.TOO_LITTLE_CASH, "24.99")),))


class Slot:
    """A slot whose release answers as it is told."""

    def __init__(self, home: Path) -> None:
        self.lib = home / "lib"
        (self.lib / "tillbox").mkdir(parents=True)

    def answers(self, program: str) -> None:
        (self.lib / "tillbox" / "main.py").write_text(f"import json, sys\ndef main():\n    {program}\n")


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    return Slot(tmp_path)


def test_a_slot_that_answers_as_this_software_does_may_be_started(slot: Slot) -> None:
    right = [answer(asked) for asked, _ in GOLDEN]
    (slot.lib / "right").write_text("\n".join(one.model_dump_json() for one in right if one))
    slot.answers(f"print(open({str(slot.lib / 'right')!r}).read())")
    assert exam.examine(slot.lib) is None


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("sys.exit('no such command: update answer')", Why.NO_ANSWER),
        ("raise ImportError('a library is missing')", Why.NO_ANSWER),
        ("print('null\\n' * 6)", Why.NO_ANSWER),
        ("print('{}')", Why.NO_ANSWER),
        ("print('not JSON\\n' * 6)", Why.NO_ANSWER),
    ],
)
def test_a_slot_that_cannot_answer_is_not_started(slot: Slot, program: str, why: Why) -> None:
    slot.answers(program)
    refusal = exam.examine(slot.lib)
    assert refusal is not None
    assert refusal.why is why


def test_a_slot_whose_paper_says_something_else_than_its_figures_is_not_started(slot: Slot) -> None:
    lines = []
    for asked, _ in GOLDEN:
        found = answer(asked)
        assert found is not None
        paper = base64.b64decode(found.receipt).replace(b"25.00", b"24.99")
        lines.append(found.model_copy(update={"receipt": base64.b64encode(paper).decode()}))
    (slot.lib / "wrong").write_text("\n".join(map(Wire.model_dump_json, lines)))
    slot.answers(f"print(open({str(slot.lib / 'wrong')!r}).read())")
    refusal = exam.examine(slot.lib)
    assert refusal is not None
    assert (refusal.why, refusal.detail) == (Why.PRINTS_WRONGLY, "25.00")


def test_an_older_judge_may_say_more_than_this_release_knows() -> None:
    asked = {**CANARY[0].model_dump(mode="json"), "member": "gold"}
    assert answer(Rehearsal.model_validate_json(json.dumps(asked))) is not None
