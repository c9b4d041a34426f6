"""S1 by freqtrade, in an environment of its own: ``with_freqtrade.py FILE PAIRS ROUNDS``; prints JSON.

Its backtests ask a venue for its markets before they begin. This one is told of the one market that there is, and asks
nobody.
"""

import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data.converter import trim_dataframes
from freqtrade.data.history import get_timerange
from freqtrade.enums import CandleType, RunMode, TradingMode
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting

FEE, SIZE, CASH, PAIR = 0.001, 0.95, 10_000, "BTC/USDT"
STRATEGY = """
import numpy as np
from freqtrade.strategy import IStrategy


class SmaCross(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1h"
    minimal_roi = {{"0": 1_000_000}}
    stoploss = -0.999
    can_short = False
    startup_candle_count = 0
    use_exit_signal = True
    process_only_new_candles = True

    def populate_indicators(self, dataframe, metadata):
        dataframe["fast"] = dataframe["close"].rolling({fast}).mean()
        dataframe["slow"] = dataframe["close"].rolling({slow}).mean()
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        above = dataframe["fast"] > dataframe["slow"]
        was_not = dataframe["fast"].shift(1) <= dataframe["slow"].shift(1)
        dataframe["enter_long"] = (above & was_not).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe["exit_long"] = (dataframe["fast"] < dataframe["slow"]).astype(int)
        return dataframe
"""
MARKET = {
    "id": "BTCUSDT",
    "symbol": PAIR,
    "base": "BTC",
    "quote": "USDT",
    "active": True,
    "type": "spot",
    "spot": True,
    "margin": False,
    "swap": False,
    "future": False,
    "option": False,
    "contract": False,
    "contractSize": None,
    "precision": {"amount": 1e-8, "price": 1e-8},
    "limits": {
        "amount": {"min": None, "max": None},
        "price": {"min": None, "max": None},
        "cost": {"min": None, "max": None},
        "leverage": {"min": None, "max": None},
    },
    "maker": FEE,
    "taker": FEE,
    "info": {},
}


class OneMarket(Exchange):
    """A venue that has one market, and that nobody calls."""

    def reload_markets(self, *_: object, **__: object) -> None:
        self._markets = {PAIR: MARKET}
        self._api.set_markets([MARKET])

    def validate_config(self, config: dict[str, Any]) -> None:
        """It is right."""


def config_of(folder: Path) -> dict[str, Any]:
    return {
        "strategy": "SmaCross",
        "strategy_path": str(folder),
        "recursive_strategy_search": False,
        "user_data_dir": folder,
        "datadir": folder,
        "exportfilename": folder,
        "runmode": RunMode.BACKTEST,
        "trading_mode": TradingMode.SPOT,
        "candle_type_def": CandleType.SPOT,
        "margin_mode": "",
        "timeframe": "1h",
        "stake_currency": "USDT",
        "stake_amount": "unlimited",
        "tradable_balance_ratio": SIZE,
        "max_open_trades": 1,
        "dry_run": True,
        "dry_run_wallet": CASH,
        "fee": FEE,
        "dataformat_ohlcv": "feather",
        "entry_pricing": {"price_side": "same", "use_order_book": False},
        "exit_pricing": {"price_side": "same", "use_order_book": False},
        "exchange": {"name": "binance", "key": "", "secret": "", "pair_whitelist": [PAIR], "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "export": "none",
        "cancel_open_orders_on_exit": False,
        "internals": {},
    }


def traded(frame: pd.DataFrame, fast: int, slow: int) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sma_cross.py").write_text(STRATEGY.format(fast=fast, slow=slow))
        config = config_of(folder)
        running = Backtesting(config, OneMarket(config, validate=False))
        running._set_strategy(running.strategylist[0])
        processed = running.strategy.advise_all_indicators({PAIR: frame})
        processed = trim_dataframes(processed, TimeRange(), 0)
        first, last = get_timerange(processed)
        found = running.backtest(processed=processed, start_date=first, end_date=last)
        Backtesting.cleanup()
    return float(found["final_balance"]), len(found["results"])


def main() -> None:
    logging.disable(logging.CRITICAL)
    columns = np.load(sys.argv[1])
    frame = pd.DataFrame({name: columns[name] for name in ("open", "high", "low", "close", "volume")})
    frame.insert(0, "date", pd.to_datetime(columns["open_ms"], unit="ms", utc=True))
    took = []
    for _ in range(int(sys.argv[3])):
        begun = time.process_time()
        for fast, slow in json.loads(sys.argv[2]):
            equity, trades = traded(frame, fast, slow)
        took.append(time.process_time() - begun)
    print(json.dumps({"seconds": min(took), "equity": equity, "trades": trades}))  # noqa: T201


main()
