"""From texts as sources give them to texts with coins and scores: cleaned, in English, each story once."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.sentiment import ScoredText, SourceText
from engine.ports import TextScorer
from engine.sentiment.duplicates import distinct
from engine.sentiment.language import is_english
from engine.sentiment.matching import Matcher
from engine.sentiment.texts import clean

MOST_TEXTS = 1_000
"""The newest texts of one reading that are looked at; others are dropped unseen."""
AHEAD = timedelta(minutes=10)
"""How far a text may be dated ahead of now: clocks differ. One that is further ahead is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReader:
    """Reads texts. All of it is done in threads: the loop goes on, whatever sources send.

    Attributes:
        oldest: How old a text may be to be read at all.
    """

    matcher: Matcher
    scorer: TextScorer
    oldest: timedelta
    most: int = MOST_TEXTS

    async def read(
        self, texts: Sequence[SourceText], now: datetime, is_known: Callable[[SourceText], bool] = lambda _: False
    ) -> tuple[ScoredText, ...]:
        """The texts that speak of a coin, with their scores, the newest first.

        Args:
            texts: As a source gives them.
            now: The moment.
            is_known: Whether a text was read before; such a one is not scored again. It is asked from a thread.

        Raises:
            GreenlightError: The scorer cannot score at all.
        """
        told = await asyncio.to_thread(self._told, texts, now, is_known)
        scores = await self.scorer.score([f"{text.title} {text.body}".strip() for text, _ in told])
        return tuple(
            ScoredText(text=text, coins=coins, score=score) for (text, coins), score in zip(told, scores, strict=True)
        )

    def _told(
        self, texts: Sequence[SourceText], now: datetime, is_known: Callable[[SourceText], bool]
    ) -> list[tuple[SourceText, frozenset[str]]]:
        """What is left to be scored, and whom it is about."""
        in_time = [text for text in texts if now - self.oldest <= text.at <= now + AHEAD]
        newest = heapq.nlargest(self.most, in_time, key=lambda text: text.at)
        cleaned = [clean(text) for text in newest]
        english = [text for text in cleaned if is_english(f"{text.title} {text.body}")]
        about = [(text, self.matcher.about(text)) for text in distinct(english) if not is_known(text)]
        return [(text, coins) for text, coins in about if coins]
