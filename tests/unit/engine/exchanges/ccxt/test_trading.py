"""Orders through the real ccxt at a strict venue on loopback: what is sent, and what an answer is taken for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from engine.domain.money import Money
from engine.domain.orders import Ack, OrderStatus, Side, client_id
from tests.fakes.binance import FakeBinance, trading
from tests.fakes.real_account import Account, account_at, oco, order

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
