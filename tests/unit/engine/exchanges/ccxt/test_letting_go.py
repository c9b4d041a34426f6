"""What clients of ccxt hold open is let go, also where whoever closes them is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from engine.exchanges.ccxt.client import VenueClient
from engine.timing.clocks import WallClock
from tests.fakes.exchange import FakeExchange, listening
from tests.fakes.left_open import left_open


@pytest.fixture
async def fake() -> AsyncIterator[FakeExchange]:
    async with listening() as fake:
        yield fake


async def open_client(fake: FakeExchange) -> VenueClient:
    made = VenueClient(exchange="binance", api_url=fake.url, answer_within=timedelta(seconds=20), clock=WallClock())
    await made.open()
    return made


async def cancelled(closing: Coroutine[Any, Any, None]) -> None:
    """Begin to close, and be cancelled at its first wait: ccxt sleeps a quarter of a second at the end of it."""
    task = asyncio.create_task(closing)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_client_whose_closing_is_cancelled_leaves_no_session_open(fake: FakeExchange) -> None:
    left_open()
    await cancelled((await open_client(fake)).close())
    assert left_open() == set()


async def test_a_stream_whose_closing_is_cancelled_leaves_no_session_open(fake: FakeExchange) -> None:
    client = await open_client(fake)
    await client.listings()
    stream = client.stream()
    assert stream is not None
    left_open()
    await cancelled(stream.close())
    del stream
    assert left_open() == set()
    await client.close()
