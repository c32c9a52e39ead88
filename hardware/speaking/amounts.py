"""An amount of yuan in the words that a cashier would say, in Mandarin or English. Pure.

Every word is one token, so that recordings of single words can be joined: 1005.02 is 一 千 零 五 元 零 二 分. It
says yuan and nothing else; a machine that reads digits loses the 点, and points are not money.
"""

from __future__ import annotations

from typing import get_args

from tillbox.contracts.money import CNY, Amount
from tillbox.hardware.ports import Language, Saying, Utterance

Words = tuple[str, ...]

LANGUAGES: tuple[Language, ...] = get_args(Language)


def spoken(utterance: Utterance) -> Words:
    """Everything that is said: what it is, and the amount. ValueError for what is not yuan."""
    return (_SAYINGS[utterance.language][utterance.kind], *amount_words(utterance.amount, utterance.language))


def amount_words(amount: Amount, language: Language) -> Words:
    """An amount in words. ValueError for what is not yuan.

    amount_words(Amount(100502, CNY), "zh")    # 一 千 零 五 元 零 二 分
    amount_words(Amount(100502, CNY), "en")    # one thousand and five yuan and two fen
    """
    if amount.unit != CNY:
        raise ValueError(f"there are no words for {amount.unit}")
    yuan, fen = divmod(abs(amount.minor), 100)
    if language == "zh":
        return (*(("负",) if amount.minor < 0 else ()), *_mandarin(yuan, fen))
    return (*(("minus",) if amount.minor < 0 else ()), *_english(yuan, fen))


def written(words: Words, language: Language) -> str:
    """The words as one would write them, for a machine that reads aloud."""
    return ("" if language == "zh" else " ").join(words)


def vocabulary(language: Language) -> Words:
    """Every word that can ever be said in a language, each once."""
    return (*_SAYINGS[language].values(), *(_MANDARIN if language == "zh" else _ENGLISH))


# Mandarin

_DIGITS = "零一二三四五六七八九"
_PLACES = ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十"))
_MANDARIN: Words = (*_DIGITS, "两", *(name for _, name in reversed(_PLACES)), "元", "角", "分", "负")


def _mandarin(yuan: int, fen: int) -> Words:
    tenths, hundredths = divmod(fen, 10)
    words = [*_number(yuan), "元"] if yuan or not fen else []
    if tenths:
        words += [_DIGITS[tenths], "角"]
    if hundredths:
        gap = ["零"] if yuan and not tenths else []
        words += [*gap, _DIGITS[hundredths], "分"]
    return tuple(_as_one_begins(words))


def _number(value: int) -> list[str]:
    """Digit and place, digit and place; one 零 for however many places are empty before the next digit."""
    for size, name in _PLACES:
        if value >= size:
            high, rest = divmod(value, size)
            gap = ["零"] if 0 < rest < size // 10 else []
            return [*_number(high), name, *gap, *(_number(rest) if rest else [])]
    return [_DIGITS[value]]


def _as_one_begins(words: list[str]) -> list[str]:
    """What is different at the beginning alone: ten is 十, not 一十, and two of something is 两, save 二十 and 二百."""
    if words[:2] == ["一", "十"]:
        return words[1:]
    if words[0] == "二" and words[1] not in ("十", "百"):
        return ["两", *words[1:]]
    return words


# English

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_GROUPS = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_ENGLISH: Words = (
    *_SMALL, *_TENS, "hundred", *(name for _, name in reversed(_GROUPS)), "and", "yuan", "fen", "minus"
)  # fmt: skip


def _english(yuan: int, fen: int) -> Words:
    words = [*_english_number(yuan), "yuan"] if yuan or not fen else []
    if fen:
        words += [*(["and"] if yuan else []), *_english_number(fen), "fen"]
    return tuple(words)


def _english_number(value: int) -> list[str]:
    words: list[str] = []
    for size, name in _GROUPS:
        count, value = divmod(value, size)
        if count:
            words += [*_below_thousand(count), name]
    if value or not words:
        # One thousand and five, but one thousand one hundred.
        words += [*(["and"] if words and value < 100 else []), *_below_thousand(value)]
    return words


def _below_thousand(value: int) -> list[str]:
    hundreds, rest = divmod(value, 100)
    if not hundreds:
        return _below_hundred(rest)
    return [_SMALL[hundreds], "hundred", *(["and", *_below_hundred(rest)] if rest else [])]


def _below_hundred(value: int) -> list[str]:
    if value < 20:
        return [_SMALL[value]]
    tens, ones = divmod(value, 10)
    return [_TENS[tens - 2], *([_SMALL[ones]] if ones else [])]


_SAYINGS: dict[Language, dict[Saying, str]] = {
    "zh": {
        Saying.TOTAL: "合计",
        Saying.RECEIVED: "收款",
        Saying.PAID: "到账",
        Saying.CHANGE: "找零",
        Saying.REFUNDED: "退款",
    },
    "en": {
        Saying.TOTAL: "total",
        Saying.RECEIVED: "received",
        Saying.PAID: "paid",
        Saying.CHANGE: "change",
        Saying.REFUNDED: "refunded",
    },
}
