"""What a live feed knows, up to when it knows it, and what the paper venue makes of that."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.live.feed import MOST_POINTS, LiveFeed
from engine.data.live.gaps import Gap
from engine.domain.errors import NoData
from engine.domain.market import Book, Level, Market, Timeframe, to_millis
from engine.domain.orders import Ack, OrderRequest, OrderState, OrderStatus, OrderType, Refused, Side, client_id
from engine.exchanges.paper import PaperExchange
from engine.simulation.fills import FillModel
from tests.auditor import check_conservation
from tests.fakes.examples import examples
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
    return Book(symbol=BTC.symbol, at=START + timedelta(seconds=seconds), bids=sides[0], asks=sides[1])


def test_before_the_venue_has_listed_it_a_market_has_nothing() -> None:
    feed = LiveFeed(["BTC/USDT"], fresh_for=FRESH)
    assert feed.reach("BTC/USDT", START) is None
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


def test_each_market_is_known_up_to_when_it_was_last_seen() -> None:
    feed = feed_of(BTC, ETH)
    feed.see(BTC.symbol, START, Decimal(100))
    assert (feed.reach(BTC.symbol, START), feed.reach(ETH.symbol, START)) == (START, None)
    feed.see(ETH.symbol, START, Decimal(10))
    feed.see(BTC.symbol, START + 2 * FRESH, Decimal(100))
    late = START + 3 * FRESH
    assert (feed.reach(BTC.symbol, late), feed.reach(ETH.symbol, late)) == (START + 2 * FRESH, START)
    feed.pause(ETH.symbol, "halted")
    assert feed.reach(ETH.symbol, late) == START, "what it did meanwhile is told when it is traded again"


def test_between_two_looks_the_price_jumps_down_and_goes_up() -> None:
    feed = feed_of()
    for second, price in ((0, 100), (5, 90), (10, 95), (15, 95)):
        feed.see(BTC.symbol, START + timedelta(seconds=second), Decimal(price))
    path = feed.path(BTC.symbol, START - FRESH, START + FRESH)
    assert [((at - START).seconds, price) for at, price in path] == [(0, 100), (5, 100), (5, 90), (10, 95), (15, 95)]


def test_while_an_answer_is_in_doubt_there_is_no_price_of_now() -> None:
    feed, book = feed_of(), book_of({"99": "1"}, {"101": "1"})
    feed.see(BTC.symbol, START, book.mid, book)
    feed.doubt(BTC.symbol)
    now = START + timedelta(seconds=1)
    with pytest.raises(NoData, match="not believed yet"):
        feed.price(BTC.symbol, now)
    assert feed.price(BTC.symbol, START) == 100, "what was seen before still is what it was"
    feed.see(BTC.symbol, now, book.mid, book)
    assert (feed.price(BTC.symbol, now), feed.doubted(BTC.symbol)) == (100, False)


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
    """The paper venue on a live feed, with BTC bought at 100 and an OCO from 95 to 120."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.file = HandClock(), folder / "venue.sqlite"
        self.feed = feed_of(BTC, ETH)
        self.venue = self.open()

    def open(self, feed: LiveFeed | None = None) -> PaperExchange:
        self.feed = feed or self.feed
        self.venue = PaperExchange(
            file=self.file, feed=self.feed, clock=self.clock, model=FillModel(), balances={"USDT": Decimal(100_000)}
        )
        return self.venue

    def see(self, seconds: float, price: str, book: Book | None = None, symbol: str = BTC.symbol) -> None:
        self.clock.to(seconds / 60)
        self.feed.see(symbol, self.clock.now(), Decimal(price), book)

    async def buy(self, quantity: str = "1", symbol: str = BTC.symbol) -> PaperExchange:
        self.feed.keep(hand_candles([(100, 101, 99, 100, 500_000)] * 5, symbol, timeframe=Timeframe.M1))
        self.see(300, "100", symbol=symbol)
        name = "" if symbol == BTC.symbol else symbol
        assert isinstance(await self.venue.submit(intent(f"a{name}", quantity, symbol=symbol)), Ack)
        assert isinstance(await self.venue.submit(oco(f"b{name}", quantity, symbol=symbol)), Ack)
        return self.venue

    def bridge(
        self,
        rows: Sequence[Row],
        after: float,
        until: float,
        minute: int,
        trades: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        """Lay the path from one second to another along minutes from that one on, and the first one's trades."""
        self.feed.bridge(
            Gap(
                candles=hand_candles(rows, timeframe=Timeframe.M1, start=START + timedelta(minutes=minute)),
                after=START + timedelta(seconds=after),
                until=START + timedelta(seconds=until),
                trades=trades and [(to_millis(START + timedelta(seconds=at)), price) for at, price in trades],
            )
        )


def intent(name: str, quantity: str = "1", side: Side = Side.BUY, symbol: str = BTC.symbol) -> OrderRequest:
    return OrderRequest(
        venue="paper",
        client_id=client_id(name),
        symbol=symbol,
        side=side,
        type=OrderType.MARKET,
        quantity=Decimal(quantity),
    )


def oco(name: str, quantity: str = "1", symbol: str = BTC.symbol) -> OrderRequest:
    plain = intent(name, quantity, Side.SELL, symbol)
    return replace(plain, type=OrderType.OCO, trigger_price=Decimal(95), limit_price=Decimal(120))


async def state(venue: PaperExchange, name: str) -> OrderState:
    symbol = name[1:] if "/" in name else BTC.symbol
    found = await venue.find(symbol, client_id(name))
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


async def test_a_market_that_is_not_traded_has_no_book_and_says_why(bench: Bench) -> None:
    """What an emergency stop that waits for it tells people."""
    venue = await bench.buy()
    bench.feed.pause(BTC.symbol, "binance has halted it")
    with pytest.raises(NoData, match="BTC/USDT is not traded: binance has halted it"):
        await venue.book(BTC.symbol)
    bench.feed.list_as(BTC)
    bench.clock.to(10)
    with pytest.raises(NoData, match="newest price of BTC/USDT is 300 s old"):
        await venue.book(BTC.symbol)


async def test_a_stop_that_nobody_saw_passed_sells_at_what_was_seen_beyond_it(bench: Bench) -> None:
    venue = await bench.buy("50")
    book = book_of({"90.99": "0.4", "90.90": "5"}, {"91.01": "1"}, seconds=305)
    bench.see(305, str(book.mid), book)
    sold = await state(venue, "b")
    assert (sold.status, sold.closed_by) == (OrderStatus.FILLED, "stop")
    fills = [(fill.price, fill.quantity) for fill in sold.fills]
    assert fills == [(Decimal("90.99"), Decimal("0.4")), (Decimal("90.90"), Decimal("49.6"))]
    assert {fill.at for fill in sold.fills} == {START + timedelta(seconds=305)}


async def test_a_target_that_nobody_saw_passed_sells_at_its_own_price(bench: Bench) -> None:
    venue = await bench.buy("50")
    bench.clock.to(303 / 60)
    await venue.cancel(BTC.symbol, client_id("b"))
    await venue.submit(oco("late", "50"))
    bench.see(305, "130", book_of({"129.99": "0.4"}, {"130.01": "1"}, seconds=305))
    (fill,) = (await state(venue, "late")).fills
    assert (fill.price, fill.quantity) == (Decimal(120), Decimal(50))
    assert START + timedelta(seconds=303) <= fill.at <= START + timedelta(seconds=305)


async def test_a_stale_price_refuses_and_an_oco_can_still_be_placed(bench: Bench) -> None:
    venue = await bench.buy()
    bench.clock.to(10)
    sent = await venue.submit(intent("c"))
    assert isinstance(sent, Refused)
    assert "no price" in sent.reason
    with pytest.raises(NoData):
        await venue.book(BTC.symbol)
    await venue.cancel(BTC.symbol, client_id("b"))
    assert isinstance(await venue.submit(oco("d")), Ack)


GAP: tuple[Row, ...] = ((100, 101, 99, 100, 50), (100, 100, 94, 99, 50), (99, 101, 99, 100, 50))
JUMP: tuple[Row, ...] = ((100, 101, 99, 100, 50), (90, 99, 89, 99, 50), (99, 101, 99, 100, 50))


@pytest.mark.parametrize("quantity", ["1", "900"])
@pytest.mark.parametrize(("rows", "best"), [(GAP, "94.98"), (JUMP, "89.98")], ids=["passed", "opened beyond"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_over_a_time_that_nobody_observed_a_stop_sells_whole_along_the_candles_of_that_time(
    bench: Bench, quantity: str, rows: tuple[Row, ...], best: str, *, restarted: bool
) -> None:
    venue = await bench.buy(quantity)
    bench.clock.to(10)
    if restarted:
        venue = bench.open(feed_of(BTC, ETH))
    assert (await state(venue, "b")).status is OrderStatus.OPEN, "what happened is not known yet"
    assert venue.advanced_to == START + timedelta(seconds=300)
    bench.bridge(rows, after=300, until=600, minute=6)
    bench.see(600, "100")
    sold = await state(venue, "b")
    assert (sold.status, sold.closed_by, sold.filled) == (OrderStatus.FILLED, "stop", Decimal(quantity))
    assert len({fill.at for fill in sold.fills}) == 1
    assert START + timedelta(minutes=7) <= sold.fills[0].at < START + timedelta(minutes=8)
    assert Decimal(best) - Decimal("0.12") <= min(f.price for f in sold.fills) <= sold.fills[0].price <= Decimal(best)


@pytest.mark.parametrize(
    ("after", "until", "minute", "row"),
    [(330, 400, 5, (100, 101, 90, 100, 50)), (330, 350, 5, (100, 101, 90, 100, 50)), (330, 400, 6, GAP[1])],
    ids=["where it begins", "all in one minute", "where it ends"],
)
async def test_a_dip_in_a_minute_of_which_a_part_was_observed_reaches_the_stop(
    bench: Bench, after: float, until: float, minute: int, row: Row
) -> None:
    venue = await bench.buy("900")
    bench.see(after, "100")
    bench.bridge([row], after=after, until=until, minute=minute)
    bench.see(until, "100")
    sold = await state(venue, "b")
    assert (sold.status, sold.filled) == (OrderStatus.FILLED, Decimal(900))
    assert {fill.price <= Decimal(95) for fill in sold.fills} == {True}


async def test_a_high_that_may_have_been_before_a_gap_reaches_no_target(bench: Bench) -> None:
    venue = await bench.buy()
    bench.see(330, "100")
    bench.bridge([(100, 125, 99, 100, 50)], after=330, until=400, minute=5)
    bench.see(400, "100")
    assert (await state(venue, "b")).status is OrderStatus.OPEN


async def test_a_market_that_is_not_heard_of_holds_up_no_other_and_comes_after(bench: Bench) -> None:
    venue = await bench.buy("50", ETH.symbol)
    await bench.buy("50")
    bench.see(305, "100")
    await venue.balances()
    bench.see(400, "90")
    assert (await state(venue, "b")).closed_by == "stop", "ETH has not been heard of for 100 seconds"
    assert (await state(venue, "bETH/USDT")).status is OrderStatus.OPEN
    assert venue.advanced == {BTC.symbol: bench.clock.now(), ETH.symbol: START + timedelta(seconds=300)}
    venue = bench.open()
    assert venue.advanced[ETH.symbol] == START + timedelta(seconds=300), "a restart knows how far each one was"
    candles = hand_candles([(100, 100, 94, 99, 50)], ETH.symbol, Timeframe.M1, START + timedelta(minutes=6))
    bench.feed.bridge(Gap(candles=candles, after=START + timedelta(seconds=300), until=START + timedelta(seconds=420)))
    bench.see(420, "99", symbol=ETH.symbol)
    sold = await state(venue, "bETH/USDT")
    assert (sold.closed_by, sold.filled) == ("stop", Decimal(50))
    assert START + timedelta(seconds=360) < sold.fills[0].at < START + timedelta(seconds=400)
    with closing(sqlite3.connect(bench.file)) as connection:
        assert connection.execute("SELECT key FROM meta WHERE key LIKE 'advanced_to%' ORDER BY key").fetchall() == [
            ("advanced_to",), (f"advanced_to {BTC.symbol}",)
        ]  # fmt: skip


async def test_an_order_does_not_meet_prices_from_before_it_was_placed(bench: Bench) -> None:
    venue = await bench.buy()
    await venue.cancel(BTC.symbol, client_id("b"))
    bench.clock.to(8.5)
    assert isinstance(await venue.submit(oco("late")), Ack)
    bench.bridge(GAP, after=300, until=600, minute=6)
    bench.see(600, "100")
    assert (await state(venue, "late")).status is OrderStatus.OPEN


BEFORE, DURING = (301, 90), (350, 94)
"""Trades of the minute in which the gap begins: a low from before the OCO, and one that reaches its stop."""


@pytest.mark.parametrize(
    ("trades", "sold_at"),
    [([BEFORE, (302, 100), (359, 100)], None), ([BEFORE, (302, 100), DURING, (359, 100)], 350)],
    ids=["a low from before it", "a low of its own"],
)
@pytest.mark.parametrize("restarted", [False, True])
async def test_an_oco_meets_only_what_was_traded_since_it_was_placed(
    bench: Bench, trades: list[tuple[float, float]], sold_at: int | None, *, restarted: bool
) -> None:
    """After a restart all is told anew from the minute on that the venue's file noted."""
    venue = await bench.buy()
    await venue.cancel(BTC.symbol, client_id("b"))
    bench.see(312, "100")
    assert isinstance(await venue.submit(oco("late")), Ack)
    if restarted:
        venue = bench.open(feed_of(BTC, ETH))
    after = 300 if restarted else 316
    told = [trade for trade in trades if trade[0] > after]
    bench.bridge([(100, 101, 90, 100, 50)], after=after, until=400, minute=5, trades=told)
    bench.see(400, "100")
    sold = await state(venue, "late")
    assert sold.closed_by == ("" if sold_at is None else "stop")
    if sold_at is not None:
        assert START + timedelta(seconds=sold_at - 48) < sold.fills[0].at <= START + timedelta(seconds=sold_at)


looks = st.lists(st.tuples(st.integers(1, 40), st.integers(80, 130)), min_size=1, max_size=12)
minutes = st.lists(st.lists(st.integers(80, 130), min_size=4, max_size=4), max_size=6)


@examples(60)
@given(looks, minutes, looks, st.sampled_from(["0.5", "40", "900"]), st.sampled_from([0.0, 0.01, 30.0, 90_000.0]))
def test_a_stop_sells_whole_at_no_better_than_its_price_and_what_the_market_showed(
    before: list[tuple[int, int]], gap: list[list[int]], after: list[tuple[int, int]], quantity: str, volume: float
) -> None:
    async def play(folder: Path) -> tuple[OrderState, Decimal]:
        bench, second, shown = Bench(folder), 300, [Decimal(100)]
        venue = await bench.buy(quantity)
        for steps in (before, after):
            for step, price in steps:
                second += step
                bench.see(second, str(price))
                shown.append(Decimal(price))
                await venue.balances()
            if steps is before and gap:
                begin, minute = second, second // 60 + 1
                second = 60 * (minute + len(gap))
                rows = [(p[0], max(p), min(p), p[1], volume) for p in gap]
                bench.bridge(rows, after=begin, until=second, minute=minute)
                shown += [Decimal(min(p)) for p in gap]
        assert check_conservation(bench.file) == []
        return await state(venue, "b"), min(shown)

    with TemporaryDirectory() as folder:
        sold, lowest = asyncio.run(play(Path(folder)))
    if lowest <= Decimal(95) and sold.closed_by != "target":
        assert (sold.status, sold.closed_by) == (OrderStatus.FILLED, "stop")
    if sold.closed_by == "stop":
        assert sold.filled == Decimal(quantity)
        assert len({fill.at for fill in sold.fills}) == 1
        assert all(fill.price <= Decimal(95) and fill.price % BTC.tick == 0 for fill in sold.fills)
        assert min(fill.price for fill in sold.fills) >= lowest * Decimal("0.99")
    elif sold.closed_by == "target":
        assert sold.filled == Decimal(quantity)


def test_a_rise_that_no_price_makes_is_a_jump_and_a_smaller_one_is_a_way() -> None:
    feed = LiveFeed(["BTC/USDT"], fresh_for=FRESH)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for seconds, price in ((0, 100), (5, 300), (10, 400_000)):
        feed.see("BTC/USDT", at + timedelta(seconds=seconds), Decimal(price))
    turns = feed.path("BTC/USDT", at, at + timedelta(seconds=10))
    assert [price for _, price in turns] == [300, 300, 400_000]
    assert turns[1][0] == turns[2][0]


async def test_a_limit_takes_the_observed_book_up_to_its_price_and_the_rest_by_what_a_minute_trades(
    bench: Bench,
) -> None:
    bench.feed.keep(hand_candles([(100, 101, 99, 100, 50)] * 5, timeframe=Timeframe.M1))
    bench.see(300, "100", book_of({"99.9": "5"}, {"100.1": "2", "100.2": "3", "100.3": "9"}, seconds=300))
    limit = replace(intent("a", "7"), type=OrderType.LIMIT, limit_price=Decimal("100.2"))
    assert isinstance(await bench.venue.submit(limit), Ack)
    assert [(fill.price, fill.quantity) for fill in (await state(bench.venue, "a")).fills] == [
        (Decimal("100.1"), 2),
        (Decimal("100.2"), 3),
    ]
    for seconds, price, filled in ((305, "100.25", 5), (310, "100.2", 6), (315, "100.3", 6), (320, "99", 7)):
        bench.see(seconds, price)
        assert (await state(bench.venue, "a")).filled == filled
    assert {fill.price for fill in (await state(bench.venue, "a")).fills[2:]} == {Decimal("100.2")}
