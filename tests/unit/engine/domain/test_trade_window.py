"""Which candles show a trade: all of it, on its own timeframe where there is room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.domain.market import Timeframe
from engine.domain.trade_window import MOST, windows

NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_short_trade_is_shown_on_its_own_timeframe_with_what_was_around_it():
    first = next(windows(NOON, NOON + 10 * HOUR, NOON + 100 * HOUR, "1h"))
    assert (first.timeframe, first.until, first.count) == (Timeframe.H1, NOON + 18 * HOUR, 42)


def test_an_open_trade_is_shown_until_now_and_a_closed_one_no_further():
    assert next(windows(NOON, None, NOON + 10 * HOUR, "1h")).until == NOON + 10 * HOUR
    assert next(windows(NOON, NOON + HOUR, NOON + 2 * HOUR, "1h")).until == NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("hours", "timeframe"), [(118, Timeframe.H1), (119, Timeframe.H4), (480, Timeframe.D1), (10**5, Timeframe.W1)]
)
def test_a_trade_that_is_too_long_for_its_own_is_shown_on_longer_ones(hours: int, timeframe: Timeframe):
    found = list(windows(NOON, None, NOON + hours * HOUR, "1h"))
    assert found[0].timeframe is timeframe
    assert all(window.count <= MOST for window in found)


def test_where_the_venue_has_forgotten_longer_candles_are_next():
    assert [window.timeframe for window in windows(NOON, NOON + HOUR, NOON + 2 * HOUR, "4h")] == ["4h", "1d", "1w"]


@pytest.mark.parametrize("unknown", ["", "7m"])
def test_a_trade_of_an_unknown_timeframe_is_shown_on_the_shortest_with_room(unknown: str):
    assert next(windows(NOON, NOON + HOUR, NOON + 2 * HOUR, unknown)).timeframe is Timeframe.M1
    assert next(windows(NOON, NOON + 10 * HOUR, NOON + 20 * HOUR, unknown)).timeframe is Timeframe.M15
