"""Those who score texts on this machine, in threads: the classifier, VADER, and one behind another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from engine.domain.errors import GreenlightError
from engine.ports import TextScorer
from engine.sentiment.classifier import SHIPPED, load_model
from engine.sentiment.features import MOST
from engine.sentiment.lexicon import analyzer

_log = structlog.get_logger(__name__)

Rate = Callable[[str], float]
AT_ONCE = 16
"""Texts that a thread scores before the loop has its turn. numpy lets go of the interpreter and takes it again so often
that whoever waits for it elsewhere is passed over: of a thousand texts at a time, for over 100 ms on a busy machine."""


class LocalScorer:
    """A function that rates a text, made with the first texts that come, as what it needs is slow to load.

    Args:
        make: Gives the function; it may raise a ``GreenlightError``, then it is asked again for the next texts.
    """

    def __init__(self, name: str, make: Callable[[], Rate]) -> None:
        self._name = name
        self._make = make
        self._rate: Rate | None = None

    @property
    def name(self) -> str:
        """The scorer, as the settings call it."""
        return self._name

    @property
    def trouble(self) -> str:
        """It scores, or fails."""
        return ""

    async def score(self, texts: Sequence[str]) -> tuple[float | None, ...]:
        """A score for each text, from a thread."""
        found: list[float | None] = []
        for begin in range(0, len(texts), AT_ONCE):
            found += await asyncio.to_thread(self._score, texts[begin : begin + AT_ONCE])
        return tuple(found)

    def _score(self, texts: Sequence[str]) -> list[float | None]:
        if self._rate is None:
            self._rate = self._make()
        return [self._rate(text) if text.strip() else None for text in texts]


def classifier(path: Path = SHIPPED) -> LocalScorer:
    """The house's own classifier, or another model in its place."""
    return LocalScorer("classifier", lambda: load_model(path).rate)


def vader() -> LocalScorer:
    """VADER with words of crypto, which the extra ``sentiment`` installs."""
    return LocalScorer("vader", _vader)


def _vader() -> Rate:
    knows = analyzer()
    return lambda text: float(knows.polarity_scores(text[:MOST])["compound"])


class FirstThatWorks:
    """Asks the next scorer where one cannot score at all, and says so when that changes."""

    def __init__(self, *scorers: TextScorer) -> None:
        self._scorers = scorers
        self._working = scorers[0]
        self._trouble = ""

    @property
    def name(self) -> str:
        """The scorer that worked last."""
        return self._working.name

    @property
    def trouble(self) -> str:
        """Why the first of them did not score the last texts; empty where it did."""
        return self._trouble or self._working.trouble

    async def score(self, texts: Sequence[str]) -> tuple[float | None, ...]:
        """The scores of the first that works.

        Raises:
            GreenlightError: None of them does; it is the last one's.
        """
        *before, last = self._scorers
        self._trouble = ""
        for scorer in before:
            try:
                found = await scorer.score(texts)
            except GreenlightError as error:
                self._trouble = self._trouble or str(error)
                if self._working is scorer:
                    _log.warning("texts are scored by the next scorer", scorer=scorer.name, reason=str(error))
            else:
                self._working = scorer
                return found
        self._working = last
        return await last.score(texts)
