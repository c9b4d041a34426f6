"""Markets as the kernel goes over them: their candles one after another, where they are traded in ticks and lots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from engine.backtest.setup import BacktestSetup, BareTerms
from engine.backtest.setup_candles import candles_of, nothing_to_trade
from engine.backtest.whole_units import in_ticks, offered_lots
from engine.domain.market import to_millis
from engine.risk.limits import RiskLimits
from engine.simulation.tapes import MARKET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.domain.market import Floats, Millis
    from engine.simulation.tapes import Row, Table

    Number = TypeVar("Number", np.float64, np.int64, np.bool_)

NOTHING = np.empty(0)
"""A column that a run does not have."""
_DAY = timedelta(days=1) // timedelta(milliseconds=1)


class Columns(NamedTuple):
    """A market's candles as the kernel has them."""

    open_ms: Millis
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    offered: Floats


class TapeMarkets(NamedTuple):
    """Some markets: their candles one after another, where each begins, their closes by day, and how many days."""

    columns: Columns
    markets: Table
    day_close: Floats
    days: int


def tape_markets(setup: BacktestSetup, symbols: Sequence[str]) -> TapeMarkets:
    """Lay the candles of some markets one after another.

    Raises:
        DataError: A price cannot be told in the ticks of its market, or nothing is left to trade on.
    """
    each = [_columns_of(setup, symbol) for symbol in symbols]
    markets, columns = _markets(setup, symbols, each), Columns(*map(joined, zip(*each, strict=True)))
    first, last = _reach(markets, columns.open_ms)
    traded = markets[markets["first"] < markets["end"]]
    midnights = np.arange(first - first % _DAY + _DAY, int(columns.open_ms[traded["end"] - 1].max()) + 1, _DAY)
    return TapeMarkets(
        columns=columns,
        markets=markets,
        day_close=joined([_closes_at(midnights, each, columns) for each in markets]),
        days=(last - first) // _DAY,
    )


def _closes_at(midnights: Millis, market: Row, columns: Columns) -> Floats:
    """The last close of a market at each midnight; no number before its first."""
    known = slice(int(market["first"]), int(market["end"]))
    rows = columns.open_ms[known].searchsorted(midnights)
    return np.concatenate(([np.nan], columns.close[known]))[rows]


def _columns_of(setup: BacktestSetup, symbol: str) -> Columns:
    """A market's columns; where it is traded in lots and ticks, in these."""
    candles = candles_of(setup, symbol)
    plain = Columns(candles.open_ms, candles.open, candles.high, candles.low, candles.close, NOTHING)
    if isinstance(setup.terms, BareTerms):
        return plain
    market = setup.markets[symbol]
    whole = Columns(
        open_ms=candles.open_ms,
        open=in_ticks(candles.open, market),
        high=in_ticks(candles.high, market),
        low=in_ticks(candles.low, market),
        close=in_ticks(candles.close, market),
        offered=offered_lots(candles.volume, market, setup.model),
    )
    return _with_closes(whole, candles.timeframe.millis)


def _with_closes(columns: Columns, span: int) -> Columns:
    """Where candles are missing, a row of no length at the last close: live trades there, as long as it has a price."""
    gaps = np.flatnonzero(np.diff(columns.open_ms) > span)
    at, close = gaps + 1, columns.close[gaps]
    return Columns(
        open_ms=np.insert(columns.open_ms, at, columns.open_ms[gaps] + span),
        open=np.insert(columns.open, at, close),
        high=np.insert(columns.high, at, close),
        low=np.insert(columns.low, at, close),
        close=np.insert(columns.close, at, close),
        offered=np.insert(columns.offered, at, columns.offered[gaps]),
    )


def _markets(setup: BacktestSetup, symbols: Sequence[str], tapes: Sequence[Columns]) -> Table:
    markets = np.zeros(len(symbols), MARKET)
    lengths = [len(tape.open_ms) for tape in tapes]
    coins = tuple(dict.fromkeys(setup.markets[symbol].base for symbol in symbols))
    bare = isinstance(setup.terms, BareTerms)
    limits = RiskLimits() if isinstance(setup.terms, BareTerms) else setup.terms.limits
    sectors = tuple(limits.sectors)
    for number, symbol in enumerate(symbols):
        market, row, begin = setup.markets[symbol], markets[number], sum(lengths[:number])
        skipped = int(tapes[number].open_ms.searchsorted(to_millis(setup.start))) if setup.start else 0
        row["first"] = row["row"] = begin + skipped
        row["end"] = begin + lengths[number]
        row["span"] = setup.candles[symbol].timeframe.millis
        row["begins"] = begins_of(tapes[number].open_ms[skipped:], int(row["span"]))
        row["tick"], row["grain"] = (1.0, 1.0) if bare else (float(market.tick), float(market.tick * market.lot))
        row["least"] = float(market.min_notional)
        row["coin"] = coins.index(market.base)
        row["sector"] = sectors.index(sector) if (sector := limits.sector_of(market.base)) else -1
    return markets


def _reach(markets: Table, open_ms: Millis) -> tuple[int, int]:
    """When the first traded candle opens, and the last one closes."""
    traded = [each for each in markets if each["first"] < each["end"]]
    if not traded:
        raise nothing_to_trade()
    return (
        min(int(open_ms[each["first"]]) for each in traded),
        max(int(open_ms[each["end"] - 1] + each["span"]) for each in traded),
    )


def begins_of(open_ms: Millis, span: int) -> int:
    """When the first candle opens, where each of them opens as the one before it ends; else below 0."""
    is_whole = len(open_ms) > 0 and bool((np.diff(open_ms) == span).all())
    return int(open_ms[0]) if is_whole else -1


def joined(columns: Sequence[NDArray[Number]]) -> NDArray[Number]:
    """Columns one after another; a single one is not copied."""
    return frozen(columns[0] if len(columns) == 1 else np.concatenate(columns))


def frozen(column: NDArray[Number]) -> NDArray[Number]:
    """The same, read-only: numba would compile anew for one that is not."""
    view = np.ascontiguousarray(column).view()
    view.setflags(write=False)
    return view
