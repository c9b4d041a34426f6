"""Made-up futures of made-up markets, so that the demo shows what a venue would tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import NoData
from engine.ports import Clock, MarketFeed
from engine.simulation.derivatives import MadeUp, made_up, next_payment

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedDerivatives:
    """Futures as the feed's candles of the last day make them, by the market's clock.

    Attributes:
        seed: The generator's.
    """

    at_once: ClassVar[bool] = True

    feed: MarketFeed
    clock: Clock
    seed: int
    _last: dict[str, tuple[datetime, tuple[datetime, MadeUp, float]]] = field(default_factory=dict, init=False)

    async def funding(self, symbol: str) -> FundingRate:
        """What those would pay who follow the price."""
        at, made, _ = self._now(symbol)
        return FundingRate(rate=made.funding, next_at=next_payment(at), at=at)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """How much they would hold, by what a day trades."""
        at, made, traded = self._now(symbol)
        return OpenInterest(quantity=Decimal(f"{traded * made.interest:.3f}"), at=at)

    async def long_short(self, symbol: str) -> LongShort:
        """On which side they would be."""
        at, made, _ = self._now(symbol)
        return LongShort(long=made.long, short=1 - made.long, at=at)

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _now(self, symbol: str) -> tuple[datetime, MadeUp, float]:
        """When the newest candle closed, what is made of the day before it, and what that day traded."""
        now, last = self.clock.now(), self._last.get(symbol)
        if last is None or last[0] != now:
            last = self._last[symbol] = now, self._made(symbol, now)
        return last[1]

    def _made(self, symbol: str, now: datetime) -> tuple[datetime, MadeUp, float]:
        timeframe = self.feed.timeframe
        candles = self.feed.candles(symbol, timeframe, now, max(2, _DAY // timeframe.duration))
        if not len(candles):
            raise NoData(f"{symbol} has no candles to make futures of.")
        at = candles.closed_at
        move = float(candles.close[-1] / candles.open[0]) - 1
        traded = float(candles.volume.mean()) * (_DAY / timeframe.duration)
        return at, made_up(self.seed, symbol, at, move), traded
