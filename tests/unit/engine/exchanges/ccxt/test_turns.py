"""In which order questions go to a venue, and that no turn is ever lost."""

from __future__ import annotations

import asyncio
import random

from engine.exchanges.ccxt.turns import Turns, Urgency
from tests.fakes.patience import until


async def test_what_is_urgent_overtakes_what_waits_and_equals_go_in_the_order_they_came() -> None:
    turns, asked, end = Turns(at_once=1), list[str](), asyncio.Event()

    async def ask(name: str, urgency: Urgency) -> None:
        async with turns.turn(urgency):
            asked.append(name)
            await end.wait()

    waiting = [("first", Urgency.ROUTINE), ("book 1", Urgency.ROUTINE), ("book 2", Urgency.ROUTINE)]
    waiting += [("list", Urgency.LIST), ("close 1", Urgency.CLOSE), ("close 2", Urgency.CLOSE)]
    async with asyncio.TaskGroup() as group:
        for name, urgency in waiting:
            group.create_task(ask(name, urgency))
            await asyncio.sleep(0)
        await until(lambda: asked == ["first"])
        end.set()
    assert asked == ["first", "close 1", "close 2", "list", "book 1", "book 2"]


async def test_no_more_go_at_once_than_may_and_whoever_gives_up_leaves_no_turn_behind() -> None:
    turns, chance = Turns(at_once=3), random.Random(4)  # noqa: S311 - chance from a seed
    busy, most, done = 0, 0, 0

    async def ask(urgency: Urgency, within: float) -> None:
        nonlocal busy, most, done
        try:
            async with asyncio.timeout(within), turns.turn(urgency):
                busy += 1
                most = max(most, busy)
                try:
                    await asyncio.sleep(chance.uniform(0, 0.004))
                finally:
                    busy -= 1
        except TimeoutError:
            return
        done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(300):
            group.create_task(ask(chance.choice(list(Urgency)), chance.uniform(0.001, 0.1)))
    assert (busy, most) == (0, 3)
    assert 0 < done < 300
    async with asyncio.timeout(1):
        for _ in range(4):
            async with turns.turn(Urgency.ROUTINE):
                pass
