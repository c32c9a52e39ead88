"""Whatever bytes come, `classify` answers; and what a family writes, it reads back."""

from __future__ import annotations

import json
from collections.abc import Callable

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tillbox.contracts.clock import TimeInterval
from tillbox.contracts.codes import (
    Code,
    CodeRead,
    ConsumerPresented,
    CouponClaims,
    GoodsCode,
    LinkCode,
    MemberCode,
    MerchantPresented,
    PaymentCode,
    PhoneNumber,
    ScannerMode,
    SignedEnvelope,
    Symbology,
    Wallet,
    base45,
    classify,
    describe,
    kid_of,
    open_envelope,
    seal_coupon,
    verify_coupon,
)
from tillbox.contracts.codes.coupon import claims_in
from tillbox.contracts.codes.goods import check_digit_fits
from tillbox.contracts.money import CNY, MINOR_MAX, Amount
from tillbox.contracts.verdicts import Reason, Refused

SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()
KEYS = {kid_of(KEY): (KEY,)}
NOW = TimeInterval(1_780_000_000_000, 1_780_000_000_000)


def _rows(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


def _with_check_digit(digits: str) -> str:
    return next(digits + check for check in "0123456789" if check_digit_fits(digits + check))


names = _rows(r"[a-z0-9][a-z0-9_-]{0,31}")
seconds = st.integers(0, 2**38)
yuan = st.integers(0, MINOR_MAX).map(lambda minor: Amount(minor, CNY))
printable = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=40)
coupons = st.builds(
    lambda window, **fields: CouponClaims(
        not_before_ms=min(window) * 1000, not_after_ms=max(window) * 1000, **fields
    ),
    window=st.tuples(seconds, seconds),
    tenant=names,
    template=names,
    serial=st.none() | st.integers(1, 2**31),
    threshold=yuan,
    discount=yuan,
    title=printable,
)
payments = st.one_of(
    _rows("1[0-5][0-9]{16}").map(lambda digits: PaymentCode(Wallet.WECHAT, digits)),
    _rows("(2[5-9]|30)[0-9]{14,22}").map(lambda digits: PaymentCode(Wallet.ALIPAY, digits)),
    _rows("62[0-9]{17}").map(lambda digits: PaymentCode(Wallet.UNIONPAY, digits)),
    _rows("01[0-9]{17}").map(lambda digits: PaymentCode(Wallet.DIGITAL_RMB, digits)),
)
goods = _rows("[0-9]{12}|[1-9][0-9]{12}").map(lambda digits: GoodsCode(_with_check_digit(digits)))
phones = _rows("1[3-9][0-9]{9}").map(PhoneNumber)
members = st.builds(MemberCode, _rows("[0-9]{2}"), _rows("[0-9]{8}"), _rows("[0-9]{8}"))
links = _rows(r"https?://[a-z0-9]{1,20}(\.[a-z]{2,6})?(:[0-9]{2,4})?(/[a-zA-Z0-9%._~-]{0,30}){0,3}").map(
    LinkCode
)
merchants = st.lists(
    st.tuples(
        st.integers(1, 99).filter(lambda tag: tag not in (58, 63)).map("{:02}".format),
        st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=40),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one[0],
).map(lambda objects: MerchantPresented((("00", "01"), ("58", "CN"), *objects)))
card_values = st.tuples(
    st.sampled_from(["4f", "50", "5a", "57", "9f36", "9f26"]), st.binary(max_size=20)
).map(lambda one: bytes.fromhex(one[0]) + bytes([len(one[1])]) + one[1])
templates = (
    st.lists(card_values, max_size=4).map(b"".join).map(lambda inside: bytes([0x61, len(inside)]) + inside)
)
cards = st.lists(templates | card_values, max_size=3).map(
    lambda parts: ConsumerPresented(b"\x85\x05CPV01" + b"".join(parts))
)
envelopes = coupons.map(lambda claims: open_envelope(seal_coupon(claims, private_key=SEED)))
any_code = st.one_of(payments, goods, phones, members, links, merchants, cards, envelopes)


def _mutations(text: str) -> st.SearchStrategy[bytes]:
    """A code's bytes with a byte changed, cut, put in, or the end lost: what scanners do to codes."""
    raw = text.encode()
    places = st.integers(0, max(len(raw) - 1, 0))
    return st.one_of(
        st.builds(
            lambda at, byte: raw[:at] + byte + raw[at + 1 :], places, st.binary(min_size=0, max_size=2)
        ),
        st.builds(lambda at, byte: raw[:at] + byte + raw[at:], places, st.binary(min_size=1, max_size=8)),
        st.builds(lambda at: raw[:at], places),
    )


def _answers(raw: bytes, symbology: Symbology, mode: ScannerMode) -> Code | Refused:
    answer = classify(CodeRead(raw, symbology, "counter"), mode)
    assert isinstance(answer, (Code, Refused))
    assert json.loads(json.dumps(describe(answer)))["family"]
    assert repr(answer)
    if isinstance(answer, SignedEnvelope):
        verdict = verify_coupon(answer, keys=KEYS, tenant="teahouse", now=NOW)
        assert isinstance(verdict, (CouponClaims, Refused))
    return answer


symbologies = st.sampled_from(Symbology)
modes = st.sampled_from(ScannerMode)


@settings(deadline=None, max_examples=300)
@given(raw=st.binary(max_size=200), symbology=symbologies, mode=modes)
def test_any_bytes_get_an_answer(raw: bytes, symbology: Symbology, mode: ScannerMode) -> None:
    _answers(raw, symbology, mode)


@settings(deadline=None, max_examples=300)
@given(
    start=st.sampled_from(
        ["TB1:", "000201", "hQVDUFY", "http://", "https://[", "98", "01", "(01)", "tel:+86", ""]
    ),
    rest=st.text(max_size=60) | st.text("0123456789ABCDEF $%*+-./:\x1d", max_size=60),
    symbology=symbologies,
    mode=modes,
)
def test_anything_behind_a_known_start_gets_an_answer(
    start: str, rest: str, symbology: Symbology, mode: ScannerMode
) -> None:
    _answers((start + rest).encode("utf-8", "surrogatepass"), symbology, mode)


@settings(deadline=None, max_examples=400)
@given(data=st.data(), code=any_code, symbology=symbologies, mode=modes)
def test_a_code_with_something_changed_gets_an_answer(
    data: st.DataObject, code: Code, symbology: Symbology, mode: ScannerMode
) -> None:
    _answers(data.draw(_mutations(code.text)), symbology, mode)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), claims=coupons)
def test_a_coupon_with_any_character_changed_is_never_accepted(
    data: st.DataObject, claims: CouponClaims
) -> None:
    sealed = seal_coupon(claims, private_key=SEED)
    changed = data.draw(_mutations(sealed).filter(lambda raw: raw.rstrip(b"\r\n") != sealed.encode()))
    answer = _answers(changed, Symbology.QR, ScannerMode.TILL)
    if isinstance(answer, SignedEnvelope):
        verdict = verify_coupon(answer, keys=KEYS, tenant=claims.tenant, now=NOW)
        assert verdict in (Refused(Reason.SIGNATURE_WRONG), Refused(Reason.SIGNER_UNKNOWN))


@settings(deadline=None, max_examples=300)
@given(payload=st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 9), inner, max_size=9),
    max_leaves=12,
).map(cbor2.dumps))  # fmt: skip
def test_any_payload_gets_an_answer_even_with_a_good_signature(payload: bytes) -> None:
    assert isinstance(claims_in(payload), (CouponClaims, Refused))


@settings(deadline=None)
@given(claims=coupons)
def test_a_sealed_coupon_comes_back_whole(claims: CouponClaims) -> None:
    envelope = open_envelope(seal_coupon(claims, private_key=SEED))
    assert isinstance(envelope, SignedEnvelope)
    now = TimeInterval(claims.not_before_ms, claims.not_after_ms)
    assert verify_coupon(envelope, keys=KEYS, tenant=claims.tenant, now=now) == claims


def _round_trip(symbology: Symbology) -> Callable[[Code], None]:
    def check(code: Code) -> None:
        assert classify(CodeRead(code.text.encode(), symbology, "counter")) == code

    return check


@pytest.mark.parametrize(
    ("family", "symbology"),
    [
        (payments, Symbology.QR),
        (goods, Symbology.UNKNOWN),
        (phones, Symbology.QR),
        (members, Symbology.CODE_128),
        (links, Symbology.QR),
        (merchants, Symbology.QR),
        (cards, Symbology.QR),
        (envelopes, Symbology.QR),
    ],
    ids=["payment", "goods", "phone", "member", "link", "emv_merchant", "emv_consumer", "signed"],
)
def test_what_a_family_writes_it_reads_back(family: st.SearchStrategy[Code], symbology: Symbology) -> None:
    settings(deadline=None)(given(family)(_round_trip(symbology)))()


@settings(deadline=None)
@given(data=st.binary(max_size=600))
def test_base45_gives_every_byte_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@settings(deadline=None)
@given(text=st.text(base45.ALPHABET, max_size=90))
def test_base45_has_one_text_for_one_meaning(text: str) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text
