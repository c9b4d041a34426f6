"""What a layer of the bot is worth: its figures and what they differ by from those without it, each with its interval.

Both have traded the same candles, so days and trades are drawn in pairs (``bootstrap``): what the market did to both
alike is no part of the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from engine.backtest.bootstrap import Interval, interval
from engine.backtest.returns import Curve, sharpe
from engine.domain.backtests import BacktestTrade
from engine.domain.market import to_millis

if TYPE_CHECKING:
    from engine.domain.market import Floats

Key = TypeVar("Key")
_SAME = Interval(low=0.0, high=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, and where 95 of 100 resamples lie; ``None`` where there is too little to say."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """What a run came to in some time, or what two differ by; shares as fractions, money in the quote currency."""

    trades: int
    fees: Figure
    win_rate: Figure
    sharpe: Figure
    gain: Figure
    drawdown: Figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """A run in some time.

    Attributes:
        returns: Of its days.
        trades: Those that were opened in it.
    """

    returns: Floats
    trades: tuple[BacktestTrade, ...]


def stretch_of(
    curve: Curve, trades: Iterable[BacktestTrade], begins: datetime | None = None, ends: datetime | None = None
) -> Stretch:
    """The part of a run from one time to another; all of it without any."""
    first = np.iinfo(np.int64).min if begins is None else to_millis(begins)
    last = np.iinfo(np.int64).max if ends is None else to_millis(ends)
    days = curve.at_ms[1:]
    own = tuple(each for each in trades if first <= to_millis(each.opened_at) < last)
    return Stretch(returns=curve.returns[(days > first) & (days <= last)], trades=own)


def figures_of(run: Stretch, rng: np.random.Generator) -> LayerFigures:
    """The figures of a run.

    Args:
        run: The run.
        rng: Where the chance of resampling comes from.
    """
    won = np.array([each.net > 0 for each in run.trades], dtype=np.float64)
    return LayerFigures(
        trades=len(run.trades),
        win_rate=Figure(value=_mean(won), interval=interval(won, np.mean, rng)),
        **{name: _figure(run.returns, reckon, rng) for name, reckon in _OF_DAYS.items()},
        fees=total_of([each.fees for each in run.trades], rng),
    )


def differences(run: Stretch, without: Stretch, rng: np.random.Generator) -> LayerFigures:
    """What a run differs by from another over the same days, on trades that are paired by market and time."""
    days, trades = np.stack([without.returns, run.returns], axis=1), _paired(without.trades, run.trades)
    return LayerFigures(
        trades=len(run.trades) - len(without.trades),
        win_rate=_difference(trades, _won_more, rng),
        **{name: _difference(days, _ahead(reckon), rng) for name, reckon in _OF_DAYS.items()},
        fees=total_difference(_fees(run.trades), _fees(without.trades), rng),
    )


def total_of(parts: Sequence[float], rng: np.random.Generator) -> Figure:
    """What parts come to together, such as the fees of trades or the costs of calls; as many are drawn as there are.

    Args:
        parts: In the order in which they came.
        rng: Where chance comes from.
    """
    drawn = np.array(parts, dtype=np.float64)
    return Figure(value=float(drawn.sum()), interval=interval(drawn, lambda rows: float(rows.sum()), rng))


def total_difference(run: Mapping[Key, float], without: Mapping[Key, float], rng: np.random.Generator) -> Figure:
    """By how much the parts of one come to more than those of another, in pairs by what each is of.

    Args:
        run: The parts, by what they are of; what one of the two has not is 0 there.
        without: Those of the other.
        rng: Where chance comes from.
    """
    keys = [*run, *(each for each in without if each not in run)]
    pairs = np.array([(without.get(each, 0.0), run.get(each, 0.0)) for each in keys], dtype=np.float64).reshape(-1, 2)
    found = _difference(pairs, lambda rows: float((rows[:, 1] - rows[:, 0]).sum()), rng)
    return found if len(pairs) else Figure(value=0.0, interval=_SAME)


def _fees(trades: Iterable[BacktestTrade]) -> dict[tuple[datetime, str, str], float]:
    """What each trade paid, in the order in which they were opened."""
    return {_of(each): each.fees for each in sorted(trades, key=_of)}


def _figure(returns: Floats, reckon: Callable[[Floats], float | None], rng: np.random.Generator) -> Figure:
    value = reckon(returns) if len(returns) else None
    return Figure(value=value, interval=interval(returns, lambda drawn: reckon(drawn) or 0.0, rng))


def _difference(pairs: Floats, reckon: Callable[[Floats], float | None], rng: np.random.Generator) -> Figure:
    value = reckon(pairs) if len(pairs) else None
    if value is not None and np.array_equal(pairs[:, 0], pairs[:, 1], equal_nan=True):
        return Figure(value=0.0, interval=_SAME)
    return Figure(value=value, interval=interval(pairs, lambda drawn: reckon(drawn) or 0.0, rng))


def _gain(returns: Floats) -> float:
    return float(np.prod(1.0 + returns)) - 1.0


def _depth(returns: Floats) -> float:
    """How far the account fell below its highest value until then."""
    equity = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    return float((1.0 - equity / np.maximum.accumulate(equity)).max())


_OF_DAYS: dict[str, Callable[[Floats], float | None]] = {"sharpe": sharpe, "gain": _gain, "drawdown": _depth}


def _ahead(reckon: Callable[[Floats], float | None]) -> Callable[[Floats], float | None]:
    """By how much the second column's figure is above the first one's."""

    def ahead(pairs: Floats) -> float | None:
        before, after = reckon(pairs[:, 0]), reckon(pairs[:, 1])
        return None if before is None and after is None else (after or 0.0) - (before or 0.0)

    return ahead


def _paired(without: Iterable[BacktestTrade], run: Iterable[BacktestTrade]) -> Floats:
    """Whether each trade was won (1) or not (0) in the one run and in the other; NaN in one that did not make it."""
    first, second = ({_of(each): float(each.net > 0) for each in trades} for trades in (without, run))
    rows = sorted(first.keys() | second.keys())
    found = [(first.get(each, np.nan), second.get(each, np.nan)) for each in rows]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _of(trade: BacktestTrade) -> tuple[datetime, str, str]:
    return trade.opened_at, trade.symbol, trade.context


def _won_more(pairs: Floats) -> float | None:
    before, after = (_mean(column[~np.isnan(column)]) for column in (pairs[:, 0], pairs[:, 1]))
    return None if before is None or after is None else after - before


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None
