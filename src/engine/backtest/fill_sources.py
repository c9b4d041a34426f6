"""What the fills of a replay were made by: which candles the price went along, and whose book was there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from engine.backtest.setup import BacktestSetup
from engine.backtest.tape import candles_of
from engine.domain.backtests import ShorterCandles
from engine.domain.market import Candles, to_millis
from engine.domain.orders import Fill
from engine.simulation.finer import Told, told


def shorter_candles(setup: BacktestSetup, fills: Sequence[Fill], begins: datetime) -> tuple[ShorterCandles, ...]:
    """How far fills have followed shorter candles, for each market that has any, from when it was traded on."""
    known = setup.live.shorter if setup.live else {}
    return tuple(
        _followed(candles_of(setup, symbol), shorter, [each for each in fills if each.symbol == symbol], begins)
        for symbol, shorter in known.items()
    )


def _followed(candles: Candles, shorter: Candles, fills: Sequence[Fill], begins: datetime) -> ShorterCandles:
    known, first = told(candles, shorter), int(candles.open_ms.searchsorted(to_millis(begins)))
    counts = np.bincount(known[first:], minlength=len(Told))
    rows = candles.open_ms.searchsorted([to_millis(each.at) for each in fills], side="right") - 1
    return ShorterCandles(
        symbol=candles.symbol,
        timeframe=shorter.timeframe,
        followed=int(counts[Told.ALL]),
        gaps=int(counts[Told.GAPS]),
        others=int(counts[Told.ANOTHER]),
        fills=int(np.count_nonzero(known[rows] == Told.ALL)),
    )
