"""The candles of each market, fetched and checked once a close for all who need them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from engine.analysis.quality import DataQualityMonitor
from engine.analysis.quality_log import QualityLog
from engine.analysis.technical import HISTORY
from engine.domain.decisions import QualityReport
from engine.domain.market import Candles, Listing, Timeframe
from engine.ports import MarketDataAt, market_data_of

Checked = tuple[Candles, QualityReport]
_Key = tuple[Listing, Timeframe]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCandles:
    """Keeps what was last found good of each market and timeframe, until its next candle closes.

    What was not good is asked for again by the next one.

    Attributes:
        history: Closed candles asked for of each timeframe: what analyzer and strategies remember.
        log: Notes what was said of them, for people.
    """

    market_data: MarketDataAt
    quality: DataQualityMonitor
    history: int = HISTORY
    log: QualityLog = field(default_factory=QualityLog)
    _kept: dict[_Key, tuple[datetime, Checked]] = field(default_factory=dict, init=False)
    _asking: dict[_Key, asyncio.Lock] = field(default_factory=dict, init=False)

    async def at(self, listing: Listing, timeframe: Timeframe, close: datetime) -> Checked:
        """The newest candles that had closed by a time, mended, and what is to be said of them.

        Raises:
            VenueError: They cannot be had.
        """
        key = (listing, timeframe)
        if (found := self._found(key, close)) is not None:
            return found
        async with self._asking.setdefault(key, asyncio.Lock()):  # who comes meanwhile needs the same
            if (found := self._found(key, close)) is not None:
                return found
            market_data = market_data_of(self.market_data, listing.venue)
            checked = self.quality.check(await market_data.candles(listing.symbol, timeframe, self.history), close)
            self.log.note(listing, close, *checked)
            if checked[1].usable:
                self._kept[key] = close, checked
            return checked

    def _found(self, key: _Key, close: datetime) -> Checked | None:
        """What was found at that close, or at one since which no other candle has closed."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        at, checked = kept
        timeframe = key[1]
        return checked if at == close or at < close < checked[0].closed_at + timeframe.duration else None
