"""How often an account is asked: within a pace, in bursts after a time of quiet, and never an order after a list."""

from __future__ import annotations

import asyncio

import pytest

from engine.exchanges.ccxt.budget import BURST, Budget, answer_until, asking
from engine.exchanges.ccxt.turns import Urgency


class Hand:
    """A clock that goes on where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def budget(self, pace: float = 1.0) -> Budget:
        return Budget(pace, monotonic=lambda: self.now, sleep=self.sleep)


async def test_after_a_time_of_quiet_a_burst_goes_at_once_and_then_the_pace_holds() -> None:
    hand = Hand()
    budget = hand.budget()
    for _ in range(int(BURST) + 4):
        await budget(1)
    assert hand.slept == [1.0] * 3


async def test_an_order_counts_and_does_not_wait() -> None:
    hand = Hand()
    budget = hand.budget()
    await budget(BURST + 5)
    with asking(Urgency.ORDER):
        await budget(1)
    assert hand.slept == []
    await budget(1)
    assert hand.slept == [6.0]


async def test_nobodys_time_for_an_answer_runs_while_they_wait_for_the_budget() -> None:
    budget = Budget(0.05, monotonic=asyncio.get_running_loop().time, sleep=asyncio.sleep)
    await budget(BURST / 0.05 + 4)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await budget(1)
    async with asyncio.timeout(0.1) as limit:
        answer_until.set(limit)
        await budget(1)
        await asyncio.sleep(0.01)


async def test_what_has_become_of_an_order_is_asked_for_before_lists_that_wait() -> None:
    budget = Budget(1, monotonic=asyncio.get_running_loop().time, sleep=asyncio.sleep, burst=0.1, reserve=0.2)
    await budget(0.2)
    asked: list[str] = []

    async def ask(name: str, urgency: Urgency) -> None:
        with asking(urgency):
            await budget(0.04)
        asked.append(name)

    lists = [asyncio.create_task(ask("list", Urgency.ROUTINE)) for _ in range(2)]
    await asyncio.sleep(0)
    for _ in range(4):
        await ask("news", Urgency.NEWS)
    await asyncio.gather(*lists)
    assert asked == ["news"] * 4 + ["list"] * 2


async def test_what_a_sale_has_to_know_has_room_when_nothing_else_has_any() -> None:
    hand = Hand()
    budget = Budget(1, monotonic=lambda: hand.now, sleep=hand.sleep, burst=10, reserve=10, last=6)
    assert budget.has_room_for_a_look
    with asking(Urgency.NEWS):
        await budget(7)
        assert not budget.has_room_for_a_look, "it may lead to trades, which count as well"
        await budget(14)
    with asking(Urgency.EXIT):
        await budget(3)
        await budget(3)
        assert hand.slept == []
        await budget(3)
    assert hand.slept == [1.0]


async def test_a_refusal_by_the_venue_leaves_room_for_orders_alone() -> None:
    hand = Hand()
    budget = hand.budget()
    budget.refused()
    with asking(Urgency.ORDER):
        await budget(1)
    assert hand.slept == []
    with asking(Urgency.NEWS):
        await budget(1)
    assert hand.now > 1000
