"""Which records are missing, exactly; and whose word about a box counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tillbox.cloud_bridge.fleet.missing import Gap, Recovered, gaps
from tillbox.cloud_bridge.fleet.plan import BadPlan, PlannedPlace, read_plan
from tillbox.cloud_bridge.fleet.settings import checked, merged, scopes_of
from tillbox.contracts.codes import kid_of
from tillbox.contracts.desired import Desired, open_desired, seal_desired
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.labels.issuer import public_key_of

A, B = "a" * 16, "b" * 16


@pytest.mark.parametrize(
    ("held", "said", "found", "missing"),
    [
        ({A: 9}, [(A, 9)], [], []),
        ({A: 9}, [(A, 12)], [], [(A, 10, 12)]),
        ({A: 9}, [(A, 12)], [Recovered(A, 11, 0)], [(A, 10, 10), (A, 12, 12)]),
        ({A: 9}, [(A, 12)], [Recovered(A, 12, 2)], []),
        ({A: 9}, [], [Recovered(A, 15, 1)], [(A, 10, 13)]),
        ({A: 9}, [(A, 9)], [Recovered(B, 3, 0)], [(B, 1, 2)]),
        ({A: 9}, [(A, 4)], [], []),
        ({}, [], [], []),
    ],
)
def test_the_missing_range_is_named_exactly(
    held: dict[str, int],
    said: list[tuple[str, int]],
    found: list[Recovered],
    missing: list[tuple[str, int, int]],
) -> None:
    assert gaps(held, said, found) == [Gap(inc=inc, first=first, last=last) for inc, first, last in missing]


@given(some.integers(0, 30), some.integers(0, 60), some.sets(some.integers(1, 60)))
def test_held_found_and_missing_are_all_there_is(held: int, top: int, papers: set[int]) -> None:
    left = gaps({A: held}, [(A, top)], [Recovered(A, seq, 0) for seq in papers])
    lost = {seq for gap in left for seq in range(gap.first, gap.last + 1)}
    assert lost == set(range(1, max([held, top, *papers]) + 1)) - set(range(1, held + 1)) - papers


def test_the_narrower_word_counts_setting_by_setting() -> None:
    assert scopes_of("s17/l2", "s17", "north") == (
        "operator",
        "tenant",
        "group:north",
        "store:s17",
        "box:s17/l2",
    )
    assert merged([{"shop": "all", "language": "zh"}, {"language": "en"}, {"goods": []}]) == {
        "shop": "all",
        "language": "en",
        "goods": [],
    }


def test_settings_that_no_box_could_use_are_found_before_they_are_sent() -> None:
    assert checked({"tenant": "t", "shop": "s"}) is None
    wrong = checked({"tenant": "t", "shop": "s", "goods": [{"gtin": "123", "name": "x", "price": 1}]})
    assert wrong is not None
    assert wrong.why.startswith("goods.0.gtin")


SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC = bytes.fromhex(public_key_of(SEED))
KEYS = {kid_of(PUBLIC): (PUBLIC,)}
DESIRED = Desired(device="box-a", position="s17/l2", epoch=1, version=3, settings={"shop": "茶铺"})


def test_settings_are_for_one_box_and_signed() -> None:
    sealed = seal_desired(DESIRED, private_key=SEED)
    assert open_desired(sealed, keys=KEYS, device="box-a") == DESIRED
    assert open_desired(sealed, keys=KEYS, device="box-b") == Refused(Reason.FOREIGN_DEVICE)
    assert open_desired(sealed.replace("茶铺", "贼铺"), keys=KEYS, device="box-a") == Refused(
        Reason.SIGNATURE_WRONG
    )
    forged = seal_desired(DESIRED, private_key=OTHER)
    assert open_desired(forged, keys=KEYS, device="box-a") == Refused(Reason.SIGNER_UNKNOWN)


@given(some.text(max_size=200))
def test_no_text_breaks_the_reader_of_settings(text: str) -> None:
    assert isinstance(open_desired(text, keys=KEYS, device="box-a"), Refused)


def test_settings_too_large_for_a_message_are_said_to_be() -> None:
    with pytest.raises(ValueError, match="list fewer goods"):
        seal_desired(DESIRED.model_copy(update={"settings": {"shop": "x" * 100_001}}), private_key=SEED)


def test_a_plan_is_read_in_either_language_and_encoding() -> None:
    rows = [PlannedPlace(store="s1", lane="l1", title="茶铺", group="")]
    assert read_plan("store,lane,title\ns1,l1,茶铺\n".encode("utf-8-sig")) == rows
    assert read_plan("名称,门店,收银位\n茶铺,s1,l1\n".encode("gb18030")) == rows


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("store,lane\ns1,l1\n", "names no column title"),
        ("store,lane,title\nS 1,l1,x\n", "line 2: the store is"),
        ("store,lane,title\ns1,l1,x\ns1,l1,y\n", "line 3: the place is there twice"),
        ("store,lane,title\ns1,l1,\n", "line 2: the title"),
        ("store,lane,title\n", "there is no place"),
        ("", "names no column"),
    ],
)
def test_a_plan_that_is_wrong_says_where(table: str, said: str) -> None:
    found = read_plan(table.encode())
    assert isinstance(found, BadPlan)
    assert said in found.rows[0]
