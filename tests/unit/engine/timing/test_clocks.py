"""The two clocks."""

from __future__ import annotations

from datetime import UTC, timedelta

from engine.timing.clocks import MarketClock, WallClock
from tests.fakes.feed import START


def test_the_wall_clock_is_aware_and_goes_on():
    clock = WallClock()
    first, second = clock.now(), clock.now()
    assert first.tzinfo is UTC
    assert first <= second
    assert clock.monotonic() <= clock.monotonic()


def test_the_market_clock_moves_only_when_it_is_moved():
    clock = MarketClock(START)
    assert clock.now() == clock.now() == START
    clock.move(timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)


def test_the_market_clock_never_goes_back():
    clock = MarketClock(START)
    clock.move_to(START - timedelta(hours=1))
    assert clock.now() == START


def test_the_market_clock_shows_whole_seconds_and_forgets_no_part_of_them():
    clock = MarketClock(START)
    for _ in range(3):
        clock.move(timedelta(milliseconds=400))
    assert clock.now() == START + timedelta(seconds=1)


def test_wall_seconds_pass_beside_the_market():
    clock = MarketClock(START)
    before = clock.monotonic()
    clock.move(timedelta(days=1))
    assert 0 <= clock.monotonic() - before < 3600
