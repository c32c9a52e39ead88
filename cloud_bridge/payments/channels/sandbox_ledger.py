"""The sandbox wallet's counter: what each verb does to the book, and what the caller gets to hear.

The two are apart on purpose: a wallet that charges and does not say so is what this sandbox is for. Time
comes in as an argument. Each verb is one transaction, and the reply goes out after it is on the disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .port import Outcome
from .sandbox_book import Book
from .sandbox_customers import Customers, Terms
from .sandbox_manners import MANNERS, MannerName, Says, draw, read_code
from .sandbox_rules import Standing, Trade, fingerprint, masked, paced, queried, refundable, standing, truth
from .sandbox_wire import (
    STATEMENT_LINES,
    AnswerMessage,
    Mood,
    PayMessage,
    QueryMessage,
    RefundMessage,
    RefundQueryMessage,
    ReverseMessage,
    Statement,
    StatementLine,
)
from .sandbox_words import Word, detail


@dataclass(frozen=True, slots=True)
class Reply:
    """The true answer, and what of it the caller hears, and how late."""

    answer: AnswerMessage
    says: Says = Says.TRUTH
    wait_ms: int = 0


class Ledger:
    """The five verbs, the mood, and the statement. Safe to call from several threads."""

    def __init__(self, book: Book, terms: Terms) -> None:
        self._book = book
        self._customers = Customers(book, terms)

    def pay(self, merchant: str, message: PayMessage, now_ms: int) -> Reply:
        """Charge a code: once, whatever the manner."""
        with self._book.transaction():
            self._customers.decide_due(now_ms)
            trade = self._book.trade(merchant, message.attempt_no)
            if trade is not None:
                same = trade.fingerprint == _pay_fingerprint(message)
                stands = standing(trade) if same else (Outcome.REFUSED, Word.NUMBER_REUSED)
                return Reply(_answer(message.attempt_no, stands, trade if same else None))
            if self._book.is_closed(merchant, message.attempt_no):
                return Reply(_answer(message.attempt_no, (Outcome.CLOSED, Word.ORDER_CLOSED)))
            return self._charge(merchant, message, now_ms)

    def query(self, merchant: str, message: QueryMessage, now_ms: int) -> Reply:
        """Where a trade stands, or stood a moment ago."""
        with self._book.transaction():
            self._customers.decide_due(now_ms)
            trade = self._book.trade(merchant, message.attempt_no)
            if trade is None:
                closed = self._book.is_closed(merchant, message.attempt_no)
                stands = (Outcome.CLOSED, Word.ORDER_CLOSED) if closed else _NOT_FOUND
                return Reply(_answer(message.attempt_no, stands))
            says, _ = self._deafness(trade, "query", message.attempt_no)
            return Reply(_answer(message.attempt_no, queried(trade, now_ms), trade), says)

    def reverse(self, merchant: str, message: ReverseMessage, now_ms: int) -> Reply:
        """Pay back what was paid; close what was not, also a number that nobody has used yet."""
        with self._book.transaction():
            self._customers.decide_due(now_ms)
            number = message.attempt_no
            trade = self._book.trade(merchant, number)
            if trade is None:
                self._book.add_closing(merchant, number, now_ms)
                return Reply(_answer(number, (Outcome.CLOSED, Word.ORDER_CLOSED)))
            says, done = self._deafness(trade, "reverse", number)
            if not done:
                return Reply(_answer(number, standing(trade), trade), says)
            if trade.paid_ms is None:
                self._customers.close(trade, now_ms)
                return Reply(_answer(number, (Outcome.CLOSED, Word.ORDER_CLOSED), trade), says)
            if trade.left_minor:
                # No refund number of a merchant can hold a colon, so this one is nobody else's.
                self._customers.pay_back(
                    trade, f"reversal:{number}", trade.left_minor, reversal=True, now_ms=now_ms
                )
            trade = self._book.trade_by_no(trade.no)
            assert trade is not None, number
            return Reply(_answer(number, truth(trade), trade), says)

    def refund(self, merchant: str, message: RefundMessage, now_ms: int) -> Reply:
        """Pay a part back, once for each refund number."""
        with self._book.transaction():
            self._customers.decide_due(now_ms)
            number = message.refund_no
            before = self._book.refund(merchant, number)
            trade = before[0] if before else self._book.trade(merchant, message.attempt_no)
            if trade is None:
                return Reply(_answer(number, _NOT_FOUND))
            says, done = self._deafness(trade, "refund", number)
            if before:
                same = (trade.attempt_no, before[1]) == (message.attempt_no, message.minor)
                stands = (Outcome.REFUNDED, Word.OK) if same else (Outcome.REFUSED, Word.NUMBER_REUSED)
                return Reply(
                    _answer(number, stands, trade if same else None, before[1] if same else None), says
                )
            stands = refundable(trade, message.minor)
            if done and stands[0] is Outcome.REFUNDED:
                self._customers.pay_back(trade, number, message.minor, reversal=False, now_ms=now_ms)
            return Reply(_answer(number, stands, trade, message.minor), says)

    def query_refund(self, merchant: str, message: RefundQueryMessage, now_ms: int) -> Reply:
        """Whether a refund was done."""
        with self._book.transaction():
            self._customers.decide_due(now_ms)
            done = self._book.refund(merchant, message.refund_no)
            if done is None:
                return Reply(_answer(message.refund_no, (Outcome.NOT_FOUND, Word.REFUND_NOT_EXIST)))
            return Reply(_answer(message.refund_no, (Outcome.REFUNDED, Word.OK), *done))

    def decide_due(self, now_ms: int) -> None:
        """Let the customers' side decide what is due: passwords come, banks answer."""
        with self._book.transaction():
            self._customers.decide_due(now_ms)

    def set_mood(self, mood: Mood) -> Mood:
        """Behave so from the next payment on, also after a restart."""
        with self._book.transaction():
            self._book.set_setting("mood", mood.model_dump_json())
            return mood

    def statement(self, after: int) -> Statement:
        """A page of trades as the money saw them, with every account."""
        with self._book.transaction():
            trades = self._book.trades_after(after, STATEMENT_LINES)
            return Statement(
                lines=tuple(_line(trade) for trade in trades),
                accounts=self._book.accounts(),
                notices_open=self._book.notices_open(),
                next_after=trades[-1].no if len(trades) == STATEMENT_LINES else None,
            )

    def _charge(self, merchant: str, message: PayMessage, now_ms: int) -> Reply:
        """A payment under a new number."""
        shown = read_code(message.auth_code)
        asked = shown.manner if shown else MannerName.GOOD
        mood = self._mood()
        name = asked or self._next_manner(mood, message.attempt_no)
        manner, pace = MANNERS[name], mood.pace_percent
        wait_ms = paced(manner.answer_ms, pace)
        if not manner.heard:
            return Reply(
                _answer(message.attempt_no, (Outcome.UNKNOWN, Word.SYSTEM_ERROR)), manner.says, wait_ms
            )
        code_hash = hashlib.sha256(message.auth_code.encode()).hexdigest()
        why = None
        if shown is None:
            why = Word.AUTH_CODE_INVALID
        elif self._book.is_code_used(code_hash):
            why = Word.AUTH_CODE_USED
        after_ms = paced(self._customers.takes_ms(manner, message.minor), pace)
        self._book.add_trade(
            merchant=merchant,
            attempt_no=message.attempt_no,
            fingerprint=_pay_fingerprint(message),
            code_hash=None if why else code_hash,
            payer=shown.payer if shown else "",
            minor=message.minor,
            manner_name=name,
            pace_percent=pace,
            made_ms=now_ms,
            due_ms=None if why else now_ms + after_ms,
            why=why,
        )
        self._customers.decide_due(now_ms)
        trade = self._book.trade(merchant, message.attempt_no)
        assert trade is not None, message.attempt_no
        return Reply(_answer(message.attempt_no, standing(trade), trade), manner.says, wait_ms)

    def _deafness(self, trade: Trade, verb: str, number: str) -> tuple[Says, bool]:
        """What this call hears, and whether its work is done."""
        deaf = trade.manner.deaf.get(verb)
        if deaf is None or self._book.hear(trade.merchant, verb, number) >= deaf.times:
            return Says.TRUTH, True
        return deaf.says, deaf.done

    def _mood(self) -> Mood:
        text = self._book.setting("mood")
        return Mood.model_validate_json(text) if text else Mood()

    def _next_manner(self, mood: Mood, attempt_no: str) -> MannerName:
        """The script's next line, crossed out in the same transaction; then chance."""
        if not mood.script:
            return draw(mood.chances, mood.seed, attempt_no)
        rest = mood.model_copy(update={"script": mood.script[1:]})
        self._book.set_setting("mood", rest.model_dump_json())
        return mood.script[0]


_NOT_FOUND: Standing = (Outcome.NOT_FOUND, Word.ORDER_NOT_EXIST)


def _answer(
    number: str, stands: Standing, trade: Trade | None = None, minor: int | None = None
) -> AnswerMessage:
    outcome, word = stands
    if trade is None or outcome is Outcome.NOT_FOUND:
        return AnswerMessage(number=number, outcome=outcome, detail=detail(word))
    return AnswerMessage(
        number=number,
        outcome=outcome,
        minor=trade.minor if minor is None else minor,
        channel_no=trade.channel_no,
        payer=masked(trade.payer) if trade.payer else None,
        detail=detail(word),
    )


def _line(trade: Trade) -> StatementLine:
    return StatementLine(
        no=trade.no,
        merchant=trade.merchant,
        attempt_no=trade.attempt_no,
        channel_no=trade.channel_no,
        payer=trade.payer,
        manner=trade.manner_name,
        state=truth(trade)[0],
        minor=trade.minor,
        paid_minor=trade.minor if trade.paid_ms is not None else 0,
        refunded_minor=trade.refunded_minor,
        made_ms=trade.made_ms,
    )


def _pay_fingerprint(message: PayMessage) -> str:
    return fingerprint(message.auth_code, message.minor, message.unit, message.subject)
