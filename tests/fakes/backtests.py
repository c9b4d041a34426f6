"""Backtests to try: candles that jump, setups over them, and what must come to the same."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.backtest.setup import BacktestSetup, BareTerms, RiskTerms
from engine.domain.backtests import BacktestResult, BacktestTrade
from engine.domain.market import Candles, Market, Timeframe, to_millis
from engine.ports import Strategy
from engine.strategies.context import StrategyContext, StrategyContexts
from tests.fakes.oracle import Book
from tests.fakes.series import candles


def jumpy(seed: int, count: int, *, symbol: str = "BTC/USDT", timeframe: Timeframe = Timeframe.H1) -> Candles:
    """A random walk whose opens jump, and whose wicks reach stops and targets within one candle now and then."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, count)))
    opens = np.append(close[0], close[:-1]) * np.exp(rng.normal(0, 0.004, count))
    wicks = np.exp(np.abs(rng.standard_t(3, (2, count))) * 0.003)
    made = candles(
        timeframe=timeframe,
        opens=opens,
        highs=np.maximum(opens, close) * wicks[0],
        lows=np.minimum(opens, close) / wicks[1],
        closes=close,
        volumes=rng.uniform(500, 900, count),
    )
    return replace(made, symbol=symbol)


def setup(
    strategy: Strategy, *series: Candles, terms: BareTerms | RiskTerms | None = None, **other: Any
) -> BacktestSetup:
    symbols = tuple(each.symbol for each in series)
    context = StrategyContext(
        name="c", venue="paper", strategy=strategy, markets=symbols, timeframe=strategy.timeframes[0]
    )
    markets = {
        each.symbol: Market.around(each.symbol, float(each.low.min()), float(each.high.max())) for each in series
    }
    return BacktestSetup(
        **{
            "contexts": StrategyContexts(contexts=(context,)),
            "candles": {each.symbol: each for each in series},
            "markets": markets,
            "cash": Decimal(10_000),
            "terms": terms or BareTerms(),
            **other,
        }
    )


def demand_the_same(
    result: BacktestResult, book: Book, series: Candles, *, at_close: bool = False, rtol: float = 1e-9
) -> None:
    later = series.timeframe.millis if at_close else 0
    assert [(to_millis(each.opened_at), to_millis(each.closed_at), each.reason) for each in result.trades] == [
        (int(series.open_ms[each.opened]) + later, int(series.open_ms[each.closed]) + later, each.reason)
        for each in book.trades
    ]
    for name, wanted in (("quantity", "units"), ("entry_price", "entry"), ("exit_price", "exit")):
        np.testing.assert_allclose(
            [getattr(each, name) for each in result.trades], [getattr(each, wanted) for each in book.trades], rtol=rtol
        )
    assert result.final_equity == pytest.approx(book.final_equity, abs=5e-5)


def demand_the_same_trades(one: BacktestResult, other: BacktestResult) -> None:
    """The same trades, to a cent and less: what is rounded is fees and units, in the tenth place."""
    assert [(each.context, each.symbol, each.opened_at, each.closed_at, each.reason) for each in in_order(one)] == [
        (each.context, each.symbol, each.opened_at, each.closed_at, each.reason) for each in in_order(other)
    ]
    for name in ("quantity", "entry_price", "exit_price", "fees"):
        np.testing.assert_allclose(
            [getattr(each, name) for each in in_order(one)],
            [getattr(each, name) for each in in_order(other)],
            rtol=1e-7,
            atol=1e-7,
        )
    assert one.final_equity == pytest.approx(other.final_equity, abs=5e-5)
    assert one.entries_ended == other.entries_ended


def demand_the_same_days(one: BacktestResult, other: BacktestResult) -> None:
    """The same equity and exposure at each midnight at which nothing was traded: else the order matters."""
    traded = {to_millis(at) for each in one.trades for at in (each.opened_at, each.closed_at)}
    traded |= {to_millis(each.opened_at) for each in one.held}
    assert one.daily.at_ms.tolist() == other.daily.at_ms.tolist()
    quiet = ~np.isin(one.daily.at_ms, list(traded))
    assert quiet.sum() > len(quiet) / 2
    for name in ("equity", "exposure"):
        found, wanted = getattr(one.daily, name)[quiet], getattr(other.daily, name)[quiet]
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-4)


def in_order(result: BacktestResult) -> list[BacktestTrade]:
    return sorted(result.trades, key=lambda each: (each.opened_at, each.context, each.symbol))
