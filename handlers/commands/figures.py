"""The commands that show what trading has come to, and how it stands against its limits."""

from __future__ import annotations

from engine.domain.days import Period
from engine.domain.messages import Card
from engine.views.results import Results
from handlers import arguments
from handlers.cards import figures
from handlers.commands.table import Call


class Figures:
    """Reads; nothing of it is about one trade."""

    def __init__(self, results: Results) -> None:
        self._results = results

    async def daily(self, call: Call) -> Card:
        return await self._periods(call, Period.DAY)

    async def weekly(self, call: Call) -> Card:
        return await self._periods(call, Period.WEEK)

    async def monthly(self, call: Call) -> Card:
        return await self._periods(call, Period.MONTH)

    async def _periods(self, call: Call, period: Period) -> Card:
        count = arguments.periods(call.words, period)
        return figures.periods(await self._results.periods(period, count), period)

    async def performance(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return figures.performance(await self._results.performance())

    async def stats(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return figures.stats(await self._results.stats())

    async def count(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return figures.count(await self._results.counts())

    async def strategies(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return figures.strategies(await self._results.strategies())
