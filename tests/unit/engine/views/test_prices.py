"""What things trade at now, for those who look."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from engine.domain.errors import VenueError
from engine.views.prices import ASKED_WITHIN, prices_of_held
from tests.fakes.engine import engine_room


async def test_who_looks_does_not_wait_for_a_venue_that_hangs(tmp_path: Path):
    """Seen: /status came when the venue did."""
    async with engine_room(tmp_path) as room:
        await room.enter()
        asked = prices_of_held(room.store, {"paper": room.venue})
        assert await asked == {("paper", "BTC/USDT"): Decimal(100)}
        room.venue.hangs = "book"
        status = await asyncio.wait_for(room.views.status(), 2 * ASKED_WITHIN)
        assert status.equity > 0
        room.venue.answers.set()


async def test_a_venue_that_refuses_is_left_out(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        room.venue.deaf = VenueError("The venue is away.")
        assert await prices_of_held(room.store, {"paper": room.venue}) == {}
