"""Which coins a text is about: BTC is not "bitcoin cash", LINK is no link, and "sol" shines in Spain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from engine.domain.sentiment import SourceText
from engine.sentiment.coins import COINS, CRYPTO, MARKET, PHRASES, Coin

_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z][A-Za-z0-9]{1,9})(?!\w)")
_QUOTES = "USDT|USDC|USD|EUR|GBP|BTC|ETH|FDUSD|PERP"
_PAIR = re.compile(rf"(?<![\w/$])([A-Z0-9]{{2,10}}?)(?:[/-](?:{_QUOTES})|(?:USDT|USDC|USD|EUR|PERP))(?![\w/])")
_MARKED = re.compile(r"\(\$?([A-Z0-9]{2,10})\)")
_WORD = re.compile(r"[$#]?[\w'\u2019]+|%")
_TICKER = re.compile(r"[A-Z0-9]{2,10}")
_POINTING_TEXT = "the this that these a an click here"
_POINTING = frozenset(_POINTING_TEXT.split())
"""Words before what is no ticker."""
_SHOUTED = 0.6
"""The share of words in capitals from which capitals mean nothing."""
_LONGEST_NAME = 40


class Matcher:
    """Finds coins in texts.

    Args:
        bases: Coins that are traded, by ticker; those of the house's table are known anyway.
    """

    def __init__(self, bases: Iterable[str] = ()) -> None:
        self._coins = {**{base: Coin(is_word=True) for base in bases}, **COINS}
        self._named = {name: base for base, coin in self._coins.items() for name in coin.names} | dict(PHRASES)
        longest_first = sorted(self._named, key=len, reverse=True)
        spelled = "|".join(re.escape(name).replace(r"\ ", r"[\s-]+") for name in longest_first)
        self._names = re.compile(rf"(?<![\w$])(?:{spelled})(?!\w)", re.IGNORECASE)
        self._words = _by_word(self._coins)

    def about(self, text: SourceText) -> frozenset[str]:
        """The coins a text is about: those of its title, or where that names none those of its body."""
        return self.mentioned(text.title) or self.mentioned(text.body)

    def mentioned(self, text: str) -> frozenset[str]:
        """The tickers of all coins that a text names; ``XBT`` is ``BTC``."""
        marked = {found.upper() for pattern in (_CASHTAG, _PAIR, _MARKED) for found in pattern.findall(text)}
        marked = {self._named.get(found.lower(), found) for found in marked}
        rest = _PAIR.sub(" ", text)
        named = {self._named[" ".join(re.split(r"[\s-]+", each.lower()))] for each in self._names.findall(rest)}
        unnamed = self._names.sub(" \u00b7 ", rest)
        return frozenset((marked | named | set(self._in_context(unnamed, text))) - {""})

    def _in_context(self, unnamed: str, text: str) -> Iterator[str]:
        """Coins whose tickers or names are other words as well, where what is beside them speaks for the coin."""
        found = _WORD.findall(unnamed)
        shouted = _is_shouted(found)
        speaks_of_crypto = None
        for index, word in enumerate(found):
            coin = self._coins.get(word) if _TICKER.fullmatch(word) else None
            if coin is not None and not shouted and not coin.is_common:
                if not coin.is_word or _has_market_beside(found, index):
                    yield word
            elif (
                (bases := self._words.get(word.removesuffix("'s").removesuffix("\u2019s")))
                and not shouted
                and _has_market_beside(found, index)
            ):
                if speaks_of_crypto is None:
                    speaks_of_crypto = _speaks_of_crypto(text)
                if speaks_of_crypto:
                    yield from bases


def _by_word(coins: dict[str, Coin]) -> dict[str, tuple[str, ...]]:
    """The coins that a word may mean, written with a capital as names are."""
    found: dict[str, tuple[str, ...]] = {}
    for base, coin in coins.items():
        for word in coin.words:
            found[word.capitalize()] = (*found.get(word.capitalize(), ()), base)
    return found


def _is_shouted(words: Sequence[str]) -> bool:
    letters = [word for word in words if word.isalpha()]
    return len(letters) > 1 and sum(word.isupper() for word in letters) > _SHOUTED * len(letters)


def _has_market_beside(words: Sequence[str], index: int) -> bool:
    """Whether the next word is the market's, or the one before is and points at nothing."""
    before = words[index - 1].lower() if index else ""
    after = words[index + 1].lower() if index + 1 < len(words) else ""
    return before not in _POINTING and (after in MARKET or before in MARKET)


def _speaks_of_crypto(text: str) -> bool:
    return "%" in text or "$" in text or not CRYPTO.isdisjoint(word.lower() for word in _WORD.findall(text))
