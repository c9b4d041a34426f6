"""What every real venue must do through the real ccxt: one that holds a stop and target, and two with other habits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.orders import (
    Ack,
    NotFound,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    Refused,
    Side,
    client_id,
)
from engine.exchanges.ccxt.habits import Placement, Trails
from tests.fakes.real_account import Account, account_at, limit, oco, order
from tests.fakes.venues.binance import trading
from tests.fakes.venues.kraken import trading_kraken
from tests.fakes.venues.okx import trading_okx


@pytest.fixture(params=["binance", "kraken", "okx", "binance, by halves", "binance, watched whole"])
async def at(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    """Binance also with less than it can: its stop alone, or nothing that waits for a price."""
    name, _, less = request.param.partition(", ")
    servers = {"binance": trading, "kraken": trading_kraken, "okx": trading_okx}
    async with servers[name]() as fake, account_at(fake) as made:
        made.move(60_000)
        await made.venue.balances()
        if less:
            halves = less == "by halves"
            made.can_only(holds_both=False, holds_stops=halves, holds_targets=False, trails=Trails.NOT)
        yield made


def here(at: Account, request: OrderRequest) -> OrderRequest:
    return replace(request, venue=at.name, symbol=at.symbol)


async def bought(at: Account, name: str = "a", quantity: str = "0.1") -> Decimal:
    """Buy, and tell what there is of it after fees."""
    assert isinstance(await at.venue.submit(here(at, order(name, quantity))), Ack)
    return (await at.venue.balances())["BTC"] // Decimal("0.0001") * Decimal("0.0001")


async def test_a_purchase_comes_back_once_with_its_fee(at: Account) -> None:
    cursor = (await at.venue.events(None)).cursor
    await bought(at)
    batch = await at.venue.events(cursor)
    fills = [each.fill for each in batch.events if each.fill]
    assert sum(fill.quantity for fill in fills) == Decimal("0.1")
    assert all(fill.client_id == client_id("a") and fill.fee is not None for fill in fills)
    assert batch.events[-1].order.status is OrderStatus.FILLED
    assert (await at.venue.events(batch.cursor)).events == ()
    await at.crash()
    assert (await at.venue.events(batch.cursor)).events == ()


async def test_an_order_is_found_by_its_client_id_and_another_is_not(at: Account) -> None:
    sent = await at.venue.submit(here(at, order("a")))
    assert isinstance(sent, Ack)
    await at.venue.submit(here(at, limit("b", "50000", "0.05")))
    done, resting = await at.state("a"), await at.state("b")
    assert (done.status, done.filled, done.venue_order_id) == (OrderStatus.FILLED, Decimal("0.1"), sent.venue_order_id)
    assert (resting.status, resting.limit_price) == (OrderStatus.OPEN, Decimal(50_000))
    assert await at.venue.find(at.symbol, client_id("c")) == NotFound(client_id=client_id("c"))


async def test_a_resting_order_is_cancelled_and_keeps_what_it_traded(at: Account) -> None:
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(here(at, limit("a", "50000")))
    (resting,) = at.fake.matching.open_orders()
    at.fake.matching.fill(resting, "0.04")
    cancelled = await at.venue.cancel(at.symbol, client_id("a"))
    assert isinstance(cancelled, OrderState)
    assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, Decimal("0.04"))
    events = (await at.venue.events(cursor)).events
    assert [each.fill.quantity for each in events if each.fill] == [Decimal("0.04")]
    assert events[-1].order.status is OrderStatus.CANCELLED
    assert await at.venue.cancel(at.symbol, client_id("c")) == NotFound(client_id=client_id("c"))


@pytest.mark.parametrize(("price", "by"), [(57_000, "stop"), (66_000, "target")])
@pytest.mark.parametrize("crashing", [False, True])
async def test_a_stop_and_target_sells_once_at_whichever_comes_first(
    at: Account, price: int, by: str, *, crashing: bool
) -> None:
    held = await bought(at)
    cursor = (await at.venue.events(None)).cursor
    assert isinstance(await at.venue.submit(here(at, oco("b", "58000", "65000", str(held)))), Ack)
    (standing,) = await at.venue.open_orders()
    assert (standing.client_id, standing.status, standing.type) == (client_id("b"), OrderStatus.OPEN, OrderType.OCO)
    assert (standing.trigger_price, standing.limit_price) == (58_000, 65_000)
    assert (await at.venue.events(cursor)).events == ()
    at.move(price)
    if crashing:
        await at.crash()
    events = (await at.venue.events(cursor)).events
    fills = [each.fill for each in events if each.fill]
    assert sum(fill.quantity for fill in fills) == held
    assert {fill.client_id for fill in fills} == {client_id("b")}
    assert (events[-1].order.status, events[-1].order.closed_by) == (OrderStatus.FILLED, by)
    assert await at.venue.open_orders() == ()
    at.fake.audit()


async def test_a_stop_and_target_is_cancelled_as_one_and_sells_no_more(at: Account) -> None:
    held = await bought(at)
    cursor = (await at.venue.events(None)).cursor
    await at.venue.submit(here(at, oco("b", "58000", "65000", str(held))))
    cancelled = await at.venue.cancel(at.symbol, client_id("b"))
    assert isinstance(cancelled, OrderState)
    assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, 0)
    for price in (57_000, 66_000):
        at.move(price)
        events = (await at.venue.events(cursor)).events
        assert [each.order.status for each in events if each.fill is None] in ([OrderStatus.CANCELLED], [])
        assert [each for each in events if each.fill] == []
    assert (await at.venue.balances())["BTC"] >= held


def waiting(at: Account, kind: OrderType, quantity: Decimal, **prices: str) -> OrderRequest:
    """A sale that waits for a price."""
    asked = here(at, order("b", str(quantity), Side.SELL))
    return replace(asked, type=kind, **{name: Decimal(price) for name, price in prices.items()})


@pytest.mark.parametrize(
    ("kind", "prices", "path", "last"),
    [
        (OrderType.STOP, {"trigger_price": "58000"}, (61_000, 58_500), 57_900),
        (OrderType.TAKE_PROFIT, {"trigger_price": "65000"}, (57_000, 64_500), 65_100),
        (OrderType.TRAILING_STOP, {"trailing": "1200"}, (59_000, 62_000, 61_000, 63_000, 62_000), 61_600),
    ],
)
async def test_a_sale_that_waits_for_a_price_sells_once_when_that_is_there(
    at: Account, kind: OrderType, prices: dict[str, str], path: tuple[int, ...], last: int
) -> None:
    """At the venue where it holds such orders, else watched here; to people it is the same order."""
    held = await bought(at)
    cursor = (await at.venue.events(None)).cursor
    request = waiting(at, kind, held, **prices)
    assert isinstance(await at.venue.submit(request), Ack)
    assert len(at.fake.matching.open_orders()) == (1 if at.account.habits.holds(kind) else 0)
    (standing,) = await at.venue.open_orders()
    assert (standing.client_id, standing.status, standing.type) == (request.client_id, OrderStatus.OPEN, kind)
    for price in path:
        at.move(price)
        assert (await at.venue.events(cursor)).events == (), price
    at.move(last)
    events = (await at.venue.events(cursor)).events
    fills = [each.fill for each in events if each.fill]
    assert sum(fill.quantity for fill in fills) == held
    assert {fill.client_id for fill in fills} == {request.client_id}
    assert events[-1].order.status is OrderStatus.FILLED
    assert await at.venue.open_orders() == ()
    at.fake.audit()


@pytest.mark.parametrize("kind", [OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP])
async def test_a_sale_that_waits_is_cancelled_and_sells_no_more(at: Account, kind: OrderType) -> None:
    held = await bought(at)
    prices = {"trailing": "1200"} if kind is OrderType.TRAILING_STOP else {"trigger_price": "65000"}
    assert isinstance(await at.venue.submit(waiting(at, kind, held, **prices)), Ack)
    cancelled = await at.venue.cancel(at.symbol, client_id("b"))
    assert isinstance(cancelled, OrderState)
    assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, 0)
    at.move(66_000)
    at.move(57_000)
    await at.venue.events(None)
    assert at.fake.matching.open_orders() == []
    assert (await at.venue.balances())["BTC"] >= held


async def test_what_it_cannot_take_is_refused(at: Account) -> None:
    answers = [
        await at.venue.submit(here(at, request))
        for request in (order("a", "5"), order("b", "0.000001"), limit("c", "50000.001"), order("d", "0.1", Side.SELL))
    ]
    assert all(isinstance(each, Refused) and each.reason for each in answers), answers
    assert await at.venue.open_orders() == ()


async def test_a_restart_finds_everything_that_traded_meanwhile(at: Account) -> None:
    cursor = (await at.venue.events(None)).cursor
    for number in range(4):
        await bought(at, f"buy {number}", "0.01")
    await at.crash()
    batch = await at.venue.events(cursor)
    ids = [each.fill.trade_id for each in batch.events if each.fill]
    assert len(ids) == len(set(ids)) == len(at.fake.matching.trades)
    assert (await at.venue.events(batch.cursor)).events == ()


async def test_an_order_by_hand_that_was_adopted_is_followed_to_its_end(at: Account) -> None:
    async with account_at(at.fake) as hand:
        await hand.account.open()
        market = hand.account.markets[at.symbol].market
        asked = Placement(type="limit", side="buy", quantity=Decimal("0.05"), price=Decimal(50_000))
        await hand.account.place(asked, market)
    (found,) = await at.venue.open_orders()
    cursor = (await at.venue.events(None)).cursor
    at.record.write(replace(here(at, limit("adopted", "50000", "0.05")), client_id=found.client_id))
    at.record.mark(found.client_id, OrderStatus.OPEN)
    assert (await at.venue.events(cursor)).events == ()
    at.move(49_000)
    events = (await at.venue.events(cursor)).events
    assert {each.order.client_id for each in events} == {found.client_id}
    assert events[-1].order.status is OrderStatus.FILLED
