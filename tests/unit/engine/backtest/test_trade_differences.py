"""Trades of two runs are paired by market and moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.backtest.trade_differences import trade_differences
from engine.domain.backtests import BacktestTrade


def trade(opened: int, closed: int, reason: str = "signal", symbol: str = "BTC/USDT") -> BacktestTrade:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return BacktestTrade(
        context="c",
        symbol=symbol,
        opened_at=begin + timedelta(hours=opened),
        closed_at=begin + timedelta(hours=closed),
        quantity=1.0,
        entry_price=10.0,
        exit_price=11.0,
        fees=0.0,
        slippage=0.0,
        reason=reason,
    )


def test_each_trade_is_in_one_of_four_groups() -> None:
    first = [trade(1, 2), trade(3, 5), trade(6, 7), trade(6, 7, symbol="ETH/USDT"), trade(9, 9, "stop")]
    second = [trade(0, 1), trade(1, 2), trade(3, 4), trade(6, 7, symbol="ETH/USDT"), trade(9, 9, "target")]
    found = trade_differences(first, second)
    assert found.same == ((first[0], second[1]), (first[3], second[3]))
    assert found.other_end == ((first[1], second[2]), (first[4], second[4]))
    assert (found.only_first, found.only_second) == ((first[2],), (second[0],))


def test_two_of_one_moment_are_two_and_the_other_way_round_is_the_other_way_round() -> None:
    first, second = [trade(1, 2), trade(1, 3)], [trade(1, 2)]
    found, turned = trade_differences(first, second), trade_differences(second, first)
    assert (len(found.same), found.only_first, found.only_second) == (1, (first[1],), ())
    assert (turned.only_first, turned.only_second) == (found.only_second, found.only_first)
    assert trade_differences([], []) == trade_differences((), ())
