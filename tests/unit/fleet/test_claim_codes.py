"""Claims as they stand on paper: read back exactly, typed with a clumsy hand, and nothing else taken for one."""

from __future__ import annotations

from dataclasses import replace

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tillbox.agent.provisioning.claiming import claim_shown
from tillbox.contracts.codes import (
    ClaimCode,
    CodeRead,
    CouponClaims,
    Symbology,
    claim_in,
    claim_payload,
    kid_of,
    seal,
    seal_coupon,
    token_typed,
    typed_token,
)
from tillbox.contracts.ids import is_device_id
from tillbox.contracts.money import CNY, Amount
from tillbox.contracts.verdicts import Reason, Refused
from tillbox.hardware.labels.issuer import public_key_of

SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC = bytes.fromhex(public_key_of(SEED))
KEYS = {kid_of(PUBLIC): (PUBLIC,)}
CLAIM = ClaimCode(
    bytes(range(10)), "store17/lane2", "街角茶铺", "corner-tea", "10.0.0.7", 8884, 10**12, 100, 1_000
)


def read(text: str) -> CodeRead:
    return CodeRead(text.encode(), Symbology.QR, "scanner")


def test_a_sheet_is_read_back_as_it_was_made() -> None:
    text = seal(claim_payload(CLAIM), private_key=SEED)
    assert claim_shown(read(text), keys=KEYS, not_before_ms=0) == CLAIM


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (seal(claim_payload(CLAIM), private_key=OTHER), Reason.CLAIM_OTHER_FLEET),
        ("6901234567892", Reason.NOT_A_CLAIM),
        ("https://shop.example/c/1", Reason.NOT_A_CLAIM),
        ("TB1:NONSENSE", Reason.CODE_DAMAGED),
        (seal(claim_payload(replace(CLAIM, not_after_ms=1_000)), private_key=SEED), Reason.CLAIM_EXPIRED),
    ],
)
def test_what_is_no_claim_of_this_fleet_is_refused(text: str, reason: Reason) -> None:
    found = claim_shown(read(text), keys=KEYS, not_before_ms=5_000)
    assert isinstance(found, Refused)
    assert found.reason is reason


def test_a_coupon_of_the_same_key_is_no_claim() -> None:
    coupon = CouponClaims("corner-tea", "tea", 1, 0, 10**12, Amount(0, CNY), Amount(1, CNY), "")
    found = claim_shown(read(seal_coupon(coupon, private_key=SEED)), keys=KEYS, not_before_ms=0)
    assert found == Refused(Reason.NOT_A_CLAIM)


@pytest.mark.parametrize(
    "change", [{0: 9}, {99: 1}, {2: "Store 17"}, {5: "a b"}, {6: 0}, {1: b"short"}, {7: "soon"}, {8: -1}]
)
def test_a_signed_payload_that_no_core_would_write_is_not_taken(change: dict[int, object]) -> None:
    document = cbor2.loads(claim_payload(CLAIM)) | change
    assert isinstance(claim_in(cbor2.dumps(document, canonical=True)), Refused)


@given(some.binary(min_size=10, max_size=10))
def test_letters_are_the_token_whatever_the_hand(token: bytes) -> None:
    typed = typed_token(token)
    assert token_typed(typed) == token
    assert token_typed(typed.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == token


@pytest.mark.parametrize("text", ["", "7K3D", "U" * 16, "7K3D-9QXF-02AB-MNPQ-0000", "茶" * 16])
def test_other_letters_are_no_token(text: str) -> None:
    assert token_typed(text) is None


@given(some.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert isinstance(claim_in(data), Refused)


def test_a_claim_keeps_its_token_out_of_logs() -> None:
    assert CLAIM.token.hex() not in repr(CLAIM)
    assert not is_device_id("claim."), "the name at the door for claims is no device's"
