"""Waiting for something to come true in a program that runs by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: It does not after so many wall seconds.
    """
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
