"""Whole shops from a seed, in the tests: a few clean ones, and a few in which a protection is missing."""

from __future__ import annotations

import pytest

from tillbox.proof.mutants import MUTANTS, run
from tillbox.proof.pipeline import run as pipeline
from tillbox.proof.world import live


def test_eight_histories_lose_nothing() -> None:
    assert pipeline(40, 8).failing == []


@pytest.mark.slow
def test_a_score_of_histories_lose_nothing_and_do_nothing_twice() -> None:
    report = pipeline(0, 24)
    assert report.failing == []
    assert report.counts["power_cuts"] > 180, "a run without trouble proves nothing"
    assert report.counts["lies"] > 36
    assert report.counts["refused"] > 30
    assert report.counts["commands_ended"] > 20
    assert report.counts["replaced"] > 3
    assert report.counts["alerts_cleared"] > 4


@pytest.mark.parametrize("seed", [305969, 801568, 46])
def test_histories_that_once_failed_stay_clean(seed: int) -> None:
    assert live(seed).is_clean


def test_the_same_seed_gives_the_same_history() -> None:
    first, second = live(3), live(3)
    assert first.counts == second.counts
    assert first.receipts == second.receipts


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "receipt_before_commit",
        "queue_in_memory",
        "ack_of_highest",
        "given_up_is_forgotten",
        "commands_forgotten_at_boot",
        "papers_unproven",
        "replacing_frees_rights",
        "alerts_never_end",
    ],
)
def test_a_missing_protection_is_seen(name: str) -> None:
    assert name in MUTANTS
    (row,) = run([name], 20, lambda _: None)["mutants"]
    assert row["killed"], row
