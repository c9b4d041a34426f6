"""What the fake Kraken answers to each method, with the parameters that it reads; others it does not take."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tests.fakes.exchange import SPANS, Symbol, candles_of
from tests.fakes.venues.kraken_words import coin, described, order_view, pair, pair_info, trade_txid, trade_view, txid
from tests.fakes.venues.spot_ledger import ZERO
from tests.fakes.venues.spot_orders import Refused, SpotOrder, SpotTrade
from tests.fakes.venues.transfers import DEPOSIT, WITHDRAWAL

if TYPE_CHECKING:
    from tests.fakes.venues.kraken import FakeKraken

Json = Any
Sent = Mapping[str, str]
PAGE = 50
CLIENT_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[ -~]{1,18}")
"""A UUID with or without its hyphens, or a free text of eighteen characters at most."""
TYPES = {"market": "MARKET", "limit": "LIMIT", "stop-loss": "STOP_LOSS", "stop-loss-limit": "STOP_LOSS_LIMIT",
         "take-profit": "TAKE_PROFIT", "take-profit-limit": "TAKE_PROFIT_LIMIT",
         "trailing-stop": "STOP_LOSS"}  # fmt: skip
ORDER_ID = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
UNKNOWN = Refused(0, "EOrder:Unknown order")


def invalid(name: str) -> Refused:
    return Refused(0, f"EGeneral:Invalid arguments:{name}")


# Open to all


def time(venue: FakeKraken, _: Sent) -> Json:
    return {"unixtime": venue.now_ms() // 1000, "rfc1123": venue._date()}


def status(_: FakeKraken, __: Sent) -> Json:
    return {"status": "online", "timestamp": "2026-01-01T00:00:00Z"}


def assets(venue: FakeKraken, _: Sent) -> Json:
    names = {each.base for each in venue.symbols.values()} | {each.quote for each in venue.symbols.values()}
    return {coin(each): {"aclass": "currency", "altname": each, "decimals": 4 if each in {"USD", "EUR"} else 10,
                         "display_decimals": 5, "status": "enabled"} for each in sorted(names)}  # fmt: skip


def asset_pairs(venue: FakeKraken, _: Sent) -> Json:
    fees = venue.matching.fees
    return {pair(each): pair_info(each, {"maker": fees.maker, "taker": fees.taker}) for each in venue.symbols.values()}


def ticker(venue: FakeKraken, sent: Sent) -> Json:
    asked = [_symbol(venue, each) for each in sent["pair"].split(",")] if sent.get("pair") else venue.symbols.values()
    return {pair(each): _ticker(each, venue.now_ms()) for each in asked}


def _ticker(symbol: Symbol, now: int) -> Json:
    book, last = symbol.depth(now, 1), f"{symbol.price(now):.5f}"
    (bid, bids), (ask, asks) = book["bids"][0], book["asks"][0]
    both = {name: [last, last] for name in ("p", "l", "h")}
    return {"a": [ask, "1", asks], "b": [bid, "1", bids], "c": [last, "0.1"], "v": ["9.0", "9.0"], **both,
            "t": [10, 10], "o": last}  # fmt: skip


def depth(venue: FakeKraken, sent: Sent) -> Json:
    symbol = _symbol(venue, sent.get("pair", ""))
    book, at = symbol.depth(venue.now_ms(), min(int(sent.get("count", "100")), 500)), venue.now_ms() // 1000
    return {pair(symbol): {side: [[*level, at] for level in book[side]] for side in ("asks", "bids")}}


def candles(venue: FakeKraken, sent: Sent) -> Json:
    symbol, minutes = _symbol(venue, sent.get("pair", "")), int(sent.get("interval", "1"))
    name = next((each for each, span in SPANS.items() if span == minutes), None)
    if name is None:
        raise invalid("interval")
    asked = {"interval": name, "limit": "720"}
    if sent.get("since"):
        asked["startTime"] = str(int(sent["since"]) * 1000)
    rows = candles_of(symbol, asked, venue.now_ms())
    told = [[row[0] // 1000, *row[1:5], row[4], row[5], 100] for row in rows]
    return {pair(symbol): told, "last": told[-1][0] if told else 0}


# The account's


def balance_ex(venue: FakeKraken, _: Sent) -> Json:
    ledger = venue.ledger
    return {coin(each): {"balance": f"{ledger.total(each):.10f}", "hold_trade": f"{ledger.locked[each]:.10f}"}
            for each in ledger.assets if ledger.total(each)}  # fmt: skip


def balance(venue: FakeKraken, _: Sent) -> Json:
    ledger = venue.ledger
    return {coin(each): f"{ledger.total(each):.10f}" for each in ledger.assets if ledger.total(each)}


def deposit_status(venue: FakeKraken, sent: Sent) -> Json:
    return _moved(venue, DEPOSIT, sent)


def withdraw_status(venue: FakeKraken, sent: Sent) -> Json:
    return _moved(venue, WITHDRAWAL, sent)


def _moved(venue: FakeKraken, kind: str, sent: Sent) -> Json:
    """The newest first."""
    found = [each for each in reversed(venue.transfers) if each.kind == kind and _between(sent)(each.at)]
    return [{"method": each.asset, "aclass": "currency", "asset": coin(each.asset), "refid": f"LOOP-{each.number}",
             "txid": f"{each.number:064x}", "info": "loopback", "amount": f"{each.amount:.10f}",
             "fee": f"{each.fee:.10f}", "time": each.at // 1000,
             "status": "Success" if each.done else "Pending"} for each in found]  # fmt: skip


def trade_volume(venue: FakeKraken, sent: Sent) -> Json:
    fees, name = venue.matching.fees, pair(_symbol(venue, sent.get("pair", "")))
    taker, maker = ({name: {"fee": f"{rate * 100:.4f}"}} for rate in (fees.taker, fees.maker))
    return {"currency": "ZUSD", "volume": "0.0000", "fees": taker, "fees_maker": maker}


def add_order(venue: FakeKraken, sent: Sent) -> Json:
    order = _read(venue, sent)
    test = sent.get("validate", "false").lower() == "true"
    placed = venue.matching.place(order, test=test)
    said = {"descr": {"order": described(placed, venue.symbols[placed.symbol])}}
    return said if test else {**said, "txid": [txid(placed)]}


def cancel_order(venue: FakeKraken, sent: Sent) -> Json:
    if not sent.get("txid") and not sent.get("cl_ord_id"):
        raise invalid("txid")
    asked = sent.get("txid") or sent["cl_ord_id"]
    found = [each for each in venue.matching.open_orders() if asked in (txid(each), each.client_id)]
    if not found or (sent.get("txid") and txid(found[0]) != asked):
        raise UNKNOWN
    venue.matching.cancel(found[0])
    return {"count": 1}


def cancel_all(venue: FakeKraken, _: Sent) -> Json:
    return {"count": sum(len(venue.matching.cancel(each)) for each in venue.matching.open_orders())}


def open_orders(venue: FakeKraken, sent: Sent) -> Json:
    wanted = sent.get("cl_ord_id")
    found = [each for each in venue.matching.open_orders() if wanted in (None, each.client_id)]
    return {"open": _told(venue, found, sent)}


def closed_orders(venue: FakeKraken, sent: Sent) -> Json:
    """The newest first, fifty at a time."""
    within, wanted = _between(sent), sent.get("cl_ord_id")
    done = [each for each in venue.matching.orders if not each.is_open and within(each.updated)
            and wanted in (None, each.client_id)]  # fmt: skip
    done.sort(key=lambda each: each.updated, reverse=True)
    return {"closed": _told(venue, _page(done, sent), sent), "count": len(done)}


def query_orders(venue: FakeKraken, sent: Sent) -> Json:
    """Orders by the venue's ids alone; a client's id is not taken, and what there is not is left out."""
    asked = sent.get("txid", "").split(",")
    if not sent.get("txid") or len(asked) > PAGE:
        raise invalid("txid")
    if "userref" in sent and not re.fullmatch(r"-?\d{1,10}", sent["userref"]):
        raise invalid("userref")
    if not all(ORDER_ID.fullmatch(each) for each in asked):
        raise Refused(0, "EOrder:Invalid order")
    return _told(venue, [each for each in venue.matching.orders if txid(each) in asked], sent)


def trades_history(venue: FakeKraken, sent: Sent) -> Json:
    """The newest first, fifty at a time, all markets together."""
    within = _between(sent)
    found = [each for each in reversed(venue.matching.trades) if within(each.at)]
    return {"trades": {trade_txid(each): _trade(venue, each) for each in _page(found, sent)}, "count": len(found)}


def query_trades(venue: FakeKraken, sent: Sent) -> Json:
    asked = set(sent.get("txid", "").split(","))
    return {trade_txid(each): _trade(venue, each) for each in venue.matching.trades if trade_txid(each) in asked}


def _trade(venue: FakeKraken, trade: SpotTrade) -> Json:
    order = venue.matching.find(trade.symbol, order_id=trade.order_id)
    assert order is not None
    return trade_view(trade, order, venue.symbols[trade.symbol])


def _told(venue: FakeKraken, orders: list[SpotOrder], sent: Sent) -> Json:
    with_trades = sent.get("trades", "false").lower() == "true"
    return {txid(each): order_view(each, venue.symbols[each.symbol], venue.matching.trades_of(each),
                                   with_trades=with_trades) for each in orders}  # fmt: skip


def _page(found: list[Any], sent: Sent) -> list[Any]:
    first = int(sent.get("ofs", "0"))
    return found[first : first + PAGE]


def _between(sent: Sent) -> Callable[[int], bool]:
    """After the start and up to the end, which are seconds."""
    start, end = float(sent.get("start", "0")), float(sent.get("end", "inf"))
    return lambda at: start < at / 1000 <= end or (start == 0 and at / 1000 <= end)


def _symbol(venue: FakeKraken, name: str) -> Symbol:
    for each in venue.symbols.values():
        if name in (each.name, pair(each), f"{each.base}/{each.quote}"):
            return each
    raise Refused(0, "EQuery:Unknown asset pair")


def _read(venue: FakeKraken, sent: Sent) -> SpotOrder:
    symbol, kind = _symbol(venue, sent.get("pair", "")), sent.get("ordertype", "")
    if kind not in TYPES:
        raise invalid("ordertype")
    if sent.get("type") not in {"buy", "sell"}:
        raise invalid("type")
    client_id = sent.get("cl_ord_id", "")
    if client_id and (sent.get("userref") or not CLIENT_ID.fullmatch(client_id)):
        raise invalid("cl_ord_id")
    flags = set(sent.get("oflags", "").split(",")) - {""}
    if flags - {"post", "fciq", "fcib", "nompp", "viqc"}:
        raise invalid("oflags")
    volume = _number(sent, "volume")
    made = SpotOrder(symbol=symbol.name, side=sent["type"].upper(), type=TYPES[kind],
                     client_id=client_id or uuid.uuid4().hex, time_in_force=_in_force(sent))  # fmt: skip
    made.quantity, made.quote_quantity = (ZERO, volume) if "viqc" in flags else (volume, ZERO)
    if kind == "limit":
        made.price = _number(sent, "price")
        made.type = "LIMIT_MAKER" if "post" in flags else "LIMIT"
    elif kind == "trailing-stop":
        made.trailing_delta = _trailing(sent, venue.matching.last(symbol.name))
    elif kind != "market":
        made.stop_price = _number(sent, "price")
        made.price = _number(sent, "price2") if kind.endswith("-limit") else ZERO
    return made


def _trailing(sent: Sent, last: Decimal) -> int:
    text = sent.get("price", "")
    found = re.fullmatch(r"\+(\d+(?:\.\d+)?)(%?)", text)
    if found is None:
        raise invalid("price")
    away = Decimal(found[1])
    return int(away * 100) if found[2] else int(away / last * 10_000)


def _number(sent: Sent, name: str) -> Decimal:
    try:
        value = Decimal(sent.get(name, ""))
    except InvalidOperation:
        raise invalid(name) from None
    if not value.is_finite() or value <= 0:
        raise invalid(name)
    return value


def _in_force(sent: Sent) -> str:
    wanted = sent.get("timeinforce", "GTC").upper()
    if wanted not in {"GTC", "IOC", "FOK"}:
        raise invalid("timeinforce")
    return wanted


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method and the parameters that it reads."""

    answer: Callable[[FakeKraken, Sent], Json]
    takes: frozenset[str] = frozenset()


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPEN_METHODS: Mapping[str, Method] = {
    "Time": Method(answer=time),
    "SystemStatus": Method(answer=status),
    "Assets": Method(answer=assets, takes=names("asset aclass")),
    "AssetPairs": Method(answer=asset_pairs, takes=names("pair info country_code")),
    "Ticker": Method(answer=ticker, takes=names("pair")),
    "Depth": Method(answer=depth, takes=names("pair count")),
    "OHLC": Method(answer=candles, takes=names("pair interval since")),
}
ACCOUNT_METHODS: Mapping[str, Method] = {
    "Balance": Method(answer=balance),
    "BalanceEx": Method(answer=balance_ex),
    "DepositStatus": Method(answer=deposit_status, takes=names("asset aclass method start end cursor limit")),
    "WithdrawStatus": Method(answer=withdraw_status, takes=names("asset aclass method start end cursor limit")),
    "TradeVolume": Method(answer=trade_volume, takes=names("pair fee-info")),
    "AddOrder": Method(answer=add_order, takes=names(
        "pair type ordertype volume price price2 cl_ord_id userref oflags timeinforce validate trigger deadline"
        " stptype starttm expiretm displayvol reduce_only leverage")),
    "CancelOrder": Method(answer=cancel_order, takes=names("txid cl_ord_id")),
    "CancelAll": Method(answer=cancel_all),
    "OpenOrders": Method(answer=open_orders, takes=names("trades userref cl_ord_id")),
    "ClosedOrders": Method(answer=closed_orders, takes=names(
        "trades userref cl_ord_id start end ofs closetime consolidate_taker without_count")),
    "QueryOrders": Method(answer=query_orders, takes=names("trades userref txid consolidate_taker")),
    "TradesHistory": Method(answer=trades_history, takes=names(
        "type trades start end ofs without_count consolidate_taker ledgers")),
    "QueryTrades": Method(answer=query_trades, takes=names("txid trades")),
}  # fmt: skip
