"""Two textbook strategies traded by plain Python, written from their descriptions and from nothing of the source.

S1 ``sma_cross``: while flat, the fast mean rises above the slow one at a close: buy at the next open; falls below:
sell at the next open. S2 ``rsi_bands``: while flat, RSI 14 < 30 at a close: buy at the next open; > 70: sell at the
next open; stop 2 and target 4 times the signal bar's ATR 14 from the fill, live from the entry bar, the stop first
where both are inside a bar, gaps at the open. Units are ``size`` x cash / price, and the fee comes on top of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.domain.market import Candles


@dataclass(frozen=True)
class Traded:
    opened: int
    closed: int
    units: float
    entry: float
    exit: float
    reason: str


@dataclass(frozen=True)
class Book:
    """What a run came to: the rows at which trades begin and end, and the equity at the last close."""

    trades: list[Traded]
    final_equity: float
    units: float


def sma_cross(
    candles: Candles, fast: int, slow: int, *, cash: float, size: float, fee: float, at_close: bool = False
) -> Book:
    close = candles.close
    means = {
        n: [float(np.mean(close[i + 1 - n : i + 1])) if i + 1 >= n else np.nan for i in range(len(close))]
        for n in (fast, slow)
    }
    above = [f - s for f, s in zip(means[fast], means[slow], strict=True)]
    enter = [False, *(above[i - 1] <= 0 < above[i] for i in range(1, len(close)))]
    leave = [each < 0 for each in above]
    return _trade(candles, enter, leave, None, cash=cash, size=size, fee=fee, at_close=at_close)


def rsi_bands(candles: Candles, *, cash: float, size: float, fee: float) -> Book:
    rsi, atr = _rsi(candles.close.tolist()), _atr(candles)
    enter = [each < 30 for each in rsi]
    leave = [each > 70 for each in rsi]
    return _trade(candles, enter, leave, atr, cash=cash, size=size, fee=fee, at_close=False)


def _rsi(close: list[float], n: int = 14) -> list[float]:
    """Wilder: the first mean is a plain one of n changes, each further one keeps (n - 1) / n of the last."""
    values = [np.nan] * len(close)
    gain = loss = 0.0
    for i in range(1, len(close)):
        up, down = max(close[i] - close[i - 1], 0.0), max(close[i - 1] - close[i], 0.0)
        if i <= n:
            gain, loss = gain + up / n, loss + down / n
        else:
            gain, loss = (gain * (n - 1) + up) / n, (loss * (n - 1) + down) / n
        if i >= n:
            values[i] = 100 * gain / (gain + loss)
    return values


def _atr(candles: Candles, n: int = 14) -> list[float]:
    high, low, close = candles.high.tolist(), candles.low.tolist(), candles.close.tolist()
    values, mean = [np.nan] * len(close), 0.0
    for i in range(1, len(close)):
        true = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
        mean = mean + true / n if i <= n else (mean * (n - 1) + true) / n
        if i >= n:
            values[i] = mean
    return values


def _trade(
    candles: Candles,
    enter: list[bool],
    leave: list[bool],
    atr: list[float] | None,
    *,
    cash: float,
    size: float,
    fee: float,
    at_close: bool,
) -> Book:
    run = _Run(cash=cash, size=size, fee=fee)
    for i in range(len(candles)):
        first, high, low, last = (float(c[i]) for c in (candles.open, candles.high, candles.low, candles.close))
        says = i if at_close else i - 1
        if not at_close:  # what the open jumps over comes before what is decided
            run.meet(first, first, first, i)
        if says >= 0 and leave[says]:
            run.sell(last if at_close else first, "signal", i)
        elif says >= 0 and enter[says]:
            run.buy(last if at_close else first, atr[says] if atr else np.inf, i)
        if not at_close:
            run.meet(low, high, None, i)
    return Book(trades=run.trades, final_equity=run.cash + run.units * float(candles.close[-1]), units=run.units)


class _Run:
    def __init__(self, *, cash: float, size: float, fee: float) -> None:
        self.cash, self._size, self._fee = cash, size, fee
        self.units = self._entry = 0.0
        self._begun, self._stop, self._target = 0, -np.inf, np.inf
        self.trades: list[Traded] = []

    def buy(self, price: float, atr: float, row: int) -> None:
        if not self.units:
            self.units, self._entry, self._begun = self._size * self.cash / price, price, row
            self.cash -= self.units * price * (1 + self._fee)
            self._stop, self._target = price - 2 * atr, price + 4 * atr

    def sell(self, price: float, reason: str, row: int) -> None:
        if self.units:
            self.cash += self.units * price * (1 - self._fee)
            self.trades.append(Traded(self._begun, row, self.units, self._entry, price, reason))
            self.units = 0.0

    def meet(self, low: float, high: float, at: float | None, row: int) -> None:
        """Sell where the stop or the target is reached: at it, or at the price that was jumped to."""
        if low <= self._stop:
            self.sell(self._stop if at is None else at, "stop", row)
        elif high >= self._target:
            self.sell(self._target if at is None else at, "target", row)
