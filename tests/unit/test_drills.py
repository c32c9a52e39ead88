"""The long drills are run by hand; what would make them fail at their start is found here."""

from __future__ import annotations

import pytest

from tillbox.proof.drills.points import POINTS, PointUnknown, cuts_of
from tillbox.proof.drills.update import RELEASES
from tillbox.proof.drills.workshop import TREE


def test_every_point_of_a_power_cut_is_one_that_an_update_was_seen_to_pass() -> None:
    with pytest.raises(PointUnknown, match="this drill does not know it any more"):
        list(cuts_of(["replace state.json#1"]))
    assert len({label for label, _, _ in POINTS}) == len(POINTS)


def test_what_the_drill_changes_in_a_release_stands_in_this_tree() -> None:
    """A release is built with it; a change that does not apply would be found by the long drill alone."""
    for change in RELEASES.values():
        for name, before, _ in change:
            assert (TREE / name).read_text().count(before) == 1, (name, before)
