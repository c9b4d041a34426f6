"""What the classifier sees of a text: words, pairs, pieces of words, and how its words are valued.

Training and scoring share this file, so a model that was trained by another edition of it must not be used: the
model's file names the edition.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from engine.sentiment.coins import COINS

EDITION = 1
"""Goes up with every change of what a text is turned into."""
MOST = 1_000
"""Characters of a text that are looked at."""
PIECES = (2, 3, 4)
"""Letters in a piece of a word; a blank stands for its edges."""
VALUES = 5
"""How many numbers ``valued`` gives."""
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_COIN = re.compile(
    r"\$[a-z][a-z0-9.]*|(?<!\w)(?:"
    + "|".join(
        re.escape(name)
        for name in sorted((name for coin in COINS.values() for name in coin.names), key=len, reverse=True)
    )
    + r")(?!\w)"
)
"""A cashtag, or the name of a coin."""
_NUMBER = re.compile(r"\d[\d,.]*")
_WORD = re.compile(r"[$%\w']+")
_SIGN = re.compile(r"[\w']+|[^\w\s]")
_NEGATIONS_TEXT = (
    "not no never n't nor none cannot without hardly isn't wasn't aren't ain't weren't don't doesn't didn't won't "
    "can't couldn't wouldn't shouldn't haven't hasn't"
)
_NEGATIONS = frozenset(_NEGATIONS_TEXT.split())
_NEGATES = 3
"""Words that a negation reaches over."""
_TURNED = -0.74
"""What a negation makes of a value, as measured for VADER."""
_HALF = 15.0
"""Makes a sum of values a number in (-1, 1), as VADER does."""


def normal(text: str) -> str:
    """Small letters, no addresses, and one sign for all numbers and for all coins: a name is no opinion."""
    small = _ADDRESS.sub(" ", text[:MOST].lower().replace("\u2019", "'"))
    return _NUMBER.sub(" 0 ", _COIN.sub(" $t ", small))


def words(normal_text: str) -> list[str]:
    """The words of a normal text, and its pairs of neighbours."""
    single = _WORD.findall(normal_text)
    return single + [f"{first} {second}" for first, second in pairwise(single)]


def pieces(normal_text: str) -> list[str]:
    """The pieces of its words, with their edges."""
    return list(_pieces(normal_text))


def _pieces(normal_text: str) -> Iterator[str]:
    for word in normal_text.split():
        edged = f" {word} "
        for size in PIECES:
            if len(edged) <= size:
                yield edged
                break
            for start in range(len(edged) - size + 1):
                yield edged[start : start + size]


def valued(normal_text: str, lexicon: Mapping[str, float]) -> Sequence[float]:
    """How the words are valued by a lexicon: all together, and what speaks for and against."""
    signs = _SIGN.findall(normal_text)
    good = bad = 0.0
    count = 0
    for index, sign in enumerate(signs):
        value = lexicon.get(sign)
        if value is None:
            continue
        count += 1
        if not _NEGATIONS.isdisjoint(signs[max(0, index - _NEGATES) : index]):
            value *= _TURNED
        good, bad = good + max(value, 0.0), bad - min(value, 0.0)
    whole = good - bad
    return (
        whole / math.sqrt(whole * whole + _HALF),
        good / (1 + count),
        bad / (1 + count),
        math.log1p(good),
        math.log1p(bad),
    )
