"""Where two backtests have traded differently. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.domain.backtests import BacktestTrade


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeDifferences:
    """The trades of two runs beside one another; those of a pair were opened in the same market at the same time.

    Attributes:
        same: Pairs that were closed at the same time, for the same reason.
        other_end: Pairs that were not.
        only_first, only_second: What the other run has not.
    """

    same: tuple[tuple[BacktestTrade, BacktestTrade], ...]
    other_end: tuple[tuple[BacktestTrade, BacktestTrade], ...]
    only_first: tuple[BacktestTrade, ...]
    only_second: tuple[BacktestTrade, ...]


def trade_differences(first: Sequence[BacktestTrade], second: Sequence[BacktestTrade]) -> TradeDifferences:
    """Pair the trades of two runs; those of one moment and market in their order."""
    waiting: dict[tuple[str, datetime], list[BacktestTrade]] = {}
    for trade in second:
        waiting.setdefault((trade.symbol, trade.opened_at), []).append(trade)
    pairs, alone = [], []
    for trade in first:
        there = waiting.get((trade.symbol, trade.opened_at))
        if there:
            pairs.append((trade, there.pop(0)))
        else:
            alone.append(trade)
    ends = [(one.closed_at, one.reason) == (other.closed_at, other.reason) for one, other in pairs]
    return TradeDifferences(
        same=tuple(pair for pair, is_same in zip(pairs, ends, strict=True) if is_same),
        other_end=tuple(pair for pair, is_same in zip(pairs, ends, strict=True) if not is_same),
        only_first=tuple(alone),
        only_second=tuple(sorted((t for left in waiting.values() for t in left), key=lambda each: each.opened_at)),
    )
