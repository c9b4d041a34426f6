"""Prices of a real venue as they were seen, under the steps that it lists."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.data.live.feed import LiveFeed
from engine.data.live.feed_data import FeedData
from engine.domain.errors import NoData
from engine.domain.market import Book, Level, Market, Timeframe
from tests.fakes.feed import BTC, HandClock, hand_feed

LISTED = Market(symbol=BTC.symbol, lot=Decimal("0.00005"), tick=Decimal("0.1"))


def book(clock: HandClock) -> Book:
    bid, ask = Level(price=Decimal(100), quantity=Decimal(1)), Level(price=Decimal(101), quantity=Decimal(1))
    return Book(symbol=BTC.symbol, at=clock.now(), bids=(bid,), asks=(ask,))


async def test_a_book_is_told_as_long_as_it_is_fresh() -> None:
    clock = HandClock(60)
    feed = LiveFeed([BTC.symbol], fresh_for=timedelta(minutes=5))
    data = FeedData(venue="binance", feed=feed, clock=clock, listed=lambda _: None)
    with pytest.raises(NoData):
        await data.book(BTC.symbol)
    feed.list_as(BTC)
    feed.see(BTC.symbol, clock.now(), Decimal("100.5"), book(clock))
    assert (await data.book(BTC.symbol)).mid == Decimal("100.5")
    clock.to(70)
    with pytest.raises(NoData):
        await data.book(BTC.symbol)


async def test_a_market_has_the_steps_that_the_venue_lists_and_others_are_named() -> None:
    feed = hand_feed([(100, 101, 99, 100, 1000)] * 3)
    known = FeedData(venue="binance", feed=feed, clock=HandClock(120), listed={BTC.symbol: LISTED}.get)
    assert known.market(BTC.symbol).lot == Decimal("0.00005")
    assert FeedData(venue="v", feed=feed, clock=HandClock(120), listed=lambda _: None).market(BTC.symbol) == BTC
    with pytest.raises(NoData, match="binance has no market DOGE/USDT here"):
        await known.book("DOGE/USDT")
    assert len(await known.candles(BTC.symbol, Timeframe.H1, 5)) == 2
    with pytest.raises(NoData, match="has closed before"):
        await FeedData(venue="v", feed=feed, clock=HandClock(-600), listed=lambda _: None).candles(
            BTC.symbol, Timeframe.H1, 5
        )
