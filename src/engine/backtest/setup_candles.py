"""The candles of a setup: how far they reach, and that there are some to trade on."""

from __future__ import annotations

from datetime import datetime
from itertools import product

from engine.backtest.setup import BacktestSetup
from engine.domain.errors import DataError
from engine.domain.market import Candles, from_millis, to_millis
from engine.simulation.frames import resample


def candles_of(setup: BacktestSetup, symbol: str) -> Candles:
    """A market's candles up to the end of the run.

    Raises:
        DataError: There are none.
    """
    candles = setup.candles[symbol]
    if setup.end is not None:
        candles = candles.cut(0, int(candles.open_ms.searchsorted(to_millis(setup.end))))
    if not len(candles):
        raise DataError(
            f"There are no candles of {symbol} before {setup.end:%Y-%m-%d %H:%M} UTC.", "Set a later --end."
        )
    return candles


def span_of(setup: BacktestSetup) -> tuple[datetime, datetime]:
    """From when to when it goes: from its start, or from its first candle, to the close of its last.

    Raises:
        DataError: There are no candles of a market.
    """
    candles = [candles_of(setup, symbol) for symbol in setup.candles]
    first = from_millis(min(int(each.open_ms[0]) for each in candles))
    return max(setup.start or first, first), max(each.closed_at for each in candles)


def demand_candles(setup: BacktestSetup) -> None:
    """See that there are candles of all that is looked at, and some to trade on.

    Raises:
        DataError: There are none.
    """
    for context in setup.contexts:
        for symbol, timeframe in product(context.markets, context.strategy.timeframes):
            candles = candles_of(setup, symbol)
            if timeframe.millis < candles.timeframe.millis:
                resample(candles, timeframe)
    last = max(int(candles_of(setup, symbol).open_ms[-1]) for symbol in setup.candles)
    if setup.start is not None and last < to_millis(setup.start):
        raise nothing_to_trade()


def nothing_to_trade() -> DataError:
    """What is said where no candle is within the run."""
    return DataError("There are no candles within --start and --end.", "Set them within the candles.")
