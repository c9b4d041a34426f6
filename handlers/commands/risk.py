"""The commands that show how the account stands against its limits."""

from __future__ import annotations

from engine.domain.messages import Card
from engine.views.risk import RiskReports
from handlers import arguments
from handlers.cards import risk
from handlers.commands.table import Call


class Risks:
    """Reads; the figures are of now."""

    def __init__(self, reports: RiskReports) -> None:
        self._reports = reports

    async def risk(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return risk.risk(await self._reports.risk())

    async def var(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return risk.var(await self._reports.var())

    async def exposure(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return risk.exposure(await self._reports.exposure())
