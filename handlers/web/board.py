"""The dashboard beside the chat, rendered at most once a second however many people watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from engine.domain.account import EquityPoint, Status
from engine.domain.charts import EquityChart
from engine.domain.errors import GreenlightError
from engine.domain.payments import Payment
from engine.timing.clocks import monotonic
from handlers.cards.pictures import equity_chart
from handlers.web.rendering import render

if TYPE_CHECKING:
    from engine.views.trading import Views

FRESH_SECONDS = 0.9
POINTS = 120
"""How many points the equity curve has at most."""


class Board:
    """Renders what everybody may see of the account.

    Args:
        views: What people may see.
        monotonic: Seconds that only grow.
    """

    def __init__(self, views: Views, *, monotonic: Callable[[], float] = monotonic) -> None:
        self._views = views
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._html = ""
        self._stale_at = -1.0

    async def html(self) -> str:
        """The dashboard of now, or of less than a second ago."""
        async with self._lock:
            if self._monotonic() >= self._stale_at:
                self._html = await self._render()
                self._stale_at = self._monotonic() + FRESH_SECONDS
            return self._html

    async def _render(self) -> str:
        try:
            status, positions = await self._views.status_and_positions()
            curve, payments = await self._views.equity_curve(POINTS), await self._views.payments()
        except GreenlightError as error:  # the chat beside it goes on
            return render("board_missing.html", reason=str(error), halts=self._views.unwritten_halts())
        chart = _chart(curve, payments, status, self._views.days.zone)
        return render("board.html", status=status, halts=status.halts, positions=positions, chart=chart)


def _chart(
    curve: Sequence[EquityPoint], payments: Sequence[Payment], status: Status, zone: ZoneInfo
) -> EquityChart | None:
    """The newest candles and now; ``None`` where that is one moment."""
    points = [point for point in curve if point.at < status.now]
    if not points:
        return None
    now = EquityPoint(
        at=status.now,
        equity=status.equity,
        cash=status.cash,
        drawdown=status.drawdown,
        benchmark=curve[-1].benchmark,
        payments=len(payments),
    )
    return equity_chart([*points, now], status.quote, zone, payments)
