"""The prices of a simulated book in whole numbers: what the paper venue and the compiled kernel both call.

Prices are in ticks. Shares of a price are whole numbers over a common ``whole``, so that every step is exact: with a
spread of 0.0004 and levels 0.0003 apart ``whole`` is 10,000, and the first ask stands at 10,002 / 10,000 of the price.
"""

from __future__ import annotations


def ask_ticks(price: int, share: int, whole: int) -> int:
    """The price at a share of another one, to the tick above: price * share / whole, rounded up.

    Args:
        price: In ticks; of one that lies between two, its numerator, with its denominator within ``whole``.
        share: Of it, in 1 / ``whole``.
        whole: Above 0.
    """
    return -(-price * share // whole)


def bid_ticks(price: int, share: int, whole: int) -> int:
    """The price at a share of another one, to the tick below; else as ``ask_ticks``."""
    return price * share // whole


def further_ask(ticks: int, last: int) -> int:
    """Where the next ask stands: at least a tick above the last one."""
    return max(ticks, last + 1)


def further_bid(ticks: int, last: int) -> int:
    """Where the next bid stands: at least a tick below the last one."""
    return min(ticks, last - 1)
