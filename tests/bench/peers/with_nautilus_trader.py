"""S1 by nautilus_trader, in an environment of its own: ``with_nautilus_trader.py FILE PAIRS ROUNDS``; prints JSON.

Of whole bars it fills what is sent at a close at that close.
"""

import json
import sys
import time
from decimal import Decimal

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

FEE, SIZE, CASH = Decimal("0.001"), 0.95, 10_000
VENUE = Venue("SIM")
MARKET = CurrencyPair(
    instrument_id=InstrumentId(Symbol("BTCUSDT"), VENUE),
    raw_symbol=Symbol("BTCUSDT"),
    base_currency=BTC,
    quote_currency=USDT,
    price_precision=8,
    size_precision=8,
    price_increment=Price.from_str("0.00000001"),
    size_increment=Quantity.from_str("0.00000001"),
    ts_event=0,
    ts_init=0,
    maker_fee=FEE,
    taker_fee=FEE,
)
BARS = BarType.from_str(f"{MARKET.id}-1-HOUR-LAST-EXTERNAL")


class SmaCross(Strategy):
    def __init__(self, fast: int, slow: int) -> None:
        super().__init__()
        self.fast, self.slow = SimpleMovingAverage(fast), SimpleMovingAverage(slow)
        self.was_not, self.trades = False, 0

    def on_start(self) -> None:
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow.initialized:
            return
        above, below = self.fast.value > self.slow.value, self.fast.value < self.slow.value
        if self.portfolio.is_net_long(MARKET.id):
            if below:
                self.close_all_positions(MARKET.id)
        elif above and self.was_not:
            free = self.portfolio.account(VENUE).balance_free(USDT).as_double()
            units = MARKET.make_qty(SIZE * free / bar.close.as_double())
            self.submit_order(self.order_factory.market(MARKET.id, OrderSide.BUY, units))
            self.trades += 1
        self.was_not = not above


def traded(bars: list[Bar], fast: int, slow: int) -> tuple[float, int]:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(CASH, USDT)],
    )
    engine.add_instrument(MARKET)
    engine.add_data(bars)
    strategy = SmaCross(fast, slow)
    engine.add_strategy(strategy)
    engine.run()
    account = engine.portfolio.account(VENUE)
    held = account.balance_total(BTC)
    worth = held.as_double() * bars[-1].close.as_double() if held is not None else 0.0
    equity = account.balance_total(USDT).as_double() + worth
    engine.dispose()
    return equity, strategy.trades


def main() -> None:
    columns = np.load(sys.argv[1])
    frame = pd.DataFrame({name: columns[name] for name in ("open", "high", "low", "close", "volume")})
    frame.index = pd.to_datetime(columns["open_ms"], unit="ms", utc=True)
    took = []
    for _ in range(int(sys.argv[3])):
        begun = time.process_time()
        bars = BarDataWrangler(BARS, MARKET).process(frame)
        for fast, slow in json.loads(sys.argv[2]):
            equity, trades = traded(bars, fast, slow)
        took.append(time.process_time() - begun)
    print(json.dumps({"seconds": min(took), "equity": equity, "trades": trades}))  # noqa: T201


main()
