"""Payment codes: whose they are, and that nobody reads them in a log."""

from __future__ import annotations

import pytest

from tillbox.contracts.codes import PaymentCode, Wallet, wallet_of
from tillbox.contracts.codes.payment import payment_code
from tillbox.contracts.messages import Line, PaymentAsked

TAIL = "0123456789012345678901"


@pytest.mark.parametrize(
    ("wallet", "digits"),
    [
        *[(Wallet.WECHAT, f"{prefix}{TAIL[:16]}") for prefix in range(10, 16)],
        *[(Wallet.ALIPAY, f"{prefix}{TAIL[:14]}") for prefix in range(25, 31)],
        *[(Wallet.ALIPAY, f"28{TAIL[:length]}") for length in range(14, 23)],
        (Wallet.UNIONPAY, f"62{TAIL[:17]}"),
        (Wallet.DIGITAL_RMB, f"01{TAIL[:17]}"),
    ],
)
def test_length_and_prefix_name_the_wallet(wallet: Wallet, digits: str) -> None:
    assert payment_code(digits) == PaymentCode(wallet, digits)


@pytest.mark.parametrize(
    "digits",
    [
        f"13{TAIL[:15]}",  # a WeChat code with a digit lost
        f"13{TAIL[:17]}",
        f"16{TAIL[:16]}",  # next to WeChat's prefixes
        f"09{TAIL[:16]}",
        f"28{TAIL[:13]}",  # too short for Alipay
        f"28{TAIL}0",  # too long
        f"24{TAIL[:16]}",
        f"31{TAIL[:16]}",
        f"62{TAIL[:16]}",
        f"98{TAIL[:18]}",  # our own member code
        "１３０１２３４５６７８９０１２３４５",  # full-width digits
        f"13{TAIL[:15]} ",
        "",
    ],
)
def test_what_no_wallet_shows_is_no_payment_code(digits: str) -> None:
    assert payment_code(digits) is None


def test_a_code_is_never_built_for_another_wallet() -> None:
    with pytest.raises(ValueError, match="no payment code of alipay") as raised:
        PaymentCode(Wallet.ALIPAY, f"13{TAIL[:16]}")
    assert TAIL[:8] not in str(raised.value)


def test_the_digits_stay_out_of_everything_that_prints_the_code() -> None:
    code = PaymentCode(Wallet.WECHAT, "134567890123456789")
    assert code.masked == "13****6789"
    for printed in (repr(code), str(code), f"{code}", f"{[code]}"):
        assert "4567890" not in printed
        assert "13****6789" in printed


def test_wallet_and_mask_are_what_the_record_of_a_payment_takes() -> None:
    code = PaymentCode(Wallet.DIGITAL_RMB, f"01{TAIL[:17]}")
    asked = PaymentAsked(
        attempt="0190a000-0000-7000-8000-000000000001",
        sale="0190a000-0000-7000-8000-000000000002",
        amount=1250,
        wallet=code.wallet,
        code_hint=code.masked,
        lines=(Line(name="tea", price=1250),),
    )
    assert '"wallet":"digital_rmb"' in asked.model_dump_json()
    assert code.digits not in asked.model_dump_json()


def test_no_two_wallets_claim_the_same_digits() -> None:
    claimed: dict[Wallet, set[tuple[int, int]]] = {}
    for length in range(10, 30):
        for prefix in range(100):
            wallet = wallet_of(f"{prefix:02}{'7' * (length - 2)}")
            if wallet:
                claimed.setdefault(wallet, set()).add((length, prefix))
    assert {wallet: len(pairs) for wallet, pairs in claimed.items()} == {
        Wallet.WECHAT: 6,
        Wallet.ALIPAY: 6 * 9,
        Wallet.UNIONPAY: 1,
        Wallet.DIGITAL_RMB: 1,
    }
