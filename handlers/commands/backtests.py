"""The command that tries a strategy over what was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.domain.messages import Card
from handlers import arguments
from handlers.commands.table import Call

Backtest = Callable[[str, str, int], Awaitable[Card]]
"""Tells what a strategy on a market would have come to in so many days."""


class Backtests:
    """What is tried changes nothing but the register of trials."""

    def __init__(self, backtest: Backtest) -> None:
        self._backtest = backtest

    async def backtest(self, call: Call) -> Card:
        return await self._backtest(*arguments.backtest(call.words))
