"""Requests that carry a number which grows: one at a time, and none behind what waits for the budget."""

from __future__ import annotations

import asyncio
from typing import Any

from engine.exchanges.ccxt.budget import Budget, answer_until, asking
from engine.exchanges.ccxt.numbered import Growing, OneAtATime
from engine.exchanges.ccxt.turns import Urgency


class Client:
    """What is used of ccxt's client; a request takes as long as its parameters say."""

    def __init__(self) -> None:
        self.enableRateLimit = True
        self.answered: list[str] = []
        self.under_way = self.most_at_once = 0

    def calculate_rate_limiter_cost(self, _api: str, _method: str, _path: str, _params: Any, config: Any) -> float:
        return float(config["cost"])

    async def request(self, path: str, _api: str, _method: str, params: Any, _config: Any) -> None:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(params["takes"])
        self.under_way -= 1
        self.answered.append(path)


def one_at_a_time(client: Client) -> None:
    OneAtATime(
        client, Budget(1, monotonic=asyncio.get_running_loop().time, sleep=asyncio.sleep, burst=0.0, reserve=0.0)
    )


async def ask(client: Client, path: str, urgency: Urgency, *, cost: float = 0.0, takes: float = 0.0) -> None:
    with asking(urgency):
        await client.request(path, "private", "POST", {"takes": takes}, {"cost": cost})


def test_numbers_that_grow_never_stand_still() -> None:
    at = iter([5, 5, 4, 9])
    growing = Growing(lambda: next(at))
    assert [growing() for _ in range(4)] == [5, 6, 7, 9]


async def test_an_order_stands_behind_no_list_and_neither_behind_what_waits_for_the_budget() -> None:
    client = Client()
    one_at_a_time(client)
    await ask(client, "first", Urgency.ROUTINE, cost=0.3)
    waiting = asyncio.create_task(ask(client, "waits for the budget", Urgency.ROUTINE))
    going = asyncio.create_task(ask(client, "under way", Urgency.ORDER, takes=0.05))
    await asyncio.sleep(0.01)
    await asyncio.gather(*(ask(client, name, each) for name, each in
                           (("cancels", Urgency.ORDER), ("buys", Urgency.ORDER))))  # fmt: skip
    assert client.answered == ["first", "under way", "cancels", "buys"]
    await asyncio.gather(waiting, going)
    assert (client.answered[-1], client.most_at_once) == ("waits for the budget", 1)


async def test_nobodys_time_for_an_answer_runs_while_they_stand_in_line() -> None:
    client = Client()
    one_at_a_time(client)
    going = asyncio.create_task(ask(client, "slow", Urgency.ORDER, takes=0.2))
    await asyncio.sleep(0)
    async with asyncio.timeout(0.1) as limit:
        answer_until.set(limit)
        await ask(client, "quick", Urgency.ORDER, takes=0.01)
    await going
    assert client.answered == ["slow", "quick"]
