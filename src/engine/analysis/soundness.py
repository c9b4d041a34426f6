"""Which candles of a long series nothing can be said against, found once: a window of them need not be looked through.

Only for windows of a series that is all there: what comes candle by candle is looked through each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.domain.market import Candles


class Soundness:
    """The candles of a series that are in order, possible, traded and quiet, with the one before each.

    Args:
        whole: The series.
        max_move: Size from which a move is looked at, as a log return.
    """

    def __init__(self, whole: Candles, max_move: float) -> None:
        self._doubts_before = np.concatenate(([0], np.cumsum(_doubtful(whole, max_move))))

    def holds(self, start: int, stop: int) -> bool:
        """Whether it holds of the candles from one up to, without, another."""
        return bool(self._doubts_before[stop] == self._doubts_before[start])

    def ahead(self, start: int, stop: int, recent: int) -> int:
        """By how many candles a window can go on before it has to be looked through again, where it was found good.

        Args:
            start: Its first candle.
            stop: The one after its last.
            recent: How many of the newest must be beyond doubt: of older ones nothing is said that was not before, as
                long as all of them are in it.
        """
        newest, joins = max(start, stop - recent), self._first_doubt(stop) - stop
        leaves, doubted = self._first_doubt(start) - start - 1, not self.holds(start, stop)
        return 0 if not self.holds(newest, stop) else max(0, min(joins, leaves) if doubted else joins)

    def _first_doubt(self, start: int) -> int:
        """The first candle from one on of which it does not hold; the end of the series where there is none."""
        return int(self._doubts_before.searchsorted(self._doubts_before[start], side="right")) - 1


def _doubtful(candles: Candles, max_move: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """The candles that have to be looked at, or that come after one with which they have to be."""
    lowest, highest = np.minimum(candles.open, candles.close), np.maximum(candles.open, candles.close)
    good = np.isfinite(candles.open + candles.high + candles.low + candles.close + candles.volume)
    good &= (candles.low > 0) & (candles.low <= lowest) & (candles.high >= highest) & (candles.volume > 0)
    before, after = candles.close[:-1], candles.close[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        body = np.abs(np.log(after / before))
        up, down = candles.high[1:] / np.maximum(before, after), np.minimum(before, after) / candles.low[1:]
        good[1:] &= np.maximum(body, np.log(np.maximum(up, down))) <= max_move
    good[1:] &= np.diff(candles.open_ms) == candles.timeframe.millis
    return ~good
