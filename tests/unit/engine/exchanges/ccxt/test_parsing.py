"""Steps in Decimal, candles as columns, books that can be traded on: what is made of ccxt's words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.domain.errors import NoData, VenueError
from engine.domain.market import Market, Timeframe
from engine.exchanges.ccxt import parsing

AT = datetime(2026, 1, 1, tzinfo=UTC)
BTC = Market(symbol="BTC/USDT", lot=Decimal("0.001"), tick=Decimal("0.01"))


def raw(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USDT",
        "spot": True,
        "active": True,
        "precision": {"amount": 1e-05, "price": 0.01},
        "limits": {"cost": {"min": 5.0}, "amount": {"min": 1e-05}},
    } | changes


@pytest.mark.parametrize(
    ("mode", "amount", "price", "lot", "tick"),
    [
        (4, 1e-05, 0.01, "0.00001", "0.01"),
        (4, 0.1, 1e-08, "0.1", "0.00000001"),
        (4, 1.0, 0.25, "1", "0.25"),
        (2, 5, 2, "0.00001", "0.01"),
        (2, 0, 8, "1", "0.00000001"),
        (2, -2, 1, "100", "0.1"),
        (3, 5, 5, "0.00000001", "0.00000001"),
    ],
)
def test_steps_are_exact_in_each_of_ccxts_modes(mode: int, amount: float, price: float, lot: str, tick: str) -> None:
    found = parsing.listing(raw(precision={"amount": amount, "price": price}), mode)
    assert found is not None
    assert (found.market.lot, found.market.tick) == (Decimal(lot), Decimal(tick))


def test_a_market_says_what_it_takes_and_whether_it_trades() -> None:
    found = parsing.listings([raw(), raw(symbol="ETH/USDT", active=False), raw(symbol="X/USDT", limits={})], 4)
    assert found["BTC/USDT"].market.min_notional == 5
    assert [each.trading for each in found.values()] == [True, False, True]
    assert found["X/USDT"].market.min_notional == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"spot": False},
        {"precision": {}},
        {"precision": None},
        {"precision": {"amount": 0, "price": 1}},
        {"symbol": None},
    ],
)
def test_what_is_no_spot_market_with_steps_is_left_out(changes: dict[str, Any]) -> None:
    assert parsing.listings([raw(**changes)], 4) == {}


def test_candles_keep_what_is_no_number_for_the_quality_gate() -> None:
    first, second = 1_704_067_200_000, 1_704_067_260_000
    rows = [[first, 1, 2, 0.5, 1.5, 10], [second, None, float("nan"), 1, 1, 1]]
    found = parsing.candles(rows, "BTC/USDT", Timeframe.M1)
    assert found.open_ms.tolist() == [first, second]
    assert found.high[0] == 2
    assert np.isnan(found.open[1])
    assert len(parsing.candles([], "BTC/USDT", Timeframe.M1)) == 0


@pytest.mark.parametrize("rows", [[[0, 1]], [[None, 1, 1, 1, 1, 1]], [["soon", 1, 1, 1, 1, 1]]])
def test_what_has_no_time_is_no_candle(rows: list[list[Any]]) -> None:
    with pytest.raises(VenueError, match="are none"):
        parsing.candles(rows, "BTC/USDT", Timeframe.M1)


@pytest.mark.parametrize("at", [-1, 0, 1_704_067_200, 1_704_067_200_000_000, 10**30])
def test_candles_of_another_unit_or_age_are_refused(at: int) -> None:
    with pytest.raises(VenueError, match=f"opens at {at}, which is no time in milliseconds"):
        parsing.candles([[1_704_067_200_000, 1, 2, 0.5, 1.5, 10], [at, 1, 2, 0.5, 1.5, 10]], "BTC/USDT", Timeframe.M1)


def test_a_book_is_in_whole_lots_and_what_is_less_is_nobody() -> None:
    found = parsing.book({"bids": [[99.99, 1.23456], [99.98, 0.0009]], "asks": [[100.01, 2]]}, BTC, AT)
    assert [(level.price, level.quantity) for level in found.bids] == [(Decimal("99.99"), Decimal("1.234"))]
    assert (found.ask, found.mid, found.at) == (Decimal("100.01"), Decimal(100), AT)


@pytest.mark.parametrize(
    ("bids", "asks", "kind", "words"),
    [
        ([], [[1, 1]], NoData, "order book is empty"),
        ([[1, 0.0001]], [[2, 1]], NoData, "order book is empty"),
        ([[2, 1]], [[1, 1]], VenueError, "cannot be"),
        ([[1, 1]], [[1, 1]], VenueError, "cannot be"),
        ([[1, 1], [2, 1]], [[3, 1]], VenueError, "cannot be"),
        ([[float("nan"), 1]], [[3, 1]], VenueError, "no price"),
        ([[-1, 1]], [[3, 1]], VenueError, "no price"),
        ([[None, 1]], [[3, 1]], VenueError, "no price"),
    ],
)
def test_a_book_that_cannot_be_is_none(
    bids: list[list[Any]], asks: list[list[Any]], kind: type[VenueError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        parsing.book({"bids": bids, "asks": asks}, BTC, AT)


def test_trades_are_put_in_order_and_what_is_none_is_refused() -> None:
    rows = [{"timestamp": 2, "price": 101.5}, {"timestamp": 1, "price": "100"}]
    assert parsing.trades(rows, "BTC/USDT") == [(1, 100.0), (2, 101.5)]
    for wrong in ({"timestamp": None, "price": 1.0}, {"timestamp": 1, "price": None}, {"timestamp": 1, "price": -1.0}):
        with pytest.raises(VenueError, match="trades of BTC/USDT"):
            parsing.trades([rows[0], wrong], "BTC/USDT")
