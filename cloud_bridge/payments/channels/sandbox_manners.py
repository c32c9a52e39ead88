"""How a payment can go wrong, as a table, and how a payment code asks for a row of it. Pure.

A sandbox payment code has 18 digits:

    1-2     10 to 15: WeChat-like, 25 to 30: Alipay-like
    3-10    the payer, whose wallet it is
    11-16   a serial; a code is good once
    17-18   the manner: 00 to 29 as in `MANNERS`, any other two digits follow the wallet's mood

The table is what the demo shows to a visitor, and what `prove kill9` draws from. It knows no clock: times
are milliseconds after the payment was asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .port import Outcome
from .sandbox_words import Word

HANG_MS = 20_000
"""How long the wallet keeps a line open that it will never answer. Longer than a caller's patience."""

_CODE = re.compile(r"(?P<prefix>1[0-5]|2[5-9]|30)(?P<payer>[0-9]{8})(?P<serial>[0-9]{6})(?P<manner>[0-9]{2})")


class Says(StrEnum):
    """What the caller gets to hear."""

    TRUTH = "truth"
    ERROR = "error"
    NOTHING = "nothing"


class MannerName(StrEnum):
    """Every way to behave. The value is what a mood's script and a statement call it."""

    GOOD = "good"
    DECLINED = "declined"
    USER_PAYING = "user_paying"
    ERROR_PAID = "error_paid"
    SILENT_PAID = "silent_paid"
    SILENT_UNPAID = "silent_unpaid"
    LATE_SUCCESS = "late_success"
    TOLD_TWICE = "told_twice"
    EXPIRED = "expired"
    POOR = "poor"
    LATE_ANSWER = "late_answer"
    TOO_LATE_ANSWER = "too_late_answer"
    NOTICE_FIRST = "notice_first"
    STALE_QUERY = "stale_query"
    ERROR_UNPAID = "error_unpaid"
    DROPPED_PAID = "dropped_paid"
    CANCELLED = "cancelled"
    WALKED_AWAY = "walked_away"
    REVERSE_DEAF = "reverse_deaf"
    REVERSE_MUTE = "reverse_mute"
    REFUND_DEAF = "refund_deaf"
    REFUND_MUTE = "refund_mute"
    QUERY_MUTE = "query_mute"
    PAID_AFTER_CLOSE = "paid_after_close"
    PAID_AFTER_DECLINE = "paid_after_decline"


@dataclass(frozen=True, slots=True)
class Deafness:
    """The first `times` calls of a verb go wrong: the caller hears `says`, and the work is done or not."""

    times: int
    done: bool
    says: Says = Says.ERROR


@dataclass(frozen=True, slots=True)
class Manner:
    """One way to behave.

    The payment `ends` so long `after_ms` it was asked for; until then a query says `meanwhile`. The answer
    `says` the truth or not, `answer_ms` late. `heard` is False where the payment never reaches the book.
    """

    digits: str
    what: str
    ends: Outcome = Outcome.PAID
    why: Word = Word.OK
    after_ms: int = 0
    meanwhile: Outcome = Outcome.USER_PAYING
    says: Says = Says.TRUTH
    answer_ms: int = 0
    heard: bool = True
    notices: int = 1
    stale_ms: int = 0
    closable: bool = True
    deaf: Mapping[str, Deafness] = field(default_factory=dict)


MANNERS: dict[MannerName, Manner] = {
    MannerName.GOOD: Manner("00", "paid at once"),
    MannerName.DECLINED: Manner("01", "declined by the bank", ends=Outcome.DECLINED, why=Word.BANK_REFUSED),
    MannerName.USER_PAYING: Manner("02", "asks for a password, paid after 3 s", after_ms=3_000),
    MannerName.ERROR_PAID: Manner("03", "says SYSTEM_ERROR, and it is paid", says=Says.ERROR),
    MannerName.SILENT_PAID: Manner(
        "04", "never answers, and it is paid", says=Says.NOTHING, answer_ms=HANG_MS
    ),
    MannerName.SILENT_UNPAID: Manner(
        "05", "never answers, and nothing happened", says=Says.NOTHING, answer_ms=HANG_MS, heard=False
    ),
    MannerName.LATE_SUCCESS: Manner(
        "06",
        "says SYSTEM_ERROR, queries find nothing, and after 12 s it is paid",
        says=Says.ERROR,
        after_ms=12_000,
        meanwhile=Outcome.NOT_FOUND,
    ),
    MannerName.TOLD_TWICE: Manner("07", "paid at once, and notified twice", notices=2),
    MannerName.EXPIRED: Manner(
        "08", "the code is too old", ends=Outcome.DECLINED, why=Word.AUTH_CODE_EXPIRED
    ),
    MannerName.POOR: Manner("09", "the balance is too low", ends=Outcome.DECLINED, why=Word.NOT_ENOUGH),
    MannerName.LATE_ANSWER: Manner("10", "paid at once, answered after 3 s", answer_ms=3_000),
    MannerName.TOO_LATE_ANSWER: Manner(
        "11", "paid at once, answered when nobody waits any more", answer_ms=HANG_MS
    ),
    MannerName.NOTICE_FIRST: Manner("12", "notified at once, answered after 1.5 s", answer_ms=1_500),
    MannerName.STALE_QUERY: Manner(
        "13",
        "says SYSTEM_ERROR, paid and notified at once, and queries say USER_PAYING for 6 s",
        says=Says.ERROR,
        stale_ms=6_000,
    ),
    MannerName.ERROR_UNPAID: Manner(
        "14", "says SYSTEM_ERROR, and nothing happened", says=Says.ERROR, heard=False
    ),
    MannerName.DROPPED_PAID: Manner("15", "hangs up at once, and it is paid", says=Says.NOTHING),
    MannerName.CANCELLED: Manner(
        "16",
        "asks for a password, cancelled after 3 s",
        ends=Outcome.DECLINED,
        why=Word.USER_CANCELED,
        after_ms=3_000,
    ),
    MannerName.WALKED_AWAY: Manner(
        "17",
        "asks for a password that never comes, closed after 3 min",
        ends=Outcome.CLOSED,
        after_ms=180_000,
    ),
    MannerName.REVERSE_DEAF: Manner(
        "18",
        "asks for a password that never comes, and the first two reversals are lost",
        ends=Outcome.CLOSED,
        after_ms=180_000,
        deaf={"reverse": Deafness(2, done=False, says=Says.NOTHING)},
    ),
    MannerName.REVERSE_MUTE: Manner(
        "19",
        "hangs up but it is paid, no query is answered, and reversals say SYSTEM_ERROR twice though done",
        says=Says.NOTHING,
        notices=0,
        deaf={"reverse": Deafness(2, done=True), "query": Deafness(20, done=True, says=Says.NOTHING)},
    ),
    MannerName.REFUND_DEAF: Manner(
        "20",
        "paid; the first two refunds are lost",
        deaf={"refund": Deafness(2, done=False, says=Says.NOTHING)},
    ),
    MannerName.REFUND_MUTE: Manner(
        "21", "paid; refunds say SYSTEM_ERROR twice though done", deaf={"refund": Deafness(2, done=True)}
    ),
    MannerName.QUERY_MUTE: Manner(
        "22",
        "says SYSTEM_ERROR, it is paid, and the first two queries are not answered",
        says=Says.ERROR,
        deaf={"query": Deafness(2, done=True, says=Says.NOTHING)},
    ),
    MannerName.PAID_AFTER_CLOSE: Manner(
        "23",
        "asks for a password, paid after 20 s even if it was reversed before",
        after_ms=20_000,
        closable=False,
    ),
    MannerName.PAID_AFTER_DECLINE: Manner(
        "24", "says declined, and after 12 s it is paid", after_ms=12_000, meanwhile=Outcome.DECLINED
    ),
}

ROUGH: dict[MannerName, int] = {name: 20 for name in MannerName if name is not MannerName.GOOD}
"""A rough day, in thousandths: every second payment is good, the others are 2 % each of everything else."""

_BY_DIGITS = {manner.digits: name for name, manner in MANNERS.items()}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sandbox payment code says: whose wallet, and whether it asks for a manner."""

    wallet: str
    payer: str
    manner: MannerName | None


def read_code(auth_code: str) -> Shown | None:
    """A payment code, or None if it is no code of this wallet."""
    found = _CODE.fullmatch(auth_code)
    if not found:
        return None
    wallet = "wechat" if found["prefix"] < "20" else "alipay"
    return Shown(wallet, found["payer"], _BY_DIGITS.get(found["manner"]))


def write_code(*, wallet: str, payer: int, serial: int, manner: MannerName | None = MannerName.GOOD) -> str:
    """A payment code as a phone would show it. Without a manner it follows the wallet's mood."""
    prefix = {"wechat": "13", "alipay": "28"}[wallet]
    digits = MANNERS[manner].digits if manner else "99"
    assert 0 <= payer < 10**8, payer
    return f"{prefix}{payer:08d}{serial % 10**6:06d}{digits}"


def draw(chances: Mapping[MannerName, int], seed: int, number: str) -> MannerName:
    """The manner of one payment, by chance that depends on the seed and its number alone: a restart and a
    repetition draw the same."""
    throw = int.from_bytes(hashlib.sha256(f"{seed}|{number}".encode()).digest()[:8]) % 1_000
    for name in MannerName:
        throw -= chances.get(name, 0)
        if throw < 0:
            return name
    return MannerName.GOOD
