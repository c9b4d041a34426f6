"""Where two backtests have traded differently. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.backtest.pairing import paired
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
    found = paired(first, second, lambda trade: (trade.symbol, trade.opened_at))
    return TradeDifferences(
        same=tuple(pair for pair in found.both if _end(pair[0]) == _end(pair[1])),
        other_end=tuple(pair for pair in found.both if _end(pair[0]) != _end(pair[1])),
        only_first=found.only_first,
        only_second=tuple(sorted(found.only_second, key=lambda each: each.opened_at)),
    )


def _end(trade: BacktestTrade) -> tuple[datetime, str]:
    return trade.closed_at, trade.reason
