"""Which candles are asked for again: a venue that tells what a test wrote down, by a clock that stands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from engine.analysis.quality import DataQualityMonitor
from engine.data.live.candles import CandleRefresher
from engine.data.live.feed import LiveFeed
from engine.data.live.pauses import Pauses
from engine.domain.errors import VenueError
from engine.domain.market import Book, Candles, Level, Timeframe
from engine.exchanges.ccxt.client import VenueClient
from tests.fakes.feed import BTC, HandClock
from tests.fakes.series import walk

GAP = Decimal("0.02")


@dataclass
class Teller:
    """A venue that gives one answer after another; the last one again and again."""

    answers: list[Candles]
    timeframes: tuple[Timeframe, ...] = (Timeframe.H1,)
    skew: float | None = None
    asked: int = 0

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, since: datetime | None = None) -> Candles:
        del symbol, timeframe, limit
        if since is not None:
            return self.answers[-1].head(0)
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Room:
    """A market that has just closed a candle, with a book, and whoever asks for its candles."""

    teller: Teller
    mid: float
    clock: HandClock
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed = LiveFeed([BTC.symbol], fresh_for=timedelta(minutes=1))
        self.feed.list_as(BTC)
        price = Decimal(repr(self.mid))
        sides = {name: (Level(price=price, quantity=Decimal(1)),) for name in ("bids", "asks")}
        book = Book(symbol=BTC.symbol, at=self.clock.now(), **sides)
        self.feed.see(BTC.symbol, self.clock.now(), price, book)

        async def tell(about: str, error: VenueError | None) -> None:
            if error:
                self.troubles.append(about)

        self.refresher = CandleRefresher(
            client=cast("VenueClient", self.teller),
            feed=self.feed,
            clock=self.clock,
            quality=DataQualityMonitor(),
            wanted=[(BTC.symbol, Timeframe.H1)],
            history=200,
            pauses=Pauses(self.clock),
            max_price_gap=GAP,
            traded=lambda: [BTC.symbol],
            tell=tell,
        )

    async def decided_on(self) -> float:
        """The newest close once nothing is waited for any more."""
        task = asyncio.create_task(self.refresher.run())
        try:
            async with asyncio.timeout(20):
                while self.feed.held(BTC.symbol, Timeframe.H1) is None or self.refresher.is_waited_for(self.at):
                    await asyncio.sleep(0.01)
                    self.clock.at += timedelta(seconds=0.05)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        held = self.feed.held(BTC.symbol, Timeframe.H1)
        assert held is not None
        return float(held.close[-1])

    @property
    def at(self) -> datetime:
        return self.teller.answers[-1].closed_at


def room(*factors: float, mid: float = 1.0, later: timedelta = timedelta(seconds=1)) -> tuple[Room, float]:
    """Answers whose newest close is so much of what it was, at twice the usual volume and more; and that close."""
    usual = walk(3, 210)
    answers = [_ending_at(usual, factor) for factor in factors]
    clock = HandClock()
    clock.at = usual.closed_at + later
    close = float(usual.close[-1])
    return Room(Teller(answers), mid * close, clock), close


def _ending_at(usual: Candles, factor: float) -> Candles:
    changed: dict[str, Any] = {name: getattr(usual, name).copy() for name in ("low", "close", "volume")}
    changed["close"][-1] *= factor
    changed["low"][-1] = min(changed["close"][-1], changed["low"][-1])
    changed["volume"][-1] = 40 * float(np.median(usual.volume))
    return replace(usual, **changed)


async def test_a_close_that_no_order_book_shows_is_asked_for_again_however_much_was_traded() -> None:
    here, close = room(0.7, 1.0)
    assert await here.decided_on() == close
    assert here.teller.asked == 2


async def test_one_that_is_said_twice_is_believed() -> None:
    here, close = room(0.7)
    assert await here.decided_on() == pytest.approx(0.7 * close)
    assert here.teller.asked == 2
    assert not here.refresher.bad


@pytest.mark.parametrize(("factor", "later"), [(0.99, timedelta(seconds=1)), (0.7, timedelta(minutes=5))])
async def test_one_that_is_near_or_of_some_time_ago_is_asked_for_once(factor: float, later: timedelta) -> None:
    here, close = room(factor, later=later)
    assert await here.decided_on() == pytest.approx(factor * close)
    assert here.teller.asked == 1
