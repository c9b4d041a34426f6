"""What a venue can hold of our orders, and how ccxt is asked to place them there. Pure.

A venue holds a stop where ccxt says that it takes one among its ordinary orders: it then is found, cancelled and filled
under the client id it was sent with. Where conditional orders live apart (okx, bybit), what is triggered is another
order under an id of the venue's, so nothing is left there: the bot watches the price itself. The same goes
for a target or a trailing stop by itself where a venue holds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from engine.domain.orders import OrderRequest, OrderType, Side, TimeInForce
from engine.exchanges.ccxt.legs import STOP, TARGET, leg_id

_STOP_LIMITS = frozenset({"coinbase"})
"""Venues whose stops are limits from their trigger on."""
_STOP_ROOM = Decimal("0.05")
"""How far below its trigger the limit of such a stop is, as a fraction: it is to be filled, whatever it brings."""
_BUY_ROOM = Decimal("0.01")
"""How far above the price a purchase may be filled that goes as a limit in the place of one at market."""
_BY_CLIENT_ID = frozenset({"binance", "binanceus", "okx"})
"""Venues that are asked for an order, and to cancel one, by its client id; at others it is looked for in lists."""
_LISTS_BY_CLIENT_ID = frozenset({"kraken"})
"""Venues whose lists can be asked for one client id."""
_TOLD_BY_IDS = {"kraken": 20}
"""Venues that tell orders by their own ids of them, and how many at once."""
_PAGES = {"kraken": 50}
"""Venues that tell trades of all markets together, the newest first, so many in a page, and how many to leave out."""
_TRAILS_BY_SHARE = frozenset({"binance", "binanceus"})
"""Venues whose stops follow the price by ``trailingDelta``, of which ccxt says nothing."""
_HUNDREDTH = Decimal("0.01")
_WATCHED = (OrderType.OCO, OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP)
"""What the bot looks after itself where a venue does not hold it."""
_BASES = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


class Trails(StrEnum):
    """How a venue is told how far behind the price a stop follows."""

    NOT = ""
    AMOUNT = "amount"
    """In the quote currency, as it is asked for here."""
    SHARE = "share"
    """In hundredths of a per cent of the best price: of the price of now it is the amount that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One call of ccxt's ``create_order``: its arguments, numbers as text."""

    type: str
    side: str
    quantity: Decimal
    price: Decimal | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a venue takes orders.

    Attributes:
        by_client_id: Whether it is asked for an order, and to cancel one, by its client id.
        lists_by_client_id: Whether its lists can be asked for one client id.
        told_by_ids: How many orders it tells at once by its own ids of them; 0 where it does not.
        pages_of: How many trades of all markets together it tells at once, the newest first; 0 where it tells them by
            market and time.
        holds_both: Whether it holds a stop and target of which one cancels the other.
        holds_stops: Whether it holds a stop.
        stops_as_limits: Whether its stops are limits from their trigger on.
        buys_by_cost: Whether a purchase at market is told by what it may cost, and no quantity.
        holds_targets: Whether it holds a sale that waits for a better price, by itself.
        trails: How it is told how far behind the price a stop follows that it holds; empty where it holds none.
        asks_conditional: Whether its conditional orders are listed apart.
        open_limit, trades_limit: How many open orders, and trades of ours, it tells at once; 0 where it does not say.
    """

    by_client_id: bool = False
    lists_by_client_id: bool = False
    told_by_ids: int = 0
    pages_of: int = 0
    holds_both: bool = False
    holds_stops: bool = False
    stops_as_limits: bool = False
    buys_by_cost: bool = False
    holds_targets: bool = False
    trails: Trails = Trails.NOT
    asks_conditional: bool = False
    open_limit: int = 0
    trades_limit: int = 0

    @property
    def holds_stops_alone(self) -> bool:
        """Whether of a stop and target it holds the stop, and the bot watches the target."""
        return self.holds_stops and not self.holds_both

    def holds(self, kind: OrderType) -> bool:
        """Whether the venue holds orders of a type; of a stop and target at least the stop."""
        match kind:
            case OrderType.OCO:
                return self.holds_both or self.holds_stops
            case OrderType.STOP | OrderType.STOP_LIMIT:
                return self.holds_stops
            case OrderType.TAKE_PROFIT:
                return self.holds_targets
            case OrderType.TRAILING_STOP:
                return self.trails is not Trails.NOT
            case _:
                return True

    def watches(self, request: OrderRequest) -> bool:
        """Whether nothing of an order is at the venue until its price is there, which the bot looks at."""
        return request.type in _WATCHED and request.side is Side.SELL and not self.holds(request.type)

    def unholdable(self, request: OrderRequest) -> str:
        """Why the venue cannot hold an order; empty where it can, or the bot watches in its place."""
        if self.holds(request.type) or self.watches(request):
            return ""
        return f"this venue holds no {request.type.value.replace('_', ' ')} to {request.side}"


def habits_of(venue: Any) -> Habits:
    """What ccxt says of a venue.

    Args:
        venue: ccxt's client of it.
    """
    spot = (venue.features or {}).get("spot") or {}
    told = {name: spot.get(name) or {} for name in ("createOrder", "fetchOpenOrders", "fetchMyTrades", "fetchOrder")}
    placing, apart = told["createOrder"], bool(told["fetchOpenOrders"].get("trigger"))
    by_cost = venue.options.get("createMarketBuyOrderRequiresPrice", placing.get("marketBuyRequiresPrice"))
    return Habits(
        by_client_id=venue.id in _BY_CLIENT_ID,
        lists_by_client_id=venue.id in _LISTS_BY_CLIENT_ID,
        told_by_ids=_TOLD_BY_IDS.get(venue.id, 0),
        pages_of=_PAGES.get(venue.id, 0),
        holds_both=hasattr(venue, "private_post_orderlist_oco"),
        holds_stops=bool(placing.get("stopLossPrice") or placing.get("triggerPrice")) and not apart,
        stops_as_limits=venue.id in _STOP_LIMITS,
        buys_by_cost=bool(by_cost),
        holds_targets=bool(placing.get("takeProfitPrice")) and not apart,
        trails=_trails(venue, apart=apart),
        asks_conditional=apart,
        open_limit=told["fetchOpenOrders"].get("limit") or 0,
        trades_limit=told["fetchMyTrades"].get("limit") or 0,
    )


def _trails(venue: Any, *, apart: bool) -> Trails:
    if apart:
        return Trails.NOT
    if venue.id in _TRAILS_BY_SHARE:
        return Trails.SHARE
    return Trails.AMOUNT if venue.has.get("createTrailingAmountOrder") else Trails.NOT


def placement(request: OrderRequest, habits: Habits, price: Decimal, tick: Decimal) -> Placement:
    """How an order that the venue holds as one is placed.

    Args:
        request: Any but a stop and target.
        habits: Those of the venue.
        price: What the market is at now, in the quote currency.
        tick: The smallest step of a price.
    """
    params: dict[str, Any] = {"clientOrderId": request.client_id}
    if request.time_in_force in _BASES:
        params["timeInForce"] = _BASES[request.time_in_force]
    if request.post_only:
        params["postOnly"] = True
    kind, limit = "market", request.limit_price
    match request.type:
        case OrderType.LIMIT:
            kind = "limit"
        case OrderType.MARKET if habits.buys_by_cost and request.side is Side.BUY:
            kind, limit = "limit", _on_tick(price * (1 + _BUY_ROOM), tick)
            params.setdefault("timeInForce", "IOC")
        case OrderType.STOP | OrderType.STOP_LIMIT | OrderType.TAKE_PROFIT:
            params |= _trigger(request)
            kind = "limit" if request.type is OrderType.STOP_LIMIT else "market"
            if habits.stops_as_limits and kind == "market" and request.trigger_price is not None:
                kind, limit = "limit", _on_tick(request.trigger_price * (1 - _STOP_ROOM), tick)
        case OrderType.TRAILING_STOP:
            params |= _distance(request, habits, price)
    return Placement(type=kind, side=str(request.side), quantity=request.quantity, price=limit, params=params)


def _trigger(request: OrderRequest) -> dict[str, str]:
    """What ccxt calls the price at which an order begins to act."""
    if request.type is OrderType.TAKE_PROFIT:
        return {"takeProfitPrice": _text(request.trigger_price)}
    return {"stopLossPrice" if request.side is Side.SELL else "triggerPrice": _text(request.trigger_price)}


def _distance(request: OrderRequest, habits: Habits, price: Decimal) -> dict[str, str]:
    """How ccxt is told how far a stop follows behind the price, which is now at ``price``."""
    if habits.trails is not Trails.SHARE:
        return {"trailingAmount": _text(request.trailing)}
    share = (request.trailing or Decimal(0)) / price * 100
    return {"trailingPercent": _text(share.quantize(_HUNDREDTH)), "stopLossOrTakeProfit": "stopLoss"}


def oco_on_binance(request: OrderRequest, market_id: str, limit_tick: Decimal | None) -> dict[str, str]:
    """A stop and target as Binance takes it: one list of two orders, each with a client id of its own.

    Args:
        request: The stop and target.
        market_id: What Binance calls the market.
        limit_tick: The market's tick where its stops have to be limits; ``None`` where they go at market.
    """
    stop = request.trigger_price or Decimal(0)
    below = {"belowType": "STOP_LOSS"}
    if limit_tick is not None:
        worst = _text(_on_tick(stop * (1 - _STOP_ROOM), limit_tick))
        below = {"belowType": "STOP_LOSS_LIMIT", "belowPrice": worst, "belowTimeInForce": "GTC"}
    return {
        "symbol": market_id,
        "listClientOrderId": request.client_id,
        "side": str(request.side).upper(),
        "quantity": _text(request.quantity),
        "aboveType": "LIMIT_MAKER",
        "abovePrice": _text(request.limit_price),
        "aboveClientOrderId": leg_id(request.client_id, TARGET),
        **below,
        "belowStopPrice": _text(stop),
        "belowClientOrderId": leg_id(request.client_id, STOP),
        "newOrderRespType": "RESULT",
    }


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return price // tick * tick  # with no more digits than the tick has


def _text(number: Decimal | None) -> str:
    return f"{number:f}" if number is not None else ""
