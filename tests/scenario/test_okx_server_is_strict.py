"""The fake OKX refuses what the real one does, in its own codes; through the real ccxt and our adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.errors import VenueError
from engine.domain.orders import Ack, NotFound, OrderRequest, OrderState, OrderStatus, Refused, Side, client_id
from engine.exchanges.ccxt.refusals import Refusal
from tests.fakes.real_account import Account, account_at, limit, order
from tests.fakes.venues.binance import DROPPED, NEVER_HEARD, PAGE_OF_HTML, TRUNCATED, Fault
from tests.fakes.venues.okx import FakeOkx, trading_okx

PLACE = "POST /api/v5/trade/batch-orders"


@pytest.fixture
async def fake() -> AsyncIterator[FakeOkx]:
    async with trading_okx() as made:
        made.set_price("BTCUSDT", 60_000)
        yield made


@pytest.fixture
async def at(fake: FakeOkx) -> AsyncIterator[Account]:
    async with account_at(fake) as made:
        yield made


def here(request: OrderRequest) -> OrderRequest:
    return replace(request, venue="okx")


async def test_a_passphrase_that_is_another_one_opens_nothing(fake: FakeOkx, at: Account) -> None:
    assert (await at.venue.balances())["USDT"] == Decimal(10_000)
    fake.passphrase = "another one"
    with pytest.raises(VenueError, match=Refusal.KEY.why):
        await at.venue.balances()


async def test_another_secret_and_a_clock_that_is_wrong_are_refused(fake: FakeOkx, at: Account) -> None:
    await at.venue.balances()
    fake.ahead = timedelta(hours=1)
    assert (await at.venue.balances())["USDT"] == Decimal(10_000), "the clock is read anew, and the request sent again"
    fake.keys.secret = "another"
    with pytest.raises(VenueError, match=Refusal.KEY.why):
        await at.venue.balances()


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [(order("a", "5"), Refusal.FUNDS), (order("a", "0.1", Side.SELL), Refusal.FUNDS)],
)
async def test_what_is_refused_within_an_answer_of_200_is_a_refusal(
    fake: FakeOkx, at: Account, asked: OrderRequest, refusal: Refusal
) -> None:
    answer = await at.exchange.submit(here(asked))
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(f"{refusal.why} (okx: ")
    assert fake.count(PLACE) == 1
    assert {each.status for each in fake.log if each.call == PLACE} == {200}


async def test_a_key_without_the_right_to_trade_says_so(fake: FakeOkx, at: Account) -> None:
    fake.keys.can_trade = False
    answer = await at.exchange.submit(here(order("a", "0.01")))
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(Refusal.PERMISSION.why)


@pytest.mark.parametrize("fault", [DROPPED, TRUNCATED, PAGE_OF_HTML], ids=["dropped", "cut", "a page"])
async def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(
    fake: FakeOkx, at: Account, fault: Fault
) -> None:
    await at.venue.balances()
    fake.fail(PLACE, fault)
    answer = await at.venue.submit(here(order("a", "0.01")))
    assert not isinstance(answer, Ack | Refused)
    found = await at.venue.find(at.symbol, client_id("a"))
    assert isinstance(found, OrderState)
    assert (found.status, found.filled) == (OrderStatus.FILLED, Decimal("0.01"))
    assert fake.count(PLACE) == 1


async def test_not_found_is_said_by_the_venue_alone(fake: FakeOkx, at: Account) -> None:
    await at.venue.balances()
    fake.fail(PLACE, NEVER_HEARD)
    await at.venue.submit(here(order("a", "0.01")))
    assert await at.venue.find(at.symbol, client_id("a")) == NotFound(client_id=client_id("a"))
    fake.fail("GET /api/v5/trade/order", Fault(status=503, body="<html></html>", content_type="text/html"), times=3)
    with pytest.raises(VenueError):
        await at.venue.find(at.symbol, client_id("a"))


async def test_cancelling_what_is_filled_already_tells_that_it_is(fake: FakeOkx, at: Account) -> None:
    await at.venue.submit(here(limit("a", "50000", "0.01")))
    fake.set_price("BTCUSDT", 49_000)
    found = await at.venue.cancel(at.symbol, client_id("a"))
    assert isinstance(found, OrderState)
    assert found.status is OrderStatus.FILLED
