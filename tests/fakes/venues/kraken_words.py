"""Kraken's names: of coins and pairs, of orders and trades, and of what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from tests.fakes.exchange import Symbol
from tests.fakes.venues.spot_filters import Filters
from tests.fakes.venues.spot_orders import Refused, SpotOrder, SpotTrade

Json = Any
COINS = {"XBT": "XXBT", "ETH": "XETH", "USD": "ZUSD", "EUR": "ZEUR"}
"""Where the name of a coin is longer in balances and pairs than in short names."""
KINDS = {
    "MARKET": "market", "LIMIT": "limit", "LIMIT_MAKER": "limit", "STOP_LOSS": "stop-loss",
    "STOP_LOSS_LIMIT": "stop-loss-limit", "TAKE_PROFIT": "take-profit", "TAKE_PROFIT_LIMIT": "take-profit-limit",
}  # fmt: skip
STATES = {"NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "closed", "CANCELED": "canceled", "EXPIRED": "expired"}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
WORDS = {
    "Account has insufficient balance for requested action.": "EOrder:Insufficient funds",
    "Duplicate order sent.": "EGeneral:Invalid arguments:cl_ord_id",
    "Stop price would trigger immediately.": "EOrder:Invalid price",
    "Order would immediately match and take.": "EOrder:Post only order",
    "Market is closed.": "EService:Market in cancel_only mode",
}
"""What the matching refuses, in Kraken's words."""


class KrakenFilters(Filters):
    """The least volume and value, decimals of the price, and a count of open orders; nothing else is judged."""

    def check(self, order: SpotOrder, symbol: Symbol, last: Decimal, open_orders: Any) -> None:
        """Judge an order.

        Raises:
            Refused: In Kraken's words.
        """
        decimals = places(symbol.tick)
        for price in (order.price, order.stop_price):
            if price % Decimal(symbol.tick):
                words = f"{symbol.base}/{symbol.quote} price can only be specified up to {decimals} decimals."
                raise Refused(0, f"EOrder:Invalid price:{words}")
        if order.quantity and order.quantity < Decimal(symbol.lot):
            raise Refused(0, "EGeneral:Invalid arguments:volume minimum not met")
        value = order.quote_quantity or order.quantity * (order.price or order.stop_price or last)
        if value < Decimal(symbol.min_notional):
            raise Refused(0, "EOrder:Cost minimum not met")
        if len(open_orders) >= self.max_orders:
            raise Refused(0, "EOrder:Orders limit exceeded")


def places(step: str) -> int:
    """The decimals of a step."""
    exponent = Decimal(step).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(-exponent, 0)


def coin(asset: str) -> str:
    return COINS.get(asset, asset)


def pair(symbol: Symbol) -> str:
    """The long name, as XXBTZUSD."""
    longer = symbol.base in COINS and symbol.quote in COINS
    return f"{coin(symbol.base)}{coin(symbol.quote)}" if longer else symbol.name


def txid(order: SpotOrder) -> str:
    """An order's id, from its market and number."""
    return _id("O", order.symbol, order.order_id)


def trade_txid(trade: SpotTrade) -> str:
    return _id("T", trade.symbol, trade.trade_id)


def _id(first: str, symbol: str, number: int) -> str:
    value, letters = int.from_bytes(symbol.encode()) * 1_000_003 + number * 7919, ""
    for _ in range(16):
        letters += LETTERS[value % 32]
        value //= 32
    return f"{first}{letters[:5]}-{letters[5:10]}-{letters[10:16]}"


def order_view(order: SpotOrder, symbol: Symbol, trades: list[SpotTrade], *, with_trades: bool) -> Json:
    """An order as OpenOrders, ClosedOrders and QueryOrders tell it; amounts are text, the cost is cut short."""
    kind = "trailing-stop" if order.trailing_delta is not None else KINDS[order.type]
    first, second = _prices(order, symbol)
    leverage = {"leverage": "none", "order": described(order, symbol), "close": ""}
    descr = {"pair": symbol.name, "type": order.side.lower(), "ordertype": kind, "price": first, "price2": second}
    average = order.quote_executed / order.executed if order.executed else Decimal(0)
    money = {"vol": f"{order.quantity:.8f}", "vol_exec": f"{order.executed:.8f}",
             "cost": _cut(order.quote_executed, 5), "fee": _cut(sum((each.fee for each in trades), Decimal(0)), 5),
             "price": _cut(average, places(symbol.tick)), "stopprice": "0.00000", "limitprice": "0.00000"}  # fmt: skip
    said = {"refid": None, "userref": None, "cl_ord_id": order.client_id, "status": _state(order),
            "opentm": order.created / 1000, "starttm": 0, "expiretm": 0, "descr": {**descr, **leverage}, **money,
            "misc": "", "oflags": "fciq,post" if order.type == "LIMIT_MAKER" else "fciq"}  # fmt: skip
    if not order.is_open:
        said |= {"closetm": order.updated / 1000, "reason": "User requested" if order.status == "CANCELED" else None}
    if with_trades and trades:
        said["trades"] = [trade_txid(each) for each in trades]
    return said


def _state(order: SpotOrder) -> str:
    return STATES[order.status]


def described(order: SpotOrder, symbol: Symbol) -> str:
    """An order in words, as AddOrder answers."""
    first, second = _prices(order, symbol)
    kind = "trailing stop" if order.trailing_delta is not None else KINDS[order.type].replace("-", " ", 1)
    start = f"{order.side.lower()} {order.quantity:.8f} {symbol.name} @ "
    if order.type == "MARKET":
        return f"{start}market"
    if order.type in {"STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}:
        return f"{start}{kind.removesuffix('-limit')} {first} -> limit {second}"
    return f"{start}{kind} {first}" + (" -> market" if "stop" in kind or "profit" in kind else "")


def _prices(order: SpotOrder, symbol: Symbol) -> tuple[str, str]:
    decimals = places(symbol.tick)
    if order.trailing_delta is not None:
        return f"+{Decimal(order.trailing_delta) / 100:.4f}%", "0"
    first, second = (order.stop_price, order.price) if order.stop_price else (order.price, Decimal(0))
    return (f"{first:.{decimals}f}" if first else "0"), (f"{second:.{decimals}f}" if second else "0")


def trade_view(trade: SpotTrade, order: SpotOrder, symbol: Symbol) -> Json:
    """A fill as TradesHistory tells it: whose order it was, by the venue's id alone."""
    return {"ordertxid": txid(order), "postxid": "TKH2SE-M7IF5-CFI7LT", "pair": pair(symbol), "time": trade.at / 1000,
            "type": trade.side.lower(), "ordertype": KINDS[order.type], "price": f"{trade.price:.5f}",
            "cost": _cut(trade.cost, 5), "fee": _cut(trade.fee, 8), "vol": f"{trade.quantity:.8f}",
            "margin": "0.00000", "leverage": "0", "misc": "", "trade_id": trade.trade_id,
            "maker": trade.maker}  # fmt: skip


def pair_info(symbol: Symbol, fees: Mapping[str, Decimal]) -> Json:
    """A market as AssetPairs tells it."""
    names = {"altname": symbol.name, "wsname": f"{symbol.base}/{symbol.quote}", "aclass_base": "currency",
             "base": coin(symbol.base), "aclass_quote": "currency", "quote": coin(symbol.quote),
             "lot": "unit"}  # fmt: skip
    steps = {"cost_decimals": 5, "pair_decimals": places(symbol.tick), "lot_decimals": 8, "lot_multiplier": 1,
             "tick_size": _plain(symbol.tick)}  # fmt: skip
    rates = {"fees": [[0, float(fees["taker"] * 100)]], "fees_maker": [[0, float(fees["maker"] * 100)]],
             "fee_volume_currency": "ZUSD"}  # fmt: skip
    least = {"ordermin": _plain(symbol.lot), "costmin": _plain(symbol.min_notional)}
    status = {"status": "online" if symbol.status == "TRADING" else "cancel_only"}
    rest = {"leverage_buy": [], "leverage_sell": [], "margin_call": 80, "margin_stop": 40}
    return {**names, **steps, **rest, **rates, **least, **status}


def _plain(step: str) -> str:
    return f"{Decimal(step).normalize():f}"


def _cut(amount: Decimal, decimals: int) -> str:
    return f"{amount.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN):.{decimals}f}"
