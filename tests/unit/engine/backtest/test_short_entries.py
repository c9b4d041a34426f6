"""Entries that fell short of the confidence they take: as many as a plain loop counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.backtest.kernel_run import backtest
from engine.backtest.people import SimulatedPeople
from engine.backtest.setup import BacktestSetup, RiskTerms
from engine.backtest.slots import slots_of
from engine.domain.backtests import BacktestResult
from engine.domain.market import from_millis
from engine.strategies.mean_reversion import MeanReversion
from tests.fakes.backtests import jumpy, setup

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]


def asked_of(confidence: float, people: SimulatedPeople | None = None) -> BacktestSetup:
    series = (jumpy(11, 900), jumpy(12, 700, symbol="ETH/USDT"))
    terms = RiskTerms(confidence=confidence, people=people)
    return setup(MeanReversion(higher=()), *series, terms=terms, start=datetime(2024, 1, 8, 5, tzinfo=UTC))


def counted(asked: BacktestSetup, result: BacktestResult) -> int:
    number = 0
    for slot in slots_of(asked):
        own = [each for each in result.trades if each.symbol == slot.symbol]
        still = [each.opened_at for each in result.held if each.symbol == slot.symbol]
        for row, opened in enumerate(slot.open_ms):
            at = from_millis(int(opened)) + slot.context.timeframe.duration
            is_held = any(each.opened_at < at <= each.closed_at for each in own) or any(each < at for each in still)
            if result.begins <= at < result.ends and not is_held and slot.said.entry[row]:
                number += slot.said.confidence[row] < asked.terms.confidence
    return number


def test_as_many_as_a_plain_loop_counts() -> None:
    found = {}
    for confidence in (0.0, 0.6, 0.9):
        asked = asked_of(confidence)
        result = backtest(asked)
        found[confidence] = result.short_entries
        assert found[confidence] == counted(asked, result)
        assert len(result.trades) > 5 or confidence > 0.6
    assert found[0.0] == 0 < found[0.6] < found[0.9]


def test_where_confidence_does_not_decide_nothing_is_counted() -> None:
    assert backtest(asked_of(0.6, SimulatedPeople())).short_entries is None
    assert backtest(setup(MeanReversion(higher=()), jumpy(11, 300))).short_entries is None
