"""How the real ccxt reads recorded payloads of venues: each reader pairs what a payload says with what came out.

A pair is (what, said, read). Numbers are compared as numbers, everything else as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

Json = Any
Pair = tuple[str, Any, Any]
Reader = Callable[[Any, Json], Iterable[Pair]]
STATES = {
    "NEW": "open", "PARTIALLY_FILLED": "open", "FILLED": "closed", "CANCELED": "canceled", "EXPIRED": "expired",
    "REJECTED": "rejected", "PENDING_CANCEL": "canceling", "New": "open", "Untriggered": "open",
    "Cancelled": "canceled", "Rejected": "rejected", "Filled": "closed", "OPEN": "open", "CANCELLED": "canceled",
}  # fmt: skip
"""ccxt's words for the venues' states."""


def differ(said: Any, read: Any) -> bool:
    """Whether what was said and what was read are not the same."""
    if isinstance(said, int | float | str) and isinstance(read, int | float | str):
        try:
            return Decimal(str(said)) != Decimal(str(read))
        except ArithmeticError:
            return str(said) != str(read)
    return bool(said != read)


def rows(reader: Reader) -> Reader:
    """A reader of a list, or of one as well."""

    def read(client: Any, data: Json) -> Iterator[Pair]:
        for row in data if isinstance(data, list) else [data]:
            yield from reader(client, row)

    return read


def below(*path: str) -> Callable[[Reader], Reader]:
    """A reader of what stands within an answer."""

    def wrap(reader: Reader) -> Reader:
        def read(client: Any, data: Json) -> Iterable[Pair]:
            for name in path:
                data = data[name]
            return reader(client, data)

        return read

    return wrap


def book(bids: str = "bids", asks: str = "asks") -> Reader:
    def read(client: Any, data: Json) -> Iterator[Pair]:
        read_ = client.parse_order_book(data, "X/Y", None, bids, asks)
        for side, name in (("bids", bids), ("asks", asks)):
            said = sorted(data[name], key=lambda level: Decimal(level[0]), reverse=side == "bids")
            yield f"levels of {side}", len(said), len(read_[side])
            for level, made in zip(said, read_[side], strict=True):
                yield from ((side, level[0], made[0]), (side, level[1], made[1]))

    return read


# Binance


def binance_order(client: Any, row: Json) -> Iterator[Pair]:
    if "orderReports" in row:  # a list of orders that was cancelled with the others
        for each in row["orderReports"]:
            yield from binance_order(client, each)
        return
    made = client.parse_order(row)
    yield from (("id", row["orderId"], made["id"]), ("symbol", row["symbol"], client.market_id(made["symbol"])))
    yield from (("client id", row["clientOrderId"], made["clientOrderId"]), ("side", row["side"].lower(), made["side"]))
    yield from (("amount", row["origQty"], made["amount"]), ("filled", row["executedQty"], made["filled"]))
    yield from (("cost", row["cummulativeQuoteQty"], made["cost"]), ("state", STATES[row["status"]], made["status"]))
    if row["type"] != "MARKET":
        yield "price", row["price"], made["price"]
    for said, fill in zip(row.get("fills", []), made["trades"], strict=True):
        yield from (("fill", said["price"], fill["price"]), ("fill", said["qty"], fill["amount"]))
        yield from (("fee", said["commission"], fill["fee"]["cost"]),)


def binance_my_trade(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_trade(row)
    yield from _trade(made, row["id"], row["price"], row["qty"], row["time"])
    yield from (("order", row["orderId"], made["order"]), ("cost", row["quoteQty"], made["cost"]))
    yield from (
        ("fee", row["commission"], made["fee"]["cost"]),
        ("in", row["commissionAsset"], made["fee"]["currency"]),
    )
    yield "side", "buy" if row["isBuyer"] else "sell", made["side"]
    yield "maker", "maker" if row["isMaker"] else "taker", made["takerOrMaker"]


def binance_trade(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_trade(row)
    yield from _trade(made, row["id"], row["price"], row["qty"], row["time"])
    yield "side", "sell" if row["isBuyerMaker"] else "buy", made["side"]


def binance_agg_trade(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_trade(row)
    yield from _trade(made, row["a"], row["p"], row["q"], row["T"])
    yield "side", "sell" if row["m"] else "buy", made["side"]


def _trade(made: Json, number: Any, price: Any, amount: Any, at: Any) -> Iterator[Pair]:
    yield from (("id", number, made["id"]), ("price", price, made["price"]))
    yield from (("amount", amount, made["amount"]), ("time", at, made["timestamp"]))


def binance_account(client: Any, data: Json) -> Iterator[Pair]:
    made = client.parse_balance_custom(data, "spot")
    for row in data["balances"]:
        yield row["asset"], row["free"], made[row["asset"]]["free"]
        yield row["asset"], row["locked"], made[row["asset"]]["used"]


def binance_ticker(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_ticker(row)
    names = {"bidPrice": "bid", "bidQty": "bidVolume", "askPrice": "ask", "askQty": "askVolume", "lastPrice": "last",
             "highPrice": "high", "lowPrice": "low", "openPrice": "open", "volume": "baseVolume"}  # fmt: skip
    yield from ((name, row[name], made[ours]) for name, ours in names.items() if name in row)


def binance_price(client: Any, row: Json) -> Iterator[Pair]:
    yield "price", row["price"], client.parse_last_price(row)["price"]


def binance_candle(client: Any, row: Json) -> Iterator[Pair]:
    yield from (("candle", said, read) for said, read in zip(row[:6], client.parse_ohlcv(row), strict=True))


def binance_fee(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_trading_fee(row)
    yield from (("maker", row["makerCommission"], made["maker"]), ("taker", row["takerCommission"], made["taker"]))


def binance_market(row: Json, made: Json) -> Iterator[Pair]:
    """A row of exchangeInfo beside the market that was made of it."""
    filters = {each["filterType"]: each for each in row["filters"]}
    yield from (("base", row["baseAsset"], made["baseId"]), ("quote", row["quoteAsset"], made["quoteId"]))
    yield "on", row["status"] == "TRADING", made["active"]
    if "PRICE_FILTER" in filters:
        yield "tick", filters["PRICE_FILTER"]["tickSize"], made["precision"]["price"]
    if "LOT_SIZE" in filters:
        yield "lot", filters["LOT_SIZE"]["stepSize"], made["precision"]["amount"]
        yield "least", filters["LOT_SIZE"]["minQty"], made["limits"]["amount"]["min"]
    if "MIN_NOTIONAL" in filters:
        yield "notional", filters["MIN_NOTIONAL"]["minNotional"], made["limits"]["cost"]["min"]


def binance_user_event(client: Any, data: Json) -> Iterator[Pair]:
    """An event of the user stream, through the whole way that ccxt's websocket client sends it."""
    wire = client.client("ws://127.0.0.1:9/ws-api/v3")
    wire.subscriptions["spot"] = True
    client.balance["spot"] = {}
    client.handle_message(wire, data)
    event = data.get("event") or data.get("data") or data
    if event["e"] == "executionReport":
        yield from _report(client, event)
    elif event["e"] == "balanceUpdate":
        yield "change", event["d"], client.balance["spot"][event["a"]]["free"]
    elif event["e"] == "24hrTicker":
        (made,) = [each for each in client.tickers.values() if client.market_id(each["symbol"]) == event["s"]]
        names = {"c": "last", "b": "bid", "B": "bidVolume", "a": "ask", "A": "askVolume", "h": "high", "l": "low"}
        yield from ((name, event[name], made[ours]) for name, ours in names.items())
    else:
        for row in event["B"]:
            yield from ((row["a"], row["f"], client.balance["spot"][row["a"]]["free"]),)
            yield from ((row["a"], row["l"], client.balance["spot"][row["a"]]["used"]),)


def _report(client: Any, event: Json) -> Iterator[Pair]:
    made = client.orders[-1]
    name = event["c"] if event["x"] != "CANCELED" or not event["C"] else event["C"]
    yield from (("id", event["i"], made["id"]), ("symbol", event["s"], client.market_id(made["symbol"])))
    yield from (("client id", name or None, made["clientOrderId"]), ("side", event["S"].lower(), made["side"]))
    yield from (("amount", event["q"], made["amount"]), ("price", event["p"], made["price"]))
    yield from (("filled", event["z"], made["filled"]), ("state", STATES[event["X"]], made["status"]))
    if Decimal(event["P"]):
        yield "stop", event["P"], made["triggerPrice"]
    if event["x"] == "TRADE":
        trade = client.myTrades[-1]
        yield from _trade(trade, event["t"], event["L"], event["l"], event["T"])
        yield "fee", event["n"], trade["fee"]["cost"] if trade["fee"] else None


# Bybit


def bybit_order(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_order(row, client.market("BTC/USDT") if row["symbol"] == "BTCUSDT" else None)
    yield from _bybit_order(made, row)


def _bybit_order(made: Json, row: Json) -> Iterator[Pair]:
    yield from (("id", row["orderId"], made["id"]), ("client id", row["orderLinkId"], made["clientOrderId"]))
    yield from (("amount", row["qty"], made["amount"]), ("filled", row["cumExecQty"], made["filled"]))
    yield from (("side", row["side"].lower(), made["side"]), ("state", STATES[row["orderStatus"]], made["status"]))
    if Decimal(row["price"] or 0):
        yield "price", row["price"], made["price"]
    if Decimal(row["triggerPrice"] or 0):
        yield "stop", row["triggerPrice"], made["triggerPrice"]


def bybit_balance(client: Any, data: Json) -> Iterator[Pair]:
    made = client.parse_balance(data)
    for row in data["result"]["list"][0]["coin"]:
        # ccxt's total is what is owned after what is owed.
        owed = Decimal(row.get("borrowAmount") or 0) + Decimal(row.get("accruedInterest") or 0)
        yield row["coin"], Decimal(row["walletBalance"]), Decimal(str(made[row["coin"]]["total"]))
        if owed:
            yield f"debt of {row['coin']}", owed, Decimal(str(made[row["coin"]]["debt"]))


def bybit_fee(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_trading_fee(row)
    yield from (("maker", row["makerFeeRate"], made["maker"]), ("taker", row["takerFeeRate"], made["taker"]))


def bybit_event(client: Any, data: Json) -> Iterator[Pair]:
    """An event of a public or private stream of the spot market."""
    wire = client.client("ws://127.0.0.1:9/v5/public/spot")
    client.handle_message(wire, data)
    topic = data["topic"].partition(".")[0]
    if topic == "orderbook":
        made = client.orderbooks["BTC/USDT"]
        for side, name in (("bids", "b"), ("asks", "a")):
            kept = {Decimal(str(price)): Decimal(str(amount)) for price, amount, *_ in made[side]}
            for price, amount in data["data"][name]:
                yield f"{side} {price}", Decimal(amount) or None, kept.get(Decimal(price))
    elif topic == "kline":
        (row,), (made,) = data["data"], client.ohlcvs["BTC/USDT"]["5m"]
        said = [row[name] for name in ("start", "open", "high", "low", "close", "volume")]
        yield from (("candle", each, read) for each, read in zip(said, made, strict=True))
    elif topic == "wallet":
        for row in data["data"][0]["coin"]:
            yield row["coin"], Decimal(row["equity"]), Decimal(str(client.balance[row["coin"]]["total"]))
    else:
        for row, made in zip(data["data"], client.orders, strict=True):
            yield from _bybit_order(made, row)


# Coinbase


def coinbase_order(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_order(row)
    (terms,) = row["order_configuration"].values()
    yield from (("id", row["order_id"], made["id"]), ("client id", row["client_order_id"], made["clientOrderId"]))
    yield from (("side", row["side"].lower(), made["side"]), ("state", STATES[row["status"]], made["status"]))
    yield "filled", row["filled_size"], made["filled"]
    if Decimal(row["filled_size"]):
        yield "average", row["average_filled_price"], made["average"]
    yield "symbol", row["product_id"].replace("-", "/"), made["symbol"]
    if "limit_price" in terms:
        yield "price", terms["limit_price"], made["price"]
    if "base_size" in terms:
        yield "amount", terms["base_size"], made["amount"]


def coinbase_trade(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_trade(row)
    yield from _trade(made, row["trade_id"], row["price"], row["size"], client.parse8601(row["time"]))
    yield from (("side", row["side"].lower(), made["side"]),)


def coinbase_market(client: Any, row: Json) -> Iterator[Pair]:
    made = client.parse_spot_market(row, {})
    yield from (("id", row["product_id"], made["id"]), ("tick", row["price_increment"], made["precision"]["price"]))
    yield from (("lot", row["base_increment"], made["precision"]["amount"]),)
    yield from (("least", row["base_min_size"], made["limits"]["amount"]["min"]),)
    yield from (("cost", row["quote_min_size"], made["limits"]["cost"]["min"]),)


def coinbase_book(client: Any, data: Json) -> Iterator[Pair]:
    made = client.parse_order_book(data["pricebook"], "BTC/USD", None, "bids", "asks", "price", "size")
    for side in ("bids", "asks"):
        for level, kept in zip(data["pricebook"][side], made[side], strict=True):
            yield from ((side, level["price"], kept[0]), (side, level["size"], kept[1]))


def coinbase_event(client: Any, data: Json) -> Iterator[Pair]:
    client.handle_message(client.client("ws://127.0.0.1:9/"), data)
    for event in data["events"]:
        made = client.orderbooks["BTC/USD"]
        for row in event["updates"]:
            side = made["bids" if row["side"] == "bid" else "asks"]
            kept = {Decimal(str(price)): Decimal(str(amount)) for price, amount, *_ in side}
            yield row["price_level"], Decimal(row["new_quantity"]) or None, kept.get(Decimal(row["price_level"]))


def coinbase_exchange_event(client: Any, data: Json) -> Iterator[Pair]:
    """A message of the feed of Coinbase's exchange."""
    wire = client.client("ws://127.0.0.1:9/")
    client.handle_message(wire, data)
    symbol = client.safe_symbol(data["product_id"], None, "-")
    if data["type"] == "ticker":
        made = client.tickers[symbol]
        names = {"price": "last", "best_bid": "bid", "best_ask": "ask", "high_24h": "high", "volume_24h": "baseVolume"}
        yield from ((name, data[name], made[ours]) for name, ours in names.items())
    elif data["type"] == "match":
        made = client.trades[symbol][-1]
        yield from _trade(made, data["trade_id"], data["price"], data["size"], client.parse8601(data["time"]))
    elif data["type"] == "snapshot":
        made = client.orderbooks[symbol]
        yield from (("bids", len(data["bids"]), len(made["bids"])), ("asks", len(data["asks"]), len(made["asks"])))
        for side in ("bids", "asks"):
            yield from ((side, Decimal(row[0]), Decimal(str(kept[0]))) for row, kept in
                        zip(data[side], made[side], strict=True))  # fmt: skip
    else:
        made = client.orderbooks[symbol]
        for side, price, amount in data["changes"]:
            kept = made["bids" if side == "buy" else "asks"]
            found = next((each[1] for each in kept if Decimal(str(each[0])) == Decimal(price)), 0)
            yield price, Decimal(amount), Decimal(str(found))


# Kraken


def kraken_ticker(client: Any, data: Json) -> Iterator[Pair]:
    for name, row in data["result"].items():
        made = client.parse_ticker(row, client.safe_market(name))
        yield from (("ask", row["a"][0], made["ask"]), ("bid", row["b"][0], made["bid"]))
        yield from (("last", row["c"][0], made["last"]), ("high", row["h"][1], made["high"]))
        yield from (("low", row["l"][1], made["low"]), ("volume", row["v"][1], made["baseVolume"]))


def kraken_trades(client: Any, data: Json) -> Iterator[Pair]:
    for name, row in data["result"]["trades"].items():
        made = client.parse_trade({**row, "id": name})
        yield from (("id", name, made["id"]), ("order", row["ordertxid"], made["order"]))
        yield from (("price", row["price"], made["price"]), ("amount", row["vol"], made["amount"]))
        yield from (("cost", row["cost"], made["cost"]), ("fee", row["fee"], made["fee"]["cost"]))
        yield "maker", "maker" if row["maker"] else "taker", made["takerOrMaker"]
