"""Shorter candles in the place of longer ones: where they tell all of one the price goes along them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.domain.market import Candles, Timeframe, from_millis
from engine.simulation import path
from engine.simulation.finer import Told, told, woven
from engine.simulation.frames import Series, resample
from engine.simulation.intrabar import Intrabar
from tests.fakes.series import walk

SHORT = walk(5, 240, timeframe=Timeframe.M15)
LONG = resample(SHORT, Timeframe.H1)
HOUR = Timeframe.H1.millis


def without(candles: Candles, *rows: int) -> Candles:
    kept = np.delete(np.arange(len(candles)), rows)
    names = ("open_ms", "open", "high", "low", "close", "volume")
    return replace(candles, **{name: getattr(candles, name)[kept] for name in names})


def all_points(series: Series) -> list[tuple[int, float]]:
    begin, end = int(LONG.open_ms[0]), int(LONG.open_ms[-1]) + HOUR
    return series.turning_points(from_millis(begin - 1), from_millis(end))


@pytest.mark.parametrize("rule", Intrabar)
def test_where_all_are_there_the_path_is_that_of_the_shorter_ones(rule: Intrabar) -> None:
    followed, alone = Series(LONG, rule, SHORT), Series(SHORT, rule)
    assert all_points(followed) == all_points(alone)
    for at in range(int(LONG.open_ms[3]), int(LONG.open_ms[7]), 137_000):
        assert followed.price(from_millis(at)) == alone.price(from_millis(at))


def test_where_one_is_missing_the_longer_candle_is_followed_and_no_jump_is_made_of_it() -> None:
    shorter = without(SHORT, 9, 10, 40)
    assert [row for row, each in enumerate(told(LONG, shorter)) if each == Told.GAPS] == [2, 10]
    points, own = all_points(Series(LONG, shorter=shorter)), all_points(Series(LONG))
    for row in (2, 10):
        begin, end = int(LONG.open_ms[row]), int(LONG.open_ms[row]) + HOUR
        assert [each for each in points if begin < each[0] < end] == [each for each in own if begin < each[0] < end]
    assert points[-1] == own[-1]
    times = [at for at, _ in points]
    assert times == sorted(times)
    (jump,) = [at for at, count in zip(*np.unique(times, return_counts=True), strict=True) if count > 2] or [None]
    assert jump is None


def test_shorter_candles_of_something_else_are_not_followed() -> None:
    other = replace(SHORT, high=SHORT.high * np.where(np.arange(len(SHORT)) == 21, 1.01, 1.0))
    assert [row for row, each in enumerate(told(LONG, other)) if each == Told.ANOTHER] == [5]
    assert all_points(Series(LONG, shorter=other))[20:] != all_points(Series(SHORT))[20:]
    assert (woven(LONG, replace(SHORT, open=SHORT.open * 2, high=SHORT.high * 2)).spans == HOUR).all()


def test_those_that_end_early_or_begin_late_are_followed_as_far_as_they_go() -> None:
    known = told(LONG, SHORT.cut(6, 101))
    assert np.flatnonzero(known == Told.ALL).tolist() == list(range(2, 25))
    assert (told(LONG, SHORT.cut(0, 0)) == Told.GAPS).all()


def test_a_candle_that_cannot_be_is_missing() -> None:
    broken = replace(SHORT, low=np.where(np.arange(len(SHORT)) == 13, np.nan, SHORT.low))
    assert told(LONG, broken)[3] == Told.GAPS


def test_volumes_and_candles_stay_those_that_are_traded_on() -> None:
    followed, alone, now = Series(LONG, shorter=SHORT), Series(LONG), from_millis(int(LONG.open_ms[20]) + 1_000)
    assert followed.volume(now) == alone.volume(now)
    assert followed.closed(Timeframe.H1, now, 5).close.tolist() == alone.closed(Timeframe.H1, now, 5).close.tolist()
    assert path.price_at(LONG, int(LONG.open_ms[20])) == followed.price(from_millis(int(LONG.open_ms[20])))
