"""Papers and rows of codes: what a dead box leaves, read in any order, and nothing made up."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tillbox.agent.provisioning.keystore import FileKeyStore, KeyUnsafe
from tillbox.contracts.codes import base45
from tillbox.contracts.codes.frames import PREFIX, TOTAL_MAX, Collector, Progress, frames
from tillbox.contracts.codes.slip import CouponSpent, SlipCode, slip_in, slip_text
from tillbox.contracts.ids import device_of_key
from tillbox.contracts.proofs import BIRTH, SLIP, is_proven

TID = "0199a3c4-5b00-7a10-8c4e-2f6d1b9e0a71"
SPENT = CouponSpent("tea5", 7, TID, 3)
CODE = SlipCode(
    "bq3xk2",
    "00" * 8,
    42,
    TID,
    "sale",
    17,
    1_500,
    1_000,
    "cash",
    None,
    None,
    1_790_000_000_000,
    3,
    "ab" * 16,
    SPENT,
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> FileKeyStore:
    return FileKeyStore(tmp_path_factory.mktemp("key") / "box.key")


@pytest.mark.parametrize("page", ["https://tea.example/r/1", ""])
@pytest.mark.parametrize(
    "code", [CODE, replace(CODE, what="void", of=TID, coupon=None, tender="merchant_scan", attempt=TID)]
)
def test_a_paper_says_what_its_record_said(code: SlipCode, page: str, key: FileKeyStore) -> None:
    payload = code.payload()
    found = slip_in(slip_text(payload, key.sign(SLIP + payload), page))
    assert found is not None
    assert found.code == code
    public = key._public()
    assert is_proven(public, SLIP, found.payload, found.signature)
    assert not is_proven(public, BIRTH, found.payload, found.signature), (
        "a signature is worth nothing elsewhere"
    )
    assert not is_proven(public, SLIP, found.payload + b"\0", found.signature)
    assert device_of_key(public) == key.device


@given(some.binary(max_size=400))
def test_no_text_breaks_the_reader_of_papers(data: bytes) -> None:
    assert slip_in("TBS1:" + base45.encode(data)) is None
    assert slip_in("https://x/#" + data.hex()) is None
    assert slip_in(data.decode("latin-1")) is None


@pytest.mark.parametrize("at", range(16))
def test_a_field_of_another_kind_is_no_paper(at: int, key: FileKeyStore) -> None:
    fields = cbor2.loads(CODE.payload())
    fields[at] = [["deep"]]
    payload = cbor2.dumps(fields, canonical=True)
    assert slip_in(slip_text(payload, key.sign(SLIP + payload), "")) is None


def test_a_message_is_read_in_any_order_and_twice() -> None:
    message = random.Random(1).randbytes(5_000)
    codes = frames(message)
    assert len(codes) > 3
    collector = Collector()
    shuffled = [*codes, *codes[:2]]
    random.Random(2).shuffle(shuffled)
    found = [collector.add(text) for text in shuffled]
    assert message in [one.message for one in found if one is not None]


def test_two_messages_at_once_do_not_mix() -> None:
    left, right = (random.Random(seed).randbytes(2_000) for seed in (3, 4))
    collector = Collector()
    pairs = [text for pair in zip(frames(left), frames(right), strict=True) for text in pair]
    whole = [one.message for one in map(collector.add, pairs) if one is not None and one.message]
    assert whole == [left, right]


def _frame(name: bytes, at: object, total: object, chunk: object) -> str:
    return PREFIX + base45.encode(cbor2.dumps([name, at, total, chunk]))


@pytest.mark.parametrize(
    "text",
    [
        "6901234567892",
        PREFIX + "NONSENSE!",
        _frame(b"name", 0, TOTAL_MAX + 1, b"x"),
        _frame(b"name", 1, 1, b"x"),
        _frame(b"name", True, 2, b"x"),
        _frame(b"longer", 0, 2, b"x"),
        _frame(b"name", 0, 1, b"no zlib"),
        _frame(b"name", 0, 1, zlib.compress(bytes(10**7))[:600]),
    ],
)
def test_what_is_no_part_of_a_message_is_nothing(text: str) -> None:
    assert Collector().add(text) is None


def test_a_bomb_is_not_unpacked() -> None:
    packed = zlib.compress(bytes(500_000), 9)
    assert len(packed) <= 600
    assert Collector().add(_frame(zlib.crc32(bytes(500_000)).to_bytes(4, "big"), 0, 1, packed)) is None


def test_half_read_messages_are_forgotten_one_by_one() -> None:
    collector = Collector()
    many = [frames(random.Random(seed).randbytes(2_000)) for seed in range(10)]
    assert [collector.add(codes[0]) for codes in many] == [Progress(1, len(codes)) for codes in many]
    assert len(collector._parts) == 4


def test_a_message_that_is_too_long_says_so() -> None:
    with pytest.raises(ValueError, match="120 are the most"):
        frames(random.Random(5).randbytes(200_000))


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "box.key"
    name = FileKeyStore(path).device
    assert path.stat().st_mode & 0o777 == 0o600
    assert FileKeyStore(path).device == name, "the key is made once"
    path.chmod(0o644)
    with pytest.raises(KeyUnsafe, match="chmod 600"):
        FileKeyStore(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(KeyUnsafe, match="is no key"):
        FileKeyStore(path)
