"""Figures of closed trades, in exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def win_rate(nets: Sequence[Decimal]) -> float | None:
    """The share of closed trades that made money after fees, in [0, 1]; ``None`` without trades. Nothing is no win."""
    return sum(net > 0 for net in nets) / len(nets) if nets else None
