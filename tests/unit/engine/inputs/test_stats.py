"""The figures that risk is judged by: measured by the cycle, kept, and measured anew where they are missing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.analysis.quality import DataQualityMonitor, QualityLimits
from engine.domain.errors import VenueError
from engine.domain.market import Listing, Timeframe
from engine.inputs.stats import KeptStats
from tests.fakes import feed
from tests.fakes.engine import Room, engine_room

BTC, ETH, H1 = "BTC/USDT", "ETH/USDT", Timeframe.H1
OF_ETH = replace(feed.BTC, symbol=ETH)
WANDERING = tuple(
    (close, close + 1, close - 1, close, 10_000.0) for close in (100 + 3 * math.sin(i * i) for i in range(60))
)
LISTED = Listing("paper", BTC)


async def test_what_the_cycle_has_seen_is_kept(room: Room):
    kept = room.services.stats
    assert kept.last(LISTED, H1) is None
    await room.cycle()
    stats = kept.last(LISTED, H1)
    assert stats is not None
    assert (stats.as_of, stats.symbol) == (room.clock.now(), BTC)
    assert stats.atr == room.services.frames["paper", BTC][H1].signals.atr
    assert kept.last(LISTED, Timeframe.H4) is None


async def test_what_is_kept_is_not_asked_for_again_and_what_is_too_old_is(room: Room):
    await room.cycle()
    asked = room.venue.candles_asked
    room.clock.at += timedelta(hours=2)
    assert (await room.services.stats.current(LISTED, H1)) is not None
    assert room.venue.candles_asked == asked
    room.clock.at += timedelta(hours=1)
    stats = await room.services.stats.current(LISTED, H1)
    assert stats is not None
    assert (stats.as_of, room.venue.candles_asked) == (room.clock.now(), asked + 1)


async def test_after_a_start_they_are_measured_from_the_same_candles(room: Room):
    await room.cycle()
    before = room.services.stats.last(LISTED, H1)
    after = await new(room).current(LISTED, H1)
    assert before is not None
    assert after is not None
    assert (after.as_of, after.atr, after.volatility) == (before.as_of, before.atr, before.volatility)
    assert list(after.returns) == list(before.returns)


async def test_what_is_measured_anew_is_compared_with_the_other_markets_that_are_traded(tmp_path: Path):
    """A restart between a proposal and the decision on it: the record says the same as without one."""
    async with engine_room(tmp_path, {BTC: WANDERING, ETH: WANDERING[::-1]}, markets=(feed.BTC, OF_ETH)) as room:
        await room.cycle()
        before = room.services.stats.last(LISTED, H1)
        traded = tuple((Listing("paper", symbol), H1) for symbol in (BTC, ETH))
        after = await new(room, traded=traded).current(LISTED, H1)
        assert before is not None
        assert after is not None
        assert after.correlations == before.correlations
        assert list(after.correlations) == [ETH]


async def test_of_candles_that_are_not_good_nothing_is_measured(room: Room):
    assert await new(room, QualityLimits(min_candles=1000)).current(LISTED, H1) is None


async def test_without_the_venue_there_is_no_answer(room: Room):
    room.venue.blind = VenueError("The venue is away.")
    with pytest.raises(VenueError):
        await new(room).current(LISTED, H1)


def new(
    room: Room, limits: QualityLimits | None = None, *, traded: tuple[tuple[Listing, Timeframe], ...] = ()
) -> KeptStats:
    """Those of a bot that has just started."""
    quality = room.services.candles.quality if limits is None else DataQualityMonitor(limits=limits)
    return KeptStats(market_data={"paper": room.venue}, quality=quality, clock=room.clock, traded=traded)
