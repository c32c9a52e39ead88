"""The product's journal on a disk that loses power."""

from __future__ import annotations

import pytest

from tillbox.proof.powercut import run


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_without_the_protection_it_is() -> None:
    report = run(400, 0)
    assert (report["lost"], report["torn"], report["corrupt"]) == (0, 0, 0)
    assert report["records"] > 300
    assert report["normal"]["lost"] > 0
