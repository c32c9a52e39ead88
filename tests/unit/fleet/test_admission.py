"""Who becomes the box of a place, and who does not: the table of the decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tillbox.cloud_bridge.fleet.admission import Bind, Claim, Known, Renew, Standing, Use, admit
from tillbox.contracts.verdicts import Reason, Refused

NOW = 1_790_000_000_000
PLACE = "store17/lane2"
CLAIM = Claim(number=7, position=PLACE, uses_max=1, not_after_ms=NOW + 1_000, lanes=(PLACE,))
STORE = Claim(number=8, position="store17", uses_max=4, not_after_ms=NOW, lanes=("store17/lane1", PLACE))
LIVE = Standing("live", PLACE)


def decided(known: Known, *, with_claim: bool = True, device: str = "box-a") -> Bind | Renew | Refused:
    return admit(device, known, with_claim=with_claim, now_ms=NOW)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (Known(None, CLAIM), Bind(PLACE)),
        (Known(None, None), Refused(Reason.CLAIM_UNKNOWN)),
        (Known(None, STORE), Bind("store17/lane1")),
        (Known(None, STORE, {"store17/lane1": "box-b"}), Bind(PLACE)),
        (
            Known(None, STORE, {"store17/lane1": "box-b", PLACE: "box-c"}),
            Refused(Reason.STORE_FULL, "store17"),
        ),
        (Known(None, CLAIM, {PLACE: "box-b"}), Refused(Reason.POSITION_HELD, f"{PLACE} box-b")),
        (Known(None, replace(CLAIM, replaces=True), {PLACE: "box-b"}), Bind(PLACE, fences="box-b")),
        (Known(LIVE, CLAIM), Refused(Reason.BOX_ELSEWHERE, PLACE)),
        (Known(LIVE, replace(CLAIM, uses=(Use("box-a", NOW),))), Renew(PLACE)),
    ],
)
def test_with_a_claim(known: Known, found: object) -> None:
    assert decided(known) == found


@pytest.mark.parametrize(
    ("claim", "reason", "said"),
    [
        (replace(CLAIM, uses=(Use("box-b", NOW),)), Reason.CLAIM_USED, "box-b 2026-09-21"),
        (replace(CLAIM, not_after_ms=NOW - 1), Reason.CLAIM_EXPIRED, "2026-09-21"),
        (replace(CLAIM, revoked_ms=NOW, revoked_by="ann"), Reason.CLAIM_REVOKED, "ann 2026-09-21"),
    ],
)
def test_a_claim_that_does_not_do_says_who_and_when(claim: Claim, reason: Reason, said: str) -> None:
    found = decided(Known(None, claim))
    assert isinstance(found, Refused)
    assert found.reason is reason
    assert found.detail.startswith(said)


@pytest.mark.parametrize(
    ("state", "reason"),
    [("fenced", Reason.BOX_REPLACED), ("revoked", Reason.BOX_REVOKED), ("retired", Reason.BOX_RETIRED)],
)
@pytest.mark.parametrize("with_claim", [True, False])
def test_a_key_that_was_put_out_never_comes_back(state: str, reason: Reason, with_claim: bool) -> None:
    found = decided(Known(Standing(state, PLACE, NOW), CLAIM), with_claim=with_claim)
    assert isinstance(found, Refused)
    assert found.reason is reason


def test_without_a_claim_only_a_box_in_service_is_known() -> None:
    assert decided(Known(LIVE), with_claim=False) == Renew(PLACE)
    assert decided(Known(), with_claim=False) == Refused(Reason.BOX_UNKNOWN)
