"""The figures of each market that risk is judged by, as they were last seen: one owner for the cycle and the press."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from engine.analysis.quality import DataQualityMonitor
from engine.analysis.technical import HISTORY, TechnicalAnalyzer
from engine.domain.decisions import Frame
from engine.domain.errors import VenueError
from engine.domain.market import Listing, Timeframe
from engine.domain.risk_stats import RiskStats
from engine.ports import Clock, MarketDataAt, market_data_of
from engine.risk.stats import compared, measure


class _Measured:
    """Candles, and what is measured of them once somebody asks: at most closes nobody does."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @cached_property
    def stats(self) -> RiskStats:
        return measure(self.frame.candles.tail(HISTORY), self.frame.signals.atr)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStats:
    """Keeps what was measured of each market and timeframe, in this process alone: after a start it is empty."""

    market_data: MarketDataAt
    quality: DataQualityMonitor
    clock: Clock
    history: int = HISTORY
    """Closed candles asked for, as a cycle does; the figures are of the newest ``HISTORY`` of them."""
    traded: tuple[tuple[Listing, Timeframe], ...] = ()
    """What cycles measure: one that has to be measured anew is compared with all of its timeframe."""
    _kept: dict[tuple[Listing, Timeframe], _Measured] = field(default_factory=dict, init=False)

    def measure(self, venue: str, frame: Frame) -> None:
        """Take in candles that were just fetched and found good; the same frame is measured once."""
        key = (Listing(venue, frame.candles.symbol), frame.candles.timeframe)
        known = self._kept.get(key)
        if known is None or known.frame is not frame:
            self._kept[key] = _Measured(frame)

    def last(self, listing: Listing, timeframe: Timeframe) -> RiskStats | None:
        """What was last measured of a market, compared with the other markets of the same close."""
        known = self._kept.get((listing, timeframe))
        return self._compared(known) if known else None

    def of(self, venue: str, frame: Frame) -> RiskStats:
        """What is measured of a frame that no cycle may have decided on, compared likewise; it is not kept."""
        known = self._kept.get((Listing(venue, frame.candles.symbol), frame.candles.timeframe))
        return self._compared(known if known is not None and known.frame is frame else _Measured(frame))

    def _compared(self, measured: _Measured) -> RiskStats:
        return compared(measured.stats, (each.stats for each in self._kept.values()))

    async def current(self, listing: Listing, timeframe: Timeframe) -> RiskStats | None:
        """What was last measured of a market, measured anew where that is missing or too old and its candles are good.

        Raises:
            VenueError: The candles cannot be had.
        """
        now, last = self.clock.now(), self.last(listing, timeframe)
        if last is not None and not last.is_stale(now):
            return last
        await self._fetch(listing, timeframe)
        for other in self._missing_beside(listing, timeframe, now):
            with suppress(VenueError):  # there is no correlation with it then
                await self._fetch(other, timeframe)
        return self.last(listing, timeframe)

    def _missing_beside(self, listing: Listing, timeframe: Timeframe, now: datetime) -> list[Listing]:
        """The other traded markets of a timeframe whose figures are missing or too old."""
        others = (other for other, looked_at in self.traded if looked_at is timeframe and other != listing)
        known = {other: self._kept.get((other, timeframe)) for other in others}
        return [other for other, kept in known.items() if kept is None or kept.stats.is_stale(now)]

    async def _fetch(self, listing: Listing, timeframe: Timeframe) -> None:
        """Measure a market's candles of now, if they are good."""
        fetched = await market_data_of(self.market_data, listing.venue).candles(listing.symbol, timeframe, self.history)
        candles, report = self.quality.check(fetched, self.clock.now())
        if report.usable and len(candles):
            self.measure(listing.venue, TechnicalAnalyzer().frame(candles))
