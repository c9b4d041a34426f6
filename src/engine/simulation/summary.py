"""What a run came to in a few figures, for numba: those by which the combinations of a sweep are compared.

They are those of ``engine.backtest.returns`` and of ``BacktestResult``, reckoned on the tables that the kernel leaves,
without making anything of them. As in the kernel, all of this is plain Python of numbers and arrays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.domain.market import Floats
    from engine.simulation.tapes import Row, Table, Tape

SUMMARY = np.dtype(
    [
        ("equity", "f8"),  # at the last closes
        ("points", "i8"),  # of the curve: the beginning, the end of each day, and the end of the run
        ("ratio", "f8"),  # mean over sample standard deviation of a day's returns; NaN where nothing moved
        ("drawdown", "f8"),  # the deepest one at these points, as a fraction
        ("won", "i8"),  # trades that made something after fees
        ("fees", "f8"),  # of what is held at the end too
    ]
)


def summarize(tape: Tape, cash: float, lots: Floats, curve: Floats, summary: Row) -> None:
    """Write down what a tape that was gone over came to.

    Args:
        tape: What the kernel left.
        cash: What it began with.
        lots: What a lot is of each slot, in the base currency.
        curve: Room for the points of the curve, two more than there are days; the equity at each is left there.
        summary: Gets the figures.
    """
    account, days = tape.account[0], tape.days
    summary["equity"] = account["cash"] + held_at_end(tape)
    count = account["days"]
    if count > 0 and days[count - 1]["at"] == last_close(tape):
        count -= 1  # the end of the run is that of its last day
    curve[0] = cash
    for d in range(count):
        curve[d + 1] = days[d]["equity"]
    curve[count + 1] = summary["equity"]
    summary["points"] = count + 2
    summary["ratio"] = ratio_of(curve, count + 2)
    summary["drawdown"] = deepest(curve, count + 2)
    count_trades(tape.trades, account["trades"], tape.slots, lots, summary)


def held_at_end(tape: Tape) -> float:
    """What everything that is still held is worth at the last closes."""
    worth = 0.0
    for k in range(len(tape.slots)):
        slot, market = tape.slots[k], tape.markets[tape.slots[k]["market"]]
        if slot["lots"] > 0:
            worth += slot["lots"] * tape.close[market["end"] - 1] * market["grain"]
    return worth


def last_close(tape: Tape) -> int:
    """When the last candle of all closes."""
    last = 0
    for m in range(len(tape.markets)):
        market = tape.markets[m]
        if market["end"] > market["first"]:
            last = max(last, tape.open_ms[market["end"] - 1] + market["span"])
    return last


def ratio_of(curve: Floats, points: int) -> float:
    """Mean over sample standard deviation of the changes from point to point; ``NaN`` where all are the same."""
    count, total = points - 1, 0.0
    least, most = math.inf, -math.inf
    for i in range(count):
        change = curve[i + 1] / curve[i] - 1.0
        total += change
        least, most = min(least, change), max(most, change)
    if not most > least or count < 2:  # noqa: PLR2004 - one change does not differ
        return math.nan
    mean, squares = total / count, 0.0
    for i in range(count):
        away = curve[i + 1] / curve[i] - 1.0 - mean
        squares += away * away
    return mean / math.sqrt(squares / (count - 1))


def deepest(curve: Floats, points: int) -> float:
    """How far the curve fell below its highest point until then, at most, as a fraction of that."""
    peak, found = curve[0], 0.0
    for i in range(points):
        peak = max(peak, curve[i])
        found = max(found, 1.0 - curve[i] / peak)
    return found


def count_trades(trades: Table, count: int, slots: Table, lots: Floats, summary: Row) -> None:
    """How many trades won, and what all has cost."""
    won, fees = 0, 0.0
    for t in range(count):
        trade = trades[t]
        quantity = trade["lots"] * lots[trade["slot"]]
        if quantity * (trade["exit"] - trade["entry"]) - trade["fees"] > 0:
            won += 1
        fees += trade["fees"]
    for k in range(len(slots)):
        if slots[k]["lots"] > 0:
            fees += slots[k]["fees"]
    summary["won"], summary["fees"] = won, fees
