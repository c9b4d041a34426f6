"""What is wrong with an order by itself, whatever the market does: no venue is sent what is malformed."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.figures import grouped
from engine.domain.market import Market
from engine.domain.orders import OrderRequest, OrderType, Side, TimeInForce

_KINDS = {
    OrderType.MARKET: "an order at market",
    OrderType.LIMIT: "a limit order",
    OrderType.STOP: "a stop",
    OrderType.STOP_LIMIT: "a stop-limit order",
    OrderType.TAKE_PROFIT: "a take-profit order",
    OrderType.TRAILING_STOP: "a trailing stop",
    OrderType.OCO: "a stop and target",
}
_LIMIT, _TRIGGER, _DISTANCE = "limit price", "trigger price", "distance from the best price"
_NEEDS = {
    OrderType.MARKET: (),
    OrderType.LIMIT: (_LIMIT,),
    OrderType.STOP: (_TRIGGER,),
    OrderType.STOP_LIMIT: (_TRIGGER, _LIMIT),
    OrderType.TAKE_PROFIT: (_TRIGGER,),
    OrderType.TRAILING_STOP: (_DISTANCE,),
    OrderType.OCO: (_TRIGGER, _LIMIT),
}


def malformed(request: OrderRequest, market: Market) -> str:
    """Why no market could take an order, or an empty text."""
    if request.quantity <= 0 or request.quantity % market.lot:
        return f"{grouped(request.quantity)} {market.base} is not a whole number of lots of {grouped(market.lot)}"
    return _bad_stop_and_target(request) or _bad_prices(request, market) or _bad_terms(request)


def _bad_stop_and_target(request: OrderRequest) -> str:
    if request.type is not OrderType.OCO:
        return ""
    if request.side is not Side.SELL:
        return "a stop and target can only sell what is held"
    stop, target = request.trigger_price, request.limit_price
    if stop is None or target is None or not 0 < stop < target:
        has = " and ".join("none" if price is None else grouped(price) for price in (stop, target))
        return f"a stop and target needs a stop below its target; it has {has}"
    return ""


def _bad_prices(request: OrderRequest, market: Market) -> str:
    """Each price that the kind of order has must be there and on the tick, and no other."""
    kind, needs = _KINDS[request.type], _NEEDS[request.type]
    prices = {_LIMIT: request.limit_price, _TRIGGER: request.trigger_price, _DISTANCE: request.trailing}
    for name, price in prices.items():
        if price is None and name in needs:
            return f"{kind} needs a {name}"
        if price is not None and name not in needs:
            return f"{kind} takes no {name}"
        if price is not None and not _quotable(price, market):
            return f"its {name} of {grouped(price)} is not on the tick of {grouped(market.tick)}"
    return ""


def _quotable(price: Decimal, market: Market) -> bool:
    return price.is_finite() and price > 0 and not price % market.tick


def _bad_terms(request: OrderRequest) -> str:
    waits = request.time_in_force is TimeInForce.GTC
    if request.post_only and not (request.type is OrderType.LIMIT and waits):
        return "only a limit order that waits until it is cancelled can be post-only"
    if request.type is OrderType.OCO and not waits:
        return f"a stop and target waits until it is cancelled; its time in force cannot be {request.time_in_force}"
    if request.reduce_only and request.side is Side.BUY:
        return "a purchase makes no position smaller where nothing is sold short; it cannot be reduce-only"
    return ""
