"""S1 by backtesting.py, by an environment of its own: ``python with_backtesting.py FILE PAIRS ROUNDS``; prints JSON."""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

FEE, SIZE, CASH = 0.001, 0.95, 10_000.0


def mean(values: np.ndarray, length: int) -> np.ndarray:
    return pd.Series(values).rolling(length).mean().to_numpy()


class SmaCross(Strategy):
    fast, slow = 20, 50

    def init(self) -> None:
        self.quick = self.I(mean, self.data.Close, self.fast)
        self.late = self.I(mean, self.data.Close, self.slow)

    def next(self) -> None:
        if self.position:
            if self.quick[-1] < self.late[-1]:
                self.position.close()
        elif self.quick[-1] > self.late[-1] and self.quick[-2] <= self.late[-2]:
            self.buy(size=SIZE)


def main() -> None:
    warnings.simplefilter("ignore")
    columns = np.load(sys.argv[1])
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
    frame = pd.DataFrame({name: columns[each] for name, each in names.items()})
    frame.index = pd.to_datetime(columns["open_ms"], unit="ms")
    frame[["Open", "High", "Low", "Close"]] /= 1e6  # it buys whole units alone
    took = []
    for _ in range(int(sys.argv[3])):
        begun = time.process_time()
        for fast, slow in json.loads(sys.argv[2]):
            found = Backtest(frame, SmaCross, cash=CASH, commission=FEE).run(fast=fast, slow=slow)
        took.append(time.process_time() - begun)
    equity, trades = float(found["Equity Final [$]"]), int(found["# Trades"])
    print(json.dumps({"seconds": min(took), "equity": equity, "trades": trades}))  # noqa: T201


main()
