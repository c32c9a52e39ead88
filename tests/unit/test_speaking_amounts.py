"""Amounts as a cashier says them. The listener at the end of this file was written apart from the speaker."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbox.contracts.money import CNY, MINOR_MAX, POINT, Amount
from tillbox.hardware.drivers.speaker_alsa import VOICES
from tillbox.hardware.ports import Saying, Utterance
from tillbox.hardware.speaking.amounts import LANGUAGES, amount_words, spoken, vocabulary, written
from tillbox.hardware.speaking.waiting import STALE_MS, is_fresh

SAID = """
          0   零元                          zero yuan
          1   一分                          one fen
          2   两分                          two fen
          5   五分                          five fen
         10   一角                          ten fen
         20   两角                          twenty fen
         22   两角二分                      twenty two fen
         99   九角九分                      ninety nine fen
        100   一元                          one yuan
        102   一元零二分                    one yuan and two fen
        120   一元二角                      one yuan and twenty fen
        200   两元                          two yuan
        222   两元二角二分                  two yuan and twenty two fen
       1000   十元                          ten yuan
       1200   十二元                        twelve yuan
       2000   二十元                        twenty yuan
      10000   一百元                        one hundred yuan
      10005   一百元零五分                  one hundred yuan and five fen
      11000   一百一十元                    one hundred and ten yuan
      11010   一百一十元一角                one hundred and ten yuan and ten fen
      20000   二百元                        two hundred yuan
     100502   一千零五元零二分              one thousand and five yuan and two fen
     101000   一千零一十元                  one thousand and ten yuan
     110000   一千一百元                    one thousand one hundred yuan
     200000   两千元                        two thousand yuan
    1000000   一万元                        ten thousand yuan
    1000500   一万零五元                    ten thousand and five yuan
    1050000   一万零五百元                  ten thousand five hundred yuan
    1200000   一万二千元                    twelve thousand yuan
    2000000   两万元                        twenty thousand yuan
   10000200   十万零二元                    one hundred thousand and two yuan
   10200000   十万二千元                    one hundred and two thousand yuan
  100010000   一百万零一百元                one million one hundred yuan
10000000000   一亿元                        one hundred million yuan
10000500000   一亿零五千元                  one hundred million five thousand yuan
20200000000   两亿零二百万元                two hundred and two million yuan
       -205   负两元零五分                  minus two yuan and five fen
     -10000   负一百元                      minus one hundred yuan
"""
CASES = [line.split(None, 2) for line in SAID.strip().splitlines()]
ANY_FEN = st.integers(0, 10**10) | st.integers(-MINOR_MAX, MINOR_MAX)


@pytest.mark.parametrize(("fen", "mandarin", "english"), CASES)
def test_an_amount_is_said_as_a_cashier_says_it(fen: str, mandarin: str, english: str) -> None:
    amount = Amount(int(fen), CNY)
    assert written(amount_words(amount, "zh"), "zh") == mandarin
    assert written(amount_words(amount, "en"), "en") == english


@given(ANY_FEN)
def test_a_listener_hears_the_amount_that_was_meant(fen: int) -> None:
    amount = Amount(fen, CNY)
    assert heard_in_mandarin(amount_words(amount, "zh")) == fen
    assert heard_in_english(amount_words(amount, "en")) == fen


@given(ANY_FEN, st.sampled_from(list(Saying)), st.sampled_from(LANGUAGES))
def test_no_word_is_ever_said_that_is_not_in_the_vocabulary(fen, kind, language) -> None:
    words = spoken(Utterance(kind, Amount(fen, CNY), language, 0))
    assert set(words) <= set(vocabulary(language))
    assert len(set(vocabulary(language))) == len(vocabulary(language))


def test_what_it_is_comes_before_how_much() -> None:
    paid = Utterance(Saying.PAID, Amount(1250, CNY), "zh", 0)
    assert written(spoken(paid), "zh") == "到账十二元五角"


def test_points_are_not_money_and_have_no_words() -> None:
    with pytest.raises(ValueError, match="POINT"):
        amount_words(Amount(100, POINT), "zh")


def test_nothing_is_said_late_nor_by_another_boots_clock() -> None:
    paid = Utterance(Saying.PAID, Amount(1250, CNY), "zh", said_ms=50_000)
    assert is_fresh(paid, 50_000)
    assert is_fresh(paid, 50_000 + STALE_MS - 1)
    assert not is_fresh(paid, 50_000 + STALE_MS)
    assert not is_fresh(paid, 900), "the box was restarted, and its clock began anew"


PHONEMES = {
    "十二元五角": "s.'i.35 '@r51 'y&35n w'u35 tS;j'Au214",
    "一千零五元零二分": "j'i55 tS;h'iE55n l'i35N w'u21 'y&35n l'i35N '@r51 f'@55n",
    "两亿零五千元": "l'iA21N j'i51 l'i35N w'u21 tS;h'iE55n 'y&35n",
}
"""shí èr yuán wǔ jiǎo and so on: tone 35 rises, 51 falls, 55 is high, 214 and 21 are low."""


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not on this machine")
@pytest.mark.parametrize("text", PHONEMES)
def test_the_machine_reads_hanzi_as_mandarin(text: str) -> None:
    arguments = ["espeak-ng", "-q", "-x", "-v", VOICES["zh"], text]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.replace("_|", "").split() == PHONEMES[text].split()


# the listener


def heard_in_mandarin(words: tuple[str, ...]) -> int:
    """As a shopper hears it: 一万五 without 零 is fifteen thousand, so a 零 left out is an amount misheard."""
    sign = -1 if words[0] == "负" else 1
    text = "".join(words).lstrip("负")
    assert "零零" not in text
    yuan, _, rest = text.partition("元") if "元" in text else ("", "", text)
    tenths, _, rest = rest.partition("角") if "角" in rest else ("", "", rest)
    assert rest == "" or rest.endswith("分")
    assert not (yuan and rest and not tenths) or rest.startswith("零")
    return sign * (_mandarin(yuan) * 100 + _mandarin(tenths) * 10 + _mandarin(rest.rstrip("分")))


def _mandarin(text: str) -> int:
    for place, size in {"亿": 10**8, "万": 10**4, "千": 1000, "百": 100, "十": 10}.items():
        if place in text:
            high, low = text.rsplit(place, 1) if size == 10**8 else text.split(place, 1)
            assert high != "" or size == 10
            if len(low) == 1 and size > 10:
                return _mandarin(high) * size + _mandarin(low) * size // 10
            assert low != "零"
            return (_mandarin(high) if high else 1) * size + _mandarin(low)
    text = text[1:] if len(text) == 2 and text[0] == "零" else text
    return 0 if text == "" else 2 if text == "两" else "零一二三四五六七八九".index(text)


def heard_in_english(words: tuple[str, ...]) -> int:
    """Word by word: small ones add, hundred multiplies, the great ones put aside."""
    total = aside = group = 0
    for word in words:
        if word in ("yuan", "fen"):
            total += (aside + group) * (100 if word == "yuan" else 1)
            aside = group = 0
        elif word == "hundred":
            group *= 100
        elif word in GREAT:
            aside, group = aside + group * GREAT[word], 0
        elif word not in ("and", "minus"):
            group += SMALL[word]
    return -total if words[0] == "minus" else total


GREAT = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
