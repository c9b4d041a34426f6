"""What venues refuse with, in words that say what to do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.orders import Refused, client_id
from engine.exchanges.ccxt.refusals import KNOWN, Refusal, in_words, refusal_of, said
from tests.fakes.data import real_file
from tests.fakes.real_account import account_at, order
from tests.fakes.venues.binance import trading
from tests.fakes.venues.kraken import trading_kraken

ANSWERS: list[tuple[str, Any, Refusal]] = [
    ("binance", {"code": -2010, "msg": "Account has insufficient balance for requested action."}, Refusal.FUNDS),
    ("binance", {"code": -1013, "msg": "Filter failure: NOTIONAL"}, Refusal.TOO_SMALL),
    ("binance", {"code": -1013, "msg": "Filter failure: MIN_NOTIONAL"}, Refusal.TOO_SMALL),
    ("binance", {"code": -1013, "msg": "Filter failure: PRICE_FILTER"}, Refusal.PRICE),
    ("binance", {"code": -1013, "msg": "Filter failure: PERCENT_PRICE_BY_SIDE"}, Refusal.PRICE),
    ("binance", {"code": -1013, "msg": "Filter failure: MARKET_LOT_SIZE"}, Refusal.TOO_LARGE),
    ("binance", {"code": -1013, "msg": "Filter failure: LOT_SIZE"}, Refusal.QUANTITY),
    ("binance", {"code": -1013, "msg": "Filter failure: MAX_NUM_ALGO_ORDERS"}, Refusal.MANY),
    ("binance", {"code": -2010, "msg": "Stop price would trigger immediately."}, Refusal.AT_ONCE),
    ("binance", {"code": -2010, "msg": "Market is closed."}, Refusal.CLOSED),
    ("binance", {"code": -2010, "msg": "This symbol is not permitted for this account."}, Refusal.NOT_FOR_YOU),
    ("binance", {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, Refusal.KEY_OR_ADDRESS),
    ("binance", {"code": -1022, "msg": "Signature for this request is not valid."}, Refusal.KEY),
    ("kraken", {"error": ["EOrder:Cost minimum not met"]}, Refusal.TOO_SMALL),
    ("kraken", {"error": ["EGeneral:Invalid arguments:volume minimum not met"]}, Refusal.TOO_SMALL),
    (
        "kraken",
        {"error": ["EOrder:Invalid price:BTC/USD price can only be specified up to 1 decimals."]},
        Refusal.PRICE,
    ),
    ("kraken", {"error": ["EGeneral:Permission denied"]}, Refusal.PERMISSION),
    ("kraken", {"error": ["EAPI:Invalid key"]}, Refusal.KEY),
    ("kraken", {"error": ["EAccount:Invalid permissions:XMR/EUR trading restricted for DE."]}, Refusal.NOT_FOR_YOU),
    (
        "okx",
        {"code": "1", "data": [{"sCode": "51008", "sMsg": "Order failed. Insufficient USDT balance."}], "msg": ""},
        Refusal.FUNDS,
    ),
    ("okx", {"code": "50110", "data": [], "msg": "Your IP 192.0.2.7 is not in the whitelist"}, Refusal.ADDRESS),
    ("bybit", {"retCode": 170140, "retMsg": "Order value exceeded lower limit."}, Refusal.TOO_SMALL),
    ("bybit", {"retCode": 33004, "retMsg": "Your api key has expired."}, Refusal.EXPIRED),
    (
        "coinbase",
        {"success": False, "error_response": {"error": "INSUFFICIENT_FUND", "message": "Insufficient balance"}},
        Refusal.FUNDS,
    ),
    (
        "coinbase",
        {"error_response": {"preview_failure_reason": "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE", "message": ""}},
        Refusal.AT_ONCE,
    ),
]


@pytest.mark.parametrize(("exchange", "answer", "refusal"), ANSWERS)
def test_a_refusal_says_why_what_the_venue_said_and_what_to_do(exchange: str, answer: Any, refusal: Refusal) -> None:
    text = json.dumps(answer)
    assert refusal_of(exchange, text) is refusal
    words = said(text)
    assert not words.startswith("{")
    assert in_words(exchange, text, words) == f"{refusal.why} ({exchange}: {words.rstrip('.')}); {refusal.remedy}"


def test_what_is_not_known_is_told_in_the_venues_words_alone() -> None:
    assert in_words("binance", '{"code":-1104,"msg":"Not all sent"}', "Not all sent") == "Not all sent"
    assert in_words("gate", '{"label":"BALANCE_NOT_ENOUGH"}', "x") == "x"
    assert refusal_of("bybit", '{"retCode":1100030,"retMsg":"of 10003 others 9100059"}') is Refusal.KEY
    assert refusal_of("bybit", '{"retCode":1100030,"time":17013100033}') is None, "no part of a longer number"


@pytest.mark.parametrize("exchange", ["okx", "bybit"])
def test_codes_are_those_that_ccxt_knows_of_the_venue(exchange: str) -> None:
    import ccxt.async_support

    known = {str(code) for code in getattr(ccxt.async_support, exchange)().exceptions["exact"]}
    ours = {code for words in KNOWN[exchange] for code in words.split("|")}
    assert all(re.fullmatch(r"\d{5,6}", code) for code in ours)
    assert ours - known == set() if exchange == "bybit" else ours - known <= {"50119", "50120"}


@pytest.mark.parametrize(
    ("exchange", "name", "refusal"),
    [
        ("kraken", "kraken/ws_add_order_response_failure", Refusal.FUNDS),
        ("bybit", "bybit/ws_auth_failure", Refusal.KEY),
    ],
)
def test_recorded_refusals_are_known(exchange: str, name: str, refusal: Refusal) -> None:
    text = real_file(f"exchange_rest/nautilus/{name}.json").read_text()
    assert refusal_of(exchange, text) is refusal


@pytest.mark.parametrize("name", ["binance", "kraken"])
async def test_through_the_real_ccxt_an_order_is_refused_in_such_words(name: str) -> None:
    async with trading_kraken() if name == "kraken" else trading() as fake, account_at(fake) as at:
        at.move(60_000)
        asked = replace(order("a", "5"), symbol=at.symbol)
        answer = await at.exchange.submit(asked)
        assert isinstance(answer, Refused)
        assert answer.reason.startswith(f"{Refusal.FUNDS.why} ({name}: ")
        assert answer.reason.endswith(Refusal.FUNDS.remedy)
        fake.keys.can_trade = False
        denied = await at.exchange.submit(replace(asked, client_id=client_id("b"), quantity=Decimal("0.01")))
        assert isinstance(denied, Refused)
        expected = Refusal.PERMISSION if name == "kraken" else Refusal.KEY_OR_ADDRESS
        assert denied.reason.startswith(expected.why)
