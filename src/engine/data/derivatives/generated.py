"""Made-up futures of made-up markets, so that the demo shows what a venue would tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import NoData
from engine.domain.market import Candles
from engine.ports import Clock, MarketFeed
from engine.simulation.derivatives import MadeUp, made_up, next_payment

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedDerivatives:
    """Futures as the feed's candles of the last day make them, by the market's clock.

    Attributes:
        seed: The generator's.
    """

    feed: MarketFeed
    clock: Clock
    seed: int

    async def funding(self, symbol: str) -> FundingRate:
        """What those would pay who follow the price."""
        at, made, _ = self._now(symbol)
        return FundingRate(rate=made.funding, next_at=next_payment(at), at=at)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """How much they would hold, by what a day trades."""
        at, made, candles = self._now(symbol)
        traded = float(candles.volume.mean()) * (_DAY / candles.timeframe.duration)
        return OpenInterest(quantity=Decimal(f"{traded * made.interest:.3f}"), at=at)

    async def long_short(self, symbol: str) -> LongShort:
        """On which side they would be."""
        at, made, _ = self._now(symbol)
        return LongShort(long=made.long, short=1 - made.long, at=at)

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _now(self, symbol: str) -> tuple[datetime, MadeUp, Candles]:
        """When the newest candle closed, what is made of the day before it, and its candles."""
        timeframe = self.feed.timeframe
        candles = self.feed.candles(symbol, timeframe, self.clock.now(), max(2, _DAY // timeframe.duration))
        if not len(candles):
            raise NoData(f"{symbol} has no candles to make futures of.")
        at = candles.closed_at
        move = float(candles.close[-1] / candles.open[0]) - 1
        return at, made_up(self.seed, symbol, at, move), candles
