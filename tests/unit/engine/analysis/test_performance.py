"""Figures of trades and equity."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import performance

MONEY = st.decimals(min_value=1, max_value=10**6, places=2)


def test_a_trade_is_won_by_what_it_made_after_fees() -> None:
    assert performance.win_rate([Decimal(30), Decimal(-10), Decimal(0), Decimal(10)]) == 0.5


def test_without_trades_there_is_no_win_rate() -> None:
    assert performance.win_rate([]) is None


def test_the_deepest_fall_counts_from_the_peak_before_it() -> None:
    equity = [Decimal(value) for value in (100, 120, 90, 130, 117)]
    assert performance.max_drawdown(equity) == Decimal("0.25")


def test_an_equity_that_never_fell_or_does_not_exist_has_no_drawdown() -> None:
    assert performance.max_drawdown([Decimal(1), Decimal(2)]) == 0
    assert performance.max_drawdown([]) == 0


@given(st.lists(MONEY, min_size=1, max_size=30))
def test_a_drawdown_is_a_share_of_the_peak_and_no_less_than_the_last_one(equity: list[Decimal]) -> None:
    drawdown = performance.max_drawdown(equity)
    assert 0 <= drawdown < 1
    assert drawdown >= (max(equity) - equity[-1]) / max(equity)
