"""What sets each strategy off, what makes it leave, and which parameters it refuses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe
from engine.domain.positions import Position
from engine.ports import Frames
from engine.strategies.base import StrategyBase
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.series import candles


def on(closes: np.ndarray) -> Frames:
    """Hourly frames of candles without wicks that open where the last one closed."""
    opens = np.append(closes[0], closes[:-1])
    highs, lows = np.maximum(opens, closes), np.minimum(opens, closes)
    series = candles(opens=opens, highs=highs, lows=lows, closes=closes, volumes=np.full(len(closes), 70.0))
    return TechnicalAnalyzer().frames({Timeframe.H1: series})


def fires(strategy: StrategyBase, closes: np.ndarray, last: int) -> list[int]:
    """At how many candles from the end the strategy fires, looking at the last few."""
    return [back for back in range(last) if strategy.generate_signals(on(closes[: len(closes) - back])).triggered]


def held(frames: Frames, candles_ago: int) -> Position:
    return Position(
        venue="paper",
        id="P1",
        context="test",
        symbol="BTC/USDT",
        quantity=Decimal(1),
        entry_price=Decimal(100),
        opened_at=frames[Timeframe.H1].signals.at - timedelta(hours=candles_ago),
    )


def swinging(count: int = 260) -> np.ndarray:
    return 100 + 0.5 * np.sin(np.arange(count))


VALLEY = np.concatenate((np.linspace(130, 100, 220), np.linspace(100, 130, 60)))
HILL = np.concatenate((np.linspace(100, 130, 220), np.linspace(130, 100, 60)))


def test_the_cross_fires_once_after_a_valley_and_never_after_a_hill() -> None:
    assert len(fires(MovingAverageCross(), VALLEY, 60)) == 1
    assert fires(MovingAverageCross(), HILL, 60) == []


def test_the_cross_is_that_of_the_lengths_it_was_given() -> None:
    early, late = (fires(MovingAverageCross(fast=f, slow=s), VALLEY, 60)[0] for f, s in ((5, 20), (20, 50)))
    assert early > late


def test_the_cross_leaves_when_the_fast_mean_is_below_again() -> None:
    frames = on(HILL)
    exits = MovingAverageCross().update_positions([held(frames, 1)], frames)
    assert [leave.reason for leave in exits] == ["the 20-candle mean fell below the 50-candle mean"]


def test_momentum_fires_when_a_breakout_begins_and_not_while_it_goes_on() -> None:
    breaking_out = np.append(swinging(), [103, 104, 105, 106])
    assert 3 in fires(Momentum(), breaking_out, 4)
    assert not {0, 1, 2} & set(fires(Momentum(), breaking_out, 4))


def test_momentum_leaves_when_it_is_gone() -> None:
    frames = on(np.append(swinging(), [98, 96, 94]))
    assert "momentum is gone" in Momentum().update_positions([held(frames, 1)], frames)[0].reason


def test_mean_reversion_fires_when_the_price_comes_back_into_the_bands() -> None:
    assert fires(MeanReversion(), np.append(swinging(), [96, 99]), 1) == [0]
    assert fires(MeanReversion(), np.append(swinging(), [96]), 1) == []


def test_mean_reversion_leaves_at_the_mean_and_not_before() -> None:
    strategy = MeanReversion()
    below, back = on(np.append(swinging(), [96, 98])), on(np.append(swinging(), [96, 98, 101]))
    assert strategy.update_positions([held(below, 1)], below) == ()
    assert "back at the 20-candle mean" in strategy.update_positions([held(back, 1)], back)[0].reason


def test_the_bare_cross_is_in_from_cross_to_cross_with_neither_stop_nor_time_limit() -> None:
    strategy = SmaCross()
    [back] = fires(strategy, VALLEY, 60)
    signals = strategy.generate_signals(on(VALLEY[: len(VALLEY) - back]))
    assert (signals.confidence, signals.stop_distance, signals.target_distance) == (1.0, None, None)
    rising, falling = on(VALLEY), on(HILL)
    assert strategy.update_positions([held(rising, 5000)], rising) == ()
    assert "fell below" in strategy.update_positions([held(falling, 1)], falling)[0].reason


def test_the_bare_cross_needs_no_more_candles_than_its_slow_mean_and_one_more() -> None:
    closes = np.array([3.0, 2.0, 1.0, 4.0])
    assert SmaCross(fast=1, slow=3).generate_signals(on(closes)).triggered
    assert not SmaCross(fast=1, slow=4).generate_signals(on(closes)).triggered


def test_the_bare_cross_can_be_given_a_stop() -> None:
    frames = on(VALLEY)
    signals = SmaCross(stop_atr=2.0, target_atr=6.0).generate_signals(frames)
    assert signals.stop_distance == 2 * (frames[Timeframe.H1].signals.atr or 0)


def test_rsi_bands_are_in_while_oversold_and_out_when_overbought() -> None:
    falling = np.append(swinging(), np.linspace(100, 90, 12))
    assert fires(RsiBands(), falling, 4) == [0, 1, 2, 3]
    assert RsiBands().update_positions([held(on(falling), 1)], on(falling)) == ()
    rising = on(np.append(swinging(), np.linspace(100, 110, 12)))
    assert "is above 70" in RsiBands().update_positions([held(rising, 1)], rising)[0].reason
    signals = RsiBands().generate_signals(on(falling))
    assert signals.target_distance == pytest.approx(2 * (signals.stop_distance or 0))


def test_rsi_bands_speak_from_the_first_rsi_on() -> None:
    closes = np.linspace(100, 90, 15)
    assert RsiBands().generate_signals(on(closes)).triggered
    assert not RsiBands().generate_signals(on(closes[:14])).triggered


def test_a_position_leaves_when_its_time_is_up_and_says_so() -> None:
    frames = on(np.append(swinging(), [96, 98]))
    strategy = MeanReversion(max_candles=24)
    assert strategy.update_positions([held(frames, 23)], frames) == ()
    assert strategy.update_positions([held(frames, 24)], frames)[0].reason == "held for 24 candles, at most 24"


def test_stop_and_target_follow_the_atr() -> None:
    frames = on(swinging())
    signals = Momentum(stop_atr=1.0, target_atr=4.0).generate_signals(frames)
    assert signals.stop_distance == frames[Timeframe.H1].signals.atr
    assert signals.target_distance == pytest.approx(4 * frames[Timeframe.H1].signals.atr)


@pytest.mark.parametrize(
    ("strategy", "params", "rule"),
    [
        (MovingAverageCross, {"fast": 50, "slow": 20}, "fast must be"),
        (Momentum, {"breakout": 0}, "breakout must be"),
        (SmaCross, {"fast": 50}, "fast must be"),
        (RsiBands, {"rsi_high": 20.0}, "rsi_low must be"),
        (RsiBands, {"stop_atr": -1.0}, "stop_atr and target_atr must"),
        (SmaCross, {"stop_atr": 2.0}, "go together"),
        (MeanReversion, {"rsi_low": 80.0}, "rsi_low must be"),
        (Momentum, {"stop_atr": 0.0}, "stop_atr and target_atr"),
        (Momentum, {"max_candles": 0}, "max_candles must be"),
        (Momentum, {"timeframe": Timeframe.D1}, "longer than 1d"),
    ],
)
def test_parameters_that_cannot_work_are_refused(
    strategy: type[StrategyBase], params: dict[str, Any], rule: str
) -> None:
    with pytest.raises(ConfigError, match=rule):
        strategy(**params)


@pytest.mark.parametrize("strategy", [MovingAverageCross, Momentum, MeanReversion, SmaCross, RsiBands])
def test_configuration_can_check_and_make_it_by_its_types(strategy: type[StrategyBase]) -> None:
    adapter = TypeAdapter(strategy)
    made = adapter.validate_python({"timeframe": "4h", "higher": ["1d"], "stop_atr": 1.5, "target_atr": 4})
    assert made == strategy(timeframe=Timeframe.H4, higher=(Timeframe.D1,), stop_atr=1.5, target_atr=4.0)
    with pytest.raises(ValidationError, match="stop_atr"):
        adapter.validate_python({"stop_atr": "wide"})
