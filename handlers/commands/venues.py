"""The commands about venues and single orders."""

from __future__ import annotations

from engine.desk import Desk
from engine.domain.messages import Card
from engine.views.venues import VenueReports
from handlers import arguments
from handlers.cards import confirmations, orders, venues
from handlers.commands.table import Call


class Venues:
    """What is open where, and how each venue is; and the one act about it."""

    def __init__(self, reports: VenueReports, desk: Desk) -> None:
        self._reports = reports
        self._desk = desk

    async def venues(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return venues.card(await self._reports.venues())

    async def orders(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return orders.open_orders(await self._reports.orders())

    async def order(self, call: Call) -> Card:
        return orders.order(await self._reports.order(arguments.order_id(call.words)))

    async def cancel(self, call: Call) -> Card:
        wanted = arguments.order_id(call.words)
        return confirmations.card(await self._desk.confirming.cancelling.ask(call.person.name, wanted))
