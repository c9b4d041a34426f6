"""When entries must be halted by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from engine.domain.halts import Halt, HaltKind
from engine.domain.positions import Portfolio
from engine.risk.limits import RiskLimits


def drawdown_halt(portfolio: Portfolio, open_halts: Sequence[Halt], limits: RiskLimits, now: datetime) -> Halt | None:
    """What a drawdown calls for and is not in force yet: a halt without end at the total limit, else a pause."""
    if limits.total_reached(portfolio):
        standing = any(halt.is_total for halt in open_halts)
        return None if standing else Halt(kind=HaltKind.DRAWDOWN, reason=limits.total_words(portfolio), since=now)
    if not limits.pause_due(portfolio):
        return None
    return Halt(
        kind=HaltKind.DRAWDOWN,
        reason=limits.pause_words(portfolio),
        since=now,
        until=now + limits.drawdown_pause,
    )


def paused_drawdown(portfolio: Portfolio, limits: RiskLimits) -> Decimal:
    """The drawdown at which entries were last paused, after this close: 0 once less than half a step is left of it."""
    if limits.total_reached(portfolio) or limits.pause_due(portfolio):
        return max(portfolio.paused_drawdown, portfolio.drawdown)
    return Decimal(0) if limits.recovered(portfolio) else portfolio.paused_drawdown
