"""How the fake OKX tells markets, balances, orders and fills: amounts are text, a fee is below zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.fakes.exchange import Symbol
from tests.fakes.venues.spot_ledger import Ledger
from tests.fakes.venues.spot_orders import SpotOrder, SpotTrade

Json = Any
STATES = {"NEW": "live", "PARTIALLY_FILLED": "partially_filled", "FILLED": "filled"}
"""What an order's status is called; whatever else it has ended by is canceled."""
EMPTY = ("alias", "ctMult", "ctType", "ctVal", "ctValCcy", "expTime", "instFamily", "lever", "optType", "settleCcy",
         "stk", "uly")  # fmt: skip
"""What a spot market has nothing to say of."""
KINDS = {"MARKET": "market", "LIMIT": "limit", "LIMIT_MAKER": "post_only"}


def inst_id(symbol: Symbol) -> str:
    return f"{symbol.base}-{symbol.quote}"


def instrument(symbol: Symbol) -> Json:
    empty = dict.fromkeys(EMPTY, "")
    return {**empty, "instType": "SPOT", "instId": inst_id(symbol), "baseCcy": symbol.base, "quoteCcy": symbol.quote,
            "listTime": "1548133413000", "lotSz": symbol.lot, "minSz": symbol.lot, "tickSz": symbol.tick,
            "maxLmtAmt": "20000000", "maxMktAmt": "1000000", "maxLmtSz": "9999999999", "maxMktSz": "1000000",
            "state": "live" if symbol.status == "TRADING" else "suspend"}  # fmt: skip


def balance(ledger: Ledger, now: int) -> Json:
    details = [{"ccy": each, "eq": f"{ledger.total(each):f}", "cashBal": f"{ledger.total(each):f}",
                "availBal": f"{ledger.free[each]:f}", "frozenBal": f"{ledger.locked[each]:f}", "availEq": "",
                "uTime": str(now)} for each in ledger.assets if ledger.total(each)]  # fmt: skip
    return {"uTime": str(now), "totalEq": "", "details": details}


def order(found: SpotOrder, symbol: Symbol, trades: Sequence[SpotTrade]) -> Json:
    average = found.quote_executed / found.executed if found.executed else None
    fee = sum((each.fee for each in trades), Decimal(0))
    kind = found.time_in_force.lower() if found.time_in_force in {"IOC", "FOK"} else KINDS[found.type]
    return {"instType": "SPOT", "instId": inst_id(symbol), "ordId": str(found.order_id), "clOrdId": found.client_id,
            "tag": "", "px": f"{found.price:f}" if found.price else "", "sz": f"{found.quantity:f}", "ordType": kind,
            "side": found.side.lower(), "posSide": "net", "tdMode": "cash", "accFillSz": f"{found.executed:f}",
            "avgPx": f"{average:f}" if average else "", "state": STATES.get(found.status, "canceled"), "lever": "",
            "tgtCcy": "base_ccy" if found.type == "MARKET" else "", "fee": f"{-fee:f}", "reduceOnly": "false",
            "feeCcy": trades[0].fee_asset if trades else symbol.base, "category": "normal", "fillTime": "",
            "uTime": str(found.updated), "cTime": str(found.created)}  # fmt: skip


def fill(trade: SpotTrade, symbol: Symbol) -> Json:
    return {"instType": "SPOT", "instId": inst_id(symbol), "tradeId": str(trade.trade_id), "ordId": str(trade.order_id),
            "clOrdId": "", "billId": str(trade.trade_id), "tag": "", "fillPx": f"{trade.price:f}",
            "fillSz": f"{trade.quantity:f}", "side": trade.side.lower(), "posSide": "net",
            "execType": "M" if trade.maker else "T", "feeCcy": trade.fee_asset, "fee": f"{-trade.fee:f}",
            "ts": str(trade.at), "fillTime": str(trade.at)}  # fmt: skip
