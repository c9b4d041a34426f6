"""The figures of whole backtests: money that adds up, holding as anybody would reckon it, and who did what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from engine.backtest.kernel_run import backtest
from engine.backtest.setup import BacktestSetup, BareTerms, RiskTerms
from engine.backtest.statistics import statistics
from engine.domain.backtests import BacktestResult, BacktestTrade, DailyEquity, HeldAtEnd, counted_together
from engine.domain.market import Timeframe, to_millis
from engine.simulation.fills import FillModel
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.backtests import jumpy, setup
from tests.fakes.series import BEGIN, candles

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def a_trade(begin: float, end: float, net: float = 0.0, **other: object) -> BacktestTrade:
    usual = {"quantity": 2.0, "entry_price": 100.0, "fees": 0.5, "slippage": 0.1, "reason": "signal"}
    made = {"context": "c", "symbol": "BTC/USDT", "opened_at": at(begin), "closed_at": at(end), **usual, **other}
    return BacktestTrade(**{"exit_price": 100.0 + (net + 0.5) / 2, **made})


def a_result(*trades: BacktestTrade, held: tuple[HeldAtEnd, ...] = (), days: int = 10) -> BacktestResult:
    ends = to_millis(BEGIN) + 86_400_000 * np.arange(1, days + 1)
    daily = DailyEquity(at_ms=ends, equity=np.full(days, 1_000.0), exposure=np.full(days, 250.0))
    return BacktestResult(
        quote="USDT",
        begins=BEGIN,
        ends=at(24 * days),
        candles=24 * days,
        cash=1_000.0,
        final_equity=1_000.0,
        read_trades=lambda: trades,
        held=held,
        daily=daily,
        fees=1.0,
        slippage=0.5,
        entries_ended=None,
        seconds=0.0,
        compile_seconds=0.0,
    )


def flat(days: int = 10) -> BacktestSetup:
    ones = np.full(24 * days, 100.0)
    return setup(SmaCross(), candles(opens=ones, highs=ones, lows=ones, closes=ones, volumes=ones))


def test_trades_together() -> None:
    found = counted_together([a_trade(0, 2, 30), a_trade(4, 5, -10), a_trade(6, 9, 10), a_trade(9, 15, 0)])
    assert (found.trades, found.won, found.win_rate) == (4, 2, 0.5)
    assert (found.net, found.expectancy, found.profit_factor) == (pytest.approx(30), pytest.approx(7.5), 4)
    assert (found.best, found.worst, found.held) == (pytest.approx(30), pytest.approx(-10), timedelta(hours=3))
    assert (found.fees, found.slippage) == (pytest.approx(2.0), pytest.approx(0.4))
    none = counted_together([])
    assert (none.win_rate, none.expectancy, none.profit_factor, none.held) == (None, None, None, timedelta(0))
    assert counted_together([a_trade(0, 2, 30), a_trade(0, 2, slippage=None)]).slippage is None
    assert counted_together([a_trade(0, 2, 30)]).profit_factor is None


def test_time_with_two_positions_counts_once() -> None:
    held = HeldAtEnd(context="c", symbol="ETH/USDT", opened_at=at(200), quantity=1.0, entry_price=50.0, price=60.0)
    found = statistics(flat(), a_result(a_trade(0, 10), a_trade(5, 12), a_trade(6, 7), a_trade(20, 30), held=(held,)))
    assert found.in_market == pytest.approx((12 + 10 + 40) / 240)
    assert found.exposure == pytest.approx(0.25)
    assert found.turnover == pytest.approx((4 * 400.5 + 50) / 1_000 * 365 / 10, rel=1e-3)


def test_nothing_traded_is_no_division() -> None:
    found = statistics(flat(), a_result())
    assert (found.in_market, found.turnover, found.trades.trades) == (0, 0, 0)
    assert found.by_reason == {}
    assert found.hold.gain == pytest.approx(1 / 1.001 - 1)


def test_holding_is_equal_parts_each_from_its_own_first_open_on() -> None:
    """ETH begins in the middle and doubles; BTC halves."""
    hours = 24 * 4
    btc = np.linspace(100, 50, hours + 1)
    one = candles(opens=btc[:-1], highs=btc[:-1], lows=btc[1:], closes=btc[1:], volumes=np.ones(hours))
    eth = np.linspace(10, 20, hours // 2 + 1)
    two = candles(
        opens=eth[:-1],
        highs=eth[1:],
        lows=eth[:-1],
        closes=eth[1:],
        volumes=np.ones(hours // 2),
        open_ms=to_millis(at(hours // 2)) + Timeframe.H1.millis * np.arange(hours // 2),
    )
    asked = setup(SmaCross(), one, replace(two, symbol="ETH/USDT"), model=FillModel(fee=Decimal(0)))
    found = statistics(asked, backtest(asked))
    assert found.hold_curve.equity.tolist() == pytest.approx([10_000, 9_375, 8_750, 5_000 * (0.625 + 1.5), 12_500])
    assert found.hold.gain == pytest.approx(0.25)
    later = replace(asked, start=at(24))
    from_then = statistics(later, backtest(later)).hold_curve
    assert from_then.equity[-1] == pytest.approx(5_000 * (50 / 87.5 + 2))


@pytest.mark.parametrize("terms", [BareTerms(), RiskTerms()], ids=["bare", "risk"])
def test_the_parts_are_the_whole(terms: BareTerms | RiskTerms) -> None:
    asked = setup(RsiBands(), jumpy(4, 3_000), jumpy(7, 2_500, symbol="ETH/USDT"), terms=terms)
    result = backtest(asked)
    found = statistics(asked, result)
    for parts in (found.by_context, found.by_symbol, found.by_reason):
        assert sum(each.net for each in parts.values()) == pytest.approx(found.trades.net)
        assert sum(each.trades for each in parts.values()) == found.trades.trades == len(result.trades) > 20
    assert found.account.gain == pytest.approx(result.net / result.cash)
    assert found.trades.gross_profit - found.trades.gross_loss == pytest.approx(found.trades.net)
    assert 0 < found.exposure < 1
    assert 0 < found.in_market < 1
    assert found.curve.at_ms[0] == to_millis(datetime(2024, 1, 1, tzinfo=UTC))
    assert len(found.curve.at_ms) == len(found.hold_curve.at_ms) == 126


def test_a_run_that_lost_most_of_its_cash_says_so_by_its_drawdown() -> None:
    """As the prior state did not, which called 1.2 % the drawdown of a run that lost 62 %."""
    asked = setup(SmaCross(fast=2, slow=3), jumpy(9, 800), model=FillModel(fee=Decimal("0.01")))
    result = backtest(asked)
    found = statistics(asked, result)
    assert result.final_equity < 0.38 * result.cash
    assert found.account.gain < -0.62
    assert found.account.drawdown
    assert found.account.drawdown.depth >= -found.account.gain
    assert found.account.drawdown.recovered_at is None
    assert found.account.worst_day
    assert found.account.worst_day < 0
