"""Made-up news and a made-up mood of made-up markets, so that the demo shows what sources would tell.

They are named as what they are, wherever they are shown. What is written follows from candles that have closed: nobody
can read the future in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from engine.domain.errors import NoData, SourceError
from engine.domain.market import Candles, from_millis
from engine.domain.sentiment import IndexReading, SourceText
from engine.ports import Clock, MarketFeed
from engine.sentiment.coins import COINS
from engine.simulation.mood import made_up_headline, made_up_index

NEWS, MOOD = "made_up_news", "made_up_mood"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
_MOOD_OF = timedelta(days=7)
"""The time whose moves make the mood of a day."""
_MIDDLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedNews:
    """Headlines on the markets of a feed, by the market's clock.

    Attributes:
        symbols: The markets that are written about.
        seed: The generator's.
        window: How far back its headlines go.
    """

    name: ClassVar[str] = NEWS
    trouble: ClassVar[str] = ""

    feed: MarketFeed
    clock: Clock
    symbols: Sequence[str]
    seed: int
    window: timedelta

    async def texts(self) -> tuple[SourceText, ...]:
        """All headlines of the window up to now."""
        now = self.clock.now()
        return tuple(text for symbol in self.symbols for text in self._about(symbol, now) if text.at <= now)

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _about(self, symbol: str, now: datetime) -> Iterator[SourceText]:
        base, length = symbol.partition("/")[0], self.feed.timeframe.duration
        coin = COINS[base].names[0].title() if base in COINS and COINS[base].names else base
        candles = _closed(self.feed, symbol, now, self.window + _DAY)
        day = max(1, _DAY // length)
        for index in range(day, len(candles)):
            hour = from_millis(int(candles.open_ms[index])) + length
            move = float(candles.close[index]) / float(candles.close[index - day]) - 1
            if not (hour - _BEGAN) % _HOUR and (written := made_up_headline(self.seed, coin, hour, move)):
                yield SourceText(source=NEWS, title=written.title, at=hour + timedelta(seconds=written.after))


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedMood:
    """An index of the mood of all markets of a feed, with a new value each day.

    Attributes:
        symbols: The markets whose mood it is.
        seed: The generator's.
    """

    name: ClassVar[str] = MOOD

    feed: MarketFeed
    clock: Clock
    symbols: Sequence[str]
    seed: int

    async def reading(self) -> IndexReading:
        """The value of this day."""
        now = self.clock.now()
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        known = [_closed(self.feed, symbol, day, _MOOD_OF) for symbol in self.symbols]
        moves = [float(each.close[-1]) / float(each.open[0]) - 1 for each in known if len(each)]
        if not moves:
            raise SourceError("There are no candles to make a mood of.")
        return IndexReading(source=MOOD, score=made_up_index(self.seed, day, moves) / _MIDDLE - 1, at=day)

    async def close(self) -> None:
        """There is nothing to let go of."""


def _closed(feed: MarketFeed, symbol: str, now: datetime, length: timedelta) -> Candles:
    """The candles of the time before a moment, as many as there are.

    Raises:
        SourceError: The feed has not got that market.
    """
    try:
        return feed.candles(symbol, feed.timeframe, now, max(2, length // feed.timeframe.duration))
    except NoData as error:
        raise SourceError(error.message) from None
