"""What every reader of futures must keep: what it tells is in its bounds and not of later than now, or an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta

import pytest

from engine.data.derivatives.binance import BinanceDerivatives
from engine.data.derivatives.generated import GeneratedDerivatives
from engine.data.derivatives.nobody import NoDerivatives
from engine.domain.errors import VenueError
from engine.ports import DerivativesData
from engine.timing.clocks import WallClock
from tests.fakes.exchange import listening
from tests.fakes.feed import BTC, HandClock, hand_feed

Opened = tuple[DerivativesData, Callable[[], datetime]]
Open = Callable[[], AbstractAsyncContextManager[Opened]]
HOURLY = [(100 + hour, 102 + hour, 99 + hour, 101 + hour, 10) for hour in range(48)]


@asynccontextmanager
async def binance() -> AsyncIterator[Opened]:
    async with listening() as venue:
        clock = WallClock()
        reader = BinanceDerivatives(api_url=venue.url, answer_within=5, clock=clock)
        try:
            yield reader, clock.now
        finally:
            await reader.close()


@asynccontextmanager
async def generated() -> AsyncIterator[Opened]:
    clock = HandClock(30 * 60 + 20)
    yield GeneratedDerivatives(feed=hand_feed(HOURLY, (BTC,)), clock=clock, seed=20), clock.now


@asynccontextmanager
async def nobody() -> AsyncIterator[Opened]:
    yield NoDerivatives(), HandClock().now


every_reader = pytest.mark.parametrize("opened", [binance, generated, nobody], ids=lambda each: each.__name__)
SKEW = timedelta(seconds=1)


@every_reader
async def test_readings_are_in_their_bounds_and_of_no_later_than_now(opened: Open) -> None:
    async with opened() as (reader, now):
        funding = await reader.funding(BTC.symbol)
        interest = await reader.open_interest(BTC.symbol)
        shares = await reader.long_short(BTC.symbol)
        for reading in (funding, interest, shares):
            assert reading is None or (reading.at.utcoffset() == timedelta(0) and reading.at <= now() + SKEW)
        if funding is not None:
            assert -1 <= funding.rate <= 1
            assert funding.next_at is None or funding.next_at > funding.at
        assert interest is None or interest.quantity > 0
        if shares is not None:
            assert 0 <= shares.short <= 1
            assert abs(shares.long + shares.short - 1) < 1e-3


@every_reader
async def test_either_it_tells_of_everything_or_nobody_is_asked(opened: Open) -> None:
    async with opened() as (reader, _):
        asked = (reader.funding, reader.open_interest, reader.long_short)
        assert len({(await ask(BTC.symbol)) is None for ask in asked}) == 1


@every_reader
async def test_a_market_without_futures_is_an_error_and_never_zero(opened: Open) -> None:
    async with opened() as (reader, _):
        if await reader.funding(BTC.symbol) is None:
            return
        for ask in (reader.funding, reader.open_interest, reader.long_short):
            with pytest.raises(VenueError):
                await ask("NOPE/USDT")


@every_reader
async def test_it_lets_go_more_than_once(opened: Open) -> None:
    async with opened() as (reader, _):
        await reader.funding(BTC.symbol)
        await reader.close()
        await reader.close()
