"""Trailing stops that a venue does not hold: what they follow, over a restart too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from engine.domain.market import Candles, Timeframe, to_millis
from engine.domain.orders import Ack, OrderType, Side, client_id
from engine.exchanges.ccxt.habits import Trails
from engine.timing.clocks import wall
from tests.fakes.real_account import SYMBOL, Account, account_at, order
from tests.fakes.venues.binance import trading


@pytest.fixture
async def at() -> AsyncIterator[Account]:
    async with trading() as fake, account_at(fake) as made:
        made.move(60_000)
        await made.venue.balances()
        made.can_only(trails=Trails.NOT)
        yield made


def candles(at_minute: int, *highs: float) -> Candles:
    """Candles of a minute, the first of which opens so many minutes from now."""
    count, first = len(highs), to_millis(wall()) + at_minute * 60_000
    opened = first + 60_000 * np.arange(count, dtype=np.int64)
    high = np.array(highs)
    return Candles(symbol=SYMBOL, timeframe=Timeframe.M1, open_ms=opened, open=high, high=high, low=high - 500,
                   close=high, volume=np.ones(count))  # fmt: skip


async def trailing(at: Account) -> None:
    await at.venue.submit(order("a"))
    asked = replace(order("b", "0.099", Side.SELL), type=OrderType.TRAILING_STOP, trailing=Decimal(1200))
    assert isinstance(await at.venue.submit(asked), Ack)


async def sold(at: Account) -> Decimal:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.events(cursor)
    return sum((each.quantity for each in at.fake.matching.trades if each.side == "SELL"), Decimal(0))


async def test_what_it_has_followed_is_known_while_the_bot_runs(at: Account) -> None:
    await trailing(at)
    for price in (60_000, 63_000, 61_900):
        at.move(price)
        assert await sold(at) == 0
    at.move(61_700)
    assert await sold(at) == Decimal("0.099")
    assert (await at.state("b")).client_id == client_id("b")


async def test_after_a_restart_the_candles_since_it_was_placed_tell_it(at: Account) -> None:
    await trailing(at)
    await at.crash()
    at.move(61_700)
    at.prices.told = candles(-30, *[64_000.0] * 10)
    assert await sold(at) == 0, "what was before it was placed is nothing that it has followed"
    await at.crash()
    at.prices.told = candles(1, 62_000, 63_000, 62_000)
    assert await sold(at) == Decimal("0.099")
