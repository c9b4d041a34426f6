"""What goes on beside everything else: a venue that is slow holds up only its own orders."""

from __future__ import annotations

import asyncio
from pathlib import Path

from structlog.testing import capture_logs

from engine.domain.errors import VenueError
from engine.execution import orders as writing
from engine.execution.background import Background
from tests.fakes.feed import BTC
from tests.fakes.two_venues import two_venues


async def test_orders_go_to_each_venue_by_itself(tmp_path: Path):
    async with two_venues(tmp_path) as two:
        await two.both_enter()
        held, now = await two.room.held(), two.room.clock.now()
        sales = [
            await two.room.store.transact(lambda uow, id_=each.id: writing.intend_sale(uow, id_, BTC.lot, now))
            for each in sorted(held, key=lambda position: position.venue)
        ]
        two.other.hangs = "submit"
        background = Background()
        background.send(two.room.orchestrator, [sale for sale in sales if sale])
        async with asyncio.timeout(5):
            while len(await two.room.held()) > 1:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert [position.venue for position in await two.room.held()] == ["other"]
        assert background.busy
        two.other.answers.set()
        await background.finished()
        assert await two.room.held() == ()


async def test_what_fails_is_told_in_the_log_and_what_hangs_is_cut_off_at_the_end():
    background, begun = Background(), asyncio.Event()

    async def fail(error: Exception) -> None:
        raise error

    async def hang() -> None:
        begun.set()
        await asyncio.sleep(60)

    with capture_logs() as told:
        background.begin("asking", fail(VenueError("The venue is away.")))
        background.begin("reckoning", fail(ZeroDivisionError()))
        await background.finished()
    background.begin("waiting", hang())
    await begun.wait()
    await background.stop(within=0.05)
    assert not background.busy
    assert [(entry["log_level"], entry["what"]) for entry in told] == [("warning", "asking"), ("error", "reckoning")]
