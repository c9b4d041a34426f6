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
    """Ask all, some at a time; give answers in batches: first those in time together, then the late ones as they come.

    Args:
        asked: What is asked; each batch is in this order.
        late_after: How many wall seconds each has to answer before it is late, and the next one is asked in its place.
            ``None`` where all answer at once, as in a replay: they are asked one after the other, and are one batch.
    """
    if late_after is None or len(asked) <= 1:
        yield {key: await ask() for key, ask in asked.items()}
        return
    room = asyncio.Semaphore(AT_ONCE)
    answers: dict[K, asyncio.Future[T]] = {}

    async def begin(key: K, ask: Callable[[], Awaitable[T]]) -> None:
        async with room:
            answers[key] = asyncio.ensure_future(ask())
            await asyncio.wait((answers[key],), timeout=late_after)

    beginning = asyncio.gather(*(begin(key, ask) for key, ask in asked.items()))
    try:
        await beginning
        waiting = set(answers.values())
        while waiting:
            done = {answer for answer in waiting if answer.done()}
            if done:
                yield {key: answers[key].result() for key in asked if answers[key] in done}
                waiting -= done
            else:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        beginning.cancel()
        for answer in answers.values():
            answer.cancel()
        await asyncio.gather(beginning, *answers.values(), return_exceptions=True)
