"""What ccxt says that venues can hold, how orders are placed by that, and the ids of a stop and target's legs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from importlib import import_module

import pytest

from engine.domain.orders import OrderRequest, OrderType, Side, TimeInForce, client_id
from engine.exchanges.ccxt.habits import Habits, Trails, habits_of, oco_on_binance, placement
from engine.exchanges.ccxt.legs import STOP, TARGET, leg_id, whole_of
from tests.fakes.real_account import limit, oco, order

PRICE, TICK = Decimal(60_000), Decimal("0.1")


@pytest.mark.parametrize(
    ("exchange", "both", "stops", "by_cost", "apart"),
    [
        ("binance", True, True, False, False),
        ("coinbase", False, True, True, False),
        ("kraken", False, True, False, False),
        ("okx", False, False, False, True),
        ("bybit", False, False, True, True),
    ],
)
def test_what_a_venue_holds_is_read_off_ccxt(
    exchange: str, *, both: bool, stops: bool, by_cost: bool, apart: bool
) -> None:
    found = habits_of(getattr(import_module("ccxt.async_support"), exchange)())
    assert (found.holds_both, found.holds_stops, found.buys_by_cost, found.asks_conditional) == (
        both,
        stops,
        by_cost,
        apart,
    )


def stop(kind: OrderType = OrderType.STOP, side: Side = Side.SELL) -> OrderRequest:
    return replace(order("a", side=side), type=kind, trigger_price=Decimal(58_000))


def test_a_purchase_at_market_where_that_is_told_by_cost_is_a_limit_that_does_not_wait() -> None:
    asked = placement(order("a"), Habits(buys_by_cost=True), PRICE, TICK)
    assert (asked.type, asked.price, asked.quantity) == ("limit", Decimal(60_600), Decimal("0.1"))
    assert asked.params == {"clientOrderId": client_id("a"), "timeInForce": "IOC"}
    sale = placement(order("a", side=Side.SELL), Habits(buys_by_cost=True), PRICE, TICK)
    assert (sale.type, sale.price) == ("market", None)


def test_a_stop_where_stops_are_limits_has_one_that_is_filled_whatever_it_brings() -> None:
    asked = placement(stop(), Habits(holds_stops=True, stops_as_limits=True), PRICE, TICK)
    assert (asked.type, asked.price, asked.params["stopLossPrice"]) == ("limit", Decimal(55_100), "58000")
    plain = placement(stop(), Habits(holds_stops=True), PRICE, TICK)
    assert (plain.type, plain.price) == ("market", None)


def test_terms_are_handed_on() -> None:
    asked = placement(replace(limit("a", "59000"), post_only=True), Habits(), PRICE, TICK)
    assert (asked.type, asked.price, asked.params.get("postOnly")) == ("limit", Decimal(59_000), True)
    fok = placement(replace(limit("a", "59000"), time_in_force=TimeInForce.FOK), Habits(), PRICE, TICK)
    assert fok.params["timeInForce"] == "FOK"


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP])
def test_a_sale_that_a_venue_cannot_hold_is_watched_and_a_purchase_is_refused(kind: OrderType) -> None:
    every = Habits(holds_stops=True, holds_targets=True, trails=Trails.AMOUNT)
    assert Habits().unholdable(stop(kind)) == ""
    assert Habits().watches(stop(kind))
    assert Habits().unholdable(stop(kind, Side.BUY)) == f"this venue holds no {kind.value.replace('_', ' ')} to buy"
    assert not every.unholdable(stop(kind, Side.BUY))
    assert not every.watches(stop(kind))
    assert not Habits().unholdable(oco("a", "58000", "65000"))
    assert Habits().unholdable(replace(stop(OrderType.STOP_LIMIT), limit_price=Decimal(57_000)))


@pytest.mark.parametrize(
    ("exchange", "trails", "targets"),
    [
        ("binance", Trails.SHARE, True),
        ("kraken", Trails.AMOUNT, True),
        ("coinbase", Trails.NOT, True),
        ("okx", Trails.NOT, False),
        ("bybit", Trails.NOT, False),
    ],
)
def test_what_follows_a_price_and_what_waits_for_a_better_one_is_read_off_ccxt_too(
    exchange: str, trails: Trails, *, targets: bool
) -> None:
    found = habits_of(getattr(import_module("ccxt.async_support"), exchange)())
    assert (found.trails, found.holds_targets) == (trails, targets)


def test_how_far_a_stop_follows_is_told_as_the_venue_takes_it() -> None:
    asked = replace(stop(OrderType.TRAILING_STOP), trigger_price=None, trailing=Decimal(1000))
    by_share = placement(asked, Habits(trails=Trails.SHARE), PRICE, TICK).params
    assert (by_share["trailingPercent"], by_share["stopLossOrTakeProfit"]) == ("1.67", "stopLoss")
    assert placement(asked, Habits(trails=Trails.AMOUNT), PRICE, TICK).params["trailingAmount"] == "1000"


def test_binances_list_names_each_of_its_orders() -> None:
    asked = oco_on_binance(oco("a", "58000", "65000"), "BTCUSDT", None)
    assert (asked["listClientOrderId"], asked["aboveClientOrderId"], asked["belowClientOrderId"]) == (
        client_id("a"),
        leg_id(client_id("a"), TARGET),
        leg_id(client_id("a"), STOP),
    )
    assert (asked["belowType"], asked["belowStopPrice"], asked["abovePrice"]) == ("STOP_LOSS", "58000", "65000")
    limited = oco_on_binance(oco("a", "58000", "65000"), "BTCUSDT", TICK)
    assert (limited["belowType"], limited["belowPrice"]) == ("STOP_LOSS_LIMIT", "55100.0")


@pytest.mark.parametrize("leg", [STOP, TARGET])
def test_a_leg_leads_back_to_its_order_and_is_no_orders_id(leg: str) -> None:
    own = client_id("some order")
    made = leg_id(own, leg)
    assert (whole_of(made), len(made), made != own) == ((own, leg), 32, True)
    assert whole_of(own) == (own, "")


@pytest.mark.parametrize("name", ["web_0123456abcdef0123456789abcdef", "", "x" * 40, "0123456789aba"])
def test_somebody_elses_id_is_its_own(name: str) -> None:
    assert whole_of(name) == (name, "")
