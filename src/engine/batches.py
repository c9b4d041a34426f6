"""Asking many at once, so many at a time; whoever is late holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")

AT_ONCE = 8
"""How many are asked at a time: venues count requests."""


async def in_batches(
    asked: Mapping[K, Callable[[], Awaitable[T]]], late_after: float | None
) -> AsyncGenerator[dict[K, T], None]:
    """What is answered, as it comes: first all that is there within so many wall seconds, then what was late.

    Args:
        asked: What is asked; each batch is in this order.
        late_after: After how many wall seconds whoever has not answered is late. ``None`` where all answer at once, as
            in a replay: they are asked one after the other, and all are one batch.
    """
    if late_after is None or len(asked) <= 1:
        yield {key: await ask() for key, ask in asked.items()}
        return
    room = asyncio.Semaphore(AT_ONCE)

    async def in_turn(ask: Callable[[], Awaitable[T]]) -> T:
        async with room:
            return await ask()

    answers = {key: asyncio.create_task(in_turn(ask)) for key, ask in asked.items()}
    try:
        done, waiting = await asyncio.wait(answers.values(), timeout=late_after)
        while True:
            if done:
                yield {key: answer.result() for key, answer in answers.items() if answer in done}
            if not waiting:
                return
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for answer in answers.values():
            answer.cancel()
        await asyncio.gather(*answers.values(), return_exceptions=True)
