"""How many calls in a row a venue has not answered."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import UnknownCursor, VenueError
from engine.domain.orders import OrderRequest, OrderType, Side, Unknown
from engine.execution.answering import Answering
from engine.ports import Cursor
from tests.fakes.engine import Room, engine_room
from tests.fakes.feed import BTC

HAND = OrderRequest(
    venue="paper",
    client_id="hand",
    symbol=BTC.symbol,
    side=Side.BUY,
    type=OrderType.MARKET,
    quantity=Decimal(1),
)


def watched(room: Room) -> Answering:
    return room.orchestrator.answering["paper"]


async def test_failures_in_a_row_are_counted_and_one_answer_ends_them(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        room.venue.storm = 3
        for _ in range(3):
            with pytest.raises(VenueError):
                await room.orchestrator.sync_venue_events()
        assert (watched(room).failures, watched(room).why) == (3, "The venue answers 503.")
        await room.orchestrator.resolve_unknown_orders()
        assert watched(room).failures == 3, "where nothing is in doubt nobody is asked, so nobody has answered"
        await room.orchestrator.sync_venue_events()
        assert watched(room).failures == 0


async def test_a_lost_answer_to_an_order_is_a_failure_and_a_refusal_is_an_answer(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        venue = watched(room)
        room.venue.loses = "answer"
        await room.enter()
        before = venue.failures
        assert isinstance(await venue.submit(HAND), Unknown)
        assert venue.failures == before + 1
        room.venue.loses = ""
        await venue.submit(HAND)
        assert venue.failures == 0


async def test_another_account_is_an_answer_too(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        with pytest.raises(UnknownCursor):
            await watched(room).events(Cursor("999999"))
        assert watched(room).failures == 0
