"""Candles are asked for and checked once a close: those of longer timeframes when one of theirs has closed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from engine.domain.market import Listing, Timeframe
from tests.fakes.engine import QUIET, engine_room
from tests.fakes.feed import BTC

HERE = Listing("paper", BTC.symbol)


async def test_a_longer_timeframe_is_read_again_once_its_next_candle_has_closed_and_not_before(tmp_path: Path):
    async with engine_room(tmp_path, (QUIET,) * 60) as room:
        asked = []
        for _ in range(9):
            for timeframe in (Timeframe.H1, Timeframe.H4):
                before = room.venue.candles_asked
                candles, report = await room.services.candles.at(HERE, timeframe, room.clock.now())
                assert candles.closed_at > room.clock.now() - timeframe.duration
                assert report.priced
                asked.append((timeframe, room.venue.candles_asked - before))
            room.clock.at += timedelta(hours=1)
        assert [count for timeframe, count in asked if timeframe is Timeframe.H1] == [1] * 9
        assert [count for timeframe, count in asked if timeframe is Timeframe.H4] == [1, 0, 0, 0] * 2 + [1]


async def test_what_was_no_good_is_asked_for_again(tmp_path: Path):
    spike = (100, 100, 60, 60, 10_000)
    async with engine_room(tmp_path, (*(QUIET,) * 23, spike, *(QUIET,) * 30)) as room:
        for count in (1, 2):
            _, report = await room.services.candles.at(HERE, Timeframe.H1, room.clock.now())
            assert not report.usable
            assert room.venue.candles_asked == count
