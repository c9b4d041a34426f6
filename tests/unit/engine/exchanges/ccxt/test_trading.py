"""Orders through the real ccxt at a strict venue on loopback: what is sent, and what an answer is taken for."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, Underflow, localcontext
from functools import partial
from logging import ERROR

import pytest

from engine.domain.errors import UnknownCursor, VenueError
from engine.domain.money import Money
from engine.domain.orders import (
    Ack,
    NotFound,
    OrderRequest,
    OrderState,
    OrderStatus,
    Refused,
    Side,
    Unknown,
    client_id,
)
from engine.exchanges.ccxt.client import VenueClient
from engine.exchanges.ccxt.windows import PROTECTION_WINDOW_MS, RECEIVE_WINDOW_MS
from engine.execution.doubts import LATE_SALE_WITHIN
from engine.ports import Cursor
from engine.timing.clocks import WallClock
from tests.fakes.exchange import Symbol, usual_symbols
from tests.fakes.patience import until
from tests.fakes.real_account import SYMBOL, Account, account_at, limit, oco, order
from tests.fakes.venues import binance
from tests.fakes.venues.binance import FakeBinance, trading

PLACE, CANCEL, ORDER, LIST = (
    "POST /api/v3/order",
    "DELETE /api/v3/order",
    "GET /api/v3/order",
    "POST /api/v3/orderList/oco",
)
TRADES, OPEN, BALANCE = "GET /api/v3/myTrades", "GET /api/v3/openOrders", "GET /api/v3/account"


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    async with trading() as fake:
        fake.set_price("BTCUSDT", 60_000)
        yield fake


@pytest.fixture
async def at(fake: FakeBinance) -> AsyncIterator[Account]:
    async with account_at(fake) as made:
        yield made


async def test_a_market_order_goes_there_and_comes_back_with_its_fill_and_fee(at: Account) -> None:
    begin = (await at.venue.events(None)).cursor
    sent = await at.venue.submit(order("a"))
    assert isinstance(sent, Ack)
    batch = await at.venue.events(begin)
    (filled, ended) = batch.events
    assert filled.fill is not None
    assert (filled.fill.client_id, filled.fill.side, filled.fill.quantity) == (client_id("a"), Side.BUY, Decimal("0.1"))
    assert filled.fill.fee == Money(amount=Decimal("0.0001"), currency="BTC")
    assert (ended.order.status, ended.order.venue_order_id) == (OrderStatus.FILLED, sent.venue_order_id)
    assert (await at.venue.events(batch.cursor)).events == ()
    assert (await at.venue.balances())["BTC"] == Decimal("0.0999")


async def test_how_money_is_rounded_stays_as_it_was(at: Account) -> None:
    """Ccxt sets how decimals are rounded for all who come after it, and has what is too small raise."""
    with localcontext(Context()) as own:
        assert isinstance(await at.venue.submit(limit("a", "50000")), Ack)
        assert (own.rounding, own.traps[Underflow]) == (ROUND_HALF_EVEN, False)


async def test_a_stop_and_target_stands_at_the_venue_and_its_stop_sells(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(order("a"))
    cursor = (await at.venue.events(None)).cursor
    assert isinstance(await at.venue.submit(oco("b", "58000", "65000", "0.099")), Ack)
    (standing,) = await at.venue.open_orders()
    assert (standing.client_id, standing.status) == (client_id("b"), OrderStatus.OPEN)
    assert (await at.venue.events(cursor)).events == ()
    fake.set_price("BTCUSDT", 57_000)
    batch = await at.venue.events(cursor)
    assert {event.order.client_id for event in batch.events} == {client_id("b")}
    assert sum(event.fill.quantity for event in batch.events if event.fill) == Decimal("0.099")
    assert (batch.events[-1].order.status, batch.events[-1].order.closed_by) == (OrderStatus.FILLED, "stop")
    assert await at.venue.open_orders() == ()
    fake.audit()


# Answers that prove nothing (FAULTS 2, 3, 35)


@pytest.mark.parametrize(
    "fault",
    [
        binance.DROPPED,
        binance.TRUNCATED,
        binance.PAGE_OF_HTML,
        binance.GARBAGE,
        binance.UNKNOWN_OUTCOME,
        binance.Fault(body="{}"),
        binance.Fault(body="null"),
    ],
    ids=["dropped", "truncated", "html", "garbage", "503 with unknown outcome", "nothing in it", "null"],
)
async def test_an_order_whose_answer_is_lost_is_unknown_and_found_by_its_client_id(
    at: Account, fake: FakeBinance, fault: binance.Fault
) -> None:
    cursor = (await at.venue.events(None)).cursor
    fake.fail(PLACE, fault)
    assert isinstance(await at.venue.submit(order("a")), Unknown)
    assert (await at.state("a")).status is OrderStatus.FILLED
    assert fake.matching.accepted == {client_id("a"): 1}
    at.record.mark(client_id("a"), OrderStatus.OPEN)
    batch = await at.venue.events(cursor)
    assert [event.fill.quantity for event in batch.events if event.fill] == [Decimal("0.1")]


async def test_an_order_that_takes_too_long_is_unknown(fake: FakeBinance) -> None:
    async with account_at(fake, within=1.0) as at:
        await at.venue.balances()
        fake.fail(PLACE, binance.slow_answer(3))
        assert isinstance(await at.venue.submit(order("a")), Unknown)
        assert (await at.state("a")).status is OrderStatus.FILLED
        assert fake.matching.accepted == {client_id("a"): 1}


async def test_what_was_never_heard_is_unknown_and_then_not_found_and_never_sent_again(
    at: Account, fake: FakeBinance
) -> None:
    fake.fail(PLACE, binance.NEVER_HEARD)
    assert isinstance(await at.venue.submit(order("a")), Unknown)
    assert await at.venue.find(SYMBOL, client_id("a")) == NotFound(client_id=client_id("a"))
    assert (fake.count(PLACE), fake.matching.accepted) == (1, {})


async def test_an_order_that_arrives_after_a_not_found_is_found_when_it_is_asked_for_again(
    at: Account, fake: FakeBinance
) -> None:
    await at.venue.balances()
    fake.fail(PLACE, binance.late(0.3))
    assert isinstance(await at.venue.submit(order("a")), Unknown)
    assert isinstance(await at.venue.find(SYMBOL, client_id("a")), NotFound)
    await asyncio.sleep(0.5)
    assert (await at.state("a")).status is OrderStatus.FILLED
    assert fake.matching.accepted == {client_id("a"): 1}


@pytest.mark.slow
async def test_a_request_that_comes_later_than_the_receive_window_is_not_carried_out(
    at: Account, fake: FakeBinance
) -> None:
    """After a "not found" only what is within the window can still come."""
    await at.venue.balances()
    fake.fail(PLACE, binance.late(RECEIVE_WINDOW_MS / 1000 + 1))
    assert isinstance(await at.venue.submit(order("a")), Unknown)
    await until(lambda: fake.count(PLACE) == 1, seconds=20)
    assert isinstance(await at.venue.find(SYMBOL, client_id("a")), NotFound)
    assert fake.matching.accepted == {}


async def test_a_stop_that_was_lost_can_be_told_to_be_too_late_after_a_short_window(
    at: Account, fake: FakeBinance
) -> None:
    await at.venue.submit(order("a"))
    fake.fail(LIST, binance.NEVER_HEARD)
    assert isinstance(await at.venue.submit(oco("b", "58000", "65000", "0.09")), Unknown)
    first = await at.venue.find(SYMBOL, client_id("b"))
    assert isinstance(first, NotFound)
    assert first.late_within is not None
    assert timedelta(0) < first.late_within < timedelta(seconds=2), "it may be late"
    await asyncio.sleep(first.late_within.total_seconds())
    assert await at.venue.find(SYMBOL, client_id("b")) == NotFound(client_id=client_id("b"), late_within=timedelta(0))


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [-0.8, 0, 0.8], ids=["we are ahead", "in step", "we are behind"])
@pytest.mark.parametrize("late", [0.5, 1.4, 1.6, 3.0])
async def test_a_stop_is_taken_within_its_window_and_held_to_be_lost_only_after_it(
    at: Account, fake: FakeBinance, late: float, ahead: float
) -> None:
    """What is said of it holds for good, also where the clocks have come apart since the venue's was last read."""
    await at.venue.submit(order("a"))
    fake.ahead = timedelta(seconds=ahead)
    fake.fail(LIST, binance.late(late))
    assert isinstance(await at.venue.submit(oco("b", "58000", "65000", "0.09")), Unknown)
    found = await at.venue.find(SYMBOL, client_id("b"))
    while isinstance(found, NotFound) and found.late_within:
        await asyncio.sleep(0.02)
        found = await at.venue.find(SYMBOL, client_id("b"))
    await until(lambda: fake.count(LIST) == 1, seconds=20)
    await asyncio.sleep(0.1)
    assert isinstance(await at.venue.find(SYMBOL, client_id("b")), type(found))
    if abs(late + ahead - PROTECTION_WINDOW_MS / 1000) > 0.3:  # nearer to it, it depends on the way there
        assert isinstance(found, OrderState) is (late + ahead < PROTECTION_WINDOW_MS / 1000)


async def test_a_stop_whose_short_window_was_missed_is_sent_at_once_with_the_usual_one(
    at: Account, fake: FakeBinance
) -> None:
    await at.venue.submit(order("a"))
    fake.ahead = timedelta(milliseconds=PROTECTION_WINDOW_MS + 500)
    assert isinstance(await at.venue.submit(oco("b", "58000", "65000", "0.09")), Ack)
    assert fake.count(LIST) == 2
    assert len(await at.venue.open_orders()) == 1


async def test_a_stop_that_was_lost_in_the_usual_window_is_waited_for_as_long(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(order("a"))
    fake.ahead = timedelta(milliseconds=PROTECTION_WINDOW_MS + 500)
    faults = [None, binance.NEVER_HEARD]
    fake.meddle = lambda call: faults.pop(0) if call == LIST else None
    assert isinstance(await at.venue.submit(oco("b", "58000", "65000", "0.09")), Unknown)
    found = await at.venue.find(SYMBOL, client_id("b"))
    assert isinstance(found, NotFound)
    assert found.late_within is not None
    assert found.late_within > timedelta(milliseconds=PROTECTION_WINDOW_MS + 500)


async def test_where_the_venue_does_not_tell_its_time_nothing_is_held_to_be_too_late(
    at: Account, fake: FakeBinance
) -> None:
    await at.venue.submit(order("a"))
    fake.fail(LIST, binance.NEVER_HEARD)
    await at.venue.submit(oco("b", "58000", "65000", "0.09"))
    fake.fail("GET /api/v3/time", binance.DOWN, times=6)
    assert await at.venue.find(SYMBOL, client_id("b")) == NotFound(client_id=client_id("b"))


def test_what_takes_the_place_of_a_lost_sale_is_sent_once_that_can_no_longer_be_taken() -> None:
    assert LATE_SALE_WITHIN.total_seconds() * 1000 >= RECEIVE_WINDOW_MS


@pytest.mark.parametrize(
    "fault",
    [binance.DOWN, binance.PAGE_OF_HTML, binance.TRUNCATED, binance.DROPPED, binance.Fault(body="{}")],
    ids=["503", "html", "truncated", "dropped", "empty"],
)
async def test_only_the_venues_own_word_is_a_not_found(at: Account, fake: FakeBinance, fault: binance.Fault) -> None:
    await at.venue.balances()
    fake.fail(ORDER, fault, times=6)  # three looks; aiohttp asks once more each time where a connection is lost
    with pytest.raises(VenueError):
        await at.venue.find(SYMBOL, client_id("a"))
    fake.heal()
    assert isinstance(await at.venue.find(SYMBOL, client_id("a")), NotFound)


@pytest.mark.parametrize("fault", [binance.DOWN, binance.TRUNCATED, binance.PAGE_OF_HTML], ids=["503", "cut", "html"])
@pytest.mark.parametrize("call", [OPEN, BALANCE, TRADES])
async def test_half_an_answer_is_none(at: Account, fake: FakeBinance, call: str, fault: binance.Fault) -> None:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(order("a"))
    fake.fail(call, fault, times=5)
    asked = {OPEN: at.venue.open_orders, BALANCE: at.venue.balances, TRADES: partial(at.venue.events, cursor)}
    with pytest.raises(VenueError):
        await asked[call]()
    fake.heal()
    assert [each.fill.quantity for each in (await at.venue.events(cursor)).events if each.fill] == [Decimal("0.1")]


@pytest.mark.parametrize("body", ["{}", "[]", '{"balances": []}'])
async def test_an_empty_answer_about_balances_is_no_answer(at: Account, fake: FakeBinance, body: str) -> None:
    await at.venue.balances()
    fake.fail(BALANCE, binance.Fault(body=body), times=3)
    with pytest.raises(VenueError):
        await at.venue.balances()


async def test_what_only_looks_is_asked_again_at_once_and_an_order_never(at: Account, fake: FakeBinance) -> None:
    await at.venue.balances()
    fake.fail(BALANCE, binance.DOWN, times=2)
    assert (await at.venue.balances())["USDT"] > 0
    fake.fail(PLACE, binance.UNKNOWN_OUTCOME)
    assert isinstance(await at.venue.submit(order("a")), Unknown)
    assert fake.count(PLACE) == 1


async def test_a_venue_that_wants_quiet_is_not_asked_again(at: Account, fake: FakeBinance) -> None:
    await at.venue.balances()
    before = fake.count(BALANCE)
    fake.fail(
        BALANCE, binance.Fault(status=429, effect=False, body='{"code":-1003,"msg":"Too many requests."}'), times=3
    )
    with pytest.raises(VenueError):
        await at.venue.balances()
    assert fake.count(BALANCE) == before + 1


async def test_trades_that_are_missing_from_a_page_end_no_order_before_they_are_told(
    at: Account, fake: FakeBinance
) -> None:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(order("a"))
    fake.fail(TRADES, binance.NO_ROWS)
    assert (await at.venue.events(cursor)).events == ()
    assert [bool(each.fill) for each in (await at.venue.events(cursor)).events] == [True, False]


# Cancelling (FAULT 4)


@pytest.mark.parametrize("fault", [binance.DROPPED, binance.TRUNCATED, binance.PAGE_OF_HTML, binance.UNKNOWN_OUTCOME])
async def test_a_cancel_whose_answer_is_lost_is_asked_for(at: Account, fake: FakeBinance, fault: binance.Fault) -> None:
    await at.venue.submit(limit("a", "50000"))
    fake.fail(CANCEL, fault)
    found = await at.venue.cancel(SYMBOL, client_id("a"))
    assert isinstance(found, OrderState)
    assert found.status is OrderStatus.CANCELLED


async def test_what_was_filled_before_it_was_cancelled_is_returned_as_it_is(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(limit("a", "50000"))
    fake.set_price("BTCUSDT", 49_000)
    found = await at.venue.cancel(SYMBOL, client_id("a"))
    assert isinstance(found, OrderState)
    assert (found.status, found.filled) == (OrderStatus.FILLED, Decimal("0.1"))
    assert await at.venue.cancel(SYMBOL, client_id("none")) == NotFound(client_id=client_id("none"))


async def test_a_stop_and_target_is_cancelled_as_one(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(order("a"))
    await at.venue.submit(oco("b", "58000", "65000", "0.099"))
    found = await at.venue.cancel(SYMBOL, client_id("b"))
    assert isinstance(found, OrderState)
    assert found.status is OrderStatus.CANCELLED
    assert fake.matching.open_orders() == []


async def test_a_cancel_that_did_not_happen_is_an_error(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(limit("a", "50000"))
    fake.fail(CANCEL, binance.DOWN, times=2)
    with pytest.raises(VenueError):
        await at.venue.cancel(SYMBOL, client_id("a"))


# Fills (FAULTS 7, 32, 33)


async def test_a_partial_fill_and_a_cancel_make_the_sum_of_what_traded(at: Account, fake: FakeBinance) -> None:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(limit("a", "50000"))
    (resting,) = fake.matching.open_orders()
    for quantity in ("0.02", "0.01"):
        fake.matching.fill(resting, quantity)
        batch = await at.venue.events(cursor)
        cursor = batch.cursor
        assert [each.fill.quantity for each in batch.events if each.fill] == [Decimal(quantity)]
    await at.venue.cancel(SYMBOL, client_id("a"))
    (ended,) = (await at.venue.events(cursor)).events
    assert (ended.order.status, ended.order.filled, ended.fill) == (OrderStatus.CANCELLED, Decimal("0.03"), None)


async def test_a_restart_goes_on_at_the_cursor_without_a_gap_and_without_a_second_time(
    at: Account, fake: FakeBinance
) -> None:
    before = (await at.venue.events(None)).cursor
    await at.venue.submit(order("a"))
    first = await at.venue.events(before)
    await at.venue.submit(order("b", "0.05", Side.SELL))
    await at.crash()
    told = await at.venue.events(first.cursor)
    assert [each.fill.client_id for each in told.events if each.fill] == [client_id("b")]
    assert (await at.venue.events(told.cursor)).events == ()
    again = [each.fill.trade_id for each in (await at.venue.events(before)).events if each.fill]
    assert len(again) == len(set(again)) == len(fake.matching.trades)


async def test_many_trades_are_taken_in_page_by_page(at: Account, fake: FakeBinance) -> None:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(limit("a", "50000", "0.19"))
    (resting,) = fake.matching.open_orders()
    for _ in range(700):
        fake.matching.fill(resting, "0.0002")
    ids = [each.fill.trade_id for each in (await at.venue.events(cursor)).events if each.fill]
    assert len(ids) == len(set(ids)) == 700


async def test_the_same_trade_id_in_two_markets_is_two_fills(at: Account, fake: FakeBinance) -> None:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(order("a"))
    await at.venue.submit(replace(order("b", "1"), symbol="ETH/USDT"))
    fills = [each.fill for each in (await at.venue.events(cursor)).events if each.fill]
    assert {(each.symbol, each.quantity) for each in fills} == {
        ("BTC/USDT", Decimal("0.1")),
        ("ETH/USDT", Decimal(1)),
    }


async def test_a_fee_in_a_third_currency_is_told_as_that() -> None:
    symbols = [*usual_symbols(), Symbol(base="BNB", price=lambda _: 600.0)]
    async with trading(symbols, balances={"USDT": "10000", "BNB": "10"}) as fake, account_at(fake) as at:
        fake.matching.fees.paid_in = "BNB"
        cursor = (await at.venue.events(None)).cursor
        await at.venue.submit(order("a"))
        (fill,) = [each.fill for each in (await at.venue.events(cursor)).events if each.fill]
        assert fill.fee is not None
        assert fill.fee.currency == "BNB"
        assert (await at.venue.balances())["BTC"] == Decimal("0.1")


# Refusals (FAULT 10)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (order("a", "0.000011"), "not a whole number of lots"),
        (order("a", "0.00001"), "worth less than the least that is traded"),
        (limit("a", "50000.001"), "not on the tick"),
        (replace(order("a"), symbol="DOGE/USDT"), "no market DOGE/USDT"),
    ],
    ids=["lot", "notional", "tick", "market"],
)
async def test_what_cannot_be_taken_is_refused_before_anything_is_sent(
    at: Account, fake: FakeBinance, asked: OrderRequest, words: str
) -> None:
    answer = await at.venue.submit(asked)
    assert isinstance(answer, Refused)
    assert words in answer.reason
    assert fake.count(PLACE) == 0


async def test_what_the_venue_refuses_is_refused_in_its_words_and_not_sent_again(
    at: Account, fake: FakeBinance
) -> None:
    answer = await at.venue.submit(order("a", "5"))
    assert isinstance(answer, Refused)
    assert "(binance: Account has insufficient balance for requested action)" in answer.reason
    assert fake.count(PLACE) == 1


async def test_what_speaks_against_a_sale_is_told_without_an_order(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(order("a"))
    assert await at.venue.why_unsellable(SYMBOL, Decimal("0.0999")) == ""
    assert "0.0999 is held" in await at.venue.why_unsellable(SYMBOL, Decimal("0.1"))
    assert "lots" in await at.venue.why_unsellable(SYMBOL, Decimal("0.000001"))
    assert fake.count(PLACE) == 1


# Limits and clocks (FAULT 9)


@pytest.mark.parametrize("status", [429, 418])
async def test_a_venue_that_asks_for_quiet_is_not_called_and_an_order_is_not_refused_by_that(
    at: Account, fake: FakeBinance, status: int
) -> None:
    await at.venue.balances()
    fake.limits.quiet(5) if status == 429 else fake.limits.ban(5)
    with pytest.raises(VenueError):
        await at.venue.balances()
    called = len(fake.calls)
    answer = await at.venue.submit(order("a"))
    assert isinstance(answer, Unknown)
    assert "quiet" in answer.reason
    with pytest.raises(VenueError, match="quiet"):
        await at.venue.open_orders()
    assert len(fake.calls) == called


@pytest.mark.parametrize("ahead", [-90, 90])
async def test_a_clock_that_is_wrong_is_set_by_the_venues_and_the_order_goes_there_once(
    at: Account, fake: FakeBinance, ahead: int
) -> None:
    await at.venue.balances()
    fake.ahead = timedelta(seconds=ahead)
    assert isinstance(await at.venue.submit(order("a")), Ack)
    assert fake.matching.accepted == {client_id("a"): 1}


# Others on the same account (FAULTS 14, 34)


async def test_an_order_by_hand_is_told_of_under_its_own_id(at: Account, fake: FakeBinance) -> None:
    cursor = (await at.venue.events(None)).cursor
    async with account_at(fake) as hand:
        await hand.venue.submit(limit("by hand", "50000"))
        (found,) = await at.venue.open_orders()
        assert (found.limit_price, found.quantity) == (Decimal(50000), Decimal("0.1"))
        fake.set_price("BTCUSDT", 49_000)
        await at.crash()
        (told,) = (await at.venue.events(cursor)).events
        assert told.fill is not None
        assert (told.order.client_id, told.order.status) == (client_id("by hand"), OrderStatus.FILLED)


async def test_what_was_traded_before_the_beginning_is_told_from_the_beginning_and_not_after_it(
    at: Account, fake: FakeBinance
) -> None:
    await at.venue.submit(order("a"))
    opened = await at.venue.events(None)
    assert [each.fill.client_id for each in opened.events if each.fill] == [client_id("a")]
    await at.crash()
    assert (await at.venue.events(opened.cursor)).events == ()


async def test_a_cursor_of_another_account_is_unknown(at: Account) -> None:
    await at.venue.submit(order("a"))
    cursor = (await at.venue.events(None)).cursor
    async with trading() as other, account_at(other) as elsewhere:
        with pytest.raises(UnknownCursor):
            await elsewhere.venue.events(cursor)
    with pytest.raises(UnknownCursor):
        await at.venue.events(Cursor("17"))


# The venue's own stream


async def test_what_the_stream_tells_of_is_asked_for_at_once_and_counts_once(fake: FakeBinance) -> None:
    async with account_at(fake) as at:
        cursor = (await at.venue.events(None)).cursor
        fake.stream.copies = 2
        told = asyncio.create_task(at.news())
        await until(lambda: fake.stream.listeners == 1)
        async with account_at(fake) as hand:
            await hand.venue.submit(order("by hand"))
        assert await told
        batch = await at.venue.events(cursor)
        assert [each.fill.quantity for each in batch.events if each.fill] == [Decimal("0.1")]
        assert (await at.venue.events(batch.cursor)).events == ()


async def test_a_stream_that_is_cut_is_an_error_and_connects_anew(fake: FakeBinance) -> None:
    async with account_at(fake) as at:
        told = asyncio.create_task(at.news())
        await until(lambda: fake.stream.listeners == 1)
        await fake.stream.cut()
        with pytest.raises(VenueError, match="stream of orders is lost"):
            await told
        again = asyncio.create_task(at.news())
        await until(lambda: fake.stream.listeners == 1)
        await at.venue.submit(order("a"))
        assert await again


async def test_a_stream_that_is_turned_away_says_so_to_us_and_leaves_nothing_in_the_log(
    fake: FakeBinance, caplog: pytest.LogCaptureFixture
) -> None:
    """Of what ccxt waits for and never asks again asyncio would log a traceback each time."""
    fake.stream.refused = True
    async with account_at(fake) as at:
        with pytest.raises(VenueError, match="stream of orders is lost"):
            await at.news()
    gc.collect()
    await asyncio.sleep(0)
    assert [each.getMessage() for each in caplog.records if each.name == "asyncio" and each.levelno >= ERROR] == []


# What the venue does not hold


async def test_what_is_watched_here_costs_no_call_until_its_price_is_there(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(order("a"))
    at.can_only(holds_both=False, holds_stops=False)
    await at.venue.submit(oco("b", "58000", "65000", "0.099"))
    cursor = (await at.venue.events(None)).cursor
    called = len(fake.calls)
    for _ in range(3):
        assert (await at.venue.events(cursor)).events == ()
    assert len(fake.calls) == called


@pytest.mark.parametrize("fault", [binance.DROPPED, binance.NEVER_HEARD], ids=["done", "not done"])
async def test_a_watched_stop_whose_sale_was_lost_is_not_sold_again_at_once(
    at: Account, fake: FakeBinance, fault: binance.Fault
) -> None:
    await at.venue.submit(order("a"))
    at.can_only(holds_both=False, holds_stops=False)
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(oco("b", "58000", "65000", "0.099"))
    fake.set_price("BTCUSDT", 57_000)
    fake.fail(PLACE, fault)
    for _ in range(3):
        await at.venue.events(cursor)
    sales = [each for each in fake.log if each.call == PLACE and each.sent["side"] == "SELL"]
    assert len(sales) == 1
    sold = sum(each.fill.quantity for each in (await at.venue.events(cursor)).events if each.fill)
    assert sold == (Decimal("0.099") if fault is binance.DROPPED else 0)


async def test_without_a_price_nothing_that_is_watched_is_sold(at: Account, fake: FakeBinance) -> None:
    await at.venue.submit(order("a"))
    at.can_only(holds_both=False, holds_stops=False)
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(oco("b", "58000", "65000", "0.099"))
    fake.set_price("BTCUSDT", 57_000)
    at.prices.silent = True
    assert (await at.venue.events(cursor)).events == ()
    assert fake.count(PLACE) == 1


async def test_who_asks_for_prices_is_quiet_as_well_when_the_account_is_told_to_be(
    at: Account, fake: FakeBinance
) -> None:
    await at.venue.balances()
    prices = VenueClient(
        exchange="binance",
        api_url=fake.url,
        answer_within=timedelta(seconds=5),
        clock=WallClock(),
        quiet=at.account.quiet,
    )
    await prices.open()
    fake.limits.ban(30)
    with pytest.raises(VenueError):
        await at.venue.balances()
    called = len(fake.calls)
    with pytest.raises(VenueError, match="quiet"):
        await prices.listings()
    assert len(fake.calls) == called
    await prices.close()
