"""What a live feed knows, up to when it knows it, and what the paper venue makes of that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import NoData
from engine.domain.market import Book, Level, Market, Timeframe
from engine.domain.trading import Ack, Intent, OrderKind, OrderState, OrderStatus, Rejected, Side, client_id
from engine.exchanges.ccxt.feed import LEFT_BEHIND, MOST_POINTS, LiveFeed
from engine.exchanges.paper import PaperExchange
from engine.simulation.fills import FillModel
from tests.auditor import check_conservation
from tests.fakes.feed import BTC, START, HandClock, Row, hand_candles

ETH = Market(symbol="ETH/USDT", lot=Decimal("0.01"), tick=Decimal("0.01"))
FRESH = timedelta(seconds=20)


def feed_of(*markets: Market) -> LiveFeed:
    feed = LiveFeed([market.symbol for market in markets or (BTC,)], fresh_for=FRESH)
    for market in markets or (BTC,):
        feed.list_as(market)
    return feed


def book_of(bids: dict[str, str], asks: dict[str, str], seconds: float = 0) -> Book:
    sides = [tuple(Level(price=Decimal(p), quantity=Decimal(q)) for p, q in side.items()) for side in (bids, asks)]
    return Book(market=BTC.symbol, at=START + timedelta(seconds=seconds), bids=sides[0], asks=sides[1])


def test_before_the_venue_has_listed_it_a_market_has_nothing() -> None:
    feed = LiveFeed(["BTC/USDT"], fresh_for=FRESH)
    assert feed.reach(START) is None
    for ask in (feed.price, feed.volume):
        with pytest.raises(NoData, match="nothing has been heard of it yet"):
            ask("BTC/USDT", START)
    with pytest.raises(NoData, match="nothing has been heard"):
        feed.candles("BTC/USDT", Timeframe.H1, START, 5)
    with pytest.raises(NoData, match="DOGE/USDT is not watched"):
        feed.price("DOGE/USDT", START)


def test_a_price_holds_for_a_while_and_is_remembered() -> None:
    feed = feed_of()
    feed.see(BTC.symbol, START, Decimal(100))
    feed.see(BTC.symbol, START + timedelta(seconds=5), Decimal(101))
    assert feed.price(BTC.symbol, START + timedelta(seconds=4)) == 100
    assert feed.price(BTC.symbol, START + timedelta(seconds=25)) == 101
    with pytest.raises(NoData, match="26 s old"):
        feed.price(BTC.symbol, START + timedelta(seconds=31))
    with pytest.raises(NoData, match="No price"):
        feed.price(BTC.symbol, START - timedelta(seconds=1))


def test_time_that_is_set_back_does_not_take_the_path_along() -> None:
    feed = feed_of()
    feed.see(BTC.symbol, START, Decimal(100))
    feed.see(BTC.symbol, START - timedelta(minutes=1), Decimal(101))
    assert feed.path(BTC.symbol, START - timedelta(hours=1), START) == [(START, 100), (START, 101)]


def test_the_book_is_that_of_the_moment_or_none() -> None:
    feed, book = feed_of(), book_of({"99": "1"}, {"101": "1"})
    feed.see(BTC.symbol, START, book.mid, book)
    assert feed.book(BTC.symbol, START + FRESH) == book
    assert feed.book(BTC.symbol, START - 2 * FRESH) is None
    assert feed.book(BTC.symbol, START + 2 * FRESH) is None
    feed.pause(BTC.symbol, "halted")
    assert feed.book(BTC.symbol, START) is None
    with pytest.raises(NoData, match="BTC/USDT is not traded: halted"):
        feed.price(BTC.symbol, START)


def test_old_prices_are_let_go() -> None:
    feed = feed_of()
    for second in range(3 * MOST_POINTS):
        feed.see(BTC.symbol, START + timedelta(seconds=second), Decimal(second))
    assert len(feed.path(BTC.symbol, START - FRESH, START + timedelta(days=30))) <= MOST_POINTS
    assert feed.price(BTC.symbol, START + timedelta(seconds=3 * MOST_POINTS)) == 3 * MOST_POINTS - 1


def test_it_reaches_to_now_while_every_traded_market_is_fresh() -> None:
    feed = feed_of(BTC, ETH)
    feed.see(BTC.symbol, START, Decimal(100))
    assert feed.reach(START) is None, "the other one has not come in yet"
    feed.see(ETH.symbol, START, Decimal(10))
    assert feed.reach(START + FRESH) == START + FRESH
    assert feed.reach(START + 2 * FRESH) == START, "nobody knows what happened since"
    feed.see(BTC.symbol, START + 2 * FRESH, Decimal(100))
    assert feed.reach(START + 2 * FRESH) == START, "one market is behind, but not hopelessly"
    feed.pause(ETH.symbol, "halted")
    assert feed.reach(START + 2 * FRESH) == START + 2 * FRESH


def test_a_market_that_is_far_behind_holds_up_nobody() -> None:
    feed = feed_of(BTC, ETH)
    feed.see(ETH.symbol, START, Decimal(10))
    late = START + LEFT_BEHIND + FRESH
    feed.see(BTC.symbol, START, Decimal(100))
    feed.see(BTC.symbol, late, Decimal(100))
    assert feed.reach(late) == late


def test_a_market_that_never_comes_in_holds_up_nobody_for_long() -> None:
    feed = feed_of(BTC, ETH)
    feed.see(BTC.symbol, START, Decimal(100))
    late = START + LEFT_BEHIND + FRESH
    feed.see(BTC.symbol, late, Decimal(100))
    assert feed.reach(late) == late


def test_longer_candles_are_made_of_shorter_ones_where_the_venue_has_none() -> None:
    feed = feed_of()
    feed.keep(hand_candles([(100, 101, 99, 100, 5)] * 12))
    assert len(feed.candles(BTC.symbol, Timeframe.H4, START + timedelta(hours=12), 50)) == 3
    assert len(feed.candles(BTC.symbol, Timeframe.H1, START + timedelta(hours=12), 5)) == 5
    assert feed.volume(BTC.symbol, START + timedelta(hours=12)) == 5
    with pytest.raises(NoData, match="1m candles"):
        feed.candles(BTC.symbol, Timeframe.M1, START, 5)


# On the paper venue


class Bench:
    """The paper venue on a live feed, with one BTC bought at 100 and a bracket from 95 to 120."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.file = HandClock(), folder / "venue.sqlite"
        self.feed, self.venue = feed_of(), None
        self.open()

    def open(self) -> PaperExchange:
        self.venue = PaperExchange(
            file=self.file, feed=self.feed, clock=self.clock, model=FillModel(), balances={"USDT": Decimal(10_000)}
        )
        return self.venue

    def see(self, seconds: float, price: str, book: Book | None = None) -> None:
        self.clock.to(seconds / 60)
        self.feed.see(BTC.symbol, self.clock.now(), Decimal(price), book)

    async def buy(self) -> PaperExchange:
        assert self.venue is not None
        self.feed.keep(hand_candles([(100, 101, 99, 100, 1000)] * 5, timeframe=Timeframe.M1))
        self.see(300, "100")
        assert isinstance(await self.venue.submit(intent("a")), Ack)
        assert isinstance(await self.venue.submit(bracket("b")), Ack)
        return self.venue


def intent(name: str, quantity: str = "1", side: Side = Side.BUY) -> Intent:
    return Intent(
        client_id=client_id(name), market=BTC.symbol, side=side, kind=OrderKind.MARKET, quantity=Decimal(quantity)
    )


def bracket(name: str) -> Intent:
    return Intent(
        client_id=client_id(name),
        market=BTC.symbol,
        side=Side.SELL,
        kind=OrderKind.BRACKET,
        quantity=Decimal(1),
        stop=Decimal(95),
        target=Decimal(120),
    )


async def state(venue: PaperExchange, name: str) -> OrderState:
    found = await venue.find(client_id(name))
    assert isinstance(found, OrderState)
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    assert check_conservation(made.file) == []


async def test_an_order_walks_the_book_that_was_seen(bench: Bench) -> None:
    book = book_of({"99.99": "3"}, {"100.01": "0.4", "100.05": "0.5", "100.30": "9"})
    bench.see(0, str(book.mid), book)
    venue = bench.open()
    assert await venue.book(BTC.symbol) == book
    await venue.submit(intent("a"))
    fills = [(fill.price, fill.quantity) for fill in (await state(venue, "a")).fills]
    assert fills == [(Decimal(p), Decimal(q)) for p, q in (("100.01", "0.4"), ("100.05", "0.5"), ("100.30", "0.1"))]


async def test_a_stop_sells_into_the_book_moved_along_with_the_price(bench: Bench) -> None:
    venue = await bench.buy()
    book = book_of({"93.99": "0.4", "93.90": "5"}, {"94.01": "1"}, seconds=305)
    bench.see(305, str(book.mid), book)
    sold = await state(venue, "b")
    assert (sold.status, sold.closed_by) == (OrderStatus.FILLED, "stop")
    fills = [(fill.price, fill.quantity) for fill in sold.fills]
    assert fills == [(Decimal("94.99"), Decimal("0.4")), (Decimal("94.90"), Decimal("0.6"))]
    assert START + timedelta(seconds=300) < sold.fills[0].at < START + timedelta(seconds=305)


async def test_a_stale_price_refuses_and_a_bracket_can_still_be_placed(bench: Bench) -> None:
    venue = await bench.buy()
    bench.clock.to(10)
    sent = await venue.submit(intent("c"))
    assert isinstance(sent, Rejected)
    assert "no price" in sent.reason
    with pytest.raises(NoData):
        await venue.book(BTC.symbol)
    await venue.cancel(client_id("b"))
    assert isinstance(await venue.submit(bracket("d")), Ack)


GAP: tuple[Row, ...] = ((100, 101, 99, 100, 50), (100, 100, 94, 99, 50), (99, 101, 99, 100, 50))


@pytest.mark.parametrize("restarted", [False, True])
async def test_over_a_time_that_nobody_observed_a_stop_fills_along_the_candles_of_that_time(
    bench: Bench, *, restarted: bool
) -> None:
    venue = await bench.buy()
    bench.clock.to(10)
    if restarted:
        bench.feed = feed_of()
        venue = bench.open()
    assert (await state(venue, "b")).status is OrderStatus.OPEN, "what happened is not known yet"
    assert venue.advanced_to == START + timedelta(seconds=300)
    gap = hand_candles(GAP, timeframe=Timeframe.M1, start=START + timedelta(minutes=6))
    bench.feed.bridge(gap, START + timedelta(minutes=5), bench.clock.now())
    bench.see(600, "100")
    sold = await state(venue, "b")
    assert (sold.status, sold.closed_by) == (OrderStatus.FILLED, "stop")
    assert START + timedelta(minutes=7) < sold.fills[0].at < START + timedelta(minutes=8)
    assert {fill.price < 95 for fill in sold.fills} == {True}


async def test_only_candles_that_lie_wholly_in_the_gap_count(bench: Bench) -> None:
    """The first minute's low may have been before the gap: before the order even."""
    venue = await bench.buy()
    bench.clock.to(8)
    rows = [(100, 101, 90, 100, 50), (100, 101, 99, 100, 50), (100, 101, 90, 100, 50)]
    gap = hand_candles(rows, timeframe=Timeframe.M1, start=START + timedelta(minutes=5))
    bench.feed.bridge(gap, START + timedelta(minutes=5, seconds=30), START + timedelta(minutes=7, seconds=30))
    bench.see(480, "100")
    assert (await state(venue, "b")).status is OrderStatus.OPEN


async def test_an_order_does_not_meet_prices_from_before_it_was_placed(bench: Bench) -> None:
    venue = await bench.buy()
    await venue.cancel(client_id("b"))
    bench.clock.to(8.5)
    assert isinstance(await venue.submit(bracket("late")), Ack)
    gap = hand_candles(GAP, timeframe=Timeframe.M1, start=START + timedelta(minutes=6))
    bench.feed.bridge(gap, START + timedelta(minutes=5), START + timedelta(minutes=10))
    bench.see(600, "100")
    assert (await state(venue, "late")).status is OrderStatus.OPEN
