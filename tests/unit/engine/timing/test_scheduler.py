"""Ticks that APScheduler calls, on the machine's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from engine.timing.scheduler import WallScheduler

SOON = timedelta(milliseconds=50)


class Steps:
    """The machine's clock, with what somebody adds to it."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


async def seen(looked: asyncio.Queue[str], count: int) -> list[str]:
    async with asyncio.timeout(20):
        return [await looked.get() for _ in range(count)]


async def test_each_is_called_at_once_and_again_after_the_rest_it_asks_for():
    looked: asyncio.Queue[str] = asyncio.Queue()

    async def often() -> timedelta:
        looked.put_nowait("often")
        return SOON

    async def seldom() -> timedelta:
        looked.put_nowait("seldom")
        return timedelta(hours=1)

    scheduler = WallScheduler(lambda: datetime.now(UTC))
    scheduler.start({"often": often, "seldom": seldom})
    found = await seen(looked, 5)
    await scheduler.stop(1.0)
    assert (found.count("seldom"), found.count("often")) == (1, 4)


async def test_one_that_fails_is_called_again_and_the_others_go_on():
    looked: asyncio.Queue[str] = asyncio.Queue()

    async def fails() -> timedelta:
        looked.put_nowait("fails")
        raise OSError("no more files")

    async def works() -> timedelta:
        looked.put_nowait("works")
        return SOON

    scheduler = WallScheduler(lambda: datetime.now(UTC))
    scheduler.start({"fails": fails, "works": works})
    found = await seen(looked, 30)
    await scheduler.stop(1.0)
    assert found.count("fails") >= 2
    assert found.count("works") > found.count("fails")


async def test_a_clock_that_is_set_back_by_an_hour_stops_no_tick():
    """The next tick was set for a time that is now an hour away."""
    looked: asyncio.Queue[str] = asyncio.Queue()
    clock = Steps()

    async def tick() -> timedelta:
        looked.put_nowait("tick")
        return timedelta(hours=1)

    scheduler = WallScheduler(clock.now)
    scheduler.start({"tick": tick})
    await seen(looked, 1)
    await asyncio.sleep(0)  # the watch has seen the clock as it was
    clock.by = -timedelta(hours=2)
    await seen(looked, 1)
    await scheduler.stop(1.0)


async def test_one_under_way_at_the_end_is_let_finish_and_none_begins():
    begun, done = asyncio.Event(), []

    async def tick() -> timedelta:
        begun.set()
        await asyncio.sleep(0.1)
        done.append("the last line")
        return timedelta(0)

    scheduler = WallScheduler(lambda: datetime.now(UTC))
    scheduler.start({"tick": tick})
    await begun.wait()
    await scheduler.stop(5.0)
    assert done == ["the last line"]
    await WallScheduler(lambda: datetime.now(UTC)).stop(1.0)


async def test_one_that_asks_for_no_rest_on_a_busy_loop_is_called_again_within_seconds():
    """Seen: due before its last call had ended, it was skipped, and then left alone for an hour."""
    looked: asyncio.Queue[str] = asyncio.Queue()

    async def tick() -> timedelta:
        asyncio.get_running_loop().call_soon(time.sleep, 0.02)
        looked.put_nowait("tick")
        return timedelta(0)

    scheduler = WallScheduler(lambda: datetime.now(UTC))
    scheduler.start({"tick": tick})
    await seen(looked, 4)
    await scheduler.stop(1.0)
