"""Figures of trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import performance
from engine.domain.positions import Position
from engine.domain.results import Tally
from tests.fakes import reports

NETS = [Decimal(net) for net in (30, -10, -5, 0, -20, -1, -2, 40)]


def trade(number: int, net: int, *, hours: int = 1, **changes: object) -> Position:
    """A closed trade that cost 100, without fees."""
    return reports.closed_position(
        id=f"T{number}",
        realised=Decimal(net),
        fees=Decimal(0),
        cost=Decimal(100),
        closed_at=reports.ANSWERED + timedelta(hours=hours),
        **changes,
    )


TRADES = [
    trade(1, 30, hours=4, closed_by="target"),
    trade(2, -10, closed_by="stop"),
    trade(3, -5, hours=3, closed_by="stop", symbol="ETH/USDT"),
    trade(4, 20, hours=2, closed_by="exit", symbol="ETH/USDT", context="eth_reversion"),
]


def test_what_somebody_else_traded_is_counted_apart() -> None:
    theirs = [trade(8, 50, context="external", symbol="SOL/USDT"), trade(9, -70, context="external")]
    among = [theirs[0], *TRADES, theirs[1]]
    counted, stats = performance.performance(among, "USDT"), performance.trade_stats(among, "USDT")
    assert (counted.external.trades, counted.external.won, counted.external.net) == (2, 1, -20)
    assert stats.external == counted.external
    alone, stats_alone = performance.performance(TRADES, "USDT"), performance.trade_stats(TRADES, "USDT")
    assert (counted.total, counted.markets, counted.contexts) == (alone.total, alone.markets, alone.contexts)
    assert replace(stats, external=stats_alone.external) == stats_alone


def test_what_a_trade_brings_is_the_mean_of_all() -> None:
    assert performance.expectancy(NETS) == 4
    assert performance.expectancy([]) is None


@given(nets=st.lists(st.integers(-(10**6), 10**6).map(Decimal), min_size=1))
def test_that_mean_is_win_rate_by_mean_win_less_loss_rate_by_mean_loss(nets: list[Decimal]) -> None:
    won, lost = [net for net in nets if net > 0], [-net for net in nets if net < 0]
    mean_win, mean_loss = (sum(each, Decimal(0)) / max(1, len(each)) for each in (won, lost))
    expected = mean_win * len(won) / len(nets) - mean_loss * len(lost) / len(nets)
    assert performance.expectancy(nets) == pytest.approx(expected)


def test_the_profit_factor_is_what_was_won_for_each_unit_lost() -> None:
    assert performance.profit_factor([Decimal(30), Decimal(-10), Decimal(-10)]) == Decimal("1.5")
    assert performance.profit_factor([Decimal(-10)]) == 0
    assert performance.profit_factor([Decimal(10)]) is None
    assert performance.profit_factor([]) is None


def test_a_losing_streak_ends_with_whatever_is_no_loss() -> None:
    assert performance.losing_streak(NETS) == 3
    assert performance.losing_streak([Decimal(1)]) == performance.losing_streak([]) == 0


def test_trades_are_counted_by_market_and_by_context_the_best_first() -> None:
    report = performance.performance(TRADES, "USDT")
    assert report.total == Tally(trades=4, won=2, net=Decimal(35), cost=Decimal(400))
    assert [(name, each.trades, each.won, each.net) for name, each in report.markets] == [
        ("BTC/USDT", 2, 1, 20),
        ("ETH/USDT", 2, 1, 15),
    ]
    assert [(name, each.net, each.share) for name, each in report.contexts] == [
        ("eth_reversion", 20, Decimal("0.2")),
        ("btc_momentum", 15, Decimal("0.05")),
    ]


def test_per_cent_of_trades_of_which_one_has_no_known_cost_is_not_made_up() -> None:
    """Those of versions before the cost was kept."""
    assert performance.tally([*TRADES, reports.closed_position(cost=Decimal(0))]).share is None
    assert performance.tally([]) == Tally(trades=0, won=0, net=Decimal(0), cost=Decimal(0))
    assert performance.tally([]).share is None


def test_how_trades_ended() -> None:
    report = performance.trade_stats(TRADES, "USDT")
    assert [(name, each.trades, each.won) for name, each in report.endings] == [
        ("stop", 2, 0),
        ("exit", 1, 1),
        ("target", 1, 1),
    ]
    assert (report.won_after, report.lost_after) == (timedelta(hours=3), timedelta(hours=2))
    assert (report.best, report.worst) == (TRADES[0], TRADES[1])
    assert (report.losing_streak, report.profit_factor) == (2, Decimal(50) / 15)


def test_losses_in_a_row_are_of_one_strategy_as_alerts_count_them() -> None:
    """Another one may win between them, or lose beside them."""
    contexts, nets = "abaab", (-1, 5, -2, -3, 4)
    trades = [
        reports.closed_position(context=context, realised=Decimal(net), fees=Decimal(0))
        for context, net in zip(contexts, nets, strict=True)
    ]
    report = performance.trade_stats(trades, "USDT")
    assert (report.losing_streak, report.losing_context) == (3, "a")
    won = performance.trade_stats(trades[1:2], "USDT")
    assert (won.losing_streak, won.losing_context) == (0, "")


def test_without_trades_nothing_is_made_up() -> None:
    report = performance.trade_stats([], "USDT")
    assert (report.expectancy, report.profit_factor, report.best, report.worst) == (None, None, None, None)
    assert (report.won_after, report.lost_after, report.losing_streak) == (None, None, 0)
