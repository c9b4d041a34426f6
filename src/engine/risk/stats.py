"""From closed candles to the figures that the risk rules go by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.domain.currencies import rounded
from engine.domain.figures import grouped
from engine.domain.market import Candles
from engine.domain.risk_stats import RiskStats
from engine.risk import metrics
from engine.risk.metrics import CVaRCalculator, VaRCalculator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Floats

KNOWN = 300
"""So many candles are looked back at: those that a cycle has."""
_SPARSE, _AT_ONCE = 4, 4096
"""Where fewer than a quarter of the windows are asked for these alone are summed, so many at a time."""
_DAY = timedelta(days=1)
_DAY_MS = _DAY // timedelta(milliseconds=1)


def measure(candles: Candles, atr: float | None) -> RiskStats:
    """The figures of a market's closed candles.

    Args:
        candles: At least one.
        atr: The Average True Range at the newest of them, which the analysis has reckoned.

    Raises:
        DataError: There are no candles.
    """
    as_of = candles.closed_at  # that there are any
    returns = metrics.simple_returns(candles.close)
    returns.setflags(write=False)
    volume = _known_volume(candles)
    return RiskStats(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        as_of=as_of,
        returns=returns,
        volatility=metrics.realised_volatility(returns, _DAY / candles.timeframe.duration),
        atr=atr,
        daily_volume=volume if _reach_a_day(candles) else None,
        known_volume=volume,
    )


def compared(stats: RiskStats, others: Iterable[RiskStats]) -> RiskStats:
    """The same figures with the correlations to those of other markets that are of the same candles."""
    found = {
        other.symbol: other.returns
        for other in others
        if other.symbol != stats.symbol and _of_the_same_candles(stats, other)
    }
    values = {symbol: metrics.correlation(stats.returns, returns) for symbol, returns in found.items()}
    correlations = {symbol: value for symbol, value in values.items() if value is not None}
    return replace(stats, correlations=correlations, others=found)


def told(stats: RiskStats) -> str:
    """The figures in words, with value at risk of one candle and what lies beyond it, both by history at 95 %."""
    return ", ".join(_parts(stats)) or "too few candles for any"


def _parts(stats: RiskStats) -> Iterator[str]:
    at_risk, beyond = VaRCalculator().historical(stats.returns), CVaRCalculator().historical(stats.returns)
    if stats.volatility is not None:
        yield f"volatility {stats.volatility:.2%} a day"
    if at_risk is not None and beyond is not None:
        yield f"VaR 95% {at_risk:.2%} and CVaR {beyond:.2%} a {stats.timeframe} candle"
    if stats.atr is not None:
        yield f"ATR {grouped(stats.atr, 6)}"
    if stats.daily_volume is not None:
        quote = stats.symbol.partition("/")[2]
        yield f"{grouped(rounded(Decimal(repr(stats.daily_volume)), quote))} {quote} traded in a day"
    yield from (f"correlation with {symbol} {value:.2f}" for symbol, value in sorted(stats.correlations.items()))


def _of_the_same_candles(one: RiskStats, other: RiskStats) -> bool:
    return (one.timeframe, one.as_of, len(one.returns)) == (other.timeframe, other.as_of, len(other.returns))


def known_volumes(candles: Candles, rows: NDArray[np.int64]) -> Floats:
    """What was traded in the day up to each of some candles, at the closes: as far as ``KNOWN`` candles go back.

    Of candles that are longer than a day it is the mean of a day of each.
    """
    value, span = candles.close * candles.volume, candles.timeframe.millis
    longest = max(_DAY_MS, span)
    first = np.searchsorted(candles.open_ms, candles.open_ms[rows] + span - longest)
    first = np.maximum(first, rows - KNOWN + 1)
    found = np.empty(len(rows))
    counts = rows - first + 1
    for count in np.unique(counts):
        found[counts == count] = _sums(sliding_window_view(value, int(count)), first[counts == count])
    return found * min(1.0, _DAY_MS / span)


def _sums(windows: Floats, rows: NDArray[np.int64]) -> Floats:
    """The sum of each of some windows, added up in the same order however many are asked for."""
    low, high = int(rows.min()), int(rows.max()) + 1
    if len(rows) * _SPARSE > high - low:
        sums: Floats = windows[low:high].sum(axis=1)
        return sums[rows - low]
    parts = [windows[rows[at : at + _AT_ONCE]].sum(axis=1) for at in range(0, len(rows), _AT_ONCE)]
    return np.concatenate(parts)


def _known_volume(candles: Candles) -> float:
    """``known_volumes`` of the newest candle alone, to the last bit: what is added up is as contiguous there."""
    span = candles.timeframe.millis
    first = int(np.searchsorted(candles.open_ms, int(candles.open_ms[-1]) + span - max(_DAY_MS, span)))
    first = max(first, len(candles) - KNOWN)
    return float((candles.close[first:] * candles.volume[first:]).sum()) * min(1.0, _DAY_MS / span)


def _reach_a_day(candles: Candles) -> bool:
    """Whether candles reach back a day, or one of them is as long."""
    span = max(_DAY_MS, candles.timeframe.millis)
    return int(candles.open_ms[0]) <= int(candles.open_ms[-1]) + candles.timeframe.millis - span
