"""An order before it is sent: lots and ticks to the cautious side, the price by the book, what stands in its way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Book, Level, Market
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.execution.preview import OrderPreview, preview
from tests.fakes.examples import examples
from tests.fakes.feed import START

MARKET = Market(symbol="BTC/EUR", lot=Decimal("0.001"), tick=Decimal("0.5"), min_notional=Decimal(10))
BOOK = Book(
    symbol="BTC/EUR",
    at=START + timedelta(hours=1),
    bids=(Level(price=Decimal(99), quantity=Decimal(1)), Level(price=Decimal(98), quantity=Decimal(3))),
    asks=(Level(price=Decimal(100), quantity=Decimal(1)), Level(price=Decimal(102), quantity=Decimal(1))),
)
FEE = Decimal("0.001")


def look(quantity: str, side: Side = Side.BUY, kind: OrderType = OrderType.MARKET, **prices: str) -> OrderPreview:
    asked = OrderRequest(
        client_id="",
        venue="kraken",
        symbol="BTC/EUR",
        side=side,
        type=kind,
        quantity=Decimal(quantity),
        **{name: Decimal(price) for name, price in prices.items()},
    )
    return preview(asked, MARKET, BOOK, FEE)


def test_a_purchase_at_market_walks_the_book():
    found = look("1.5")
    assert (found.price, found.worst) == (Decimal(151) / Decimal("1.5"), 102)
    assert (found.notional, found.fee) == (Decimal(151), Decimal("0.151"))
    assert (found.rounded, found.refusals) == ((), ())


def test_a_sale_takes_the_bids():
    assert look("2", Side.SELL).price == Decimal("98.5")


def test_what_the_book_does_not_hold_is_said():
    assert look("3").refusals == ("the book that is seen holds less than 3 BTC",)


def test_quantities_and_prices_are_rounded_to_the_cautious_side_and_that_is_said():
    bid = look("0.5559", kind=OrderType.LIMIT, limit_price="97.7")
    assert (bid.request.quantity, bid.request.limit_price) == (Decimal("0.555"), Decimal("97.5"))
    assert bid.rounded == (
        "quantity 0.5559 becomes 0.555, in lots of 0.001",
        "limit 97.7 becomes 97.5, in ticks of 0.5",
    )
    assert look("1", Side.SELL, OrderType.LIMIT, limit_price="110.1").request.limit_price == Decimal("110.5")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (look("0.0004"), "0.000 BTC is not a whole number of lots of 0.001"),
        (look("0.05"), "5 EUR is below the venue's minimum of 10"),
        (look("1", kind=OrderType.LIMIT), "a limit order needs a limit price"),
        (look("1", kind=OrderType.MARKET, limit_price="100"), "an order at market takes no limit price"),
        (look("1", kind=OrderType.OCO, limit_price="90", trigger_price="80"), "a stop and target can only sell"),
    ],
)
def test_what_would_be_refused_is_said_before(found: OrderPreview, reason: str):
    assert any(each.startswith(reason) for each in found.refusals), found.refusals


@examples(60)
@given(st.decimals("0.001", "2", places=6), st.sampled_from(Side))
def test_no_more_is_sent_than_was_asked_for(quantity: Decimal, side: Side):
    found = look(str(quantity), side)
    assert quantity - MARKET.lot < found.request.quantity <= quantity
