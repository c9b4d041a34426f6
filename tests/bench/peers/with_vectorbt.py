"""S1 by vectorbt, by an environment of its own: ``python with_vectorbt.py FILE PAIRS ROUNDS``; prints JSON."""

import json
import sys
import time

import numpy as np
import pandas as pd
import vectorbt as vbt

FEE, SIZE, CASH = 0.001, 0.95, 10_000.0


def crossed(fast: pd.DataFrame, slow: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Where a fast mean rose above a slow one, and where it is below it, a row later: traded at the next open."""
    above, below = fast > slow, fast < slow
    rose = above & ~np.roll(above, 1, axis=0) & ~np.isnan(np.roll(slow, 1, axis=0))
    rose[0] = False
    later = (np.roll(each, 1, axis=0) for each in (rose, below))
    enter, leave = later
    enter[0] = leave[0] = False
    return enter, leave


def traded(opens: np.ndarray, close: np.ndarray, fast: np.ndarray, slow: np.ndarray) -> vbt.Portfolio:
    """Means, signals, portfolio."""
    windows = np.unique(np.concatenate([fast, slow]))
    means = vbt.MA.run(pd.Series(close), window=windows).ma.to_numpy().reshape(len(close), -1)
    at = {window: column for column, window in enumerate(windows)}
    enter, leave = crossed(means[:, [at[each] for each in fast]], means[:, [at[each] for each in slow]])
    return vbt.Portfolio.from_signals(
        close[:, np.newaxis],
        enter,
        leave,
        price=opens[:, np.newaxis],
        size=SIZE,
        size_type="percent",
        fees=FEE,
        init_cash=CASH,
    )


def main() -> None:
    columns = np.load(sys.argv[1])
    pairs = np.array(json.loads(sys.argv[2]))
    took = []
    for _ in range(int(sys.argv[3])):
        begun = time.process_time()
        found = traded(columns["open"], columns["close"], pairs[:, 0], pairs[:, 1])
        equity, trades = np.atleast_1d(found.final_value()), np.atleast_1d(found.trades.count())
        np.atleast_1d(found.sharpe_ratio(freq="1h")), np.atleast_1d(found.max_drawdown())
        took.append(time.process_time() - begun)
    print(json.dumps({"seconds": min(took), "equity": float(equity[0]), "trades": int(trades[0])}))  # noqa: T201


main()
