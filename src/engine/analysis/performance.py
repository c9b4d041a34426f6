"""Figures of closed trades and of an equity curve, in exact decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures:
    """What closed trades come to.

    Attributes:
        net: Their sum after fees, in the quote currency, as are ``best`` and ``worst``.
        win_rate: Share that made money, in [0, 1]; ``None`` without trades.
        profit_factor: What the winners made over what the losers lost; ``None`` while nothing was lost.
        best, worst: The extremes; ``None`` without trades.
    """

    closed: int
    won: int
    net: Decimal
    win_rate: float | None
    profit_factor: float | None
    best: Decimal | None
    worst: Decimal | None


def trade_figures(nets: Sequence[Decimal]) -> TradeFigures:
    """Count closed trades by what each made after fees; one that made nothing is no win."""
    gains = [net for net in nets if net > 0]
    lost = -sum((net for net in nets if net < 0), _ZERO)
    return TradeFigures(
        closed=len(nets),
        won=len(gains),
        net=sum(nets, _ZERO),
        win_rate=len(gains) / len(nets) if nets else None,
        profit_factor=float(sum(gains, _ZERO) / lost) if lost else None,
        best=max(nets, default=None),
        worst=min(nets, default=None),
    )


def max_drawdown(equity: Sequence[Decimal]) -> Decimal:
    """The deepest fall below an earlier peak, as a fraction of that peak; 0 where equity never fell."""
    peaks = accumulate(equity, max)
    return max(((peak - value) / peak for peak, value in zip(peaks, equity, strict=True) if peak > 0), default=_ZERO)
