"""The strategy on predictions: what of them makes it buy and leave, and that without one it does neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from engine.ai.alignment import outlook_of
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.decisions import Signals
from engine.domain.errors import ConfigError
from engine.domain.market import Listing, Timeframe
from engine.domain.positions import Position
from engine.domain.predictions import Trend, TrendOutlook, TrendPrediction
from engine.ports import Frames
from engine.strategies.ai_trend import AITrend
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.momentum import Momentum
from engine.strategies.outlooks import why_unknown, with_outlook
from engine.strategies.reading_ahead import ReadingAhead, read_ahead
from tests.fakes.series import walk

SERIES = walk(3, 120, sigma=0.004)
NOW = SERIES.closed_at
ALL = (Timeframe.H1, Timeframe.H4, Timeframe.D1)
UP, DOWN, NEITHER = Trend.BULLISH, Trend.BEARISH, Trend.NEUTRAL


def expected(sides: Mapping[Timeframe, Trend], at: datetime = NOW, move: float = 0.05) -> TrendOutlook:
    """What predictions that were made at the last close of each timeframe come to now."""
    made = {
        each: TrendPrediction(
            venue="paper",
            symbol="BTC/USDT",
            timeframe=each,
            at=each.floor(at),
            made_at=each.floor(at),
            direction=side,
            expected_move=0.0 if side is NEITHER else move if side is UP else -move,
            horizon=3,
            by="a model",
            is_offline=False,
        )
        for each, side in sides.items()
    }
    return outlook_of(Listing("paper", "BTC/USDT"), ALL, made, NOW)


def seen(outlook: TrendOutlook | None, before: TrendOutlook | None = None) -> Frames:
    return with_outlook(TechnicalAnalyzer().frames({Timeframe.H1: SERIES}), Timeframe.H1, outlook, before)


def said(outlook: TrendOutlook | None) -> Signals:
    return AITrend().generate_signals(seen(outlook))


def left(outlook: TrendOutlook | None) -> Sequence[str]:
    """Why it leaves what was bought a candle ago."""
    held = Position(
        venue="paper",
        id="P1",
        context="ai",
        symbol="BTC/USDT",
        quantity=Decimal(1),
        entry_price=Decimal(100),
        opened_at=NOW - timedelta(hours=1),
    )
    return [each.reason for each in AITrend().update_positions([held], seen(outlook))]


def test_a_rise_that_all_expect_is_bought_with_stop_and_target_in_atrs():
    signals = said(expected(dict.fromkeys(ALL, UP)))
    assert signals.trigger == "a rise is expected: +5.0%, alignment +1.00"
    atr = seen(None)[Timeframe.H1].signals.atr
    assert (signals.stop_distance, signals.target_distance) == (pytest.approx(2 * atr), pytest.approx(4 * atr))
    held = {each.name: each.holds for each in signals.conditions}
    assert held["rise expected on 1h"]
    assert held["rise expected on 1d"]
    assert held["predictions agree"]
    assert held["move is worth it"]


def test_the_less_they_agree_and_expect_the_lower_is_its_confidence():
    whole = said(expected(dict.fromkeys(ALL, UP)))
    mixed = said(expected({Timeframe.H1: NEITHER, Timeframe.H4: UP, Timeframe.D1: UP}))
    split = said(expected({Timeframe.H1: UP, Timeframe.H4: DOWN, Timeframe.D1: UP}))
    small = said(expected(dict.fromkeys(ALL, UP), move=0.0001))
    assert all(each.triggered for each in (whole, mixed, split, small))
    assert whole.confidence > mixed.confidence > split.confidence
    assert whole.confidence > small.confidence


@pytest.mark.parametrize("side", [DOWN, NEITHER])
def test_what_is_not_expected_to_rise_is_not_bought(side: Trend):
    assert not said(expected(dict.fromkeys(ALL, side))).triggered


def test_it_leaves_where_a_fall_is_expected_and_nowhere_else():
    assert left(expected(dict.fromkeys(ALL, DOWN))) == ["a fall is expected: -5.0%, alignment -1.00"]
    assert left(expected(dict.fromkeys(ALL, NEITHER))) == []
    assert left(expected(dict.fromkeys(ALL, UP))) == []


NONE, LATE = expected({}), expected(dict.fromkeys(ALL, UP), NOW - timedelta(days=9))
LATE_FALL = expected(dict.fromkeys(ALL, DOWN), NOW - timedelta(days=9))


@pytest.mark.parametrize("outlook", [None, NONE, LATE, LATE_FALL])
def test_without_a_prediction_of_now_it_neither_buys_nor_leaves_and_says_why(outlook: TrendOutlook | None):
    assert not said(outlook).triggered
    assert said(outlook).confidence <= 0.25, "what it sees of prices alone is left"
    assert left(outlook) == []
    assert why_unknown(outlook)


def test_why_nothing_is_expected_is_told_by_timeframe():
    assert why_unknown(None).startswith("nothing is predicted")
    assert why_unknown(NONE).startswith("there is no prediction of now: 1h: none was made yet; 4h:")
    assert "1h: it was due anew 215.0 h ago" in why_unknown(LATE)
    assert why_unknown(expected({Timeframe.H1: UP})) == ""


def test_a_late_prediction_of_one_timeframe_counts_nothing_beside_those_of_now():
    late = expected({Timeframe.H1: DOWN}, NOW - timedelta(days=9)).predictions
    now = expected({Timeframe.H4: UP, Timeframe.D1: UP})
    both = replace(now, predictions=(*late, *now.predictions))
    signals = said(both)
    assert signals.triggered
    (hourly,) = [each for each in signals.conditions if each.name == "rise expected on 1h"]
    assert (hourly.holds, hourly.detail) == (False, "the 1h prediction is not known")


@pytest.mark.parametrize("side", [DOWN, NEITHER])
def test_a_rise_is_bought_when_it_begins_to_be_expected_and_not_at_every_close(side: Trend):
    rise, other = expected(dict.fromkeys(ALL, UP)), expected(dict.fromkeys(ALL, side))
    assert AITrend().generate_signals(seen(rise, other)).triggered
    assert AITrend().generate_signals(seen(rise, NONE)).triggered, "nothing was known a close ago"
    assert not AITrend().generate_signals(seen(rise, rise)).triggered


def test_only_the_newest_two_rows_are_told():
    rise, fall = expected(dict.fromkeys(ALL, UP)), expected(dict.fromkeys(ALL, DOWN))
    columns = AITrend().columns(seen(rise, fall))
    assert np.flatnonzero(columns.entry).tolist() == [len(SERIES) - 1]
    assert np.flatnonzero(columns.exit).tolist() == [len(SERIES) - 2]


def test_it_is_never_read_ahead():
    contexts = [
        StrategyContext(name=each.name, venue="paper", strategy=each, markets=("BTC/USDT",), timeframe=Timeframe.H1)
        for each in (AITrend(), Momentum())
    ]
    ahead = [type(each.strategy) for each in read_ahead(StrategyContexts(contexts=tuple(contexts)))]
    assert ahead == [AITrend, ReadingAhead]


def test_an_alignment_that_nothing_can_pass_is_refused():
    with pytest.raises(ConfigError, match="min_alignment"):
        AITrend(min_alignment=1.0)
