"""Strategy contexts, alone and side by side."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum

HOURLY = StrategyContext(
    name="momentum-1h", venue="paper", strategy=Momentum(), markets=("BTC/USDT", "ETH/USDT"), timeframe=Timeframe.H1
)
SLOW = StrategyContext(
    name="dips-4h",
    venue="paper",
    strategy=MeanReversion(timeframe=Timeframe.H4, higher=(Timeframe.D1, Timeframe.W1)),
    markets=("BTC/USDT",),
    timeframe=Timeframe.H4,
)


def test_a_context_is_due_when_a_candle_of_its_own_closes() -> None:
    both = StrategyContexts(contexts=(HOURLY, SLOW))
    assert both.due(datetime(2024, 1, 1, 4, tzinfo=UTC)) == (HOURLY, SLOW)
    assert both.due(datetime(2024, 1, 1, 5, tzinfo=UTC)) == (HOURLY,)
    assert both.due(datetime(2024, 1, 1, 5, 30, tzinfo=UTC)) == ()


def test_contexts_keep_their_order() -> None:
    both = StrategyContexts(contexts=(SLOW, HOURLY))
    assert list(both) == [SLOW, HOURLY]
    assert len(both) == 2


def test_two_contexts_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="momentum-1h"):
        StrategyContexts(contexts=(HOURLY, HOURLY))


@pytest.mark.parametrize(
    ("name", "markets", "timeframe", "wrong"),
    [
        ("", ("BTC/USDT",), Timeframe.H1, "needs a name"),
        ("a", (), Timeframe.H1, "at least one market"),
        ("a", ("BTC/USDT", "BTC/USDT"), Timeframe.H1, "twice"),
        ("a", ("BTC/USDT",), Timeframe.H4, "strategy on 1h"),
    ],
)
def test_a_context_that_cannot_work_is_refused(
    name: str, markets: tuple[str, ...], timeframe: Timeframe, wrong: str
) -> None:
    with pytest.raises(ConfigError, match=wrong):
        StrategyContext(name=name, venue="paper", strategy=Momentum(), markets=markets, timeframe=timeframe)
