"""Orders, trades and balances in Binance's words: as its REST interface answers, and as its user stream tells."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.fakes.venues.spot_ledger import Ledger
from tests.fakes.venues.spot_orders import OrderList, Report, SpotOrder, SpotTrade

Json = Any
PREVENTION = {"selfTradePreventionMode": "EXPIRE_MAKER"}


def text(amount: Decimal) -> str:
    return f"{amount:.8f}"


def order_view(order: SpotOrder) -> Json:
    """As GET order, openOrders and allOrders tell it."""
    times = {"time": order.created, "updateTime": order.updated, "isWorking": order.is_working,
             "workingTime": order.working_since or -1}  # fmt: skip
    return {**_ids(order), "clientOrderId": order.client_id, **_terms(order), "icebergQty": "0.00000000",
            "stopPrice": text(order.stop_price), **times, "origQuoteOrderQty": text(order.quote_quantity),
            **_trailing(order), **PREVENTION}  # fmt: skip


def placed_view(order: SpotOrder, trades: Iterable[SpotTrade], kind: str) -> Json:
    """As POST order answers: ACK, RESULT or FULL."""
    said = {**_ids(order), "clientOrderId": order.client_id, "transactTime": order.updated}
    if kind == "ACK":
        return said
    result = {**said, **_terms(order), "origQuoteOrderQty": text(order.quote_quantity),
              "workingTime": order.working_since or -1, **_stop(order), **_trailing(order), **PREVENTION}  # fmt: skip
    if kind == "RESULT":
        return result
    fills = [{"price": text(each.price), "qty": text(each.quantity), "commission": text(each.fee),
              "commissionAsset": each.fee_asset, "tradeId": each.trade_id} for each in trades]  # fmt: skip
    return {**result, "fills": fills}


def cancelled_view(order: SpotOrder, cancel_id: str) -> Json:
    """As DELETE order answers for an order that is in no list."""
    ids = {"origClientOrderId": order.client_id, "clientOrderId": cancel_id, "transactTime": order.updated}
    return {**_ids(order), **ids, **_terms(order), **_stop(order), **_trailing(order), **PREVENTION}


def list_view(pair: OrderList) -> Json:
    """The heads of an order list and of its orders."""
    state = ("EXEC_STARTED", "EXECUTING") if pair.is_open else ("ALL_DONE", "ALL_DONE")
    orders = [
        {"symbol": each.symbol, "orderId": each.order_id, "clientOrderId": each.client_id} for each in pair.orders
    ]
    return {"orderListId": pair.list_id, "contingencyType": "OCO", "listStatusType": state[0],
            "listOrderStatus": state[1], "listClientOrderId": pair.client_id, "transactionTime": pair.at,
            "symbol": pair.symbol, "orders": orders}  # fmt: skip


def trade_view(trade: SpotTrade) -> Json:
    return {"symbol": trade.symbol, "id": trade.trade_id, "orderId": trade.order_id, "orderListId": trade.list_id,
            "price": text(trade.price), "qty": text(trade.quantity), "quoteQty": text(trade.cost),
            "commission": text(trade.fee), "commissionAsset": trade.fee_asset, "time": trade.at,
            "isBuyer": trade.side == "BUY", "isMaker": trade.maker, "isBestMatch": True}  # fmt: skip


def balances_view(ledger: Ledger, *, with_zeros: bool) -> list[Json]:
    return [{"asset": asset, "free": text(ledger.free[asset]), "locked": text(ledger.locked[asset])}
            for asset in ledger.assets if with_zeros or ledger.total(asset)]  # fmt: skip


def execution_report(report: Report, at: int) -> Json:
    """An order's new state on the user stream."""
    order, trade = report.order, report.trade
    cancelled = report.execution == "CANCELED"
    said = {"e": "executionReport", "E": at, "s": order.symbol, "c": "by-request" if cancelled else order.client_id,
            "S": order.side, "o": order.type, "f": order.time_in_force, "q": text(order.quantity),
            "p": text(order.price), "P": text(order.stop_price), "F": "0.00000000", "g": order.list_id,
            "C": order.client_id if cancelled else "", "x": report.execution, "X": order.status, "r": "NONE",
            "i": order.order_id, "l": "0.00000000", "z": text(order.executed), "L": "0.00000000", "n": "0", "N": None,
            "T": order.updated, "t": -1, "I": order.order_id * 2, "w": order.is_open and order.is_working, "m": False,
            "M": False, "O": order.created, "Z": text(order.quote_executed), "Y": "0.00000000",
            "Q": text(order.quote_quantity), "W": order.working_since or order.created}  # fmt: skip
    if order.trailing_delta is not None:
        said["d"] = order.trailing_delta
    if trade is not None:
        said |= {"l": text(trade.quantity), "L": text(trade.price), "n": text(trade.fee), "N": trade.fee_asset,
                 "t": trade.trade_id, "m": trade.maker, "M": True, "Y": text(trade.cost)}  # fmt: skip
    return said


def account_position(ledger: Ledger, at: int) -> Json:
    """Every balance on the user stream."""
    amounts = {asset: {"f": text(ledger.free[asset]), "l": text(ledger.locked[asset])} for asset in ledger.assets}
    balances = [{"a": asset, **both} for asset, both in amounts.items()]
    return {"e": "outboundAccountPosition", "E": at, "u": at, "B": balances}


def _ids(order: SpotOrder) -> Json:
    return {"symbol": order.symbol, "orderId": order.order_id, "orderListId": order.list_id}


def _terms(order: SpotOrder) -> Json:
    return {"price": text(order.price), "origQty": text(order.quantity), "executedQty": text(order.executed),
            "cummulativeQuoteQty": text(order.quote_executed), "status": order.status,
            "timeInForce": order.time_in_force, "type": order.type, "side": order.side}  # fmt: skip


def _stop(order: SpotOrder) -> Json:
    return {"stopPrice": text(order.stop_price)} if order.stop_price else {}


def _trailing(order: SpotOrder) -> Json:
    return {"trailingDelta": order.trailing_delta} if order.trailing_delta is not None else {}
