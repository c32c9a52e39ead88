"""Receipts of four generators, two languages and two widths, against their truth: exactly right, or said to be not."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.tap_streams.judge import NO_SALE, judge, says_the_truth

from tillbox.hardware.tap.learn import Profile, Proposal, learn
from tillbox.hardware.tap.reading import Reading, Verdict
from tillbox.hardware.tap.stream import Papers, Settings, papers_of
from tillbox.hardware.tap.template import TEMPLATES, Template
from tillbox.hardware.tap.words import Paper

STREAMS = sorted((Path(__file__).parents[2] / "golden/tap").rglob("*.bin"))


def truth_of(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.with_suffix(".json").read_text()))


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_receipt_is_read_exactly_or_said_to_be_unreconciled(path: Path) -> None:
    truth, papers = truth_of(path), papers_of(path.read_bytes())
    assert len(papers) == 1
    reading = papers[0].reading
    if truth["kind"] in NO_SALE:
        assert reading.verdict is Verdict.NO_RECEIPT
        assert not reading.items
        return
    assert papers[0].columns == {58: 32, 80: 48}[truth["width_mm"]]
    assert judge(path.read_bytes(), truth) != "WRONG"
    if reading.verdict is Verdict.RECONCILED:
        assert says_the_truth(reading, truth), reading
        assert reading.is_sale == (truth["kind"] == "sale")
    else:
        assert reading.why


def test_most_of_them_are_read_without_knowing_the_shop() -> None:
    receipts = [path for path in STREAMS if truth_of(path)["kind"] not in NO_SALE]
    readings = [papers_of(path.read_bytes())[0].reading for path in receipts]
    reconciled = [one for one in readings if one.verdict is Verdict.RECONCILED]
    assert len(reconciled) >= 50, f"{len(reconciled)} of {len(receipts)}"
    others = {one.why for one in readings if one.verdict is not Verdict.RECONCILED}
    assert others <= {
        "a name that was broken at the paper's edge, and nobody can tell how",
        "two layouts add up and differ",
    }


@pytest.mark.parametrize("breaks", ["words", "anywhere"])
def test_a_shop_that_says_how_it_breaks_names_is_read_whole(breaks: str) -> None:
    """A till breaks all its names in one way; a profile that says which leaves nothing open."""
    templates = tuple(one.model_copy(update={"breaks": breaks}) for one in TEMPLATES)
    settings, right = Settings(templates=templates), 0
    for path in STREAMS:
        reading = papers_of(path.read_bytes(), settings)[0].reading
        right += reading.verdict is Verdict.RECONCILED
    assert right > 55


def test_a_changed_figure_is_never_reconciled() -> None:
    """Any one digit of any price, quantity or amount that is misprinted, and nothing adds up any more."""
    tried = 0
    for path in STREAMS:
        data = path.read_bytes()
        sound = papers_of(data)[0].reading
        if sound.verdict is not Verdict.RECONCILED or sound.items[0].price is None:
            continue
        chance = random.Random(path.stem)
        for _ in range(3):
            damaged = _misprint(data, chance)
            for paper in papers_of(damaged):
                if paper.reading.verdict is Verdict.RECONCILED:
                    assert _figures(paper.reading) == _figures(sound), path
            tried += 1
    assert tried > 50


def _figures(reading: Reading) -> tuple[object, ...]:
    """What money is made of; a tax that is inside the prices is no part of it, nor is a weight's last gram, which
    rounding hides."""
    items = tuple(
        (item.quantity_milli, item.price, item.amount)
        if (item.quantity_milli or 0) % 1000 == 0
        else item.amount
        for item in reading.items
    )
    return (items, reading.discount, reading.total)


def _misprint(data: bytes, chance: random.Random) -> bytes:
    """One digit of a figure with a decimal point is another digit."""
    places = [
        at for at in range(2, len(data)) if data[at - 2 : at - 1] == b"." and data[at - 1 : at + 1].isdigit()
    ]
    at = chance.choice(places)
    other = chance.choice([digit for digit in b"0123456789" if digit != data[at]])
    return data[:at] + bytes([other]) + data[at + 1 :]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_stream_that_comes_in_pieces_is_read_the_same(size: int) -> None:
    for path in STREAMS[::5]:
        data, papers, found = path.read_bytes(), Papers(Settings()), []
        for at in range(0, len(data), size):
            found += papers.feed(data[at : at + size])
        found += papers.end()
        whole = [paper.reading for paper in papers_of(data) if paper.reading.paper is not Paper.NOTHING]
        assert [paper.reading for paper in found if paper.reading.paper is not Paper.NOTHING] == whole


def test_a_stream_that_is_torn_anywhere_or_full_of_noise_says_nothing_wrong() -> None:
    path = next(path for path in STREAMS if papers_of(path.read_bytes())[0].reading.is_sale)
    data, sound = path.read_bytes(), papers_of(path.read_bytes())[0].reading
    for end in range(0, len(data), 3):
        for paper in papers_of(data[:end]):
            reading = paper.reading
            assert reading.verdict is not Verdict.RECONCILED or _figures(reading) == _figures(sound)
    chance = random.Random(7)
    for _ in range(200):
        papers_of(chance.randbytes(300))


def one_till(layout: str, generator: str) -> list[bytes]:
    """Three receipts of one till: the same generator, layout, language and width."""
    found = [
        path.read_bytes()
        for path in STREAMS
        if path.parent.name == generator
        and (truth_of(path)["layout"], truth_of(path)["language"], truth_of(path)["width_mm"])
        == (layout, "zh", 80)
    ]
    return (found * 3)[:3]


def test_three_samples_make_a_profile_that_reads_the_next_receipt() -> None:
    samples = one_till("numbered", "python-escpos")
    found = learn(samples)
    assert isinstance(found, Proposal), found
    assert found.profile.columns == 48
    assert found.profile.templates[0].name == "name above, price first"
    reread = Profile.model_validate_json(found.profile.model_dump_json())
    for data in samples:
        assert papers_of(data, reread.settings())[0].reading.is_sale


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([], "Give 3 different receipts"),
        ([b"", b"", b""], "no receipt with a total"),
        ([b"noise \xff\x1b"] * 3, "no receipt with a total"),
    ],
)
def test_samples_that_teach_nothing_are_refused_in_a_sentence(samples: list[bytes], said: str) -> None:
    found = learn(samples)
    assert isinstance(found, str)
    assert said in found


@pytest.mark.parametrize(
    "row", ["{name} {qty}", "{amount}", "{name} {name} {amount}", "{nam} {amount}", "name amount"]
)
def test_a_template_that_cannot_read_is_refused_before_it_is_used(row: str) -> None:
    with pytest.raises(ValueError, match=r"field|name and an amount"):
        Template(name="mine", rows=(row,))


def slip(*lines: str) -> Reading:
    return papers_of("\n".join((*lines, "")).encode("gb18030") + b"\x1dV\x00")[0].reading


ITEMS = ("------", "Tea   2   3.50   7.00", "------")


def test_a_plain_receipt_is_a_sale() -> None:
    assert slip("Noodles", *ITEMS, "Total   7.00", "Cash   7.00").is_sale


@pytest.mark.parametrize(
    ("mark", "paper"),
    [
        ("REFUND", Paper.REFUND),
        ("退货单", Paper.REFUND),
        ("GUEST CHECK", Paper.PREBILL),
        ("*** REPRINT ***", Paper.REPRINT),
        ("REPRINT OF 1234", Paper.REPRINT),
        ("** VOID **", Paper.VOID),
    ],
)
@pytest.mark.parametrize("above", [("-----",), (), ("=====", "Noodles")])
def test_what_is_no_sale_is_none_wherever_its_mark_stands_above_the_items(
    mark: str, paper: Paper, above: tuple[str, ...]
) -> None:
    reading = slip(*above, mark, *ITEMS, "Total   7.00")
    assert (reading.paper, reading.is_sale) == (paper, False)


@pytest.mark.parametrize(
    "behind",
    [("Service charge   0.70",), ("Tea   2   3.50   7.00", "Total   7.00"), ("Amount payable   7.70",)],
)
def test_money_behind_the_total_that_nobody_knows_makes_it_unreconciled(behind: tuple[str, ...]) -> None:
    assert slip("Noodles", *ITEMS, "Total   7.00", *behind).verdict is Verdict.UNRECONCILED


def test_words_without_end_on_one_line_are_read_in_a_moment() -> None:
    """Headings were a pattern that tried every way to cut them: each word doubled the time, and the whole box stood."""
    overprinted = b"".join(b"\x1b$\x00\x00" + bytes([letter]) for letter in b"total " * 400) + b"!\n"
    assert papers_of(overprinted + b"\x1dV\x00")[0].reading.verdict is Verdict.NO_RECEIPT
    assert slip(" ".join(["total"] * 40), *ITEMS, "Total   7.00").verdict is not Verdict.NO_RECEIPT


def test_figures_that_no_till_prints_are_no_money() -> None:
    assert (
        slip(
            "------",
            "Tea   1   1,000,000,000,000.00   1,000,000,000,000.00",
            "------",
            "Total   1,000,000,000,000.00",
        ).verdict
        is not Verdict.RECONCILED
    )
