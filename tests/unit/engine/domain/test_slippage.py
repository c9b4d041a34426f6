"""What an order paid beyond the price of its moment, beside what the book told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.market import Book, Level
from engine.domain.orders import OrderType, Purpose
from engine.domain.slippage import Slippage, mean_slippage, slippage_of
from handlers.cards import risk, why
from tests.fakes import reports
from tests.fakes.engine import DAY, engine_room

BOOK = Book(
    symbol="BTC/USDT",
    at=reports.NOON,
    bids=(Level(price=Decimal(99), quantity=Decimal(2)), Level(price=Decimal(90), quantity=Decimal(2))),
    asks=(Level(price=Decimal(100), quantity=Decimal(1)), Level(price=Decimal(110), quantity=Decimal(3))),
)


@pytest.mark.parametrize(
    ("quantity", "buying", "mean"),
    [("1", True, "100"), ("2", True, "105"), ("4", True, "107.5"), ("4.1", True, None), ("4", False, "94.5")],
)
def test_a_book_tells_the_mean_price_from_level_to_level(quantity, buying, mean):
    found = BOOK.mean_price(Decimal(quantity), buying=buying)
    assert found == (None if mean is None else Decimal(mean))


async def test_an_entry_keeps_what_the_book_told_and_is_held_against_it(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        await room.enter()
        orders = await room.views.orders(9)
        entry = next(each for each in orders if each.purpose is Purpose.ENTRY)
        assert entry.expected == entry.average, "the paper venue fills by the very book that the entry was judged by"
        found = slippage_of(entry)
        assert found is not None
        assert found.paid == found.expected >= 0
        story = why.card(await room.views.why(entry.id)).text
        assert " expected" in story
        report = await room.risk.risk()
        assert report.slippage == mean_slippage([entry])
        assert [symbol for symbol, _ in report.volatility] == ["BTC/USDT"]
        told = [item.title for item in risk.risk(report).items]
        assert told[-2:] == ["BTC/USDT moves", "Slippage, mean of 1 order"]


async def test_a_stop_is_held_against_its_own_price_and_a_sale_that_must_be_against_none(tmp_path: Path):
    falling = ((100, 101, 99, 100, 1000),) * 24 + ((100, 100, 90, 91, 1000),) * 3
    async with engine_room(tmp_path, falling) as room:
        await room.enter()
        room.clock.to(DAY + 60)
        await room.orchestrator.sync_venue_events()
        stopped = next(each for each in await room.views.orders(9) if each.request.type is OrderType.OCO)
        found = slippage_of(stopped)
        stop, average = stopped.request.trigger_price or Decimal(0), stopped.average or Decimal(0)
        assert found == Slippage(paid=(stop - average) / stop, expected=Decimal(0))
        assert average < stop
        assert slippage_of(replace(stopped, request=replace(stopped.request, type=OrderType.MARKET))) is None


def test_the_mean_is_of_orders_of_which_both_is_known():
    assert mean_slippage([]) is None
    assert Slippage(paid=Decimal(0), expected=None).orders == 1
