from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import NoData
from engine.domain.market import Timeframe, from_millis
from engine.simulation.frames import Series, resample
from tests.fakes.feed import START, hand_candles


def test_a_longer_candle_is_made_of_the_short_ones_in_it() -> None:
    rows = [(10, 12, 9, 11, 1), (11, 15, 11, 14, 2), (14, 14, 7, 8, 3), (8, 9, 8, 9, 4), (9, 9, 9, 9, 5)]
    longer = resample(hand_candles(rows), Timeframe.H4)
    assert longer.timeframe is Timeframe.H4
    columns = (longer.open, longer.high, longer.low, longer.close, longer.volume)
    assert [[float(c[i]) for c in columns] for i in range(2)] == [[10, 15, 7, 9, 10], [9, 9, 9, 9, 5]]


def test_history_that_begins_within_a_longer_candle_leaves_that_one_out() -> None:
    candles = hand_candles([(10, 12, 9, 11, 1)] * 8, start=START + timedelta(hours=3))
    assert [from_millis(ms) for ms in resample(candles, Timeframe.H4).open_ms] == [
        START + timedelta(hours=4),
        START + timedelta(hours=8),
    ]
    assert len(resample(candles, Timeframe.D1)) == 0


def test_missing_candles_are_tolerated() -> None:
    row = (10, 12, 9, 11, 1)
    longer = resample(hand_candles([row, None, row, row, None, None, None, None, None, row]), Timeframe.H4)
    assert longer.volume.tolist() == [3, 1]


def test_weeks_begin_on_monday() -> None:
    sunday = datetime(2024, 1, 7, tzinfo=UTC)
    candles = hand_candles([(10, 12, 9, 11, 1)] * 30, timeframe=Timeframe.D1, start=sunday)
    assert from_millis(int(resample(candles, Timeframe.W1).open_ms[0])) == datetime(2024, 1, 8, tzinfo=UTC)


def test_shorter_candles_cannot_be_made() -> None:
    with pytest.raises(NoData, match="none of 1m"):
        resample(hand_candles([(10, 12, 9, 11, 1)]), Timeframe.M1)


def test_a_longer_candle_is_closed_only_when_its_whole_span_has_passed() -> None:
    series = Series(hand_candles([(10, 12, 9, 11, 1)] * 12))
    almost = START + timedelta(hours=8) - timedelta(milliseconds=1)
    assert len(series.closed(Timeframe.H4, almost, 10)) == 1
    assert len(series.closed(Timeframe.H4, START + timedelta(hours=8), 10)) == 2


def test_only_the_newest_are_given() -> None:
    series = Series(hand_candles([(10, 12, 9, 11, volume) for volume in range(12)]))
    assert series.closed(Timeframe.H1, START + timedelta(hours=9), 3).volume.tolist() == [6, 7, 8]
    assert len(series.closed(Timeframe.H1, START, 3)) == 0


def test_the_volume_is_that_of_the_last_closed_candle() -> None:
    series = Series(hand_candles([(10, 12, 9, 11, 1.5), (10, 12, 9, 11, 2.5), (10, 12, 9, 11, np.nan)]))
    hours = [series.volume(START + timedelta(hours=h)) for h in (0, 1, 1.5, 2, 3)]
    assert hours == [None, Decimal("1.5"), Decimal("1.5"), Decimal("2.5"), None]


@given(st.lists(st.none() | st.floats(1, 100), min_size=5, max_size=60), st.integers(0, 30))
def test_what_is_closed_does_not_hang_on_what_comes_later(volumes: list[float | None], hour: int) -> None:
    rows = [None if volume is None else (10, 12, 9, 11, volume) for volume in [1.0, *volumes]]
    now = START + timedelta(hours=hour)
    whole, known = (Series(hand_candles(part)) for part in (rows, [rows[0], *rows[1:hour]]))
    a, b = (series.closed(Timeframe.H4, now, 100) for series in (whole, known))
    assert a.open_ms.tolist() == b.open_ms.tolist()
    assert a.volume.tolist() == b.volume.tolist()
