"""What every venue must do, run over every member of the family. The market is the same for all: candles by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.errors import NoData, UnknownCursor
from engine.domain.market import Timeframe
from engine.domain.money import Money
from engine.domain.orders import Ack, NotFound, OrderRequest, OrderState, OrderStatus, Refused, Side, client_id
from engine.ports import VenueEvent
from tests.contract.venues import CASH, FALL, QUIET, RISE, Make, oco, order, refused, state
from tests.fakes.feed import BTC, START, Row


async def test_a_buy_is_filled_at_the_ask_with_its_fee(bench: Make) -> None:
    venue = bench().venue
    sent = await venue.submit(order("a"))
    assert isinstance(sent, Ack)
    bought = await state(venue, "a")
    assert (bought.status, bought.filled, bought.venue_order_id) == (
        OrderStatus.FILLED,
        Decimal(1),
        sent.venue_order_id,
    )
    assert [(fill.price, fill.fee) for fill in bought.fills] == [
        (Decimal("100.02"), Money(amount=Decimal("0.10002"), currency="USDT"))
    ]
    assert await venue.balances() == {"BTC": Decimal(1), "USDT": CASH - Decimal("100.12002")}


async def test_what_is_bought_can_be_sold_again(bench: Make) -> None:
    venue = bench().venue
    await venue.submit(order("a"))
    await venue.submit(order("b", side=Side.SELL))
    assert (await state(venue, "b")).fills[0].price == Decimal("99.98")
    assert (await venue.balances())["BTC"] == 0


async def test_the_same_client_id_is_one_order_however_often_it_is_sent(bench: Make) -> None:
    venue = bench().venue
    first = await venue.submit(order("a"))
    assert [await venue.submit(order("a")), await venue.submit(order("a", "2"))] == [first, first]
    assert (await venue.balances())["BTC"] == 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (replace(order("a"), symbol="DOGE/USDT"), "no market DOGE/USDT"),
        (order("a", "0.0005"), "whole number of lots"),
        (order("a", "0"), "whole number of lots"),
        (order("a", "0.099"), "least that is traded"),
        (order("a", "99.9"), "is free"),
        (order("a", "1", Side.SELL), "0 is held"),
        (oco("a", "90", "110"), "0 is held"),
        (replace(oco("a", "90", "110"), side=Side.BUY), "only sell"),
        (oco("a", "110", "90"), "stop below its target"),
        (oco("a", "90.001", "110"), "not on the tick"),
    ],
)
async def test_an_order_that_cannot_be_taken_is_refused_with_the_reason(
    bench: Make, asked: OrderRequest, words: str
) -> None:
    venue = bench().venue
    assert words in await refused(venue, asked)
    assert await venue.balances() == {"USDT": CASH}
    assert (await venue.events(None)).events == ()


async def test_dust_can_be_sold_when_it_is_everything_that_is_held(bench: Make) -> None:
    venue = bench().venue
    await venue.submit(order("a", "0.15"))
    await venue.submit(order("b", "0.101", Side.SELL))
    assert "least that is traded" in await refused(venue, order("c", "0.04", Side.SELL))
    assert isinstance(await venue.submit(order("d", "0.049", Side.SELL)), Ack)
    assert (await venue.balances())["BTC"] == 0


@pytest.mark.parametrize("quantity", ["1", "0.05", "0.099", "0.15", "0.0005", "2"])
async def test_what_speaks_against_a_sale_is_told_without_an_order_in_the_words_of_the_refusal(
    bench: Make, quantity: str
) -> None:
    """An OCO stands, and its coins count as free."""
    venue = bench().venue
    await venue.submit(order("a", "1"))
    await venue.submit(oco("b", "90", "110"))
    before = await venue.events(None)
    told = await venue.why_unsellable(BTC.symbol, Decimal(quantity))
    assert (await venue.events(None), (await state(venue, "b")).status) == (before, OrderStatus.OPEN)
    await venue.cancel(BTC.symbol, client_id("b"))
    sent = await venue.submit(order("c", quantity, Side.SELL))
    assert told == (sent.reason if isinstance(sent, Refused) else "")


async def test_nothing_can_be_sold_where_there_is_no_market_or_no_price(bench: Make) -> None:
    on = bench(QUIET, QUIET, None, None, QUIET)
    assert "no market DOGE/USDT" in await on.venue.why_unsellable("DOGE/USDT", Decimal(1))
    await on.venue.submit(order("a", "1"))
    on.to(200)
    assert await on.venue.why_unsellable(BTC.symbol, Decimal(1)) == "BTC/USDT has no price at this moment"


async def test_a_large_order_takes_level_after_level_and_the_rest_waits_for_the_next_turn(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("a", "80"))
    first = await state(on.venue, "a")
    assert (first.status, first.filled, len(first.fills)) == (OrderStatus.OPEN, Decimal(50), 5)
    prices = [fill.price for fill in first.fills]
    assert prices == sorted(set(prices))
    on.to(79)
    assert (await state(on.venue, "a")).filled == Decimal(50)
    on.to(81)
    done = await state(on.venue, "a")
    assert (done.status, done.filled) == (OrderStatus.FILLED, Decimal(80))
    assert {fill.at for fill in done.fills[5:]} == {START + timedelta(minutes=80)}
    assert done.fills[5].price == Decimal("99.02")


async def test_an_order_that_waits_can_be_cancelled_and_keeps_what_it_traded(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("a", "80"))
    cancelled = await on.venue.cancel(BTC.symbol, client_id("a"))
    assert isinstance(cancelled, OrderState)
    assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, Decimal(50))
    on.to(300)
    assert await on.venue.cancel(BTC.symbol, client_id("a")) == cancelled == await state(on.venue, "a")
    assert await on.venue.cancel(BTC.symbol, client_id("b")) == NotFound(client_id=client_id("b"))


async def test_cash_for_the_waiting_rest_is_set_aside(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("a", "80"))
    assert "is free" in await refused(on.venue, order("b", "19.5"))
    await on.venue.cancel(BTC.symbol, client_id("a"))
    assert isinstance(await on.venue.submit(order("b", "19.5")), Ack)


async def test_a_waiting_buy_is_cut_when_the_price_runs_away_from_the_cash(bench: Make) -> None:
    on = bench(QUIET, (100, 160, 90, 95, 1000), QUIET)
    await on.venue.submit(order("a", "95"))
    on.to(179)
    cut = await state(on.venue, "a")
    assert cut.status is OrderStatus.CANCELLED
    assert Decimal(50) < cut.filled < Decimal(95)
    assert (await on.venue.balances())["USDT"] < Decimal("0.2")


async def test_what_is_being_sold_cannot_be_sold_twice(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("a", "80"))
    on.to(90)
    await on.venue.submit(order("b", "80", Side.SELL))
    assert (await state(on.venue, "b")).status is OrderStatus.OPEN
    assert "0 is held" in (await refused(on.venue, order("c", "1", Side.SELL))).replace("0.000 is", "0 is")


@pytest.mark.parametrize(
    ("row", "by", "price", "unseen"),
    [
        (FALL, "stop", "94.98", "89.98"),
        (RISE, "target", "105.00", "105.00"),
        ((100, 106, 94, 99, 1000), "target", "105.00", "105.00"),
    ],
    ids=["the stop", "the target", "both, the high first"],
)
async def test_an_oco_closes_where_the_path_first_reaches_it(
    bench: Make, row: Row, by: str, price: str, unseen: str
) -> None:
    on = bench(QUIET, row, QUIET)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    assert (await state(on.venue, "b")).status is OrderStatus.OPEN
    on.to(120)
    closed = await state(on.venue, "b")
    assert (closed.status, closed.closed_by, closed.filled) == (OrderStatus.FILLED, by, Decimal(1))
    assert closed.fills[0].price == Decimal(price if on.sees_it_fall else unseen)
    assert START + timedelta(minutes=60) < closed.fills[0].at < START + timedelta(minutes=120)


async def test_when_a_candle_rises_over_both_the_stop_is_reached_first(bench: Make) -> None:
    on = bench(QUIET, (100, 106, 94, 101, 1000), QUIET)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    on.to(120)
    assert (await state(on.venue, "b")).closed_by == "stop"


@pytest.mark.parametrize("missing", [(), (None, None)], ids=["between two candles", "over missing candles"])
@pytest.mark.parametrize(
    ("after", "by", "price"),
    [((80, 81, 79, 80, 1000), "stop", "79.98"), ((120, 121, 119, 120, 1000), "target", "119.97")],
    ids=["down", "up"],
)
async def test_over_a_gap_an_oco_closes_at_the_price_where_the_path_resumes(
    bench: Make, missing: Sequence[None], after: Row, by: str, price: str
) -> None:
    on = bench(QUIET, QUIET, *missing, after)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    resumes = 120 + 60 * len(missing)
    on.to(resumes - 1)
    assert (await state(on.venue, "b")).status is OrderStatus.OPEN
    on.to(resumes + 5)
    closed = await state(on.venue, "b")
    assert (closed.closed_by, closed.fills[0].price) == (by, Decimal(price))
    assert closed.fills[0].at == START + timedelta(minutes=resumes)


@pytest.mark.parametrize("missing", [0, 3], ids=["between two candles", "over missing candles"])
@pytest.mark.parametrize("price", [250_000, 0.05], ids=["up", "down"])
async def test_when_another_coin_comes_under_its_name_an_oco_is_paid_at_the_last_price(
    bench: Make, missing: int, price: float
) -> None:
    """Its target would pay a fortune, its stop would lose everything, and neither was ever traded by anybody."""
    on = bench(QUIET, QUIET, *[None] * missing, *[(price, price, price, price, 1e6)] * 2)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    for minutes in range(61, 131 + 60 * missing, 8):
        on.to(minutes)
        await on.venue.balances()
    closed = await state(on.venue, "b")
    assert (closed.status, closed.closed_by, closed.filled) == (OrderStatus.FILLED, "payout", 1)
    assert [fill.price for fill in closed.fills] == [100]
    assert abs((await on.venue.balances())["USDT"] - CASH) < 1


@pytest.mark.parametrize("volume", [200, 1, 0.001, 0])
async def test_a_stop_sells_whole_however_little_is_traded(bench: Make, volume: float) -> None:
    on = bench(QUIET, (100, 101, 99, 100, volume), (100, 101, 90, 91, volume), *[QUIET] * 3)
    await on.venue.submit(order("a", "49"))
    await on.venue.submit(oco("b", "95", "105", "49"))
    on.to(160)
    sold = await state(on.venue, "b")
    assert (sold.status, sold.closed_by, sold.filled) == (OrderStatus.FILLED, "stop", Decimal(49))
    assert len({fill.at for fill in sold.fills}) == 1
    best = Decimal("94.98") if on.sees_it_fall else Decimal("89.98")
    prices = [fill.price for fill in sold.fills]
    assert best - Decimal("0.12") <= min(prices) <= max(prices) <= best
    assert prices == sorted(prices, reverse=True)
    assert (await on.venue.balances())["BTC"] == 0


@pytest.mark.parametrize("volume", [1000, 1])
async def test_over_a_gap_a_stop_sells_whole_where_the_path_resumes(bench: Make, volume: float) -> None:
    on = bench(QUIET, (100, 101, 99, 100, volume), None, (80, 99, 79, 98, volume), QUIET)
    await on.venue.submit(order("a", "49"))
    await on.venue.submit(oco("b", "95", "105", "49"))
    on.to(199)
    sold = await state(on.venue, "b")
    assert (sold.status, sold.closed_by) == (OrderStatus.FILLED, "stop")
    assert {fill.at for fill in sold.fills} == {START + timedelta(minutes=180)}
    assert Decimal("79.86") <= min(fill.price for fill in sold.fills) <= Decimal("79.98")


async def test_an_oco_whose_holding_was_sold_is_cancelled_when_it_is_reached(bench: Make) -> None:
    on = bench(QUIET, FALL, QUIET)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    await on.venue.submit(order("c", side=Side.SELL))
    assert (await state(on.venue, "b")).status is OrderStatus.OPEN
    on.to(120)
    assert ((await state(on.venue, "b")).status, (await state(on.venue, "b")).fills) == (OrderStatus.CANCELLED, ())


async def test_an_oco_sells_what_is_left_of_its_holding(bench: Make) -> None:
    on = bench(QUIET, RISE, QUIET)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    await on.venue.submit(order("c", "0.4", Side.SELL))
    on.to(120)
    left = await state(on.venue, "b")
    assert (left.status, left.filled, left.closed_by) == (OrderStatus.CANCELLED, Decimal("0.6"), "target")


async def test_an_oco_that_is_reached_already_closes_at_once(bench: Make) -> None:
    venue = bench().venue
    await venue.submit(order("a"))
    await venue.submit(oco("b", "101", "105"))
    assert (await state(venue, "b")).closed_by == "stop"


async def test_a_cancelled_oco_no_longer_closes(bench: Make) -> None:
    on = bench(QUIET, FALL, QUIET)
    await on.venue.submit(order("a"))
    await on.venue.submit(oco("b", "95", "105"))
    await on.venue.cancel(BTC.symbol, client_id("b"))
    on.to(120)
    assert (await state(on.venue, "b")).filled == 0
    assert (await on.venue.balances())["BTC"] == 1


async def test_events_tell_of_every_fill_and_every_end_without_gaps(bench: Make) -> None:
    on = bench(QUIET, RISE, QUIET)
    await on.venue.submit(order("a", "25"))
    await on.venue.submit(oco("b", "95", "105", "25"))
    on.to(120)
    events = (await on.venue.events(None)).events
    assert [_told(event) for event in events] == [
        ("open", 10, True), ("open", 20, True), ("open", 25, True), ("filled", 25, False),
        ("open", 25, True), ("filled", 25, False),
    ]  # fmt: skip
    assert [event.at for event in events] == sorted(event.at for event in events)


async def test_events_go_on_from_a_cursor_also_after_a_crash(bench: Make) -> None:
    on = bench(QUIET, QUIET, RISE, QUIET)
    await on.venue.submit(order("a", "10"))
    first = await on.venue.events(None)
    again = await on.venue.events(first.cursor)
    assert (again.events, again.cursor) == ((), first.cursor)
    await on.venue.submit(oco("b", "95", "105", "10"))
    on.crash()
    on.to(180)
    rest = await on.venue.events(first.cursor)
    assert [_told(event) for event in rest.events] == [("open", 10, True), ("filled", 10, False)]
    assert (await on.venue.events(None)).events == (*first.events, *rest.events)


async def test_a_cursor_of_another_account_is_refused(bench: Make) -> None:
    """Of one that has seen more, and of one that has seen something else."""
    more, other, fresh = bench(), bench(), bench()
    await more.venue.submit(order("a", "1"))
    await other.venue.submit(order("b", "1"))
    cursor = (await more.venue.events(None)).cursor
    for each in (other, fresh):
        with pytest.raises(UnknownCursor):
            await each.venue.events(cursor)


async def test_open_orders_are_told_of_whoever_sent_them(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("a", "10"))
    await on.venue.submit(oco("b", "95", "105", "10"))
    (waiting,) = await on.venue.open_orders()
    assert waiting == await state(on.venue, "b")
    assert (waiting.symbol, waiting.side, waiting.quantity) == (BTC.symbol, Side.SELL, 10)


async def test_an_order_is_known_by_its_market_too(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("a", "25"))
    assert await on.venue.find("ETH/USDT", client_id("a")) == NotFound(client_id=client_id("a"))
    assert await on.venue.cancel("ETH/USDT", client_id("a")) == NotFound(client_id=client_id("a"))


def _told(event: VenueEvent) -> tuple[str, Decimal, bool]:
    return event.order.status.value, event.order.filled, event.fill is not None


async def test_a_crash_of_the_client_loses_nothing(bench: Make) -> None:
    on, straight = bench(QUIET, RISE, QUIET), bench(QUIET, RISE, QUIET)
    for each in (on, straight):
        await each.venue.submit(order("a", "60"))
        await each.venue.submit(oco("b", "95", "105", "50"))
    before = await on.venue.events(None)
    on.crash()
    assert await on.venue.events(None) == before
    assert isinstance(await on.venue.submit(order("a", "60")), Ack)
    on.to(100)
    on.crash()
    for each in (on, straight):
        each.to(170)
    assert await on.venue.events(None) == await straight.venue.events(None)
    assert await on.venue.balances() == await straight.venue.balances()


async def test_what_happens_does_not_hang_on_how_often_the_venue_is_asked(bench: Make) -> None:
    rows = [QUIET, RISE, (109, 112, 80, 85, 900), QUIET, FALL]
    often, seldom = bench(*rows), bench(*rows)
    for each in (often, seldom):
        await each.venue.submit(order("a", "75"))
        await each.venue.submit(oco("b", "85", "111", "40"))
    for minutes in range(61, 290):
        often.to(minutes)
        await often.venue.balances()
    seldom.to(289)
    fills = [
        [(e.fill.price, e.fill.quantity) for e in (await b.venue.events(None)).events if e.fill]
        for b in (often, seldom)
    ]
    assert fills[0] == fills[1]


async def test_the_book_is_quoted_around_the_price(bench: Make) -> None:
    book = await bench().venue.book(BTC.symbol)
    assert (book.bid, book.ask, len(book.bids), len(book.asks)) == (Decimal("99.98"), Decimal("100.02"), 5, 5)
    assert [level.price for level in book.bids] == sorted((level.price for level in book.bids), reverse=True)
    assert {level.quantity for level in book.asks} == {Decimal(10)}


async def test_candles_are_those_that_have_closed(bench: Make) -> None:
    on = bench()
    assert len(await on.venue.candles(BTC.symbol, Timeframe.H1, 500)) == 1
    on.to(60 * 9 - 1)
    hours = await on.venue.candles(BTC.symbol, Timeframe.H1, 5)
    assert (len(hours), hours.closed_at) == (5, START + timedelta(hours=8))
    assert len(await on.venue.candles(BTC.symbol, Timeframe.H4, 500)) == 2


async def test_candles_of_a_time_before_are_those_that_had_closed_then_and_none_is_of_the_future(bench: Make) -> None:
    on = bench()
    on.to(60 * 9 - 1)
    before = await on.venue.candles(BTC.symbol, Timeframe.H1, 3, START + timedelta(hours=6, minutes=30))
    assert (len(before), before.closed_at) == (3, START + timedelta(hours=6))
    ahead = await on.venue.candles(BTC.symbol, Timeframe.H1, 3, START + timedelta(days=9))
    assert ahead.closed_at == START + timedelta(hours=8)
    with pytest.raises(NoData):
        await on.venue.candles(BTC.symbol, Timeframe.H1, 3, START - timedelta(hours=5))


async def test_what_the_venue_does_not_have_is_no_data(bench: Make) -> None:
    on = bench(QUIET, QUIET, None, QUIET)
    with pytest.raises(NoData, match="no market DOGE/USDT"):
        on.venue.market("DOGE/USDT")
    with pytest.raises(NoData, match="DOGE/USDT"):
        await on.venue.candles("DOGE/USDT", Timeframe.H1, 5)
    with pytest.raises(NoData, match="1d"):
        await on.venue.candles(BTC.symbol, Timeframe.D1, 5)
    on.to(150)
    with pytest.raises(NoData, match=f"{BTC.symbol}.* (no price|old)"):
        await on.venue.book(BTC.symbol)
    assert "no price" in await refused(on.venue, order("a"))
