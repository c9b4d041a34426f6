"""What the fake Binance answers to each path: who may ask it, with which parameters, and what it weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes.venues import spot_markets, spot_trading, spot_wallet
from tests.fakes.venues.spot_requests import LEGS, OLD_LIST, ORDER

if TYPE_CHECKING:
    from tests.fakes.venues.binance import FakeBinance

Json = Any
Sent = Mapping[str, str]
Handler = Callable[["FakeBinance", Sent], Json]
OPEN, KEY, SIGNED = "open", "key", "signed"


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One path and method; ``needs`` and ``takes`` are the parameters that must and may be there."""

    answer: Handler
    security: str = SIGNED
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    weight: Callable[[Sent], int] = lambda _: 1
    is_order: bool = False
    """Whether it counts as an order, and needs the right to trade."""


def weighs(weight: int) -> Callable[[Sent], int]:
    return lambda _: weight


def by_symbol(one: int, every: int) -> Callable[[Sent], int]:
    return lambda sent: one if sent.get("symbol") else every


WINDOW = names("recvWindow")
HEAD = names("symbol side type")
CANCELLED = names("cancelReplaceMode")
WHICH = names("orderId origClientOrderId")
LIST_HEAD, LIST_TAIL = (
    names("symbol side quantity"),
    names("listClientOrderId newOrderRespType selfTradePreventionMode"),
)
PAGE = names("startTime endTime limit")

ENDPOINTS: Mapping[tuple[str, str], Endpoint] = {
    ("GET", "/api/v3/ping"): Endpoint(answer=lambda *_: {}, security=OPEN),
    ("GET", "/api/v3/time"): Endpoint(answer=lambda venue, _: {"serverTime": venue.now_ms()}, security=OPEN),
    ("GET", "/api/v3/exchangeInfo"): Endpoint(
        answer=spot_markets.exchange_info, security=OPEN, weight=weighs(20),
        takes=names("symbol symbols permissions showPermissionSets symbolStatus")),
    ("GET", "/api/v3/depth"): Endpoint(
        answer=spot_markets.depth, security=OPEN, needs=names("symbol"), takes=names("limit"),
        weight=spot_markets.book_weight),
    ("GET", "/api/v3/klines"): Endpoint(
        answer=spot_markets.klines, security=OPEN, needs=names("symbol interval"), takes=PAGE | names("timeZone"),
        weight=weighs(2)),
    ("GET", "/api/v3/aggTrades"): Endpoint(
        answer=spot_markets.trades, security=OPEN, needs=names("symbol"), takes=PAGE | names("fromId"),
        weight=weighs(4)),
    ("GET", "/api/v3/ticker/24hr"): Endpoint(
        answer=spot_markets.day_ticker, security=OPEN, takes=names("symbol symbols type"), weight=by_symbol(2, 80)),
    ("GET", "/api/v3/ticker/bookTicker"): Endpoint(
        answer=spot_markets.book_ticker, security=OPEN, takes=names("symbol symbols"), weight=by_symbol(2, 4)),
    ("GET", "/api/v3/ticker/price"): Endpoint(
        answer=spot_markets.price_ticker, security=OPEN, takes=names("symbol symbols"), weight=by_symbol(2, 4)),
    ("POST", "/api/v3/order"): Endpoint(
        answer=spot_trading.place, needs=HEAD, takes=ORDER | WINDOW, is_order=True),
    ("POST", "/api/v3/order/test"): Endpoint(
        answer=spot_trading.place_test, needs=HEAD, takes=ORDER | WINDOW | names("computeCommissionRates")),
    ("GET", "/api/v3/order"): Endpoint(
        answer=spot_trading.status, needs=names("symbol"), takes=WHICH | WINDOW, weight=weighs(4)),
    ("DELETE", "/api/v3/order"): Endpoint(
        answer=spot_trading.cancel, needs=names("symbol"),
        takes=WHICH | WINDOW | names("newClientOrderId cancelRestrictions")),
    ("GET", "/api/v3/openOrders"): Endpoint(
        answer=spot_trading.open_orders, takes=WINDOW | names("symbol"), weight=by_symbol(6, 80)),
    ("DELETE", "/api/v3/openOrders"): Endpoint(
        answer=spot_trading.cancel_all, needs=names("symbol"), takes=WINDOW),
    ("GET", "/api/v3/allOrders"): Endpoint(
        answer=spot_trading.all_orders, needs=names("symbol"), takes=PAGE | WINDOW | names("orderId"),
        weight=weighs(20)),
    ("POST", "/api/v3/order/cancelReplace"): Endpoint(
        answer=spot_trading.cancel_replace, needs=HEAD | CANCELLED, is_order=True,
        takes=ORDER | WINDOW | names("cancelOrderId cancelOrigClientOrderId cancelNewClientOrderId"
                                     " cancelRestrictions orderRateLimitExceededMode")),
    ("POST", "/api/v3/orderList/oco"): Endpoint(
        answer=spot_trading.place_list, needs=LIST_HEAD, takes=LEGS | LIST_TAIL | WINDOW, is_order=True),
    ("POST", "/api/v3/order/oco"): Endpoint(
        answer=spot_trading.place_old_list, needs=LIST_HEAD | names("price stopPrice"),
        takes=OLD_LIST | LIST_TAIL | WINDOW, is_order=True),
    ("GET", "/api/v3/orderList"): Endpoint(
        answer=spot_trading.list_status, takes=WINDOW | names("orderListId origClientOrderId"), weight=weighs(4)),
    ("DELETE", "/api/v3/orderList"): Endpoint(
        answer=spot_trading.cancel_list, needs=names("symbol"),
        takes=WINDOW | names("orderListId listClientOrderId newClientOrderId")),
    ("GET", "/api/v3/openOrderList"): Endpoint(answer=spot_trading.open_lists, takes=WINDOW, weight=weighs(6)),
    ("GET", "/api/v3/allOrderList"): Endpoint(
        answer=spot_trading.all_lists, takes=WINDOW | PAGE | names("fromId"), weight=weighs(20)),
    ("GET", "/api/v3/myTrades"): Endpoint(
        answer=spot_trading.my_trades, needs=names("symbol"), takes=PAGE | WINDOW | names("orderId fromId"),
        weight=lambda sent: 5 if sent.get("orderId") else 20),
    ("GET", "/api/v3/account"): Endpoint(
        answer=spot_wallet.account, takes=WINDOW | names("omitZeroBalances"), weight=weighs(20)),
    ("GET", "/api/v3/account/commission"): Endpoint(
        answer=spot_wallet.commission, needs=names("symbol"), takes=WINDOW, weight=weighs(20)),
    ("GET", "/api/v3/rateLimit/order"): Endpoint(answer=spot_wallet.order_limits, takes=WINDOW, weight=weighs(40)),
    ("POST", "/api/v3/userDataStream"): Endpoint(answer=spot_wallet.new_listen_key, security=KEY, weight=weighs(2)),
    ("PUT", "/api/v3/userDataStream"): Endpoint(
        answer=spot_wallet.keep_listen_key, security=KEY, needs=names("listenKey"), weight=weighs(2)),
    ("DELETE", "/api/v3/userDataStream"): Endpoint(
        answer=spot_wallet.end_listen_key, security=KEY, needs=names("listenKey"), weight=weighs(2)),
    ("GET", "/sapi/v1/system/status"): Endpoint(answer=spot_wallet.system_status, security=OPEN),
    ("GET", "/sapi/v1/capital/config/getall"): Endpoint(
        answer=spot_wallet.coins, takes=WINDOW, weight=weighs(10)),
    ("GET", "/sapi/v1/capital/deposit/hisrec"): Endpoint(
        answer=spot_wallet.deposits, takes=WINDOW | names("coin status startTime endTime offset limit txId")),
    ("GET", "/sapi/v1/capital/withdraw/history"): Endpoint(
        answer=spot_wallet.withdrawals, takes=WINDOW | names("coin status startTime endTime offset limit")),
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(answer=spot_wallet.restrictions, takes=WINDOW),
    ("GET", "/sapi/v1/account/status"): Endpoint(answer=lambda *_: {"data": "Normal"}, takes=WINDOW),
    ("GET", "/sapi/v1/asset/tradeFee"): Endpoint(answer=spot_wallet.trade_fees, takes=WINDOW | names("symbol")),
}  # fmt: skip
