"""What trading costs in a backtest: the fees of the exchange that its contexts trade at."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.backtests.asked import Asked, Known
from bot.backtests.setups import setup_of
from bot.venues import exchange_of, fees_at
from config.loader import load
from config.settings import Settings
from engine.domain.errors import BadInput
from engine.domain.market import Market
from tests.fakes.series import walk

BTC, ETH = "BTC/USDT", "ETH/USDT"
KNOWN = Known(
    candles={symbol: replace(walk(3, 200), symbol=symbol) for symbol in (BTC, ETH)},
    markets={symbol: Market(symbol=symbol) for symbol in (BTC, ETH)},
)
EXCHANGES = {"binance": {"fee": "0.00075", "fee_in": "received"}, "kraken": {"fee": "0.0026"}}


def settings_of(tmp_path: Path, exchanges: dict[str, Any] = EXCHANGES) -> Settings:
    usual = {"strategy": "momentum", "timeframe": "1h"}
    contexts = [
        {**usual, "name": name, "markets": [symbol], "exchange": exchange}
        for name, symbol, exchange in (("a", BTC, "binance"), ("b", ETH, "kraken"))
    ]
    asked = {"exchanges": exchanges, "contexts": contexts, "venue": {"fee": "0.002"}}
    return load("demo", None, asked, {}, tmp_path).settings


def test_each_exchange_has_its_own_fees_and_else_those_of_the_paper_venue(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert fees_at(settings, "binance") == {"fee": Decimal("0.00075"), "fee_in": "received", "fee_price": None}
    assert fees_at(settings, "kraken") == {"fee": Decimal("0.0026"), "fee_in": "quote", "fee_price": None}
    assert fees_at(settings, None)["fee"] == Decimal("0.002")
    assert exchange_of(settings, "kraken") == "kraken"
    assert exchange_of(settings) == "binance", "that of the first context"


def test_a_context_is_tested_with_the_fees_of_its_exchange(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    model = setup_of(Asked(symbols=("BTC",), full=True), settings, KNOWN).model
    assert (model.fee, model.fee_in) == (Decimal("0.00075"), "received")
    model = setup_of(Asked(symbols=("ETH",)), settings, KNOWN).model
    assert (model.fee, model.fee_in) == (Decimal("0.0026"), "quote")


def test_contexts_at_exchanges_with_other_fees_are_tested_one_at_a_time_or_with_one_fee(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with pytest.raises(BadInput, match=r"binance 0\.00075 in received, kraken 0\.0026 in quote"):
        setup_of(Asked(), settings, KNOWN)
    same = settings_of(tmp_path, {name: {"fee": "0.0004"} for name in EXCHANGES})
    assert setup_of(Asked(), same, KNOWN).model.fee == Decimal("0.0004")
    assert setup_of(Asked(fee=Decimal("0.01"), full=True), settings, KNOWN).model.fee == Decimal("0.01")


def test_a_fee_in_the_quote_currency_by_its_name_is_one_in_the_quote_currency(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"binance": {"fee_in": "USDT"}, "kraken": {}})
    assert setup_of(Asked(symbols=("BTC",)), settings, KNOWN).model.fee_in == "quote"
