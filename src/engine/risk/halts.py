"""When entries must stop by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain.trading import Halt, HaltKind, Portfolio
from engine.risk.rules import RiskLimits


def drawdown_halt(portfolio: Portfolio, open_halts: Sequence[Halt], limits: RiskLimits, now: datetime) -> Halt | None:
    """The pause that a drawdown calls for, unless one is in force already."""
    if portfolio.drawdown < limits.max_drawdown or any(halt.kind is HaltKind.DRAWDOWN for halt in open_halts):
        return None
    return Halt(
        kind=HaltKind.DRAWDOWN,
        reason=f"drawdown {portfolio.drawdown:.1%} has reached the limit of {limits.max_drawdown:.1%}",
        since=now,
        until=now + limits.drawdown_pause,
    )
