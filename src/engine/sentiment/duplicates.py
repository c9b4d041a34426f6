"""Texts that say the same as another: one story that ten feeds carry is one story."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from engine.domain.sentiment import SourceText

ALIKE = 0.8
"""The share of words that two texts have in common from which they are one; by words that either has."""
_FEW = 4
"""Texts of fewer words are the same only where all words are."""
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_WORD = re.compile(r"\w+")


def distinct(texts: Sequence[SourceText]) -> list[SourceText]:
    """The texts without those that say the same as an older one, in the order they came in.

    Of each set of alike texts the oldest stays, or of those of one moment the first.
    """
    words = [_words(text) for text in texts]
    oldest_first = sorted(range(len(texts)), key=lambda index: texts[index].at)
    kept, seen = set[int](), _Seen(words)
    for index in oldest_first:
        if words[index] and not seen.has_like(words[index]):
            seen.add(words[index])
            kept.add(index)
    return [texts[index] for index in sorted(kept)]


class _Seen:
    """Sets of words, to be asked whether one like another is among them.

    Two sets that are alike share one of their rarest words: only those that do are compared.
    """

    def __init__(self, all_words: Sequence[frozenset[str]]) -> None:
        self._often = Counter(word for words in all_words for word in words)
        self._by_word: dict[str, list[frozenset[str]]] = defaultdict(list)
        self._exactly: set[frozenset[str]] = set()

    def has_like(self, words: frozenset[str]) -> bool:
        if words in self._exactly:
            return True
        if len(words) < _FEW:
            return False
        return any(_is_like(words, other) for word in self._rarest(words) for other in self._by_word[word])

    def add(self, words: frozenset[str]) -> None:
        self._exactly.add(words)
        if len(words) >= _FEW:
            for word in self._rarest(words):
                self._by_word[word].append(words)

    def _rarest(self, words: frozenset[str]) -> list[str]:
        ordered = sorted(words, key=lambda word: (self._often[word], word))
        return ordered[: len(words) - math.ceil(ALIKE * len(words)) + 1]


def _is_like(some: frozenset[str], other: frozenset[str]) -> bool:
    shorter, longer = sorted((len(some), len(other)))
    if shorter < ALIKE * longer:
        return False
    common = len(some & other)
    return common >= ALIKE * (shorter + longer - common)


def _words(text: SourceText) -> frozenset[str]:
    """The words of a text; those of its body only where its title has none."""
    return _normal(text.title) or _normal(text.body)


def _normal(text: str) -> frozenset[str]:
    folded = unicodedata.normalize("NFKC", _ADDRESS.sub(" ", text)).casefold()
    return frozenset(_WORD.findall(folded))
