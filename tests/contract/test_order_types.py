"""What every venue must do with each type of order, run over every member of the family."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.orders import Ack, OrderRequest, OrderState, OrderStatus, OrderType, Side, TimeInForce, client_id
from engine.ports import Exchange
from tests.contract.venues import CASH, FALL, QUIET, RISE, Make, oco, order, refused, state
from tests.fakes.feed import BTC, START, Row

THIN: Row = (100, 101, 99, 100, 200)
"""Ten coins a time are traded in the candle after it."""


def asked(
    kind: OrderType,
    name: str,
    quantity: str = "1",
    side: Side = Side.SELL,
    *,
    limit: str | None = None,
    trigger: str | None = None,
    trailing: str | None = None,
    terms: TimeInForce = TimeInForce.GTC,
) -> OrderRequest:
    prices = [None if price is None else Decimal(price) for price in (limit, trigger, trailing)]
    return replace(
        order(name, quantity, side),
        type=kind,
        limit_price=prices[0],
        trigger_price=prices[1],
        trailing=prices[2],
        time_in_force=terms,
    )


def limit(name: str, price: str, quantity: str = "1", side: Side = Side.BUY) -> OrderRequest:
    return asked(OrderType.LIMIT, name, quantity, side, limit=price)


def minute(minutes: float) -> object:
    return START + timedelta(minutes=minutes)


async def prices(venue: Exchange, name: str) -> list[Decimal]:
    return [fill.price for fill in (await state(venue, name)).fills]


async def is_taken(venue: Exchange, request: OrderRequest) -> OrderState:
    sent = await venue.submit(request)
    assert isinstance(sent, Ack), sent
    found = await venue.find(request.symbol, request.client_id)
    assert isinstance(found, OrderState)
    return found


# LIMIT


async def test_a_limit_that_the_book_meets_gets_the_prices_of_the_book(bench: Make) -> None:
    bought = await is_taken(bench().venue, limit("a", "100.50"))
    assert (bought.status, [fill.price for fill in bought.fills]) == (OrderStatus.FILLED, [Decimal("100.02")])


async def test_what_the_book_has_not_at_the_limit_or_better_waits_there(bench: Make) -> None:
    on = bench()
    first = await is_taken(on.venue, limit("a", "100.06", "30"))
    assert (first.status, [fill.price for fill in first.fills]) == (
        OrderStatus.OPEN,
        [Decimal("100.02"), Decimal("100.05")],
    )
    on.to(81)
    done = await state(on.venue, "a")
    assert (done.status, done.fills[-1].price, done.fills[-1].at) == (
        OrderStatus.FILLED,
        Decimal("100.06"),
        minute(80),
    )


@pytest.mark.parametrize(
    ("side", "price", "at", "unseen"),
    [(Side.BUY, "99.5", 70, 80), (Side.SELL, "100.5", 95, 95)],
    ids=["a purchase", "a sale"],
)
async def test_what_rests_is_filled_at_its_limit_when_the_path_comes_to_it(
    bench: Make, side: Side, price: str, at: float, unseen: float
) -> None:
    on = bench()
    await on.venue.submit(order("coins"))
    assert (await is_taken(on.venue, limit("a", price, "1", side))).fills == ()
    on.to(at - 1)
    assert (await state(on.venue, "a")).status is OrderStatus.OPEN
    on.to(119)
    done = await state(on.venue, "a")
    assert [(fill.price, fill.at) for fill in done.fills] == [
        (Decimal(price), minute(at if on.sees_it_fall else unseen))
    ]


async def test_what_rests_is_filled_in_parts_by_what_is_traded_there_and_never_beyond_its_limit(bench: Make) -> None:
    on = bench(*[THIN] * 8)
    await on.venue.submit(limit("a", "99.5", "35"))
    on.to(300)
    done = await state(on.venue, "a")
    assert (done.status, {fill.price for fill in done.fills}) == (OrderStatus.FILLED, {Decimal("99.5")})
    assert [fill.quantity for fill in done.fills] == [10, 10, 10, 5]
    assert len({fill.at for fill in done.fills}) == 4


@pytest.mark.parametrize("volume", [0, 0.001])
async def test_nothing_that_rests_is_filled_where_nothing_is_traded(bench: Make, volume: float) -> None:
    on = bench(QUIET, *[(100, 101, 99, 100, volume)] * 4)
    on.to(121)
    await on.venue.submit(limit("a", "99.5"))
    on.to(290)
    assert (await state(on.venue, "a")).fills == ()


async def test_a_jump_over_a_limit_gives_a_sale_the_better_price_and_a_purchase_its_own(bench: Make) -> None:
    """Two looks at a market prove nothing about what lies between them; a target is paid likewise."""
    on = bench(QUIET, QUIET, (120, 121, 119, 120, 1000), (80, 81, 79, 80, 1000))
    await on.venue.submit(order("coins", "2"))
    await on.venue.submit(limit("sale", "105", side=Side.SELL))
    await on.venue.submit(oco("target", "90", "105"))
    await on.venue.submit(limit("purchase", "95"))
    on.to(185)
    assert await prices(on.venue, "sale") == await prices(on.venue, "target") == [Decimal("119.97")]
    assert await prices(on.venue, "purchase") == [95]


async def test_a_limit_purchase_sets_its_cash_aside_with_fees_until_it_ends(bench: Make) -> None:
    on = bench()
    await on.venue.submit(limit("a", "90", "100"))
    assert "991.00 is free" in await refused(on.venue, order("b", "10"))
    await on.venue.cancel(BTC.symbol, client_id("a"))
    assert (await is_taken(on.venue, order("b", "90"))).filled == 50


async def test_a_limit_sale_sets_its_coins_aside_until_it_ends(bench: Make) -> None:
    on = bench()
    await on.venue.submit(order("coins", "5"))
    await on.venue.submit(limit("a", "110", "4", Side.SELL))
    assert "1 is held" in await refused(on.venue, limit("b", "110", "2", Side.SELL))
    assert "1 is held" in await on.venue.why_unsellable(BTC.symbol, Decimal(2))
    cancelled = await on.venue.cancel(BTC.symbol, client_id("a"))
    assert isinstance(cancelled, OrderState)
    assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, 0)
    assert (await is_taken(on.venue, order("b", "5", Side.SELL))).status is OrderStatus.FILLED


async def test_a_limit_that_is_cancelled_keeps_what_it_traded(bench: Make) -> None:
    on = bench(*[THIN] * 8)
    await on.venue.submit(limit("a", "99.5", "35"))
    on.to(85)
    partly = (await state(on.venue, "a")).filled
    cancelled = await on.venue.cancel(BTC.symbol, client_id("a"))
    on.to(400)
    assert cancelled == await state(on.venue, "a")
    assert 0 < partly == (await state(on.venue, "a")).filled < 35


# At a trigger


@pytest.mark.parametrize(
    ("what", "row", "price", "unseen"),
    [
        (asked(OrderType.STOP, "a", trigger="95"), FALL, "94.98", "89.98"),
        (asked(OrderType.STOP, "a", side=Side.BUY, trigger="105"), RISE, "105.03", "105.03"),
        (asked(OrderType.TAKE_PROFIT, "a", trigger="105"), RISE, "104.97", "104.97"),
        (asked(OrderType.TAKE_PROFIT, "a", side=Side.BUY, trigger="95"), FALL, "95.02", "90.02"),
        (asked(OrderType.STOP_LIMIT, "a", trigger="95", limit="89"), FALL, "94.98", "89.98"),
        (asked(OrderType.STOP_LIMIT, "a", side=Side.BUY, trigger="105", limit="106"), RISE, "105.03", "105.03"),
        (asked(OrderType.TRAILING_STOP, "a", trailing="5"), FALL, "95.98", "89.98"),
        (asked(OrderType.TRAILING_STOP, "a", side=Side.BUY, trailing="5"), RISE, "104.03", "104.03"),
    ],
    ids=lambda value: f"{value.type} {value.side}" if isinstance(value, OrderRequest) else "",
)
async def test_an_order_begins_where_the_path_first_comes_to_its_trigger(
    bench: Make, what: OrderRequest, row: Row, price: str, unseen: str
) -> None:
    on = bench(QUIET, row, QUIET)
    await on.venue.submit(order("coins"))
    waiting = await is_taken(on.venue, what)
    assert (waiting.status, waiting.closed_by) == (OrderStatus.OPEN, "")
    on.to(120)
    done = await state(on.venue, "a")
    assert (done.status, done.filled) == (OrderStatus.FILLED, 1)
    assert done.closed_by == ("target" if what.type is OrderType.TAKE_PROFIT else "stop")
    assert await prices(on.venue, "a") == [Decimal(price if on.sees_it_fall else unseen)]
    assert START + timedelta(minutes=60) < done.fills[0].at < START + timedelta(minutes=120)


@pytest.mark.parametrize("side", Side)
async def test_a_stop_trades_whole_and_a_take_profit_goes_on_from_turn_to_turn(bench: Make, side: Side) -> None:
    """A stop gives what it gets at once; who takes a profit may wait for the next ones to trade with."""
    falls = side is Side.SELL
    rows: list[Row] = [(100, 101, 99, 100, 200), FALL if falls else RISE, QUIET, QUIET]
    on = bench(QUIET, *rows)
    await on.venue.submit(order("coins", "45"))
    stop, profit = ("95", "100.5") if falls else ("105", "99.5")
    on.to(121)
    await on.venue.submit(asked(OrderType.STOP, "stop", "20", side, trigger=stop))
    await on.venue.submit(asked(OrderType.TAKE_PROFIT, "profit", "20", side, trigger=profit))
    on.to(290)
    whole, parts = await state(on.venue, "stop"), await state(on.venue, "profit")
    assert (whole.filled, len({fill.at for fill in whole.fills})) == (20, 1)
    assert (parts.filled, len({fill.at for fill in parts.fills})) == (20, 2)


async def test_a_stop_limit_that_the_book_does_not_meet_rests_at_its_limit(bench: Make) -> None:
    on = bench(QUIET, RISE, (109, 110, 99, 101, 1000), QUIET)
    waiting = await is_taken(on.venue, asked(OrderType.STOP_LIMIT, "a", side=Side.BUY, trigger="105", limit="104.5"))
    assert waiting.fills == ()
    on.to(119)
    rests = await state(on.venue, "a")
    assert (rests.status, rests.closed_by, rests.fills) == (OrderStatus.OPEN, "stop", ())
    on.to(180)
    assert await prices(on.venue, "a") == [Decimal("104.5")]


async def test_a_stop_limit_over_which_the_path_jumps_sells_nothing_below_its_limit(bench: Make) -> None:
    on = bench(QUIET, QUIET, (80, 96, 79, 95, 1000), QUIET)
    await on.venue.submit(order("coins"))
    await on.venue.submit(asked(OrderType.STOP_LIMIT, "a", trigger="95", limit="94"))
    on.to(130)
    assert (await state(on.venue, "a")).fills == ()
    on.to(180)
    assert await prices(on.venue, "a") == [94]


async def test_a_trailing_stop_follows_the_best_price_of_the_path_and_never_goes_back(bench: Make) -> None:
    on = bench(QUIET, RISE, (109, 109, 100, 101, 1000), QUIET)
    await on.venue.submit(order("coins"))
    await on.venue.submit(asked(OrderType.TRAILING_STOP, "a", trailing="3"))
    for minutes in (61, 75, 100, 119):
        on.to(minutes)
        assert (await state(on.venue, "a")).status is OrderStatus.OPEN
        on.crash()
    on.to(179)
    assert await prices(on.venue, "a") == [Decimal("106.97") if on.sees_it_fall else Decimal("99.98")]


async def test_what_waits_for_a_trigger_sells_what_is_left_and_reserves_nothing_until_then(bench: Make) -> None:
    on = bench(QUIET, FALL, QUIET)
    await on.venue.submit(order("coins"))
    await on.venue.submit(asked(OrderType.STOP, "a", trigger="95"))
    await on.venue.submit(order("b", "0.4", Side.SELL))
    on.to(120)
    left = await state(on.venue, "a")
    assert (left.status, left.filled) == (OrderStatus.CANCELLED, Decimal("0.6"))


async def test_a_purchase_that_waits_for_a_trigger_sets_its_cash_aside(bench: Make) -> None:
    on = bench()
    await on.venue.submit(asked(OrderType.STOP, "a", "80", Side.BUY, trigger="110"))
    assert "is free" in await refused(on.venue, order("b", "15"))
    await on.venue.cancel(BTC.symbol, client_id("a"))
    assert (await is_taken(on.venue, order("b", "15"))).status is OrderStatus.FILLED


# Time in force


@pytest.mark.parametrize(
    ("what", "filled", "status"),
    [
        (asked(OrderType.LIMIT, "a", "30", Side.BUY, limit="100.06", terms=TimeInForce.IOC), 20, OrderStatus.EXPIRED),
        (asked(OrderType.LIMIT, "a", "20", Side.BUY, limit="100.06", terms=TimeInForce.IOC), 20, OrderStatus.FILLED),
        (asked(OrderType.LIMIT, "a", "20", Side.BUY, limit="99.06", terms=TimeInForce.IOC), 0, OrderStatus.EXPIRED),
        (asked(OrderType.LIMIT, "a", "30", Side.BUY, limit="100.06", terms=TimeInForce.FOK), 0, OrderStatus.EXPIRED),
        (asked(OrderType.LIMIT, "a", "20", Side.BUY, limit="100.06", terms=TimeInForce.FOK), 20, OrderStatus.FILLED),
        (asked(OrderType.MARKET, "a", "80", Side.BUY, terms=TimeInForce.IOC), 50, OrderStatus.EXPIRED),
        (asked(OrderType.MARKET, "a", "80", Side.BUY, terms=TimeInForce.FOK), 0, OrderStatus.EXPIRED),
        (asked(OrderType.MARKET, "a", "50", Side.BUY, terms=TimeInForce.FOK), 50, OrderStatus.FILLED),
    ],
    ids=lambda value: f"{value.type} {value.time_in_force}" if isinstance(value, OrderRequest) else str(value),
)
async def test_what_an_order_may_not_wait_for_expires(
    bench: Make, what: OrderRequest, filled: int, status: OrderStatus
) -> None:
    on = bench()
    ended = await is_taken(on.venue, what)
    assert (ended.status, ended.filled) == (status, filled)
    (*_, last) = (await on.venue.events(None)).events
    assert (last.order.status, last.fill, await on.venue.open_orders()) == (status, None, ())
    on.to(300)
    assert await state(on.venue, "a") == ended
    free = (CASH - filled * Decimal("100.30")) / 102 // 1
    assert isinstance(await on.venue.submit(order("what is left", str(free - 1))), Ack)


async def test_time_in_force_counts_from_the_trigger_on(bench: Make) -> None:
    on = bench(QUIET, RISE, (109, 110, 99, 101, 1000), QUIET)
    later = asked(OrderType.STOP_LIMIT, "a", "1", Side.BUY, trigger="105", limit="104.5", terms=TimeInForce.IOC)
    assert (await is_taken(on.venue, later)).status is OrderStatus.OPEN
    on.to(119)
    ended = await state(on.venue, "a")
    assert (ended.status, ended.fills) == (OrderStatus.EXPIRED, ())


# Refusals


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "100.02"), (Side.SELL, "99.98")])
async def test_post_only_is_refused_where_it_would_be_filled_at_once(bench: Make, side: Side, price: str) -> None:
    on = bench()
    await on.venue.submit(order("coins"))
    reason = await refused(on.venue, replace(limit("a", price, side=side), post_only=True))
    assert f"the best {'ask' if side is Side.BUY else 'bid'} is {price}" in reason
    better = str(Decimal(price) + (Decimal("-0.01") if side is Side.BUY else Decimal("0.01")))
    assert (await is_taken(on.venue, replace(limit("a", better, side=side), post_only=True))).fills == ()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (asked(OrderType.LIMIT, "a", side=Side.BUY), "a limit order needs a limit price"),
        (asked(OrderType.STOP, "a", side=Side.BUY), "a stop needs a trigger price"),
        (asked(OrderType.STOP_LIMIT, "a", trigger="95"), "a stop-limit order needs a limit price"),
        (asked(OrderType.STOP_LIMIT, "a", limit="95"), "a stop-limit order needs a trigger price"),
        (asked(OrderType.TAKE_PROFIT, "a"), "a take-profit order needs a trigger price"),
        (asked(OrderType.TRAILING_STOP, "a"), "a trailing stop needs a distance from the best price"),
        (asked(OrderType.OCO, "a", trigger="95"), "needs a stop below its target; it has 95 and none"),
        (asked(OrderType.MARKET, "a", side=Side.BUY, limit="90"), "an order at market takes no limit price"),
        (asked(OrderType.LIMIT, "a", side=Side.BUY, limit="90", trigger="90"), "takes no trigger price"),
        (limit("a", "90.001"), "limit price of 90.001 is not on the tick of 0.01"),
        (limit("a", "-90"), "not on the tick"),
        (limit("a", "NaN"), "not on the tick"),
        (asked(OrderType.STOP, "a", trigger="90.001"), "trigger price of 90.001 is not on the tick"),
        (asked(OrderType.TRAILING_STOP, "a", trailing="0.001"), "not on the tick"),
        (limit("a", "99.99", "0.1"), "least that is traded"),
        (asked(OrderType.STOP, "a", "0.1", trigger="90"), "least that is traded"),
        (limit("a", "99.0", "0.0005"), "whole number of lots"),
        (limit("a", "100", "100"), "10,010.00 USDT with fees, and 9,899.88 is free"),
        (limit("a", "101", "2", Side.SELL), "it sells 2 BTC, and 1"),
        (asked(OrderType.STOP, "a", "2", trigger="90"), "it sells 2 BTC, and 1"),
        (replace(limit("a", "101", "2", Side.SELL), reduce_only=True), "it sells 2 BTC, and 1"),
        (replace(limit("a", "99"), reduce_only=True), "cannot be reduce-only"),
        (asked(OrderType.STOP, "a", trigger="100"), "trigger price of 100 is not below the price, 100"),
        (asked(OrderType.STOP, "a", side=Side.BUY, trigger="99"), "is not above the price"),
        (asked(OrderType.STOP_LIMIT, "a", trigger="101", limit="99"), "is not below the price"),
        (asked(OrderType.TAKE_PROFIT, "a", trigger="99"), "is not above the price"),
        (asked(OrderType.TAKE_PROFIT, "a", side=Side.BUY, trigger="101"), "is not below the price"),
        (asked(OrderType.TRAILING_STOP, "a", trailing="100"), "distance of 100 is not below the price"),
        (replace(order("a"), post_only=True), "only a limit order"),
        (replace(limit("a", "90"), post_only=True, time_in_force=TimeInForce.IOC), "only a limit order"),
        (replace(oco("a", "90", "110"), time_in_force=TimeInForce.FOK), "cannot be fok"),
        (replace(oco("a", "90", "110"), side=Side.BUY), "a stop and target can only sell"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_taken_is_refused_in_words_to_act_on(bench: Make, what: OrderRequest, words: str) -> None:
    venue = bench().venue
    await venue.submit(order("coins"))
    before = await venue.balances()
    assert words in await refused(venue, what)
    assert (await venue.balances(), await venue.open_orders()) == (before, ())


async def test_without_a_price_only_a_stop_and_target_is_taken(bench: Make) -> None:
    on = bench(QUIET, QUIET, None, None, QUIET)
    await on.venue.submit(order("coins"))
    on.to(150)
    for each in (limit("a", "90"), asked(OrderType.STOP, "b", trigger="90")):
        assert "no price" in await refused(on.venue, each)
    assert (await is_taken(on.venue, oco("c", "90", "110"))).status is OrderStatus.OPEN


async def test_when_another_coin_comes_under_its_name_a_sale_is_paid_and_a_purchase_is_cancelled(bench: Make) -> None:
    coin: Row = (250_000, 250_000, 250_000, 250_000, 1e6)
    on = bench(QUIET, QUIET, coin, coin)
    await on.venue.submit(order("coins", "2"))
    await on.venue.submit(limit("sale", "110", side=Side.SELL))
    await on.venue.submit(asked(OrderType.TRAILING_STOP, "trail", trailing="5"))
    await on.venue.submit(limit("purchase", "90"))
    for minutes in range(61, 150, 8):
        on.to(minutes)
        await on.venue.balances()
    for name in ("sale", "trail"):
        ended = await state(on.venue, name)
        assert (ended.status, ended.closed_by, await prices(on.venue, name)) == (OrderStatus.FILLED, "payout", [100])
    assert (await state(on.venue, "purchase")).status is OrderStatus.CANCELLED


# Whatever is asked when


ALL = [
    order("coins", "49"),
    limit("buy", "99.3", "30"),
    limit("sell", "101.5", "10", Side.SELL),
    limit("crosses", "100.06", "25"),
    asked(OrderType.STOP, "stop", "7", trigger="88"),
    asked(OrderType.STOP, "stop buy", "3", Side.BUY, trigger="111"),
    asked(OrderType.STOP_LIMIT, "stop limit", "6", trigger="98", limit="99"),
    asked(OrderType.STOP_LIMIT, "stop limit buy", "2", Side.BUY, trigger="102", limit="101"),
    asked(OrderType.TAKE_PROFIT, "profit", "9", trigger="104"),
    asked(OrderType.TAKE_PROFIT, "profit buy", "4", Side.BUY, trigger="93"),
    asked(OrderType.TRAILING_STOP, "trail", "5", trailing="6"),
    asked(OrderType.TRAILING_STOP, "trail buy", "1", Side.BUY, trailing="4"),
    oco("both", "85", "111.5", "5"),
]
ROWS: list[Row] = [
    THIN,
    (100, 110, 99, 109, 120),
    (109, 112, 80, 85, 90),
    (87, 101.5, 86, 99, 100),
    QUIET,
    (96, 99.3, 90, 91, 70),
    (91, 118, 91, 117, 60),
    QUIET,
]


@pytest.mark.parametrize("step", [1, 7, 20])
@pytest.mark.parametrize("crashing", [False, True])
async def test_what_happens_does_not_hang_on_how_often_the_venue_is_asked_or_lost(
    bench: Make, step: int, *, crashing: bool
) -> None:
    often, seldom = (bench(*ROWS, cash=10 * CASH) for _ in range(2))
    for each in (often, seldom):
        for request in ALL:
            await is_taken(each.venue, request)
    for minutes in range(61, 479, step):
        often.to(minutes)
        await often.venue.balances()
        if crashing:
            often.crash()
    for each in (often, seldom):
        each.to(479)
    told = [
        [
            (e.order.client_id, e.order.status, e.fill and (e.fill.price, e.fill.quantity, e.fill.at))
            for e in (await b.venue.events(None)).events
        ]
        for b in (often, seldom)
    ]
    assert told[0] == told[1]
    assert await often.venue.balances() == await seldom.venue.balances()
    filled = {e.order.client_id for e in (await seldom.venue.events(None)).events if e.fill}
    assert filled == {request.client_id for request in ALL}
