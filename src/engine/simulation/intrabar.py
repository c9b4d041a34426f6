"""What happens inside a candle, of which only four prices are known: one rule for the path and for a whole candle.

    path    the low comes first where the candle closes at or above its open, the high where it falls
    worst   the low always comes first: where a candle touches a stop and a target, the stop counts

The paper venue walks the path that a rule makes of a candle (``path``). ``first_exit`` says in one step of plain
numbers what that walk comes to first, for those who go over whole candles.
"""

from __future__ import annotations

from enum import StrEnum

NEITHER, STOP, TARGET = 0, 1, 2
"""What a held position meets in a candle."""


class Intrabar(StrEnum):
    """Which extreme of a candle comes first."""

    PATH = "path"
    WORST = "worst"


def is_low_first(first: float, last: float, worst: bool) -> bool:  # noqa: FBT001 - numba knows no keywords
    """Whether a candle's low comes before its high.

    Args:
        first: Its open.
        last: Its close.
        worst: Whether the rule is ``worst``.
    """
    return worst or last >= first


def first_exit(
    candle: tuple[float, float, float, float],
    stop: float,
    target: float,
    worst: bool,  # noqa: FBT001 - numba knows no keywords
) -> tuple[int, float]:
    """What a long position meets first in a candle, and at which price; an open beyond either counts at the open.

    Args:
        candle: Open, high, low and close.
        stop: Below the price, ``-inf`` for none.
        target: Above it, ``inf`` for none.
        worst: Whether the rule is ``worst``.

    Returns:
        ``NEITHER``, ``STOP`` or ``TARGET``, and the price (0 with ``NEITHER``).
    """
    first, high, low, last = candle
    if first <= stop:
        return STOP, first
    if first >= target:
        return TARGET, first
    if low <= stop and (is_low_first(first, last, worst) or high < target):
        return STOP, stop
    if high >= target:
        return TARGET, target
    return NEITHER, 0.0
