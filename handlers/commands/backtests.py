"""The command that tries a strategy over what was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.domain.messages import Card
from handlers import arguments
from handlers.commands.table import Call

Backtest = Callable[[str, str, int], Awaitable[Card]]
"""Tells what a strategy on a market would have come to in so many days."""
BacktestBegun = Callable[[str, str, int], Card | None]
"""Tells of the same, at once, that it has begun, where it may take long.

Raises:
    GreenlightError: It will be refused.
"""


def soon_done(strategy: str, market: str, days: int) -> None:
    """No backtest takes long."""


class Backtests:
    """What is tried changes nothing but the register of trials."""

    def __init__(self, backtest: Backtest, begun: BacktestBegun) -> None:
        self._backtest = backtest
        self._begun = begun

    async def backtest(self, call: Call) -> Card:
        return await self._backtest(*arguments.backtest(call.words))

    def begun(self, call: Call) -> Card | None:
        return self._begun(*arguments.backtest(call.words))
