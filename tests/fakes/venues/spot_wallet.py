"""The account at the fake Binance: balances, fees, what the keys may do, and the keys of its streams."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.fakes.venues.spot_orders import Refused
from tests.fakes.venues.spot_views import balances_view
from tests.fakes.venues.transfers import DEPOSIT, WITHDRAWAL, Moved

if TYPE_CHECKING:
    from tests.fakes.venues.binance import FakeBinance

Json = Any
Sent = Mapping[str, str]
NINETY_DAYS = 90 * 86_400_000
"""Milliseconds that a look at transfers may reach over."""


def account(venue: FakeBinance, sent: Sent) -> Json:
    fees = venue.matching.fees
    rates = {"maker": f"{fees.maker:.8f}", "taker": f"{fees.taker:.8f}", "buyer": "0.00000000", "seller": "0.00000000"}
    basis = {"makerCommission": int(fees.maker * 10_000), "takerCommission": int(fees.taker * 10_000),
             "buyerCommission": 0, "sellerCommission": 0, "commissionRates": rates}  # fmt: skip
    can = {"canTrade": venue.keys.can_trade, "canWithdraw": venue.keys.can_withdraw, "canDeposit": True,
           "brokered": False, "requireSelfTradePrevention": False, "preventSor": False}  # fmt: skip
    balances = balances_view(venue.ledger, with_zeros=sent.get("omitZeroBalances") != "true")
    return {**basis, **can, "updateTime": venue.now_ms(), "accountType": "SPOT", "balances": balances,
            "permissions": ["SPOT"], "uid": 354937868}  # fmt: skip


def commission(venue: FakeBinance, sent: Sent) -> Json:
    fees = venue.matching.fees
    rates = {"maker": f"{fees.maker:.8f}", "taker": f"{fees.taker:.8f}", "buyer": "0.00000000", "seller": "0.00000000"}
    discount = {"enabledForAccount": fees.paid_in == "BNB", "enabledForSymbol": True, "discountAsset": "BNB",
                "discount": "0.75000000"}  # fmt: skip
    return {"symbol": sent["symbol"], "standardCommission": rates, "discount": discount}


def order_limits(venue: FakeBinance, _: Sent) -> Json:
    return [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": venue.limits.orders,
             "count": venue.limits.ordered}]  # fmt: skip


def new_listen_key(venue: FakeBinance, _: Sent) -> Json:
    return {"listenKey": venue.stream.new_key()}


def keep_listen_key(venue: FakeBinance, sent: Sent) -> Json:
    if sent["listenKey"] not in venue.stream.listen_keys:
        raise Refused(-1125, "This listenKey does not exist.")
    return {}


def end_listen_key(venue: FakeBinance, sent: Sent) -> Json:
    keep_listen_key(venue, sent)
    venue.stream.listen_keys.discard(sent["listenKey"])
    return {}


def system_status(_: FakeBinance, __: Sent) -> Json:
    return {"status": 0, "msg": "normal"}


def coins(venue: FakeBinance, _: Sent) -> Json:
    known = {each.base for each in venue.symbols.values()} | {each.quote for each in venue.symbols.values()}
    return [_coin(venue, asset) for asset in sorted(known | set(venue.ledger.assets))]


def _coin(venue: FakeBinance, asset: str) -> Json:
    network = {"network": asset, "coin": asset, "isDefault": True, "depositEnable": True, "withdrawEnable": True,
               "name": asset, "withdrawFee": "0.00010000", "withdrawMin": "0.00020000", "withdrawMax": "9999",
               "withdrawIntegerMultiple": "0.00000001", "minConfirm": 1, "unLockConfirm": 2}  # fmt: skip
    amounts = {"free": f"{venue.ledger.free[asset]:.8f}", "locked": f"{venue.ledger.locked[asset]:.8f}",
               "freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0", "storage": "0"}  # fmt: skip
    return {"coin": asset, "name": asset, "depositAllEnable": True, "withdrawAllEnable": True, "trading": True,
            "isLegalMoney": asset in {"EUR", "USD"}, **amounts, "networkList": [network]}  # fmt: skip


def restrictions(venue: FakeBinance, _: Sent) -> Json:
    keys = venue.keys
    off = ("enableInternalTransfer", "enableMargin", "enableFutures", "permitsUniversalTransfer",
           "enableVanillaOptions", "enablePortfolioMarginTrading", "enableFixApiTrade")  # fmt: skip
    return {"ipRestrict": False, "createTime": 1_600_000_000_000, "enableReading": True,
            "enableWithdrawals": keys.can_withdraw, "enableSpotAndMarginTrading": keys.can_trade,
            **dict.fromkeys(off, False)}  # fmt: skip


def trade_fees(venue: FakeBinance, sent: Sent) -> Json:
    fees = venue.matching.fees
    names = [sent["symbol"]] if sent.get("symbol") else list(venue.symbols)
    return [{"symbol": name, "makerCommission": f"{fees.maker}", "takerCommission": f"{fees.taker}"} for name in names]


def deposits(venue: FakeBinance, sent: Sent) -> Json:
    """The newest first; 1 is credited."""
    return [{"id": f"{each.number}", "amount": f"{each.amount:.8f}", "coin": each.asset, "network": each.asset,
             "status": 1 if each.done else 0, "address": "loopback", "addressTag": "", "txId": f"0x{each.number:064x}",
             "insertTime": each.at, "transferType": 0, "confirmTimes": "1/1", "unlockConfirm": 1, "walletType": 0}
            for each in _told(venue, DEPOSIT, sent)]  # fmt: skip


def withdrawals(venue: FakeBinance, sent: Sent) -> Json:
    """The newest first; 6 is completed."""
    return [{"id": f"{each.number:032x}", "amount": f"{each.amount:.8f}", "transactionFee": f"{each.fee:.8f}",
             "coin": each.asset, "status": 6 if each.done else 4, "address": "loopback", "network": each.asset,
             "txId": f"0x{each.number:064x}", "applyTime": _day_time(each.at), "transferType": 0, "walletType": 0}
            for each in _told(venue, WITHDRAWAL, sent)]  # fmt: skip


def _told(venue: FakeBinance, kind: str, sent: Sent) -> list[Moved]:
    begins, ends = int(sent.get("startTime", "0")), int(sent.get("endTime", str(2**53)))
    if ends - begins > NINETY_DAYS and "startTime" in sent:
        raise Refused(-1100, "The time between startTime and endTime must be within 90 days.")
    found = [each for each in venue.transfers if each.kind == kind and begins <= each.at <= ends]
    return [each for each in reversed(found) if sent.get("coin", each.asset) == each.asset]


def _day_time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
