"""Figures of trades."""

from __future__ import annotations

from decimal import Decimal

from engine.analysis import performance


def test_a_trade_is_won_by_what_it_made_after_fees() -> None:
    assert performance.win_rate([Decimal(30), Decimal(-10), Decimal(0), Decimal(10)]) == 0.5


def test_without_trades_there_is_no_win_rate() -> None:
    assert performance.win_rate([]) is None
