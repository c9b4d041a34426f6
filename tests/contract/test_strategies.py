"""What every strategy must keep: the rules of ``strategy_contract``, and what the house wants of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.strategy_contract import RULES, Bench, Rule
from engine.domain.decisions import Signals
from engine.domain.market import Candles, Timeframe
from engine.domain.positions import Position
from engine.ports import Frames, Strategy
from engine.strategies.ai_trend import AITrend
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.columns import columns
from tests.fakes.examples import examples
from tests.fakes.series import BEGIN, real, resampled, walk

FILTERED: tuple[Strategy, ...] = (MovingAverageCross(), Momentum(), MeanReversion())
"""Those that ask several things before they enter, and hold nothing for ever."""
STRATEGIES: tuple[Strategy, ...] = (*FILTERED, SmaCross(), RsiBands(), AITrend())
SEEDS = st.integers(0, 2**32 - 1)
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__)
every_filtered = pytest.mark.parametrize("strategy", FILTERED, ids=lambda strategy: type(strategy).__name__)


def frames_of(series: Candles) -> Frames:
    """What a cycle at the newest close would see: only longer candles that have closed."""
    now = series.closed_at
    longer = {timeframe: resampled(series, timeframe).closed(now) for timeframe in (Timeframe.H4, Timeframe.D1)}
    return TechnicalAnalyzer().frames({series.timeframe: series, **longer})


def position(position_id: str, opened_at_candle: int = 0, *, closed: bool = False) -> Position:
    opened_at = BEGIN + timedelta(hours=opened_at_candle)
    return Position(
        venue="paper",
        id=position_id,
        context="test",
        symbol="BTC/USDT",
        quantity=Decimal(1),
        entry_price=Decimal(100),
        opened_at=opened_at,
        closed_at=opened_at if closed else None,
    )


@cache
def seen(seed: int) -> Sequence[Frames]:
    """What the cycles along a walk would see; every strategy looks at the same."""
    series = walk(seed, 500, sigma=0.01)
    return [frames_of(series.slice(max(0, count - 300), count)) for count in range(200, len(series) + 1)]


def triggered_by(strategy: Strategy, seed: int) -> list[Signals]:
    """The signals of every candle of a walk at which the strategy fires."""
    said = (strategy.generate_signals(frames) for frames in seen(seed))
    return [signals for signals in said if signals.triggered]


@pytest.mark.parametrize("rule", RULES[:-2], ids=lambda rule: rule.name)
@every_strategy
@examples(15)
@given(seed=SEEDS, count=st.integers(1, 280), sigma=st.floats(0.001, 0.03))
def test_every_member_keeps_every_rule(  # but two, for which test_strategy_columns is stricter
    *, rule: Rule, strategy: Strategy, seed: int, count: int, sigma: float
) -> None:
    rule.look(strategy, Bench(series=walk(seed, count, sigma=sigma)))


@every_strategy
@examples(25)
@given(seed=SEEDS, count=st.integers(1, 300), sigma=st.floats(0.001, 0.03))
def test_confidence_is_a_share_and_details_are_never_empty(
    *, strategy: Strategy, seed: int, count: int, sigma: float
) -> None:
    signals = strategy.generate_signals(frames_of(walk(seed, count, sigma=sigma)))
    assert 0 <= signals.confidence <= 1
    assert (5 if strategy in FILTERED else 1) <= len(signals.conditions) <= 8
    assert all(condition.name and condition.detail and condition.weight > 0 for condition in signals.conditions)
    assert len({condition.name for condition in signals.conditions}) == len(signals.conditions)


@every_filtered
def test_a_position_is_not_held_for_ever(strategy: Strategy) -> None:
    frames = frames_of(walk(1, 300))
    assert [leave.position_id for leave in strategy.update_positions([position("old")], frames)] == ["old"]


@pytest.mark.xdist_group("walks")
@every_filtered
def test_it_fires_now_and_then_with_stop_and_target_on_their_sides(strategy: Strategy) -> None:
    fired = [signals for seed in range(3) for signals in triggered_by(strategy, seed)]
    assert 0 < len(fired) < 0.2 * 3 * 300
    for signals in fired:
        assert signals.stop_distance is not None
        assert signals.stop_distance > 0
        assert signals.target_distance is not None
        assert signals.target_distance > 0


@every_filtered
def test_without_longer_candles_their_conditions_do_not_hold(strategy: Strategy) -> None:
    frames = frames_of(walk(1, 300))
    alone = strategy.generate_signals({Timeframe.H1: frames[Timeframe.H1]})
    unseen = [condition for condition in alone.conditions if "too few" in condition.detail]
    assert len(unseen) == 2
    assert not any(condition.holds for condition in unseen)


@every_strategy
def test_a_reading_that_is_missing_makes_no_condition_hold(strategy: Strategy) -> None:
    own = frames_of(walk(1, 300))[Timeframe.H1]
    blind = columns({"close": np.full(len(own.candles), 100.0).tolist()})
    signals = strategy.generate_signals({Timeframe.H1: replace(own, columns=blind)})
    assert not signals.triggered
    assert signals.confidence == 0.0
    assert signals.stop_distance is None


@pytest.mark.parametrize("name", ["BTCUSDT-1h", pytest.param("ETHUSDT-1h", marks=pytest.mark.slow)])
def test_on_real_candles_the_confidences_spread_over_all_three_bands(name: str) -> None:
    history = real(name)
    last = int(np.searchsorted(history.open_ms, 1_633_046_400_000))  # 2021-10-01
    analyzer = TechnicalAnalyzer()
    longer = {timeframe: resampled(history, timeframe) for timeframe in (Timeframe.H4, Timeframe.D1)}
    confidences = []
    frames: Frames = {}
    for row in range(last - 24 * 60, last):
        own = history.slice(row - 300, row)
        known = {timeframe: series.closed(own.closed_at).tail(100) for timeframe, series in longer.items()}
        frames = analyzer.frames({Timeframe.H1: own, **known}, frames)
        said = [strategy.generate_signals(frames) for strategy in FILTERED]
        confidences += [signals.confidence for signals in said if signals.triggered]
    shares = np.array(confidences)
    assert 1 <= len(shares) / 60 <= 4
    assert np.mean(shares >= 0.8) > 0.05
    assert np.mean((shares >= 0.55) & (shares < 0.8)) > 0.25
    assert np.mean(shares < 0.55) > 0.2
