"""What the same cash had become in the hands of somebody who bought the same markets at the start, and went away."""

from __future__ import annotations

import numpy as np

from engine.backtest.returns import Curve
from engine.backtest.setup import BacktestSetup
from engine.backtest.setup_candles import candles_of
from engine.domain.market import to_millis


def bought_and_held(setup: BacktestSetup, curve: Curve) -> Curve:
    """Equal parts in each market from its first open on that was traded on, at the moments of another curve.

    A purchase costs the fee. What is meant for a market that begins later, or never, stays cash until then.

    Args:
        setup: What was traded on.
        curve: That of the backtest.
    """
    part = float(setup.cash) / len(setup.candles)
    equity = np.zeros(len(curve.at_ms))
    for symbol in setup.candles:
        candles = candles_of(setup, symbol)
        first = int(candles.open_ms.searchsorted(to_millis(setup.start))) if setup.start else 0
        if first == len(candles):
            equity += part
            continue
        units = part / (float(candles.open[first]) * (1 + float(setup.model.fee)))
        closed = (candles.open_ms + candles.timeframe.millis).searchsorted(curve.at_ms, side="right") - 1
        equity += np.where(closed >= first, units * candles.close[closed], part)
    return Curve(at_ms=curve.at_ms, equity=equity)
