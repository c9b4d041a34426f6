"""A strategy that reads ahead says at every row what it says without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from engine.analysis.indicators import IndicatorSpec
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.market import Candles, Timeframe
from engine.ports import Frames
from engine.simulation.frames import resample
from engine.strategies.base import StrategyBase
from engine.strategies.conditions import ColumnCondition
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.reading_ahead import ReadingAhead
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes.series import walk

pytestmark = pytest.mark.slow

SPECS = (IndicatorSpec(name="ema", parameters={"length": 200}), IndicatorSpec(name="dpo"))
"""One that is reckoned over all candles, and one that is read in a window at each row, for it fills in the past."""
STRATEGIES: tuple[StrategyBase, ...] = (
    MovingAverageCross(),
    Momentum(breakout=5),
    MeanReversion(),
    SmaCross(fast=3, slow=9),
    RsiBands(rsi_low=45.0, rsi_high=55.0),
    Momentum(timeframe=Timeframe.H4, higher=(Timeframe.D1,)),
    MovingAverageCross(
        further=(ColumnCondition(column="close", above="EMA_200"), ColumnCondition(column="DPO_20", above=0.0))
    ),
)
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: type(each).__name__)
WINDOW = 310


class _LooksAtAll(Momentum):
    """Its formulas need every row that there is."""

    looks_back = None


def closes(series: Mapping[Timeframe, Candles], analyzer: TechnicalAnalyzer, own: Timeframe) -> Iterator[Frames]:
    """What is seen at every close, of windows of series that are all there."""
    known: Frames = {}
    for close in series[own].open_ms[60:] + own.millis:
        windows = {
            timeframe: whole.slice(0, int(np.searchsorted(whole.open_ms + timeframe.millis, close, side="right")))
            for timeframe, whole in series.items()
        }
        known = analyzer.frames({timeframe: seen.tail(WINDOW) for timeframe, seen in windows.items() if seen}, known)
        yield known


def series_of(seed: int, count: int = 700) -> dict[Timeframe, Candles]:
    hourly = walk(seed, count, sigma=0.01)
    return {Timeframe.H1: hourly} | {each: resample(hourly, each) for each in (Timeframe.H4, Timeframe.D1)}


@every_strategy
def test_it_says_what_its_strategy_says(strategy: StrategyBase) -> None:
    ahead = ReadingAhead(strategy, rows=50)
    analyzer = TechnicalAnalyzer(indicators=SPECS if strategy.further else ())
    triggered = 0
    count = 360 if strategy.further else 700  # what is read in a window goes through pandas at each row
    for frames in closes(series_of(3, count), analyzer, strategy.timeframe):
        said = ahead.generate_signals(frames)
        assert said == strategy.generate_signals(frames)
        triggered += said.triggered
    assert triggered or count < 700 or strategy.timeframe is not Timeframe.H1


@pytest.mark.parametrize("gone", [Timeframe.H4, Timeframe.D1])
def test_a_longer_candle_that_is_missing_or_late_is_not_read_ahead(gone: Timeframe) -> None:
    strategy = MeanReversion()
    ahead = ReadingAhead(strategy)
    late: Frames = {}
    for number, frames in enumerate(closes(series_of(5), TechnicalAnalyzer(), Timeframe.H1)):
        late = late if number % 50 > 40 else frames  # for nine hours the newest candle does not come
        seen = {**frames, gone: late[gone]} if gone in late else {**frames}
        if number % 70 > 60:
            seen.pop(gone, None)
        assert ahead.generate_signals(seen) == strategy.generate_signals(seen)


def test_candles_that_were_mended_are_a_series_of_their_own() -> None:
    strategy = Momentum(breakout=5)
    ahead, analyzer = ReadingAhead(strategy), TechnicalAnalyzer()
    for number, frames in enumerate(closes(series_of(7, 500), analyzer, Timeframe.H1)):
        own = frames[Timeframe.H1].candles
        mended = {**frames, Timeframe.H1: TechnicalAnalyzer().frame(own.cut(3, len(own)))}
        seen = mended if number % 20 > 10 else frames
        assert ahead.generate_signals(seen) == strategy.generate_signals(seen)


def test_two_markets_do_not_mix() -> None:
    strategy = Momentum(breakout=5)
    ahead = ReadingAhead(strategy)
    one, other = (closes(series_of(seed, 400), TechnicalAnalyzer(), Timeframe.H1) for seed in (1, 2))
    for frames in (each for pair in zip(one, other, strict=True) for each in pair):
        assert ahead.generate_signals(frames) == strategy.generate_signals(frames)


def test_one_that_needs_every_row_reads_nothing_ahead() -> None:
    strategy = _LooksAtAll(breakout=5)
    ahead = ReadingAhead(strategy)
    for frames in closes(series_of(11, 400), TechnicalAnalyzer(), Timeframe.H1):
        assert ahead.generate_signals(frames) == strategy.generate_signals(frames)


def test_what_is_read_ahead_is_not_reckoned_again() -> None:
    """That a block is used at all shows in how often conditions are made."""
    asked = 0

    class Counting(Momentum):
        def conditions(self, sight):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return Momentum.conditions(self, sight)

    ahead = ReadingAhead(Counting(), rows=50)
    count = sum(
        1 for frames in closes(series_of(13), TechnicalAnalyzer(), Timeframe.H1) if ahead.generate_signals(frames)
    )
    assert count > 600
    assert asked < count / 5


def test_how_long_it_is_silent_is_how_long_its_strategy_says_nothing() -> None:
    strategy = RsiBands(rsi_low=40.0, rsi_high=60.0)
    ahead, seen = ReadingAhead(strategy, rows=50), list(closes(series_of(17, 300), TechnicalAnalyzer(), Timeframe.H1))
    for held in (False, True):
        said = [strategy.generate_signals(frames).triggered for frames in seen]
        left = strategy.columns(seen[-1]).exit[-len(seen) :]
        speaks = [entered or (held and bool(leaves)) for entered, leaves in zip(said, left, strict=True)]
        assert any(speaks)
        longest = 0
        for number, frames in enumerate(seen):
            silent = ahead.silent(frames, held=held)
            assert not any(speaks[number : number + silent])
            assert bool(silent) is not speaks[number]
            longest = max(longest, silent)
        assert longest > 10
