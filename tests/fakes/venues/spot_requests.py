"""Orders as the fake Binance reads them: which parameters each type needs, and which it does not take."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal

from tests.fakes.venues.spot_guard import CLIENT_ID, matches, missing, number
from tests.fakes.venues.spot_ledger import ZERO
from tests.fakes.venues.spot_orders import CONDITIONAL, ORDER_TYPES, OrderList, Refused, SpotOrder

NEEDS: Mapping[str, frozenset[str]] = {
    "LIMIT": frozenset({"timeInForce", "quantity", "price"}),
    "LIMIT_MAKER": frozenset({"quantity", "price"}),
    "MARKET": frozenset(),
    "STOP_LOSS": frozenset({"quantity"}),
    "STOP_LOSS_LIMIT": frozenset({"timeInForce", "quantity", "price"}),
    "TAKE_PROFIT": frozenset({"quantity"}),
    "TAKE_PROFIT_LIMIT": frozenset({"timeInForce", "quantity", "price"}),
}
TERMS = frozenset({"timeInForce", "quantity", "price", "stopPrice", "trailingDelta", "quoteOrderQty"})
"""What an order's type decides about."""
ORDER = frozenset({"newClientOrderId", "newOrderRespType", "icebergQty", "strategyId", "strategyType",
                   "selfTradePreventionMode"}) | TERMS  # fmt: skip
LEG = ("Type", "ClientOrderId", "Price", "StopPrice", "TrailingDelta", "TimeInForce", "IcebergQty", "StrategyId",
       "StrategyType")  # fmt: skip
LEGS = frozenset(f"{leg}{name}" for leg in ("above", "below") for name in LEG)
OLD_LIST = frozenset({"limitClientOrderId", "stopClientOrderId", "stopLimitPrice", "stopLimitTimeInForce",
                      "limitIcebergQty", "stopIcebergQty", "trailingDelta"})  # fmt: skip
CROSSED = Refused(-2010, "The relationship of the prices for the orders is not correct.")


def new_id() -> str:
    return uuid.uuid4().hex[:22]


def read_order(sent: Mapping[str, str]) -> SpotOrder:
    """An order of POST order, order/test and order/cancelReplace.

    Raises:
        Refused: A parameter is missing, malformed or of another type's.
    """
    kind, side = _one_of(sent, "type", ORDER_TYPES, -1116, "Invalid orderType."), _side(sent)
    for name in sorted(NEEDS[kind]):
        if not sent.get(name):
            raise missing(name)
    takes = NEEDS[kind] | ({"stopPrice", "trailingDelta"} if kind in CONDITIONAL else set())
    if kind == "MARKET":
        if not sent.get("quantity") and not sent.get("quoteOrderQty"):
            raise missing("quantity")
        takes = frozenset({"quoteOrderQty" if sent.get("quoteOrderQty") else "quantity"})
    if kind in CONDITIONAL and not sent.get("stopPrice") and not sent.get("trailingDelta"):
        raise missing("stopPrice")
    for name in sorted(TERMS & set(sent) - takes):
        raise Refused(-1106, f"Parameter '{name}' sent when not required.")
    _one_of(
        {"newOrderRespType": "FULL", **sent},
        "newOrderRespType",
        ("ACK", "RESULT", "FULL"),
        -1100,
        "Bad newOrderRespType.",
    )
    return SpotOrder(
        symbol=sent["symbol"], side=side, type=kind, client_id=_client_id(sent, "newClientOrderId"),
        quantity=_amount(sent, "quantity"), quote_quantity=_amount(sent, "quoteOrderQty"),
        price=_amount(sent, "price"), stop_price=_amount(sent, "stopPrice"),
        trailing_delta=_delta(sent, "trailingDelta"), time_in_force=_in_force(sent, "timeInForce"),
    )  # fmt: skip


def read_list(sent: Mapping[str, str], last: Decimal) -> OrderList:
    """An order list of POST orderList/oco.

    Raises:
        Refused: A parameter is missing or malformed, or the prices do not stand around the market's.
    """
    legs = [_leg(sent, name) for name in ("above", "below")]
    above, below = (leg.price or leg.stop_price for leg in legs)
    edges = [leg.stop_price or leg.price for leg in legs]
    if not edges[0] > last > edges[1] or not above > below:
        raise CROSSED
    if not any(leg.type == "LIMIT_MAKER" or leg.type.startswith("TAKE") for leg in legs):
        raise Refused(-1160, "Order type combination is not supported for an OCO.")
    return _pair(sent, legs)


def read_old_list(sent: Mapping[str, str], last: Decimal) -> OrderList:
    """An order list of POST order/oco.

    Raises:
        Refused: As of the newer one.
    """
    side, limited = _side(sent), sent.get("stopLimitPrice")
    if limited and not sent.get("stopLimitTimeInForce"):
        raise missing("stopLimitTimeInForce")
    quantity = _amount(sent, "quantity")
    limit = SpotOrder(symbol=sent["symbol"], side=side, type="LIMIT_MAKER", quantity=quantity,
                      price=_amount(sent, "price"), client_id=_client_id(sent, "limitClientOrderId"))  # fmt: skip
    stop = SpotOrder(symbol=sent["symbol"], side=side, type="STOP_LOSS_LIMIT" if limited else "STOP_LOSS",
                     quantity=quantity, price=_amount(sent, "stopLimitPrice"), stop_price=_amount(sent, "stopPrice"),
                     client_id=_client_id(sent, "stopClientOrderId"),
                     time_in_force=_in_force(sent, "stopLimitTimeInForce"))  # fmt: skip
    high, low = (limit.price, stop.stop_price) if side == "SELL" else (stop.stop_price, limit.price)
    if not high > last > low:
        raise CROSSED
    return _pair(sent, [stop, limit])


def _pair(sent: Mapping[str, str], legs: list[SpotOrder]) -> OrderList:
    if legs[0].client_id == legs[1].client_id:
        raise Refused(-2010, "Duplicate order sent.")
    return OrderList(list_id=0, client_id=_client_id(sent, "listClientOrderId"), symbol=sent["symbol"], at=0,
                     orders=legs)  # fmt: skip


def _leg(sent: Mapping[str, str], leg: str) -> SpotOrder:
    named = {name: sent.get(f"{leg}{name[0].upper()}{name[1:]}", "") for name in (*TERMS, "type", "clientOrderId")}
    if not named["type"]:
        raise missing(f"{leg}Type")
    own = {name: value for name, value in named.items() if value and name != "clientOrderId"}
    ids = {"newClientOrderId": named["clientOrderId"]} if named["clientOrderId"] else {}
    return read_order({**own, **ids, "symbol": sent["symbol"], "side": sent["side"], "quantity": sent["quantity"]})


def _one_of(sent: Mapping[str, str], name: str, allowed: tuple[str, ...], code: int, words: str) -> str:
    if not sent.get(name):
        raise missing(name)
    if sent[name] not in allowed:
        raise Refused(code, words)
    return sent[name]


def _side(sent: Mapping[str, str]) -> str:
    return _one_of(sent, "side", ("BUY", "SELL"), -1117, "Invalid side.")


def _in_force(sent: Mapping[str, str], name: str) -> str:
    return _one_of({name: "GTC", **sent}, name, ("GTC", "IOC", "FOK"), -1115, "Invalid timeInForce.")


def _client_id(sent: Mapping[str, str], name: str) -> str:
    return matches(sent[name], name, CLIENT_ID) if sent.get(name) else new_id()


def _amount(sent: Mapping[str, str], name: str) -> Decimal:
    return number(sent[name], name) if sent.get(name) else ZERO


def _delta(sent: Mapping[str, str], name: str) -> int | None:
    return int(matches(sent[name], name, r"^[0-9]{1,20}$")) if sent.get(name) else None
