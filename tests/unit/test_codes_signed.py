"""Our own coupons: what the core seals, a box verifies; what anybody else made, it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cbor2
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tillbox.contracts.clock import FAR_FUTURE_MS, TimeInterval
from tillbox.contracts.codes import (
    CouponClaims,
    SignedEnvelope,
    base45,
    kid_of,
    open_envelope,
    seal_coupon,
    verify_coupon,
)
from tillbox.contracts.codes.coupon import payload_of
from tillbox.contracts.money import CNY, POINT, Amount
from tillbox.contracts.verdicts import Reason, Refused

SEED = bytes(range(32))
OTHER_SEED = bytes(range(1, 33))
FROM, UNTIL = 1_780_000_000_000, 1_782_592_000_000
NOON = TimeInterval(FROM + 43_200_000, FROM + 43_200_500)
CLAIMS = CouponClaims("teahouse", "tea5", 42, FROM, UNTIL, Amount(2000, CNY), Amount(500, CNY), "满20减5")
SEALED = (
    "TB1:TWGSLK/-4N69-09-6LZOC-U9 6BJGLW50A9DX C59D7%ESYCLVCX CQV6L23FN0PIDU%K1T0KJDKE6VY0K:0H+05B0%21R7T1HK78"
    "686HLX6W78W LR84 3EA5LG9G8F4Z.NXAJ8I76GA5W3:S32.9%R51VBIN6E+3HFK2%24CO6.PO 24CA5QTTGP%W5/F14SHRD7M043L8D0"
)
DAMAGED = Refused(Reason.CODE_DAMAGED, "TB1")


def _public(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


KEY = _public(SEED)
KEYS = {kid_of(KEY): (KEY,)}


def _opened(text: str) -> SignedEnvelope:
    envelope = open_envelope(text)
    assert isinstance(envelope, SignedEnvelope)
    return envelope


def _verified(
    text: str, *, keys: Mapping[bytes, Sequence[bytes]] | None = None, now: TimeInterval | None = NOON
) -> object:
    known = KEYS if keys is None else keys
    return verify_coupon(_opened(text), keys=known, tenant="teahouse", now=now)


def _signed_by_us(payload: bytes) -> str:
    """An envelope around any payload, signed with the shop's own key."""
    protected = b"\xa2\x01\x27\x04\x48" + kid_of(KEY)
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(to_sign)
    return SignedEnvelope(kid_of(KEY), protected, payload, signature).text


def test_a_coupon_sealed_by_the_core_is_taken_by_the_box() -> None:
    assert _verified(seal_coupon(CLAIMS, private_key=SEED)) == CLAIMS


def test_a_poster_has_no_serial() -> None:
    poster = replace(CLAIMS, serial=None)
    assert _verified(seal_coupon(poster, private_key=SEED)) == poster


def test_coupons_printed_last_year_are_still_read() -> None:
    assert _verified(SEALED) == CLAIMS
    assert seal_coupon(CLAIMS, private_key=SEED) == SEALED


def test_a_sealed_coupon_is_plain_cose_that_others_can_check() -> None:
    """Taken apart without a line of ours but base45: RFC 9052, section 4.4."""
    protected, unprotected, payload, signature = cbor2.loads(base45.decode(SEALED.removeprefix("TB1:")))
    assert cbor2.loads(protected) == {1: -8, 4: kid_of(KEY)}
    assert unprotected == {}
    to_verify = b"\x84\x6aSignature1" + cbor2.dumps(protected) + b"\x40" + cbor2.dumps(payload)
    Ed25519PublicKey.from_public_bytes(KEY).verify(signature, to_verify)  # raises unless it is genuine
    assert cbor2.loads(payload) == {
        0: 1,
        1: "teahouse",
        2: "tea5",
        3: 42,
        4: FROM // 1000,
        5: UNTIL // 1000,
        6: 2000,
        7: 500,
        8: "满20减5",
    }


def test_a_coupon_fits_a_qr_code_that_a_cheap_camera_reads() -> None:
    symbol = segno.make(SEALED, error="m", boost_error=False)
    assert (symbol.mode, int(symbol.version)) == ("alphanumeric", 8)


def test_the_largest_coupon_fits_its_envelope() -> None:
    largest = CouponClaims(
        "t" * 32,
        "c" * 32,
        2**31,
        2**48 - 2,
        2**48 - 1,
        Amount(2**53 - 1, CNY),
        Amount(2**53 - 1, CNY),
        "𠮷" * 40,
    )
    envelope = _opened(seal_coupon(largest, private_key=SEED))
    assert 256 < len(envelope.data) <= 512


def test_validity_is_rounded_outwards_to_seconds() -> None:
    told = _verified(
        seal_coupon(replace(CLAIMS, not_before_ms=FROM + 999, not_after_ms=UNTIL + 1), private_key=SEED)
    )
    assert told == replace(CLAIMS, not_before_ms=FROM, not_after_ms=UNTIL + 1000)


def test_an_unknown_signer_and_a_forger_are_told_apart() -> None:
    assert _verified(SEALED, keys={}) == Refused(Reason.SIGNER_UNKNOWN)
    forged = seal_coupon(CLAIMS, private_key=OTHER_SEED, kid=kid_of(KEY))
    assert _verified(forged) == Refused(Reason.SIGNATURE_WRONG)


def test_all_keys_of_a_key_id_are_tried() -> None:
    keys = {kid_of(KEY): (_public(OTHER_SEED), b"no key at all", KEY)}
    assert _verified(SEALED, keys=keys) == CLAIMS


def test_a_changed_payload_is_a_forgery_even_where_it_cannot_be_read() -> None:
    envelope = _opened(SEALED)
    dearer = replace(envelope, payload=payload_of(replace(CLAIMS, discount=Amount(2000, CNY))))
    garbage = replace(envelope, payload=b"\xff" * 9)
    for changed in (dearer, garbage):
        verdict = verify_coupon(changed, keys=KEYS, tenant="teahouse", now=NOON)
        assert verdict == Refused(Reason.SIGNATURE_WRONG)


def test_another_algorithm_is_never_accepted_even_where_the_signature_holds() -> None:
    kid = kid_of(KEY)
    es256 = cbor2.dumps({1: -7, 4: kid}, canonical=True)
    payload = payload_of(CLAIMS)
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(
        cbor2.dumps(["Signature1", es256, b"", payload])
    )
    envelope = SignedEnvelope(kid, es256, payload, signature)
    assert verify_coupon(envelope, keys=KEYS, tenant="teahouse", now=NOON) == Refused(Reason.SIGNATURE_WRONG)
    assert open_envelope(envelope.text) == DAMAGED


def test_another_merchants_coupon_is_refused() -> None:
    foreign = seal_coupon(replace(CLAIMS, tenant="bakery"), private_key=SEED)
    assert _verified(foreign) == Refused(Reason.FOREIGN_TENANT)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (TimeInterval(FROM - 2000, FROM - 1), Reason.NOT_YET_VALID),
        (TimeInterval(FROM - 2000, FROM), None),  # it may be time already
        (TimeInterval(UNTIL, UNTIL + 9000), None),  # it may still be time
        (TimeInterval(UNTIL + 1, UNTIL + 9000), Reason.EXPIRED),
        (TimeInterval(0, FAR_FUTURE_MS), None),
        (TimeInterval(UNTIL + 1, FAR_FUTURE_MS), Reason.EXPIRED),  # not even the hour, but certainly too late
        (None, Reason.TIME_UNKNOWN),
    ],
)
def test_a_coupon_is_taken_where_the_time_may_lie_within(
    now: TimeInterval | None, reason: Reason | None
) -> None:
    assert _verified(SEALED, now=now) == (Refused(reason) if reason else CLAIMS)


def _document() -> dict[int, object]:
    document = cbor2.loads(payload_of(CLAIMS))
    assert isinstance(document, dict)
    return dict(document)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (cbor2.dumps({**_document(), 9: "store-17"}, canonical=True), Reason.FUTURE_VERSION),
        (cbor2.dumps({**_document(), 0: 2}, canonical=True), Reason.NOT_FOR_THIS_TILL),
        (cbor2.dumps(dict(reversed(_document().items()))), Reason.CODE_DAMAGED),  # another order
        (cbor2.dumps({**_document(), 7: 500.0}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 4: 1.78e9}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 7: -500}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 3: 0}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 3: None}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 8: "\x1b@tea"}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 8: "tea\u202e"}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({**_document(), 1: 7}, canonical=True), Reason.CODE_DAMAGED),
        (cbor2.dumps({1: "teahouse"}), Reason.CODE_DAMAGED),
        (cbor2.dumps([1, 2, 3]), Reason.CODE_DAMAGED),
        (payload_of(CLAIMS) + b"\x00", Reason.CODE_DAMAGED),
        (b"\x81" * 200 + b"\x00", Reason.CODE_DAMAGED),
        (b"", Reason.CODE_DAMAGED),
    ],
)
def test_a_signed_payload_is_exactly_what_the_core_writes_or_refused(payload: bytes, reason: Reason) -> None:
    assert _verified(_signed_by_us(payload)) == Refused(reason)


@pytest.mark.parametrize(
    "text",
    [
        "TB1:",
        "TB1:!",
        "TB1:BB8",
        SEALED[:-1],
        SEALED[:-3],
        SEALED + "BB8",
        SEALED.replace("TB1:", "TB1: "),
        "TB1:" + base45.encode(b"\xd2" + base45.decode(SEALED[4:])),  # the tag of COSE_Sign1: a second text
        "TB1:" + base45.encode(cbor2.dumps([b"", {}, b"", b""])),
        "TB1:" + base45.encode(b"\x9f\xff"),
        "TB1:" + base45.encode(b"\xd8\x23\x61\x28"),
    ],
)
def test_a_damaged_envelope_is_refused_unopened(text: str) -> None:
    assert open_envelope(text) == DAMAGED


def test_an_envelope_has_a_size_that_ends_and_other_texts_are_left_alone() -> None:
    assert open_envelope("TB1:" + "0" * 769) == Refused(Reason.CODE_TOO_LONG, "TB1")
    assert open_envelope("TB1:" + "0" * 768) == DAMAGED
    assert open_envelope("HC1:BB8") is None
    assert open_envelope("tb1:BB8") is None


def test_a_coupon_is_a_bearer_paper_so_its_signature_is_not_printed() -> None:
    envelope = _opened(SEALED)
    assert repr(envelope) == f"SignedEnvelope(kid {kid_of(KEY).hex()}, {len(envelope.payload)} bytes)"


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant": "Tea House"},
        {"template": ""},
        {"serial": 0},
        {"serial": True},
        {"not_after_ms": FROM - 1},
        {"not_before_ms": -1},
        {"not_after_ms": float(UNTIL)},
        {"discount": Amount(-1, CNY)},
        {"threshold": Amount(1, POINT)},
        {"title": "x" * 41},
        {"title": "two\nlines"},
    ],
)
def test_the_core_cannot_seal_nonsense(wrong: dict[str, object]) -> None:
    fields = {name: getattr(CLAIMS, name) for name in CouponClaims.__dataclass_fields__}
    with pytest.raises(ValueError, match=r"tenant|serial|valid from|yuan|title"):
        CouponClaims(**{**fields, **wrong})


def test_a_key_id_has_its_length() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        seal_coupon(CLAIMS, private_key=SEED, kid=b"short")
