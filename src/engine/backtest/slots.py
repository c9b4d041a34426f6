"""What the strategies of a setup say of each close, and what runs over the same candles share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.setup import BacktestSetup
from engine.backtest.setup_candles import candles_of
from engine.backtest.tape_markets import TapeMarkets, begins_of
from engine.domain.decisions import Frame
from engine.domain.market import Candles, Timeframe
from engine.ports import Frames, Strategy
from engine.risk.stats import known_volumes
from engine.simulation.frames import resample
from engine.strategies.context import StrategyContext

if TYPE_CHECKING:
    from engine.domain.columns import Cross, SignalColumns
    from engine.domain.market import Floats, Millis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slot:
    """One market of one context, and what its strategy says of each of its closes."""

    context: StrategyContext
    symbol: str
    candles: Candles
    said: SignalColumns

    @property
    def open_ms(self) -> Millis:
        """When each of its candles opens."""
        return self.candles.open_ms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """What runs over the same candles have in common, made once: for setups that differ in their strategies alone.

    Attributes:
        frames: What is read off the candles of each market and timeframe.
        markets: Some markets as the kernel goes over them.
        cross: Compares means (see ``TechnicalColumns``).
    """

    frames: dict[tuple[str, Timeframe], Frame] = field(default_factory=dict)
    markets: dict[tuple[str, ...], TapeMarkets] = field(default_factory=dict)
    cross: Cross | None = None
    _begins: dict[tuple[str, Timeframe], int] = field(default_factory=dict)
    _volumes: dict[tuple[str, Timeframe], Floats] = field(default_factory=dict)

    def begins(self, slot: Slot) -> int:
        """When the first of a slot's candles opens; below 0 where some are missing."""
        key = slot.symbol, slot.context.timeframe
        if key not in self._begins:
            self._begins[key] = begins_of(slot.open_ms, slot.context.timeframe.millis)
        return self._begins[key]

    def volumes(self, slot: Slot) -> Floats:
        """What a day has traded at each of a slot's closes, in the quote currency."""
        key = slot.symbol, slot.context.timeframe
        if key not in self._volumes:
            self._volumes[key] = known_volumes(slot.candles, np.arange(len(slot.candles)))
        return self._volumes[key]

    @property
    def values(self) -> int:
        """How many numbers the readings are."""
        known = (frame.columns for frame in self.frames.values())
        return sum(each.count * each.series.columns_made for each in known if each.series)


def slots_of(setup: BacktestSetup, shared: Shared | None = None) -> tuple[Slot, ...]:
    """Have every strategy say what it says; what is read off candles is shared among them.

    Raises:
        DataError: There are no candles of a market or timeframe that a context trades.
    """
    common = shared or Shared()
    found = []
    for context in setup.contexts:
        for symbol in context.markets:
            said = context.strategy.columns(_frames(setup, common, symbol, context.strategy.timeframes))
            own = common.frames[symbol, context.timeframe].candles
            found.append(Slot(context=context, symbol=symbol, candles=own, said=said))
    return tuple(found)


def frames_of(setup: BacktestSetup, strategy: Strategy, symbol: str) -> Frames:
    """Everything that a strategy sees of a market, whole.

    Raises:
        DataError: There are no candles of the market.
    """
    return _frames(setup, Shared(), symbol, strategy.timeframes)


def _frames(
    setup: BacktestSetup,
    shared: Shared,
    symbol: str,
    timeframes: Iterable[Timeframe],
) -> Frames:
    seen = {each: _frame(setup, shared, symbol, each) for each in timeframes}
    return {timeframe: frame for timeframe, frame in seen.items() if frame}


def _frame(setup: BacktestSetup, shared: Shared, symbol: str, timeframe: Timeframe) -> Frame | None:
    key = symbol, timeframe
    if key not in shared.frames:
        candles = resample(candles_of(setup, symbol), timeframe)
        if not len(candles):
            return None
        shared.frames[key] = setup.analyzer.whole(candles, shared.cross)
    return shared.frames[key]
