"""The sandbox wallet's own words for why, each with a sentence that says what to do now."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """The wallet's own word for why. A detail begins with it."""

    OK = "OK"
    AUTH_CODE_INVALID = "AUTH_CODE_INVALID"
    AUTH_CODE_EXPIRED = "AUTH_CODE_EXPIRED"
    AUTH_CODE_USED = "AUTH_CODE_USED"
    NOT_ENOUGH = "NOT_ENOUGH"
    BANK_REFUSED = "BANK_REFUSED"
    USER_PAYING = "USER_PAYING"
    USER_CANCELED = "USER_CANCELED"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    ORDER_NOT_EXIST = "ORDER_NOT_EXIST"
    ORDER_CLOSED = "ORDER_CLOSED"
    ORDER_REVERSED = "ORDER_REVERSED"
    ORDER_REFUNDED = "ORDER_REFUNDED"
    ORDER_NOT_PAID = "ORDER_NOT_PAID"
    NUMBER_REUSED = "NUMBER_REUSED"
    REFUND_TOO_LARGE = "REFUND_TOO_LARGE"
    TOO_MANY_REFUNDS = "TOO_MANY_REFUNDS"
    REFUND_NOT_EXIST = "REFUND_NOT_EXIST"


SENTENCES: dict[Word, str] = {
    Word.OK: "done",
    Word.AUTH_CODE_INVALID: "this is no payment code of this wallet; ask for the payment code",
    Word.AUTH_CODE_EXPIRED: "the code is older than a minute; ask for a fresh one",
    Word.AUTH_CODE_USED: "the code was used before; ask for a fresh one",
    Word.NOT_ENOUGH: "the balance is too low; ask for another way to pay",
    Word.BANK_REFUSED: "the customer's bank refused; ask for another way to pay",
    Word.USER_PAYING: "the customer is asked for a password; query until it is done",
    Word.USER_CANCELED: "the customer cancelled on the phone; ask again",
    Word.SYSTEM_ERROR: "trouble on the wallet's side, the trade may or may not be done; query it",
    Word.ORDER_NOT_EXIST: "no trade has this number (yet); query again or reverse",
    Word.ORDER_CLOSED: "the number is closed and will never be paid; use a new number",
    Word.ORDER_REVERSED: "the trade was reversed and all money is back with the customer",
    Word.ORDER_REFUNDED: "the trade is refunded whole",
    Word.ORDER_NOT_PAID: "the trade is not paid, so nothing can be refunded; query it",
    Word.NUMBER_REUSED: "the number was used with other content; what it did then still stands",
    Word.REFUND_TOO_LARGE: "more than what is left of the payment; refund at most that",
    Word.TOO_MANY_REFUNDS: "the trade has had as many refunds as allowed",
    Word.REFUND_NOT_EXIST: "no refund has this number; it moved no money",
}


def detail(word: Word) -> str:
    """The word and its sentence, as an answer carries them."""
    return f"{word}: {SENTENCES[word]}"
