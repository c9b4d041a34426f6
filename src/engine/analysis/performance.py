"""Figures of closed trades and of an equity curve, in exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

_ZERO = Decimal(0)


def win_rate(nets: Sequence[Decimal]) -> float | None:
    """The share of closed trades that made money after fees, in [0, 1]; ``None`` without trades. Nothing is no win."""
    return sum(net > 0 for net in nets) / len(nets) if nets else None


def max_drawdown(equity: Sequence[Decimal]) -> Decimal:
    """The deepest fall below an earlier peak, as a fraction of that peak; 0 where equity never fell."""
    peaks = accumulate(equity, max)
    return max(((peak - value) / peak for peak, value in zip(peaks, equity, strict=True) if peak > 0), default=_ZERO)
